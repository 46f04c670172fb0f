//! What an event is made of.

use bytes::Bytes;

use super::EventType;

/// One thing that happened on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in nanoseconds of `CLOCK_BOOTTIME`.
    pub time_ns: u64,
    /// The CPU it happened on.
    pub cpu: u32,
    /// What kind of event: the name of the system call, or of the change in a process's life.
    pub event_type: EventType,
    /// Who did it, as the kernel had it at that instant.
    pub task: Task,
    /// What was done.
    pub body: Body,
}

/// The thread that an event happened in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Thread id (`task_struct.pid`), in the initial pid namespace.
    pub tid: u32,
    /// Process id (`task_struct.tgid`), in the initial pid namespace.
    pub pid: u32,
    /// Start of the process, in nanoseconds of `CLOCK_BOOTTIME`.
    pub start_ns: u64,
    /// Process id of the parent (`real_parent`) now: after the death of the first parent, the one that took over.
    pub parent_pid: u32,
    /// Start of that parent, in nanoseconds of `CLOCK_BOOTTIME`.
    pub parent_start_ns: u64,
    /// Effective user id, in the initial user namespace.
    pub uid: u32,
    /// Effective group id, in the initial user namespace.
    pub gid: u32,
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup_id: u64,
    /// The thread's name.
    pub comm: Comm,
}

/// A thread's name, without its NUL: at most 15 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Comm {
    bytes: [u8; Comm::MAX],
    len: u8,
}

impl Comm {
    /// `TASK_COMM_LEN` less the NUL (`include/linux/sched.h`).
    pub const MAX: usize = 15;

    /// The name up to its first NUL, cut at [`Comm::MAX`].
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len()).min(Self::MAX);
        let mut bytes = [0; Self::MAX];
        bytes[..end].copy_from_slice(&name[..end]);
        Self { bytes, len: end as u8 }
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Comm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

/// A path as the kernel has it: walked from the object, over mounts, up to the root of the mount namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// The path. Begins with `/`, except for an object that no folder holds (`memfd:name`, `pipe:[1]`).
    pub bytes: Bytes,
    /// It was longer than is carried: the components nearest the root are missing, and `bytes` begins with `.../`.
    pub cut: bool,
    /// No folder holds the object: it is of a file system that is mounted nowhere.
    pub detached: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A process was made.
    Fork(Fork),
    /// A process took on a new program.
    Exec(Box<Exec>),
    /// A process ended.
    Exit(Exit),
    /// A file was opened, or the attempt failed.
    Open(Open),
}

/// A process was made. The event's task is the one that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Process id of the child, in the initial pid namespace.
    pub child_pid: u32,
    /// Start of the child, in nanoseconds of `CLOCK_BOOTTIME`.
    pub child_start_ns: u64,
}

/// A process took on a new program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// The file name as it was given to the call.
    pub filename: Bytes,
    /// The executable that runs now: for a script, its interpreter.
    pub exe: Path,
    /// The arguments, each ended by a NUL.
    pub argv: Bytes,
    /// There were more arguments than are carried.
    pub argv_cut: bool,
    /// The working folder.
    pub cwd: Path,
    /// The cgroup in the unified hierarchy, from its root.
    pub cgroup: Path,
    /// `loginuid` of the audit subsystem; `u32::MAX` where it was never set.
    pub loginuid: u32,
    /// Session id, in the initial pid namespace.
    pub session: u32,
    /// Device number of the controlling terminal as `tty_nr` of `/proc/PID/stat` has it; 0 where there is none.
    pub tty: u32,
    /// Process id in the process's own pid namespace.
    pub vpid: u32,
    /// Device number of the executable's file system (`s_dev`).
    pub dev: u32,
    /// Inode number of the executable.
    pub ino: u64,
    /// The executable is a memory file (`memfd_create(2)`).
    pub memfd: bool,
    /// The executable has no name any more (link count 0).
    pub unlinked: bool,
}

/// A process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The status as `wait(2)` has it: exit code in bits 8 to 15, signal in bits 0 to 6.
    pub status: u32,
}

/// A call of the open family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// What the call returned: a file descriptor, or a negative errno.
    pub result: i64,
    /// `O_*` as given, in the kernel's numbers (`include/uapi/asm-generic/fcntl.h`).
    pub flags: u64,
    /// The permission bits as given; counts only where the call may create a file.
    pub mode: u32,
    /// The folder descriptor as given; [`Open::AT_FDCWD`] for calls without one.
    pub dirfd: i32,
    /// The path as given, read from the caller's memory after the call: a thread can have rewritten it.
    pub path: Bytes,
    /// The path as given was longer than is carried.
    pub path_cut: bool,
    /// The folder that a relative path starts from. Absent where the path is absolute or the folder unknown.
    pub base: Option<Path>,
    /// The file that was really opened. Absent where the call failed.
    pub real: Option<Path>,
    /// Device number of the file's file system (`s_dev`); 0 where the call failed.
    pub dev: u32,
    /// Inode number of the file; 0 where the call failed.
    pub ino: u64,
    /// Type and permission bits of the file (`i_mode`); 0 where the call failed.
    pub file_mode: u32,
}

impl Open {
    /// `AT_FDCWD` (`include/uapi/linux/fcntl.h`).
    pub const AT_FDCWD: i32 = -100;
}
