//! The process table.

use std::{collections::HashMap, sync::Arc};

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

/// All processes of the node.
#[derive(Debug, Default)]
pub struct ProcessTable {
    pub(super) processes: HashMap<ProcessKey, Process>,
}

impl ProcessTable {
    /// The process, if it is known.
    #[must_use]
    pub fn get(&self, key: ProcessKey) -> Option<&Process> {
        self.processes.get(&key)
    }

    /// The parent, its parent, and so on, as far as they are known.
    pub fn ancestors<'a>(&'a self, process: &'a Process) -> impl Iterator<Item = &'a Process> {
        std::iter::successors(self.parent(process), |process| self.parent(process)).take(Self::MAX_ANCESTORS)
    }

    fn parent(&self, process: &Process) -> Option<&Process> {
        process.parent.and_then(|key| self.get(key))
    }

    /// How far a line of ancestors is followed. Deeper than any real one; a bound, since the links come from events.
    pub const MAX_ANCESTORS: usize = 64;
}
