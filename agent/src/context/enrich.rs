//! Feeds the process table with events, and gives each event its context.

use std::path::Path;

use super::{Enriched, Process, ProcessKey, ProcessTable, container::Containers, procfs, users::UserFiles};
use crate::event::{Body, Event, Exec, Fork, Task, WallClock};

/// What is known of the node. Owns all state between events.
#[derive(Debug)]
pub struct Context {
    processes: ProcessTable,
    containers: Containers,
    users: UserFiles,
    wall: WallClock,
    number: u64,
    healed: u64,
}

impl Context {
    /// Ancestors whose gaps are filled from procfs: as deep as rules look.
    const HEALED_ANCESTORS: usize = 8;

    /// Begins with the processes that are there now. Made after the sensor has started: what happens in between is both
    /// in procfs and an event, which is the same in the end. `host_root` is where the node's root file system is seen.
    #[must_use]
    pub fn new(host_root: &Path) -> Self {
        let mut processes = ProcessTable::default();
        for process in procfs::all() {
            processes.insert(process);
        }
        Self {
            processes,
            containers: Containers::default(),
            users: UserFiles::new(host_root),
            wall: WallClock::now(),
            number: 0,
            healed: 0,
        }
    }

    /// Looks again at what changes without an event: the clock on the wall and the names of users. For once a second or
    /// so.
    pub fn refresh(&mut self) {
        self.wall = WallClock::now();
        self.users.refresh();
    }

    /// The process table.
    #[must_use]
    pub fn processes(&self) -> &ProcessTable {
        &self.processes
    }

    /// How many processes had to be read from procfs, because no event had told of them.
    #[must_use]
    pub fn healed(&self) -> u64 {
        self.healed
    }

    /// Takes in what the event changes, and gives the event as it is seen after that.
    pub fn enrich<'a>(&'a mut self, event: &'a Event) -> Enriched<'a> {
        self.number += 1;
        let key = key_of(&event.task);
        self.know(event);
        match &event.body {
            Body::Fork(fork) => self.fork(key, fork),
            Body::Exec(exec) => self.exec(key, exec),
            Body::Exit(_) => self.processes.end(key, event.time_ns),
            Body::Open(_) => {}
        }
        if matches!(event.body, Body::Exec(_) | Body::Open(_)) {
            self.heal_ancestors(key);
        }
        Enriched {
            number: self.number,
            time_unix_ns: self.wall.unix_ns(event.time_ns),
            event,
            process: self.processes.get(key).expect("known since `know`"),
            processes: &self.processes,
            users: &self.users.users,
        }
    }

    /// Makes sure that the process of an event is in the table, with what every event tells of it.
    fn know(&mut self, event: &Event) {
        let task = &event.task;
        let key = key_of(task);
        if self.processes.get(key).is_none() {
            let process = self.read(key).unwrap_or_else(|| unknown(task));
            self.processes.insert(process);
        }
        let Some(process) = self.processes.get_mut(key) else { return };
        process.start_ns = task.start_ns;
        if task.parent_pid != 0 {
            process.parent = Some(ProcessKey::new(task.parent_pid, task.parent_start_ns));
        }
        if task.tid == task.pid {
            process.comm = task.comm;
        }
        if process.cgroup_id != task.cgroup_id {
            process.cgroup_id = task.cgroup_id;
            process.container = self.containers.of(task.cgroup_id, || match &event.body {
                // What the kernel told at that moment is better than what procfs says a moment later.
                Body::Exec(exec) if exec.cgroup.bytes.len() > 1 => Some(exec.cgroup.bytes.to_vec()),
                _ => procfs::cgroup_path(task.pid),
            });
        }
    }

    fn fork(&mut self, parent: ProcessKey, fork: &Fork) {
        let Some(process) = self.processes.get(parent) else { return };
        let key = ProcessKey::new(fork.child_pid, fork.child_start_ns);
        let child = Process {
            key,
            start_ns: fork.child_start_ns,
            parent: Some(parent),
            vpid: None,
            ..process.clone()
        };
        self.processes.insert(child);
    }

    fn exec(&mut self, key: ProcessKey, exec: &Exec) {
        let Some(process) = self.processes.get_mut(key) else { return };
        process.exe = exec.exe.clone();
        process.argv = exec.argv.clone();
        process.cwd = Some(exec.cwd.clone());
        process.loginuid = exec.loginuid;
        process.session = exec.session;
        process.tty = exec.tty;
        process.vpid = Some(exec.vpid);
        process.exe_memfd = exec.memfd;
    }

    /// Fills gaps in the line of ancestors. There are some only where an event was lost, or where the parent of a
    /// parent ended and another process took its place, of which no event tells.
    fn heal_ancestors(&mut self, key: ProcessKey) {
        let mut child = key;
        for _ in 0..Self::HEALED_ANCESTORS {
            let Some(parent) = self.processes.get(child).and_then(|process| process.parent) else { return };
            if self.processes.get(parent).is_none() {
                let Some(process) = self.read(parent) else {
                    self.adopt(child);
                    return;
                };
                self.processes.insert(process);
            }
            child = parent;
        }
    }

    /// The parent is gone: asks procfs who took over.
    fn adopt(&mut self, child: ProcessKey) {
        let parent =
            procfs::process(child.pid).filter(|process| process.key == child).and_then(|now| now.parent);
        if let Some(process) = self.processes.get_mut(child) {
            process.parent = parent;
        }
    }

