//! Events in their context, made by hand for tests.

use bytes::Bytes;

use super::{Container, Enriched, Process, ProcessKey, ProcessTable, Users};
use crate::event::{Body, Comm, Event, EventType, Exec, Open, Path, Task};

/// An event and a small world around it. Build with [`open`] or [`exec`], change what the test is about, then
/// [`Fixture::enriched`].
pub(crate) struct Fixture {
    pub(crate) event: Event,
    pub(crate) process: Process,
    pub(crate) processes: ProcessTable,
    pub(crate) users: Users,
}

pub(crate) fn path(text: &str) -> Path {
    Path { bytes: Bytes::copy_from_slice(text.as_bytes()), ..Path::default() }
}

/// `argv` as the kernel has it.
pub(crate) fn argv(args: &[&str]) -> Bytes {
    args.iter().flat_map(|arg| [arg.as_bytes(), b"\0"].concat()).collect()
}

fn process(pid: u32, parent: Option<u32>, args: &[&str], exe: &str) -> Process {
    Process {
        key: key(pid),
        start_ns: u64::from(pid) * 10_000_000,
        parent: parent.map(key),
        comm: Comm::new(exe.rsplit('/').next().unwrap_or(exe).as_bytes()),
        exe: path(exe),
        argv: argv(args),
        cwd: Some(path("/root")),
        loginuid: 1000,
        session: 40,
        tty: 34816,
        vpid: Some(pid),
        exe_memfd: false,
        cgroup_id: 1,
        container: None,
    }
}

pub(crate) fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid, start_ticks: u64::from(pid) }
}

/// systemd (1) > sshd (30) > bash (40) > the process (42) `exe args..`, user root, at a terminal.
fn fixture(exe: &str, args: &[&str], event_type: EventType, body: Body) -> Fixture {
    let mut all = vec![exe];
    all.extend_from_slice(args);
    let process = process(42, Some(40), &all, exe);
    let mut processes = ProcessTable::default();
    for process in [
        self::process(1, None, &["/sbin/init"], "/usr/lib/systemd/systemd"),
        self::process(30, Some(1), &["sshd: root@pts/0"], "/usr/sbin/sshd"),
        self::process(40, Some(30), &["-bash"], "/usr/bin/bash"),
        process.clone(),
    ] {
        processes.insert(process);
    }
    let task = Task {
        tid: 42,
        pid: 42,
        start_ns: 420_000_000,
        parent_pid: 40,
        parent_start_ns: 400_000_000,
        comm: process.comm,
        ..Task::default()
    };
    let users =
        Users::parse("root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh", "root:x:0:\nalice:x:1000:");
    Fixture {
        event: Event { time_ns: 10_420_000_000, cpu: 0, event_type, task, body },
        process,
        processes,
        users,
    }
}

/// `exe` opens `file` for reading and gets descriptor 3.
pub(crate) fn open(exe: &str, file: &str) -> Fixture {
    let open = Open {
        result: 3,
        dirfd: Open::AT_FDCWD,
        path: Bytes::copy_from_slice(file.as_bytes()),
        real: Some(path(file)),
        dev: 0x801,
        ino: 77,
        file_mode: 0o100_644,
        ..Open::default()
    };
    fixture(exe, &[file], EventType::OPENAT, Body::Open(open))
}

/// bash has executed `exe` with `args` (without `argv[0]`).
pub(crate) fn exec(exe: &str, args: &[&str]) -> Fixture {
    let mut fixture = fixture(exe, args, EventType::EXECVE, Body::Exec(Box::default()));
    fixture.event.body = Body::Exec(Box::new(Exec {
        filename: Bytes::copy_from_slice(exe.as_bytes()),
        exe: path(exe),
        argv: fixture.process.argv.clone(),
        cwd: path("/root"),
        cgroup: path("/"),
        ..Exec::default()
    }));
    fixture
}

impl Fixture {
    /// Puts the process into a container.
    pub(crate) fn in_container(mut self, id: &str) -> Self {
        let short = id.get(..12).unwrap_or(id);
        let container = Container { id: short.into(), full_id: id.into(), pod_uid: None };
        self.process.container = Some(std::sync::Arc::new(container));
        self
    }

    /// Changes the event's [`Open`].
    pub(crate) fn with_open(mut self, change: impl FnOnce(&mut Open)) -> Self {
        if let Body::Open(open) = &mut self.event.body {
            change(open);
        }
        self
    }

    /// Changes the parent of the process.
    pub(crate) fn change_parent(&mut self, change: impl FnOnce(&mut Process)) {
        if let Some(parent) = self.process.parent.and_then(|key| self.processes.processes.get_mut(&key)) {
            change(parent);
        }
    }

    pub(crate) fn enriched(&self) -> Enriched<'_> {
        Enriched {
            number: 7,
            time_unix_ns: 1_779_790_272_123_456_789,
            event: &self.event,
            process: &self.process,
            processes: &self.processes,
            users: &self.users,
        }
    }
}
