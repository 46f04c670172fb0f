//! What can be set of the sensor.

use serde::{Deserialize, Serialize};

/// Sizes of the rings. Both are shared by all CPUs, and are rounded up to a power of two of whole pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Bytes of the ring for the life of processes.
    pub process_ring_bytes: u32,
    /// Bytes of the ring for everything else.
    pub event_ring_bytes: u32,
}

impl Default for Config {
    /// 2 MiB hold 5,000 execs, 4 MiB hold 15,000 opens: a tenth of a second of a storm on a few cores. Each counts
    /// twice in the memory of the agent, which maps it twice in a row to read records in one piece.
    fn default() -> Self {
        Self { process_ring_bytes: 2 << 20, event_ring_bytes: 4 << 20 }
    }
}

impl Config {
    /// The largest ring that is taken: beyond it a ring hides for seconds that the agent cannot keep up.
    pub const MAX_RING_BYTES: u32 = 1 << 30;

    /// The size that the kernel takes: a power of two (`kernel/bpf/ringbuf.c`), at least a page.
    pub(super) fn ring_bytes(wanted: u32) -> u32 {
        let page = rustix::param::page_size() as u32;
        wanted.clamp(page, Self::MAX_RING_BYTES).next_power_of_two()
    }
}
