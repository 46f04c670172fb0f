//! Which container a cgroup belongs to.

/// A container, as far as its cgroup tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The first twelve characters of its id, as the Falco language has it.
    pub id: Box<str>,
    /// The whole id.
    pub full_id: Box<str>,
    /// UID of its pod, in the form with dashes, where the cgroup is a pod's.
    pub pod_uid: Option<Box<str>>,
}
