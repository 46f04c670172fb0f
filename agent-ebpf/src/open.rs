//! The open family.

use aya_ebpf::helpers::bpf_probe_read_user;
use holdfast_common::{Call, Class, Count, Field, Kind, OpenRecord, Section};

use crate::{
    arch::Syscall,
    count::count,
    filter::Filter,
    kernel::{Typed, read_field, self_pid},
    maps::{EVENT_RING, SCRATCH_CALL},
    path::{self, KernelPath, OpenFile},
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
    let task = syscall.task;
    count(Class::Open, Count::Seen);
    if task.load::<u32>(Field::TaskTgid) == self_pid() {
        return count(Class::Open, Count::Filtered);
    }
    let Some(request) = Request::of(syscall, call) else { return count(Class::Open, Count::Filtered) };
    let Some(filter) = Filter::begin(result, request.flags) else {
        return count(Class::Open, Count::Filtered);
    };
    let Some(scratch) = SCRATCH_CALL.get_ptr_mut(0) else { return count(Class::Open, Count::Lost) };
    let (mut builder, record) = Builder::new::<OpenRecord>(scratch);
    // SAFETY: the scratch memory is larger than any record and this CPU's own while the program runs.
    let record = unsafe { &mut *record };
    record.path = builder.user_str(request.path);
    let file = if result >= 0 { OpenFile::of(task, result as u32) } else { None };
    if !filter.passes(&mut builder, task, record.path, file) {
        return count(Class::Open, Count::Filtered);
    }

    task::fill(&mut record.header, task, Kind::OPEN, call);
    record.result = result;
    record.flags = request.flags;
    record.mode = request.mode;
    record.dirfd = request.dirfd;
    record.reserved = 0;
    record.real = file.map_or(Section::default(), |file| path::append(&mut builder, task, file.path));
    // The path lies right behind the fixed part.
    let absolute = record.path.len > 0 && builder.byte(size_of::<OpenRecord>()) == b'/';
    record.base = if absolute { Section::default() } else { base(&mut builder, task, request.dirfd) };
    let inode: u64 = file.and_then(|file| read_field(file.address, Field::FileInode)).unwrap_or(0);
    if inode != 0 {
        record.ino = read_field(inode, Field::InodeNumber).unwrap_or(0);
        record.file_mode = u32::from(read_field::<u16>(inode, Field::InodeMode).unwrap_or(0));
        let superblock: u64 = read_field(inode, Field::InodeSuper).unwrap_or(0);
        record.dev = read_field(superblock, Field::SuperDevice).unwrap_or(0);
    } else {
        record.ino = 0;
        record.file_mode = 0;
        record.dev = 0;
    }
    builder.submit(&EVENT_RING, Class::Open);
}

/// The folder that a relative path starts from.
#[inline(always)]
fn base(builder: &mut Builder, task: Typed, dirfd: i32) -> Section {
    let start: Option<KernelPath> = if dirfd == AT_FDCWD {
        read_field(task.follow(Field::TaskFs).address(), Field::FsPwd)
    } else {
        OpenFile::of(task, dirfd as u32).map(|file| file.path)
    };
    match start {
        Some(start) => path::append(builder, task, start),
        None => Section::default(),
    }
}
