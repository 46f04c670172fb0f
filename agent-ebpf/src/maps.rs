//! The maps: two rings, the table of calls, the counters, the scratch memory.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LpmTrie, PerCpuArray, RingBuf},
};
use holdfast_common::{
    CALL_SLOTS, CallSlot, Class, Clauses, Component, ComponentClauses, Count, MAX_COMPONENTS, OpenFilter,
    PREFIX_BYTES,
};

use crate::scratch::Scratch;

/// The size of a ring before the loader has said another: the smallest there can be.
const RING_BYTES: u32 = 4096;

/// The life of processes. A ring of its own, so that a storm of opens cannot cost us a fork.
#[map(name = "HF_PROCESS")]
pub static PROCESS_RING: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Everything else.
#[map(name = "HF_EVENTS")]
pub static EVENT_RING: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Number of a system call -> [`CallSlot`].
#[map(name = "HF_CALLS")]
static CALLS: Array<u32> = Array::with_max_entries(CALL_SLOTS, 0);

/// [`Class`] -> its counters, by [`Count`].
#[map(name = "HF_COUNTS")]
pub static COUNTS: PerCpuArray<[u64; Count::COUNT]> =
    PerCpuArray::with_max_entries(Class::ALL.len() as u32, 0);

/// The filter of opens: its fixed part, one entry.
#[map(name = "HF_FILTER")]
static OPEN_FILTER: Array<[Clauses; OpenFilter::WORDS]> = Array::with_max_entries(1, 0);

/// The filter of opens: components that some clause asks for.
#[map(name = "HF_COMPONENTS")]
pub static COMPONENTS: HashMap<Component, ComponentClauses> = HashMap::with_max_entries(MAX_COMPONENTS, 0);

/// `BPF_F_NO_PREALLOC`, without which the kernel makes no trie.
const NO_PREALLOC: u32 = 1;

/// The filter of opens: beginnings of paths as given, and the clauses of folders that such a path is in.
#[map(name = "HF_PREFIXES")]
pub static PREFIXES: LpmTrie<[u8; PREFIX_BYTES], Clauses> =
    LpmTrie::with_max_entries(MAX_COMPONENTS, NO_PREALLOC);

/// Where records are put together. One for calls and one for the scheduler's tracepoints, which can interrupt a call.
#[map(name = "HF_SCRATCH_CALL")]
pub static SCRATCH_CALL: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// See [`SCRATCH_CALL`].
#[map(name = "HF_SCRATCH_PROC")]
pub static SCRATCH_PROCESS: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// What a number, below [`CALL_SLOTS`], is to us.
#[inline(always)]
pub fn call_slot(number: u32) -> CallSlot {
    CALLS.get(number).map_or(CallSlot::default(), |slot| CallSlot(*slot))
}

/// The fixed part of the filter of opens.
#[inline(always)]
pub fn open_filter() -> Option<&'static [Clauses; OpenFilter::WORDS]> {
    OPEN_FILTER.get(0)
}
