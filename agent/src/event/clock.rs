//! From the kernel's clock to the one on the wall.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What to add to `CLOCK_BOOTTIME` to get nanoseconds since the Unix epoch.
///
/// Events carry boot time, which never jumps; only what people read is wall time. The difference changes when somebody
/// sets the clock, so it is taken anew for each batch of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    offset_ns: i128,
}

impl WallClock {
    /// The difference now.
    #[must_use]
    pub fn now() -> Self {
        let ns = |clock| {
            let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
            i128::from(tv_sec) * 1_000_000_000 + i128::from(tv_nsec)
        };
        // Boot time is read on both sides of the other, so that a pause between them counts half.
        let before = ns(ClockId::Boottime);
        let wall = ns(ClockId::Realtime);
        let after = ns(ClockId::Boottime);
        Self { offset_ns: wall - i128::midpoint(before, after) }
    }

    /// A time of the kernel, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn unix_ns(self, boot_ns: u64) -> u64 {
        u64::try_from(i128::from(boot_ns) + self.offset_ns).unwrap_or(0)
    }
}
