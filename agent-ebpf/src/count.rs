//! Counting, per CPU: no event passes uncounted.

use holdfast_common::{Class, Count};

use crate::maps::COUNTS;

/// Adds one.
#[inline(always)]
pub fn count(class: Class, what: Count) {
    if let Some(counts) = COUNTS.get_ptr_mut(class as u32) {
        // SAFETY: the memory is this CPU's own, and tracepoints run with preemption off: nothing else adds to it.
        unsafe { (*counts)[what as usize] += 1 };
    }
}