    /// Reads a process from procfs, if it is still the same one.
    fn read(&mut self, key: ProcessKey) -> Option<Process> {
        let process = procfs::process(key.pid).filter(|process| process.key == key)?;
        self.healed += 1;
        Some(process)
    }
}

fn key_of(task: &Task) -> ProcessKey {
    ProcessKey::new(task.pid, task.start_ns)
}

/// A process of which there is no more than what an event says.
fn unknown(task: &Task) -> Process {
    Process {
        key: key_of(task),
        start_ns: task.start_ns,
        parent: None,
        comm: task.comm,
        exe: Default::default(),
        argv: Default::default(),
        cwd: None,
        loginuid: u32::MAX,
        session: 0,
        tty: 0,
        vpid: None,
        exe_memfd: false,
        cgroup_id: 0,
        container: None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        context::fixture::{self, argv, path},
        event::{Comm, EventType, Exit},
    };

    const TICK: u64 = 10_000_000;
    /// Above any pid of this machine, so that procfs has nothing to say.
    const PARENT: u32 = 1 << 30;
    const CHILD: u32 = PARENT + 1;

    fn event(pid: u32, parent: u32, time: u64, event_type: EventType, body: Body) -> Event {
        let task = Task {
            tid: pid,
            pid,
            start_ns: u64::from(pid) * TICK + 5,
            parent_pid: parent,
            parent_start_ns: u64::from(parent) * TICK + 7,
            cgroup_id: 99,
            comm: Comm::new(b"x"),
            ..Task::default()
        };
        Event { time_ns: time, cpu: 0, event_type, task, body }
    }

    fn exec(exe: &str, args: &[&str], cgroup: &str) -> Body {
        Body::Exec(Box::new(Exec {
            exe: path(exe),
            argv: argv(args),
            cgroup: path(cgroup),
            ..Exec::default()
        }))
    }

    fn context() -> Context {
        Context::new(Path::new("/"))
    }

    #[test]
    fn a_child_is_its_parent_until_it_executes_something_else() {
        let mut context = context();
        context.enrich(&event(PARENT, 1, 1, EventType::EXECVE, exec("/bin/sh", &["sh", "-c"], "/")));
        let child_start_ns = u64::from(CHILD) * TICK + 5;
        let fork = Body::Fork(Fork { child_pid: CHILD, child_start_ns });
        context.enrich(&event(PARENT, 1, 2, EventType::CLONE, fork));
        let open = fixture::open("/bin/cat", "/etc/hosts").event.body;
        let opened = event(CHILD, PARENT, 3, EventType::OPENAT, open.clone());
        assert_eq!(&context.enrich(&opened).process.exe.bytes[..], b"/bin/sh");
        context.enrich(&event(CHILD, PARENT, 4, EventType::EXECVE, exec("/bin/cat", &["cat", "a"], "/")));
        let opened = event(CHILD, PARENT, 5, EventType::OPENAT, open);
        let enriched = context.enrich(&opened);
        assert_eq!(enriched.process.args().collect::<Vec<_>>(), [&b"cat"[..], b"a"]);
        let parent = enriched.ancestors().next().expect("known");
        assert_eq!((parent.key.pid, &parent.exe.bytes[..]), (PARENT, &b"/bin/sh"[..]));
    }

    #[test]
    fn an_ended_process_is_kept_for_a_while_and_then_let_go() {
        let mut context = context();
        let exit = || Body::Exit(Exit { status: 0 });
        let first = event(PARENT, 1, 1, EventType::PROCEXIT, exit());
        context.enrich(&first);
        let key = key_of(&first.task);
        assert!(context.processes().get(key).is_some());
        context.enrich(&event(CHILD, 1, 40_000_000_000, EventType::PROCEXIT, exit()));
        assert!(context.processes().get(key).is_none());
    }

    #[test]
    fn the_first_event_of_a_container_knows_its_id_from_the_kernel() {
        let mut context = context();
        let id = "0123456789abcdef".repeat(4);
        let cgroup = format!("/kubepods/besteffort/pod6b1f8a3c-0d5e-4f60-9a7b-1c2d3e4f5a6b/{id}");
        let exec = event(CHILD, PARENT, 1, EventType::EXECVE, exec("/bin/sh", &["sh"], &cgroup));
        let container = context.enrich(&exec).process.container.clone().expect("in one");
        assert_eq!(&*container.id, "0123456789ab");
    }

    #[test]
    fn a_full_table_lets_ended_processes_go_first() {
        let mut table = ProcessTable::default();
        let process = |pid| {
            let task = Task { pid, start_ns: TICK, comm: Comm::new(b"x"), ..Task::default() };
            Process { argv: Bytes::new(), ..unknown(&task) }
        };
        for pid in 0..ProcessTable::MAX_PROCESSES as u32 {
            table.insert(process(pid));
        }
        table.end(ProcessKey::new(7, TICK), 1);
        table.insert(process(PARENT));
        assert_eq!((table.len(), table.evicted()), (ProcessTable::MAX_PROCESSES, 0));
        assert!(table.get(ProcessKey::new(7, TICK)).is_none());
        table.insert(process(CHILD));
        assert_eq!((table.len(), table.evicted()), (ProcessTable::MAX_PROCESSES, 1));
    }
}
