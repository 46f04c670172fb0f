//! What the kernel half has counted.

use aya::maps::{MapData, MapError, PerCpuArray};
use holdfast_common::{Class, Count};

/// The counters of one class of events, summed over the CPUs since the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Events that reached the kernel half.
    pub seen: u64,
    /// Of those, dropped because no rule can match.
    pub filtered: u64,
    /// Put into a ring.
    pub submitted: u64,
    /// Not put into a ring, because it was full.
    pub lost: u64,
}

/// Reads the counters.
pub struct Counters(PerCpuArray<MapData, [u64; Count::COUNT]>);

impl Counters {
    pub(super) fn new(map: PerCpuArray<MapData, [u64; Count::COUNT]>) -> Self {
        Self(map)
    }

    /// The counters of a class.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn of(&self, class: Class) -> Result<ClassCounts, MapError> {
        let cpus = self.0.get(&(class as u32), 0)?;
        let sum = |what: Count| cpus.iter().map(|counts| counts[what as usize]).sum();
        Ok(ClassCounts {
            seen: sum(Count::Seen),
            filtered: sum(Count::Filtered),
            submitted: sum(Count::Submitted),
            lost: sum(Count::Lost),
        })
    }
}
