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
    mnt: u64,
    dentry: u64,
}

/// The members of `struct dentry` from `d_parent` on, the same on every kernel since 2.6.38; checked at the load.
#[repr(C)]
#[derive(Clone, Copy)]
struct DentryLinks {
    parent: u64,
    hash_len: u64,
    name: u64,
}

/// Appends the path of an object.
#[inline(always)]
pub fn append(record: &mut Builder, path: KernelPath) -> Section {
    let mark = record.len();
    let root = read_field(path.mnt, Field::VfsmountRoot).unwrap_or(0);
    record.set_walk(Walk { mnt: path.mnt, root, node: path.dentry });
    let mut flags = SectionFlags::CUT;
    for _ in 0..MAX_STEPS {
        match step(record, mark) {
            Step::On => {}
            Step::Root => {
                flags = 0;
                break;
            }
            Step::Detached => {
                flags = SectionFlags::DETACHED;
                break;
            }
            Step::Stuck => break,
        }
    }
    record.section(mark, flags)
}

/// What a step of a walk has come to.
enum Step {
    /// There is a next one.
    On,
    /// The root of the namespace.
    Root,
    /// An object that no folder holds.
    Detached,
    /// There is no room, or the memory is not what it should be.
    Stuck,
}

/// Over the edge of a mount, or one component up.
#[inline(always)]
fn step(record: &mut Builder, mark: usize) -> Step {
    let Walk { mnt, root, node } = record.walk();
    if node == root {
        // The root of this mount. Go on where it is mounted, or end at the root of the namespace.
        let mount = mnt.wrapping_sub(offset(Field::MountVfsmount) as u64);
        let Some(parent) = read_field::<u64>(mount, Field::MountParent) else { return Step::Stuck };
        if parent == mount {
            return Step::Root;
        }
        let Some(node) = read_field(mount, Field::MountMountpoint) else { return Step::Stuck };
        let mnt = parent.wrapping_add(offset(Field::MountVfsmount) as u64);
        let Some(root) = read_field(mnt, Field::VfsmountRoot) else { return Step::Stuck };
        record.set_walk(Walk { mnt, root, node });
        return Step::On;
    }
    let Some(links) = read::<DentryLinks>(node.wrapping_add(offset(Field::DentryParent) as u64)) else {
        return Step::Stuck;
    };
    if !append_component(record, mark, links.name) {
        return Step::Stuck;
    }
    if links.parent == node {
        return Step::Detached;
    }
    record.set_walk(Walk { mnt, root, node: links.parent });
    Step::On
}

/// Appends a name, if the section still has room for any name.
#[inline(always)]
fn append_component(record: &mut Builder, mark: usize, name: u64) -> bool {
    record.len().wrapping_sub(mark) <= SECTION_BYTES - NAME_BYTES && record.component::<NAME_BYTES>(name)
}

/// Appends the path of an open file, given its address.
#[inline(always)]
pub fn append_file(record: &mut Builder, file: u64) -> Section {
    match read_field::<KernelPath>(file, Field::FilePath) {
        Some(path) => append(record, path),
        None => Section::default(),
    }
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
