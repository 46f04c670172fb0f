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

/// The first members of `struct dentry` from `d_parent` on, the same on every kernel since 2.6.38; checked at the load. In
/// one piece, since it is the call of the helper that costs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Links {
    /// The folder that it is in. Itself where there is none.
    pub parent: u64,
    hash: u32,
    len: u32,
    /// The address of its name.
    pub name: u64,
}

/// The same, and what follows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Dentry {
    /// What comes first.
    pub links: Links,
    inode: u64,
    /// Its name, if that is short. At least 32 bytes on every 64-bit kernel (`DNAME_INLINE_LEN`).
    short_name: Component,
}

/// How much of a dentry a walk reads. Apart, since the verifier pays for every word on the stack at every step.
pub trait Node: Copy {
    /// What every walk needs.
    fn links(&self) -> &Links;
}

impl Node for Links {
    #[inline(always)]
    fn links(&self) -> &Links {
        self
    }
}

impl Node for Dentry {
    #[inline(always)]
    fn links(&self) -> &Links {
        &self.links
    }
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
        let masks = NAME_MASKS.get(self.links.len as usize)?;
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
    begin(record, task, path);
    let mut flags = SectionFlags::CUT;
    for _ in 0..MAX_STEPS {
        match step::<Links>(record) {
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
fn begin(record: &mut Builder, task: Typed, path: KernelPath) {
    let root = read_field(path.mnt, Field::VfsmountRoot).unwrap_or(0);
    record.set_walk(walk(task, path.mnt, root, path.dentry));
}

/// A walk at that place.
#[inline(always)]
pub fn walk(task: Typed, mnt: u64, root: u64, node: u64) -> Walk {
    if !(has(Field::TaskNsproxy) && has(Field::NsproxyMnt) && has(Field::MntNsRoot)) {
        return Walk { mnt, root, node, ..Walk::default() };
    }
    // Here and not where it is needed: typed loads are cheap to run, but the verifier looks each one up at every step.
    let first = task.follow(Field::TaskNsproxy).follow(Field::NsproxyMnt).follow(Field::MntNsRoot);
    let first_root = first.load_at(offset(Field::MountVfsmount) + offset(Field::VfsmountRoot));
    Walk { mnt, root, node, first: first.address(), first_root }
}

/// What a step of a walk has come to.
pub enum Step<T> {
    /// Over the edge of a mount.
    Mount,
    /// A component, and one up.
    Component {
        /// What has the name.
        dentry: T,
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
pub fn step<T: Node>(record: &mut Builder) -> Step<T> {
    let walk = record.walk();
    let Walk { mnt, root, node, first, first_root } = walk;
    if node == root {
        // The root of this mount. Go on where it is mounted, or end at the root of the namespace.
        let mount = mnt.wrapping_sub(offset(Field::MountVfsmount) as u64);
        let Some(place) = read_field::<MountPlace>(mount, Field::MountParent) else { return Step::Stuck };
        // At the root of a namespace; or at the root of its first mount, where as a rule the root file system lies, over
        // the one that the kernel started with. The second spares the walk its last steps.
        if place.parent == mount || place.parent == first && place.mountpoint == first_root {
            return Step::Root;
        }
        let mnt = place.parent.wrapping_add(offset(Field::MountVfsmount) as u64);
        let Some(root) = read_field(mnt, Field::VfsmountRoot) else { return Step::Stuck };
        record.set_walk(Walk { mnt, root, node: place.mountpoint, ..walk });
        return Step::Mount;
    }
    let Some(dentry) = read_field::<T>(node, Field::DentryParent) else { return Step::Stuck };
    let parent = dentry.links().parent;
    record.set_walk(Walk { node: parent, ..walk });
    Step::Component { dentry, last: parent == node }
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
    record.set_walk(Walk { node, ..Walk::default() });
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
        record.set_walk(Walk { node: parent, ..Walk::default() });
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
