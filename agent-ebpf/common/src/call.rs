//! The system calls that can become events, by a number of our own.

/// A call, whatever its number on this machine and in this mode. Zero is "no rule cares".
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call(pub u16);

#[allow(missing_docs, reason = "each is the call of that name")]
impl Call {
    pub const NONE: Self = Self(0);
    pub const OPEN: Self = Self(1);
    pub const OPENAT: Self = Self(2);
    pub const OPENAT2: Self = Self(3);
    pub const CREAT: Self = Self(4);
}

/// Slots of the table that turns a number into a [`Call`]: 512 for native calls, 512 for 32-bit ones. The highest
/// number of any table is below 480 (Linux 6.18, `arch/x86/entry/syscalls`).
pub const CALL_SLOTS: u32 = 1024;
/// The first slot of the 32-bit calls.
pub const COMPAT_BASE: u32 = 512;
