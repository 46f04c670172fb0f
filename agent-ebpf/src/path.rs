//! The path of an object, walked from the object up to the root of its mount namespace.
//!
//! The last component comes first; user space turns it round. A rename during the walk can tear the path, as it can
//! tear what any reader without the kernel's rename lock sees.

use holdfast_common::{Field, SECTION_BYTES, Section, SectionFlags};

use crate::{
    kernel::{offset, read, read_field},
    scratch::{Builder, Walk},
};

/// How many components and mounts a walk takes at the most. Above what real trees have; a bound, since the verifier
/// wants one. A path with more is cut at the end that is nearest the root, and says so.
const MAX_STEPS: u32 = 64;
/// `NAME_MAX` and its NUL.
const NAME_BYTES: usize = 256;

/// `struct path`, `include/linux/path.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct KernelPath {
    /// The mount, a `struct vfsmount`.
    pub mnt: u64,
    /// The object, a `struct dentry`.
    pub dentry: u64,
}

/// The members of `struct dentry` from `d_parent` on, the same on every kernel since 2.6.38; checked at the load.
#[repr(C)]
#[derive(Clone, Copy)]
struct DentryLinks {
    parent: u64,
    hash_len: u64,
    name: u64,
}

/// Where a mount is: the members of `struct mount` (`fs/mount.h`) from `mnt_parent` on, the same on every kernel since
/// 3.3; checked at the load.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MountPlace {
    /// The mount that it lies on, a `struct mount`. Itself at the root of a namespace.
    pub parent: u64,
    /// The place there, a `struct dentry`.
    pub mountpoint: u64,
}

impl MountPlace {
    /// Where the `struct mount` at that address is.
    #[inline(always)]
    pub fn of(mount: u64) -> Option<Self> {
        read_field(mount, Field::MountParent)
    }
}

/// Appends the path of an object.
#[inline(always)]
pub fn append(record: &mut Builder, path: KernelPath) -> Section {
    let mark = record.len();
    begin(record, path);
    let mut flags = SectionFlags::CUT;
    for _ in 0..MAX_STEPS {
        match step(record) {
            Step::Mount => {}
            Step::Component { name, last } => {
                if !append_component(record, mark, name) {
                    break;
                }
                if last {
                    flags = SectionFlags::DETACHED;
                    break;
                }
            }
            Step::Root => {
                flags = 0;
                break;
            }
            Step::Stuck => break,
        }
    }
    record.section(mark, flags)
}

/// Puts the walk at its beginning.
#[inline(always)]
pub fn begin(record: &mut Builder, path: KernelPath) {
    let root = read_field(path.mnt, Field::VfsmountRoot).unwrap_or(0);
    record.set_walk(Walk { mnt: path.mnt, root, node: path.dentry });
}

/// What a step of a walk has come to.
pub enum Step {
    /// Over the edge of a mount.
    Mount,
    /// A component, and one up.
    Component {
        /// The address of its name.
        name: u64,
        /// No folder holds it: there is no next step.
        last: bool,
    },
    /// The root of the namespace.
    Root,
    /// The memory is not what it should be.
    Stuck,
}

/// Goes on with the walk.
#[inline(always)]
pub fn step(record: &mut Builder) -> Step {
    let Walk { mnt, root, node } = record.walk();
    if node == root {
        // The root of this mount. Go on where it is mounted, or end at the root of the namespace.
        let mount = mnt.wrapping_sub(offset(Field::MountVfsmount) as u64);
        let Some(MountPlace { parent, mountpoint }) = MountPlace::of(mount) else { return Step::Stuck };
        if parent == mount {
            return Step::Root;
        }
        let mnt = parent.wrapping_add(offset(Field::MountVfsmount) as u64);
        let Some(root) = read_field(mnt, Field::VfsmountRoot) else { return Step::Stuck };
        record.set_walk(Walk { mnt, root, node: mountpoint });
        return Step::Mount;
    }
    let Some(links) = links(node) else { return Step::Stuck };
    record.set_walk(Walk { mnt, root, node: links.parent });
    Step::Component { name: links.name, last: links.parent == node }
}

#[inline(always)]
fn links(dentry: u64) -> Option<DentryLinks> {
    read(dentry.wrapping_add(offset(Field::DentryParent) as u64))
}

impl KernelPath {
    /// The address of the object's own name, in its file system: that of a mount's root is not where it is mounted.
    /// `None` for what no folder holds: such a name (`memfd:x/y`) can have slashes.
    #[inline(always)]
    pub fn own_name(&self) -> Option<u64> {
        links(self.dentry).filter(|links| links.parent != self.dentry).map(|links| links.name)
    }
}

/// Appends a name, if the section still has room for any name.
#[inline(always)]
fn append_component(record: &mut Builder, mark: usize, name: u64) -> bool {
    record.len().wrapping_sub(mark) <= SECTION_BYTES - NAME_BYTES && record.component::<NAME_BYTES>(name)
}

/// Appends the path of a cgroup, given the address of its `kernfs_node`.
#[inline(always)]
pub fn append_cgroup(record: &mut Builder, node: u64) -> Section {
    /// Cgroups are nested a handful deep.
    const MAX_DEPTH: u32 = 16;
    let mark = record.len();
    record.set_walk(Walk { mnt: 0, root: 0, node });
    let mut flags = SectionFlags::CUT;
    for _ in 0..MAX_DEPTH {
        let node = record.walk().node;
        let Some(parent) = read_field::<u64>(node, Field::KernfsParent) else { break };
        if parent == 0 {
            flags = 0;
            break;
        }
        let Some(name) = read_field::<u64>(node, Field::KernfsName) else { break };
        if !append_component(record, mark, name) {
            break;
        }
        record.set_walk(Walk { mnt: 0, root: 0, node: parent });
    }
    record.section(mark, flags)
}
