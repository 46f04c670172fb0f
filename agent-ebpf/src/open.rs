//! The open family.

use aya_ebpf::helpers::bpf_probe_read_user;
use holdfast_common::{Call, Class, Count, Field, Kind, OpenRecord, Section};

use crate::{
    arch::Syscall,
    count::count,
    kernel::{Typed, offset, read, read_field, self_pid},
    maps::{EVENT_RING, SCRATCH_CALL},
    path::{self, KernelPath},
    scratch::Builder,
    task,
};

/// `AT_FDCWD`, `include/uapi/linux/fcntl.h`.
const AT_FDCWD: i32 = -100;
/// What `creat(2)` stands for: `O_CREAT | O_WRONLY | O_TRUNC`, `include/uapi/asm-generic/fcntl.h`.
const CREAT_FLAGS: u64 = 0o100 | 0o1 | 0o1000;

/// `struct open_how`, `include/uapi/linux/openat2.h`: flags, mode, and how to resolve.
type OpenHow = [u64; 2];

/// What a call asks for.
struct Request {
    dirfd: i32,
    path: u64,
    flags: u64,
    mode: u32,
}

impl Request {
    #[inline(always)]
    fn of(syscall: &Syscall, call: Call) -> Option<Self> {
        Some(match call {
            Call::OPEN => Self {
                dirfd: AT_FDCWD,
                path: syscall.arg::<0>(),
                flags: syscall.arg::<1>() as u32 as u64,
                mode: syscall.arg::<2>() as u32,
            },
            Call::CREAT => Self {
                dirfd: AT_FDCWD,
                path: syscall.arg::<0>(),
                flags: CREAT_FLAGS,
                mode: syscall.arg::<1>() as u32,
            },
            Call::OPENAT => Self {
                dirfd: syscall.arg::<0>() as i32,
                path: syscall.arg::<1>(),
                flags: syscall.arg::<2>() as u32 as u64,
                mode: syscall.arg::<3>() as u32,
            },
            Call::OPENAT2 => {
                let how = syscall.arg::<2>() as *const OpenHow;
                // SAFETY: the helper checks the address, which is the caller's.
                let [flags, mode] = unsafe { bpf_probe_read_user(how) }.unwrap_or_default();
                Self { dirfd: syscall.arg::<0>() as i32, path: syscall.arg::<1>(), flags, mode: mode as u32 }
            }
            _ => return None,
        })
    }
}

/// A call of the open family is done.
#[inline(always)]
pub fn on_exit(syscall: &Syscall, call: Call, result: i64) {
    let task = Typed::current_task();
    count(Class::Open, Count::Seen);
    if task.load::<u32>(Field::TaskTgid) == self_pid() {
        return count(Class::Open, Count::Filtered);
    }
    let Some(request) = Request::of(syscall, call) else { return count(Class::Open, Count::Filtered) };
    let Some(scratch) = SCRATCH_CALL.get_ptr_mut(0) else { return count(Class::Open, Count::Lost) };
    let (mut builder, record) = Builder::new::<OpenRecord>(scratch);
    // SAFETY: the scratch memory is larger than any record and this CPU's own while the program runs.
    let record = unsafe { &mut *record };
    task::fill(&mut record.header, task, Kind::OPEN, call);
    record.result = result;
    record.flags = request.flags;
    record.mode = request.mode;
    record.dirfd = request.dirfd;
    record.reserved = 0;

    record.path = builder.user_str(request.path);
    // The path lies right behind the fixed part.
    let relative = !starts_with_slash(scratch.cast(), size_of::<OpenRecord>(), record.path);

    let file = if result >= 0 { open_file(task, result as u32) } else { 0 };
    let inode: u64 = if file != 0 { read_field(file, Field::FileInode).unwrap_or(0) } else { 0 };
    if inode != 0 {
        record.real = path::append_file(&mut builder, file);
        record.ino = read_field(inode, Field::InodeNumber).unwrap_or(0);
        record.file_mode = u32::from(read_field::<u16>(inode, Field::InodeMode).unwrap_or(0));
        let superblock: u64 = read_field(inode, Field::InodeSuper).unwrap_or(0);
        record.dev = read_field(superblock, Field::SuperDevice).unwrap_or(0);
    } else {
        record.real = Section::default();
        record.ino = 0;
        record.file_mode = 0;
        record.dev = 0;
    }
    record.base = if relative { base(&mut builder, task, request.dirfd) } else { Section::default() };
    builder.submit(&EVENT_RING, Class::Open);
}

/// The folder that a relative path starts from.
#[inline(always)]
fn base(builder: &mut Builder, task: Typed, dirfd: i32) -> Section {
    let start: Option<KernelPath> = if dirfd == AT_FDCWD {
        read(task.follow(Field::TaskFs).address().wrapping_add(offset(Field::FsPwd) as u64))
    } else {
        let file = if dirfd >= 0 { open_file(task, dirfd as u32) } else { 0 };
        if file == 0 { None } else { read_field(file, Field::FilePath) }
    };
    match start {
        Some(start) => path::append(builder, start),
        None => Section::default(),
    }
}

/// The address of the `struct file` behind a descriptor of the current thread, 0 for none.
#[inline(always)]
fn open_file(task: Typed, fd: u32) -> u64 {
    let table = task.follow(Field::TaskFiles).follow(Field::FilesFdt);
    if fd >= table.load::<u32>(Field::FdtMaxFds) {
        return 0;
    }
    let files: u64 = table.load(Field::FdtFd);
    read(files.wrapping_add(u64::from(fd) * 8)).unwrap_or(0)
}

#[inline(always)]
fn starts_with_slash(scratch: *const u8, at: usize, path: Section) -> bool {
    // SAFETY: `at` is the constant length of the fixed part, well inside the scratch memory.
    path.len > 0 && unsafe { *scratch.add(at) } == b'/'
}
