//! Which container a cgroup belongs to.
//!
//! The name of the cgroup tells, without asking a runtime: docker, containerd, CRI-O and podman all put the container's
//! id into it, and the kubelet the pod's UID into the one above.

use std::{collections::HashMap, sync::Arc};

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

/// Length of a container id: every runtime takes 256 random bits, in hexadecimal.
const ID_LEN: usize = 64;
/// The part of it that people see.
const SHORT_ID_LEN: usize = 12;

impl Container {
    /// Reads the path of a cgroup, in either hierarchy. `None` on the host.
    #[must_use]
    pub fn of_cgroup(path: &[u8]) -> Option<Self> {
        let path = std::str::from_utf8(path).ok()?;
        let full_id = path.rsplit('/').find_map(container_id)?;
        let pod_uid = path.rsplit('/').find_map(pod_uid).map(Into::into);
        Some(Self { id: full_id[..SHORT_ID_LEN].into(), full_id: full_id.into(), pod_uid })
    }
}

/// `<id>`, `cri-containerd-<id>.scope`, `docker-<id>.scope`, `crio-<id>.scope`, `libpod-<id>.scope`, or
/// `<slice>:cri-containerd:<id>`.
fn container_id(component: &str) -> Option<&str> {
    // The monitor of a container runs on the host, in a cgroup that is named after it.
    if component.contains("conmon-") {
        return None;
    }
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let id = name.rsplit(['-', ':']).next()?;
    (id.len() == ID_LEN && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))).then_some(id)
}

/// `pod<uid>`, or `kubepods-burstable-pod<uid with _ for ->.slice`.
fn pod_uid(component: &str) -> Option<String> {
    let name = component.strip_suffix(".slice").unwrap_or(component);
    let (before, uid) = name.rsplit_once("pod")?;
    let whole = (before.is_empty() || before.ends_with('-')) && uid.len() >= 32;
    (whole && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_')))
        .then(|| uid.replace('_', "-"))
}

/// The containers of cgroups that have been looked at.
#[derive(Debug, Default)]
pub(super) struct Containers(HashMap<u64, Option<Arc<Container>>>);

impl Containers {
    /// Cgroups that are remembered. Above what a full node runs (110 pods and its services); when it is reached all are
    /// forgotten and looked at again.
    const MAX: usize = 4096;

    /// The container of a cgroup; `path` is asked for where the cgroup is not known yet.
    pub(super) fn of(&mut self, id: u64, path: impl FnOnce() -> Option<Vec<u8>>) -> Option<Arc<Container>> {
        if let Some(known) = self.0.get(&id) {
            return known.clone();
        }
        let container = Container::of_cgroup(&path()?).map(Arc::new);
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        self.0.insert(id, container.clone());
        container
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "6b1f8a3c-0d5e-4f60-9a7b-1c2d3e4f5a6b";

    fn check(path: &str, id: Option<&str>, pod: Option<&str>) {
        let path = path.replace("ID", ID).replace("U_ID", &UID.replace('-', "_")).replace("UID", UID);
        let container = Container::of_cgroup(path.as_bytes());
        assert_eq!(container.as_ref().map(|container| container.full_id.as_ref()), id, "{path}");
        assert_eq!(container.and_then(|container| container.pod_uid).as_deref(), pod, "{path}");
    }

    #[test]
    fn every_runtime_names_its_cgroups_in_its_own_way() {
        let underscored = UID.replace('-', "_");
        check("/docker/ID", Some(ID), None);
        check("/system.slice/docker-ID.scope", Some(ID), None);
        check("/machine.slice/libpod-ID.scope/container", Some(ID), None);
        check(&format!("/kubepods/besteffort/pod{UID}/ID"), Some(ID), Some(UID));
        let slice =
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{underscored}.slice");
        check(&format!("{slice}/cri-containerd-ID.scope"), Some(ID), Some(UID));
        check(&format!("{slice}/crio-ID.scope"), Some(ID), Some(UID));
        check(
            &format!("/system.slice/containerd.service/kubepods-pod{underscored}.slice:cri-containerd:ID"),
            Some(ID),
            None,
        );
    }

    #[test]
    fn what_is_not_a_container_is_the_host() {
        for path in
            ["/", "", "/user.slice/user-1000.slice/session-2.scope", "/machine.slice/libpod-conmon-ID.scope"]
        {
            check(path, None, None);
        }
    }
}
