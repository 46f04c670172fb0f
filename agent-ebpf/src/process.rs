//! The life of processes: fork, exec, exit.

use holdfast_common::{Call, Class, Count, ExecRecord, ExitRecord, Field, ForkRecord, Kind, Section};

use crate::{
    count::count,
    kernel::{Typed, has, offset, read, read_field},
    maps::{PROCESS_RING, SCRATCH_PROCESS},
    path::{self, KernelPath},
    scratch::Builder,
    task,
};

/// Index of the session in `signal_struct.pids` (`PIDTYPE_SID`, `include/linux/pid_types.h`).
const PIDTYPE_SID: usize = 3;
/// `struct upid { int nr; struct pid_namespace *ns; }`, `include/linux/pid.h`.
const UPID_BYTES: usize = 16;
/// Namespaces of pids nest at most this deep (`MAX_PID_NS_LEVEL`, `include/linux/pid_namespace.h`).
const MAX_PID_LEVEL: u32 = 32;

/// A thread or a process was made. Threads are not events.
#[inline(always)]
pub fn on_fork(parent: *const u8, child: *const u8) {
    let (parent, child) = (Typed::from_arg(parent), Typed::from_arg(child));
    count(Class::Process, Count::Seen);
    let child_pid: u32 = child.load(Field::TaskTgid);
    if child_pid == parent.load::<u32>(Field::TaskTgid) {
        return count(Class::Process, Count::Filtered);
    }
    let Some(scratch) = SCRATCH_PROCESS.get_ptr_mut(0) else { return count(Class::Process, Count::Lost) };
    let (builder, record) = Builder::new::<ForkRecord>(scratch);
    // SAFETY: the scratch memory is larger than any record and this CPU's own while the program runs.
    let record = unsafe { &mut *record };
    task::fill(&mut record.header, parent, Kind::FORK, Call::NONE);
    record.child_start_ns = child.follow(Field::TaskGroupLeader).load(Field::TaskStart);
    record.child_pid = child_pid;
    record.reserved = 0;
    builder.submit(&PROCESS_RING, Class::Process);
}

/// A process ended, if this was its last thread.
#[inline(always)]
pub fn on_exit(task: *const u8) {
    let task = Typed::from_arg(task);
    count(Class::Process, Count::Seen);
    // `do_exit` has already taken this thread off the count (`kernel/exit.c`).
    if task.follow(Field::TaskSignal).load::<u32>(Field::SignalLive) != 0 {
        return count(Class::Process, Count::Filtered);
    }
    let Some(scratch) = SCRATCH_PROCESS.get_ptr_mut(0) else { return count(Class::Process, Count::Lost) };
    let (builder, record) = Builder::new::<ExitRecord>(scratch);
    // SAFETY: as in `on_fork`.
    let record = unsafe { &mut *record };
    task::fill(&mut record.header, task, Kind::EXIT, Call::NONE);
    record.status = task.load(Field::TaskExitCode);
    record.reserved = 0;
    builder.submit(&PROCESS_RING, Class::Process);
}

/// A process took on a new program.
#[inline(always)]
pub fn on_exec(task: *const u8, binprm: *const u8) {
    let (task, binprm) = (Typed::from_arg(task), Typed::from_arg(binprm));
    count(Class::Process, Count::Seen);
    let Some(scratch) = SCRATCH_PROCESS.get_ptr_mut(0) else { return count(Class::Process, Count::Lost) };
    let (mut builder, record) = Builder::new::<ExecRecord>(scratch);
    // SAFETY: as in `on_fork`.
    let record = unsafe { &mut *record };
    task::fill(&mut record.header, task, Kind::EXEC, Call::NONE);
    record.reserved = 0;

    let file = binprm.follow(Field::BinprmFile);
    let inode = file.follow(Field::FileInode);
    record.ino = inode.load(Field::InodeNumber);
    record.links = inode.load(Field::InodeLinks);
    record.dev = inode.follow(Field::InodeSuper).load(Field::SuperDevice);
    record.loginuid = if has(Field::TaskLoginuid) { task.load(Field::TaskLoginuid) } else { u32::MAX };
    record.tty = terminal(task);
    record.session = session(task);
    record.vpid = innermost_pid(task.follow(Field::TaskThreadPid));

    record.filename = builder.kernel_str(binprm.load(Field::BinprmFilename));
    record.argv = arguments(&mut builder, task);
    record.exe = append(&mut builder, task, read_field(file.address(), Field::FilePath));
    let fs = task.follow(Field::TaskFs).address();
    record.cwd = append(&mut builder, task, read_field(fs, Field::FsPwd));
    record.cgroup = cgroup(&mut builder, task);
    builder.submit(&PROCESS_RING, Class::Process);
}

#[inline(always)]
fn append(builder: &mut Builder, task: Typed, path: Option<KernelPath>) -> Section {
    path.map_or(Section::default(), |path| path::append(builder, task, path))
}

/// The argument list, as it lies in the new program's memory: this thread has not run a line of it yet.
#[inline(always)]
fn arguments(builder: &mut Builder, task: Typed) -> Section {
    let mm = task.follow(Field::TaskMm);
    let start: u64 = mm.load(Field::MmArgStart);
    let end: u64 = mm.load(Field::MmArgEnd);
    builder.user_bytes(start, end.wrapping_sub(start))
}

#[inline(always)]
fn terminal(task: Typed) -> u32 {
    if !(has(Field::SignalTty) && has(Field::TtyDriver)) {
        return 0;
    }
    let tty = task.follow(Field::TaskSignal).follow(Field::SignalTty);
    if tty.address() == 0 {
        return 0;
    }
    let driver = tty.follow(Field::TtyDriver);
    let major: u32 = driver.load(Field::TtyDriverMajor);
    let minor: u32 = driver.load(Field::TtyDriverMinor);
    (major << 20) | minor.wrapping_add(tty.load(Field::TtyIndex)) & 0xf_ffff
}

#[inline(always)]
fn session(task: Typed) -> u32 {
    let slot = offset(Field::SignalPids) + PIDTYPE_SID * size_of::<u64>();
    let pid: Option<u64> = read(task.follow(Field::TaskSignal).address().wrapping_add(slot as u64));
    // The first number is that of the initial namespace.
    pid.and_then(|pid| read(pid.wrapping_add(offset(Field::PidNumbers) as u64))).unwrap_or(0)
}

/// The number of a `struct pid` in the namespace that it was made in.
#[inline(always)]
fn innermost_pid(pid: Typed) -> u32 {
    let level: u32 = pid.load(Field::PidLevel);
    if level > MAX_PID_LEVEL {
        return 0;
    }
    let slot = offset(Field::PidNumbers) + level as usize * UPID_BYTES;
    read(pid.address().wrapping_add(slot as u64)).unwrap_or(0)
}

#[inline(always)]
fn cgroup(builder: &mut Builder, task: Typed) -> Section {
    let known = has(Field::TaskCgroups)
        && has(Field::CssSetCgroup)
        && has(Field::CgroupKernfs)
        && has(Field::KernfsName)
        && has(Field::KernfsParent);
    if !known {
        return Section::default();
    }
    let group = task.follow(Field::TaskCgroups).follow(Field::CssSetCgroup);
    path::append_cgroup(builder, group.load(Field::CgroupKernfs))
}
