//! The process table.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock},
};

use bytes::Bytes;

use super::Container;
use crate::event::{Comm, Path};

/// Names one process for good: pids are reused, this pair is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// Process id, in the initial pid namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot: the unit that `/proc/PID/stat` has, so that a process is the same
    /// whether an event told of it or procfs.
    pub start_ticks: u64,
}

impl ProcessKey {
    /// Names the process of that id and start, in nanoseconds of `CLOCK_BOOTTIME`.
    #[must_use]
    pub fn new(pid: u32, start_ns: u64) -> Self {
        Self { pid, start_ticks: start_ns / tick_ns() }
    }
}

/// Nanoseconds of a clock tick, as user space counts them (`USER_HZ`).
pub(super) fn tick_ns() -> u64 {
    static TICK_NS: LazyLock<u64> =
        LazyLock::new(|| 1_000_000_000 / rustix::param::clock_ticks_per_second().clamp(1, 1_000_000_000));
    *TICK_NS
}

/// What is known of a process. What is not known is empty, `None`, or as said at the field.
#[derive(Clone, Debug)]
pub struct Process {
    /// Which one.
    pub key: ProcessKey,
    /// Its start in nanoseconds of `CLOCK_BOOTTIME`.
    pub start_ns: u64,
    /// Its parent now.
    pub parent: Option<ProcessKey>,
    /// Name of its main thread.
    pub comm: Comm,
    /// The executable.
    pub exe: Path,
    /// The arguments, each ended by a NUL.
    pub argv: Bytes,
    /// The working folder, when it was last told.
    pub cwd: Option<Path>,
    /// `loginuid` of the audit subsystem; `u32::MAX` where unset.
    pub loginuid: u32,
    /// Session id, in the initial pid namespace.
    pub session: u32,
    /// Device number of the controlling terminal, 0 for none.
    pub tty: u32,
    /// Process id in its own pid namespace.
    pub vpid: Option<u32>,
    /// The executable is a memory file.
    pub exe_memfd: bool,
    /// The cgroup that the container was told from.
    pub cgroup_id: u64,
    /// The container it is in; `None` on the host.
    pub container: Option<Arc<Container>>,
}

impl Process {
    /// The arguments as they were given, `argv[0]` first.
    pub fn args(&self) -> impl Iterator<Item = &[u8]> {
        let argv = self.argv.strip_suffix(&[0]).unwrap_or(&self.argv);
        let mut empty = self.argv.is_empty();
        argv.split(|byte| *byte == 0).filter(move |_| !std::mem::take(&mut empty))
    }
}

/// All processes of the node, and those that ended a moment ago.
#[derive(Debug, Default)]
pub struct ProcessTable {
    pub(super) processes: HashMap<ProcessKey, Process>,
    /// The ended ones with the time of their end, oldest first.
    ended: VecDeque<(ProcessKey, u64)>,
    /// How many were let go though they had not ended.
    evicted: u64,
}

impl ProcessTable {
    /// How far a line of ancestors is followed. Deeper than any real one; a bound, since the links come from events.
    pub const MAX_ANCESTORS: usize = 64;
    /// Processes that are kept, at some 600 bytes each. A node has a few thousand. Above it those that ended go first,
    /// then any: a process that is asked for again is read from procfs.
    pub const MAX_PROCESSES: usize = 32_768;
    /// How long a process is kept after its end: events of other CPUs may still come, and its children still name it.
    const KEPT_AFTER_END_NS: u64 = 30_000_000_000;

    /// The process, if it is known.
    #[must_use]
    pub fn get(&self, key: ProcessKey) -> Option<&Process> {
        self.processes.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: ProcessKey) -> Option<&mut Process> {
        self.processes.get_mut(&key)
    }

    /// The parent, its parent, and so on, as far as they are known.
    pub fn ancestors<'a>(&'a self, process: &'a Process) -> impl Iterator<Item = &'a Process> {
        std::iter::successors(self.parent(process), |process| self.parent(process)).take(Self::MAX_ANCESTORS)
    }

    fn parent(&self, process: &Process) -> Option<&Process> {
        process.parent.and_then(|key| self.get(key))
    }

    /// How many processes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.processes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// How many were let go though they had not ended, since there were too many.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn insert(&mut self, process: Process) {
        if self.processes.len() >= Self::MAX_PROCESSES && !self.processes.contains_key(&process.key) {
            self.make_room();
        }
        self.processes.insert(process.key, process);
    }

    /// Notes that a process ended, and lets go of those that ended long before.
    pub(super) fn end(&mut self, key: ProcessKey, time_ns: u64) {
        self.ended.push_back((key, time_ns));
        while let Some((key, ended_ns)) = self.ended.front() {
            if time_ns.saturating_sub(*ended_ns) < Self::KEPT_AFTER_END_NS
                && self.ended.len() <= Self::MAX_PROCESSES
            {
                break;
            }
            self.processes.remove(key);
            self.ended.pop_front();
        }
    }

    fn make_room(&mut self) {
        while let Some((key, _)) = self.ended.pop_front() {
            if self.processes.remove(&key).is_some() {
                return;
            }
        }
        if let Some(key) = self.processes.keys().next().copied() {
            self.processes.remove(&key);
            self.evicted += 1;
        }
    }
}
