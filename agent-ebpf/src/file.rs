//! The file behind a descriptor of the current thread.
//!
//! A table of descriptors that has not grown lies in its `files_struct` as an array of typed pointers, and loads through
//! a typed pointer cost a nanosecond where a copy by a helper costs fifty. The verifier takes such a pointer from a
//! constant place in the array only; so there is a load for each place. Programs with more than 64 descriptors have
//! their table elsewhere, and their files are read by copies.

use core::arch::asm;

use holdfast_common::{Component, Field};

use crate::{
    kernel::{Typed, has, offset, read, read_field},
    path::KernelPath,
};

/// `NR_OPEN_DEFAULT`, `include/linux/fdtable.h`: the places of the array on a 64-bit machine.
const INLINE_FDS: u32 = 64;
/// Below this length a name lies in its dentry, whose room for it (`DNAME_INLINE_LEN`, `include/linux/dcache.h`) is 32
/// bytes and more on every 64-bit kernel.
const INLINE_NAME: u32 = 31;

/// An open file.
#[derive(Clone, Copy)]
pub struct OpenFile {
    /// The address of its `struct file`.
    pub address: u64,
    /// Its path.
    pub path: KernelPath,
    /// The root of the mount that it is in, a `struct dentry`.
    pub mount_root: u64,
    /// Its dentry, if its type is known.
    pub dentry: Option<Dentry>,
}

impl OpenFile {
    /// The file behind a descriptor of the current thread. `None` where it has been closed already.
    #[inline(always)]
    pub fn of(task: Typed, fd: u32) -> Option<Self> {
        let files = task.follow(Field::TaskFiles);
        let table = files.follow(Field::FilesFdt);
        let places = table.load::<u32>(Field::FdtMaxFds);
        if fd >= places {
            return None;
        }
        if places <= INLINE_FDS && has(Field::FilesFdArray) && has(Field::DentryShortName) {
            return Self::typed(inline_file(files, fd)?);
        }
        let address: u64 = read(table.load::<u64>(Field::FdtFd).wrapping_add(u64::from(fd) * 8))?;
        let path: KernelPath = read_field(address, Field::FilePath)?;
        let mount_root = read_field(path.mnt, Field::VfsmountRoot)?;
        Some(Self { address, path, mount_root, dentry: None })
    }

    #[inline(always)]
    fn typed(file: Typed) -> Option<Self> {
        let path = offset(Field::FilePath);
        // `struct path { struct vfsmount *mnt; struct dentry *dentry; }`, `include/linux/path.h`.
        let mnt: Typed = file.load_at(path);
        let dentry: Typed = file.load_at(path + size_of::<u64>());
        let mount_root: u64 = mnt.load(Field::VfsmountRoot);
        Some(Self {
            address: file.address(),
            path: KernelPath { mnt: mnt.address(), dentry: dentry.address() },
            mount_root,
            dentry: Some(Dentry(dentry)),
        })
    }
}

/// A `struct dentry` whose type the verifier knows.
#[derive(Clone, Copy)]
pub struct Dentry(Typed);

impl Dentry {
    /// Its address.
    #[inline(always)]
    pub fn address(self) -> u64 {
        self.0.address()
    }

    /// The folder that it is in; itself, where there is none.
    #[inline(always)]
    pub fn parent(self) -> Self {
        Self(self.0.follow(Field::DentryParent))
    }

    /// Its name. `None` where it is longer than a clause of the filter can ask for.
    #[inline(always)]
    pub fn name(self) -> Option<Component> {
        // `struct qstr`: the hash, the length (on little-endian machines), the pointer.
        let len: u32 = self.0.load_at(offset(Field::DentryName) + size_of::<u32>());
        if len >= INLINE_NAME {
            return None;
        }
        let name = offset(Field::DentryShortName);
        let mut component: Component = [
            self.0.load_at(name),
            self.0.load_at(name + 8),
            self.0.load_at(name + 16),
            self.0.load_at(name + 24),
        ];
        // What lies behind the name is left over from another one.
        for (word, mask) in component.iter_mut().zip(&NAME_MASKS[len as usize]) {
            *word &= mask;
        }
        Some(component)
    }
}

/// For each length of a name, the bytes of its component that are of the name. A table, since working them out takes a
/// branch a word.
static NAME_MASKS: [Component; INLINE_NAME as usize] = {
    let mut masks = [[0; 4]; INLINE_NAME as usize];
    let mut len = 0;
    while len < masks.len() {
        let mut byte = 0;
        while byte < len {
            // The first byte is the lowest.
            masks[len][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        len += 1;
    }
    masks
};

/// Loads the typed pointer at a constant place of the array of files.
#[inline(always)]
fn place<const N: usize>(array: Typed) -> Typed {
    let file: *const u8;
    // SAFETY: a load that the verifier checks. In assembly, since the compiler makes one load at a computed place out of
    // many at constant ones, which the verifier refuses.
    unsafe {
        asm!("{file} = *(u64 *)({array} + {at})", file = out(reg) file, array = in(reg) array.as_ptr(), at = const N * 8);
    }
    Typed::from_arg(file)
}

macro_rules! places {
    ($array:expr, $fd:expr, $($n:literal)*) => {
        match $fd {
            $($n => place::<$n>($array),)*
            _ => return None,
        }
    };
}

#[inline(always)]
fn inline_file(files: Typed, fd: u32) -> Option<Typed> {
    let array = files.part(Field::FilesFdArray);
    let file = places!(array, fd,
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
    (file.address() != 0).then_some(file)
}
