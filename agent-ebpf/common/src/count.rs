//! What the kernel half counts, per CPU and class.

/// A class of events: what is lost together is counted together.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Forks, execs and exits.
    Process = 0,
    /// Opens of files.
    Open = 1,
}

impl Class {
    /// Every class, in the order of its number.
    pub const ALL: [Self; 2] = [Self::Process, Self::Open];

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Open => "open",
        }
    }
}

/// A counter of a class: `seen = filtered + submitted + lost`, exactly.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Reached the kernel half.
    Seen = 0,
    /// Dropped there, because no rule can match.
    Filtered = 1,
    /// Put into the ring.
    Submitted = 2,
    /// Should have been, but the ring was full.
    Lost = 3,
}

impl Count {
    /// How many counters a class has.
    pub const COUNT: usize = 4;
}
