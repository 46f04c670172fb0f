//! What a record in the ring looks like.
//!
//! A record is a fixed part, which begins with a [`Header`], and behind it the bytes of its [`Section`]s, one after the
//! other in the order in which the fixed part names them.

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The most bytes that one section carries: `PATH_MAX` (`include/uapi/linux/limits.h`), the longest path that a call
/// takes, and the share of an argument list that is carried.
pub const SECTION_BYTES: usize = 4096;

/// What kind of record it is.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct Kind(pub u16);

impl Kind {
    /// [`ForkRecord`].
    pub const FORK: Self = Self(1);
    /// [`ExecRecord`].
    pub const EXEC: Self = Self(2);
    /// [`ExitRecord`].
    pub const EXIT: Self = Self(3);
    /// [`OpenRecord`].
    pub const OPEN: Self = Self(4);
}

/// What every record begins with: when, and who.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct Header {
    /// Bytes of the whole record.
    pub len: u32,
    /// What kind of record.
    pub kind: Kind,
    /// The [`Call`](crate::Call) it comes from, 0 for none.
    pub call: u16,
    /// `bpf_ktime_get_boot_ns()`.
    pub time_ns: u64,
    /// `task_struct.group_leader->start_boottime`.
    pub start_ns: u64,
    /// The same of `real_parent`.
    pub parent_start_ns: u64,
    /// `bpf_get_current_cgroup_id()`.
    pub cgroup_id: u64,
    /// `task_struct.pid`.
    pub tid: u32,
    /// `task_struct.tgid`.
    pub pid: u32,
    /// `task_struct.real_parent->tgid`.
    pub parent_pid: u32,
    /// `cred.euid`.
    pub uid: u32,
    /// `cred.egid`.
    pub gid: u32,
    /// The CPU that the record was made on.
    pub cpu: u32,
    /// `task_struct.comm`.
    pub comm: [u8; 16],
}
const _: () = assert!(size_of::<Header>() == 80);

/// A process was made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct ForkRecord {
    /// The process that made it.
    pub header: Header,
    /// The child's start.
    pub child_start_ns: u64,
    /// The child's `tgid`.
    pub child_pid: u32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<ForkRecord>() == 96);

/// A process ended: its last thread did.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct ExitRecord {
    /// The process that ended.
    pub header: Header,
    /// `task_struct.exit_code`.
    pub status: u32,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<ExitRecord>() == 88);

/// A process took on a new program.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct ExecRecord {
    /// The process, as it is after the exec.
    pub header: Header,
    /// Inode number of the executable.
    pub ino: u64,
    /// `s_dev` of its file system, as the kernel has it: 12 bits of major number above 20 of minor.
    pub dev: u32,
    /// Its link count.
    pub links: u32,
    /// `task_struct.loginuid`, `u32::MAX` where unset or not there.
    pub loginuid: u32,
    /// Session id in the initial pid namespace.
    pub session: u32,
    /// Controlling terminal: `tty_driver.major << 20 | minor`, 0 for none.
    pub tty: u32,
    /// Process id in the process's own pid namespace.
    pub vpid: u32,
    /// The file name as given.
    pub filename: Section,
    /// The arguments, NUL after each.
    pub argv: Section,
    /// The executable's path.
    pub exe: Section,
    /// The working folder's path.
    pub cwd: Section,
    /// The path of the cgroup in the unified hierarchy.
    pub cgroup: Section,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<ExecRecord>() == 136);

/// A call of the open family.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct OpenRecord {
    /// The thread that called.
    pub header: Header,
    /// What the call returned.
    pub result: i64,
    /// `O_*`.
    pub flags: u64,
    /// Inode number of what was opened, 0 where nothing was.
    pub ino: u64,
    /// `s_dev` of its file system, as in [`ExecRecord::dev`].
    pub dev: u32,
    /// Its `i_mode`.
    pub file_mode: u32,
    /// Permission bits as given.
    pub mode: u32,
    /// Folder descriptor as given, `AT_FDCWD` for calls without one.
    pub dirfd: i32,
    /// The path as given.
    pub path: Section,
    /// The path of what was opened.
    pub real: Section,
    /// The path of the folder that a relative path starts from.
    pub base: Section,
    /// Zero.
    pub reserved: u32,
}
const _: () = assert!(size_of::<OpenRecord>() == 136);

/// How many bytes a section has, and what is to be said of them.
///
/// The path of an object is written as it is walked: the last component first, a NUL after each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
pub struct Section {
    /// Bytes, at most [`SECTION_BYTES`].
    pub len: u16,
    /// [`SectionFlags`].
    pub flags: u16,
}

/// Bits of [`Section::flags`].
pub struct SectionFlags;

impl SectionFlags {
    /// The object is known. Without it there is none, which is not the same as an empty path.
    pub const PRESENT: u16 = 1;
    /// There was more.
    pub const CUT: u16 = 2;
    /// The walk ended at an object that no folder holds.
    pub const DETACHED: u16 = 4;
}
