//! The path of an object, walked from the object up to the root of its mount namespace.
//!
//! The last component comes first; user space turns it round. A rename during the walk can tear the path, as it can
//! tear what any reader without the kernel's rename lock sees.

use holdfast_common::{Component, Field, SECTION_BYTES, Section, SectionFlags};

use crate::{
    kernel::{Typed, has, offset, read, read_field},
    names::NAME_MASKS,
    scratch::{Builder, Walk},
};

/// How many components and mounts a walk takes at the most. Above what real trees have; a bound, since the verifier
/// wants one. A path with more is cut at the end that is nearest the root, and says so.
pub const MAX_STEPS: u32 = 64;
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

/// The members of `struct dentry` from `d_parent` on, the same on every kernel since 2.6.38; checked at the load. In one
/// piece, since it is the call of the helper that costs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Dentry {
    /// The folder that it is in. Itself where there is none.
    pub parent: u64,
    hash: u32,
    len: u32,
    /// The address of its name.
    pub name: u64,
    inode: u64,
    /// Its name, if that is short. At least 32 bytes on every 64-bit kernel (`DNAME_INLINE_LEN`).
    short_name: Component,
}

impl Dentry {
    /// The dentry at a kernel address.
    #[inline(always)]
    pub fn at(address: u64) -> Option<Self> {
        read_field(address, Field::DentryParent)
    }

    /// Its name. `None` where it is longer than a clause of the filter can ask for.
    #[inline(always)]
    pub fn component(&self) -> Option<Component> {
        let masks = NAME_MASKS.get(self.len as usize)?;
        let mut component = self.short_name;
        // What lies behind the name is left over from another one.
        for (word, mask) in component.iter_mut().zip(masks) {
            *word &= mask;
        }
        Some(component)
    }
}

/// The members of `struct mount` (`fs/mount.h`) from `mnt_parent` on, the same on every kernel since 3.3; checked at the
/// load.
#[repr(C)]
#[derive(Clone, Copy)]
struct MountPlace {
    /// The mount that it lies on, a `struct mount`. Itself at the root of a namespace.
    parent: u64,
    /// The place there, a `struct dentry`.
    mountpoint: u64,
}

/// Appends the path of an object.
#[inline(always)]
pub fn append(record: &mut Builder, task: Typed, path: KernelPath) -> Section {
    let mark = record.len();
    begin(record, path);
    let mut flags = SectionFlags::CUT;
    for _ in 0..MAX_STEPS {
        match step(record, task) {
            Step::Mount => {}
            Step::Component { dentry, last } => {
                if !append_component(record, mark, dentry.name) {
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
        /// What has the name.
        dentry: Dentry,
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
pub fn step(record: &mut Builder, task: Typed) -> Step {
    let Walk { mnt, root, node } = record.walk();
    if node == root {
        // The root of this mount. Go on where it is mounted, or end at the root of the namespace.
        let mount = mnt.wrapping_sub(offset(Field::MountVfsmount) as u64);
        let Some(place) = read_field::<MountPlace>(mount, Field::MountParent) else { return Step::Stuck };
        if place.parent == mount || is_root_of_namespace(task, place) {
            return Step::Root;
        }
        let mnt = place.parent.wrapping_add(offset(Field::MountVfsmount) as u64);
        let Some(root) = read_field(mnt, Field::VfsmountRoot) else { return Step::Stuck };
        record.set_walk(Walk { mnt, root, node: place.mountpoint });
        return Step::Mount;
    }
    let Some(dentry) = Dentry::at(node) else { return Step::Stuck };
    record.set_walk(Walk { mnt, root, node: dentry.parent });
    Step::Component { dentry, last: dentry.parent == node }
}

/// Whether that place is the root of the first mount of the thread's namespace: as a rule the root file system lies there,
/// over the one that the kernel started with. Spares the walk its last two steps.
#[inline(always)]
fn is_root_of_namespace(task: Typed, place: MountPlace) -> bool {
    if !(has(Field::TaskNsproxy) && has(Field::NsproxyMnt) && has(Field::MntNsRoot)) {
        return false;
    }
    let first = task.follow(Field::TaskNsproxy).follow(Field::NsproxyMnt).follow(Field::MntNsRoot);
    let first_root: u64 = first.load_at(offset(Field::MountVfsmount) + offset(Field::VfsmountRoot));
    place.parent == first.address() && place.mountpoint == first_root
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

/// An open file of the current thread.
#[derive(Clone, Copy)]
pub struct OpenFile {
    /// The address of its `struct file`.
    pub address: u64,
    /// Its path.
    pub path: KernelPath,
}

impl OpenFile {
    /// The file behind a descriptor. `None` where it has been closed already.
    #[inline(always)]
    pub fn of(task: Typed, fd: u32) -> Option<Self> {
        let table = task.follow(Field::TaskFiles).follow(Field::FilesFdt);
        if fd >= table.load::<u32>(Field::FdtMaxFds) {
            return None;
        }
        let address: u64 = read(table.load::<u64>(Field::FdtFd).wrapping_add(u64::from(fd) * 8))?;
        // An empty place reads as no file: nothing is mapped at the first page.
        Some(Self { address, path: read_field(address, Field::FilePath)? })
    }
}
