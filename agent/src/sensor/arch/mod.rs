//! Numbers of system calls: the one place of the user half that knows the processor.

use holdfast_common::Call;

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::NUMBERS;

/// A call and its numbers; `None` where that table does not have it.
pub(super) struct Numbers {
    pub(super) call: Call,
    pub(super) native: Option<u32>,
    pub(super) compat: Option<u32>,
}
