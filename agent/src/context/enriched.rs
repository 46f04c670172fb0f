//! An event with all that is known about who did it.

use super::{Process, ProcessTable, Users};
use crate::event::Event;

/// An event in its context. What rules see.
#[derive(Clone, Copy, Debug)]
pub struct Enriched<'a> {
    /// Counts the events, from 1.
    pub number: u64,
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_ns: u64,
    /// What happened.
    pub event: &'a Event,
    /// The process that did it. For an exec, as it is after it.
    pub process: &'a Process,
    /// Every other process.
    pub processes: &'a ProcessTable,
    /// Names of users and groups.
    pub users: &'a Users,
}

impl<'a> Enriched<'a> {
    /// The parent, its parent, and so on, as far as they are known.
    pub fn ancestors(&self) -> impl Iterator<Item = &'a Process> + use<'a> {
        self.processes.ancestors(self.process)
    }
}
