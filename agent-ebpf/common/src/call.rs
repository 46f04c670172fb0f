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

/// Slots of the table that turns a number into a [`Call`]. The highest number of any table is below 480 (Linux 6.18,
/// `arch/x86/entry/syscalls`). The last slot stays empty: numbers beyond the table are looked up there.
pub const CALL_SLOTS: u32 = 512;

/// What a number stands for, by the native entry and by the 32-bit one. One word, so that a call that nobody cares for
/// is left at the first look, whichever entry it took.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallSlot(pub u32);

impl CallSlot {
    /// The slot with that call by the native entry.
    #[must_use]
    pub const fn with_native(self, call: Call) -> Self {
        Self(self.0 & 0xffff_0000 | call.0 as u32)
    }

    /// The slot with that call by the 32-bit entry.
    #[must_use]
    pub const fn with_compat(self, call: Call) -> Self {
        Self(self.0 & 0xffff | (call.0 as u32) << 16)
    }

    /// The call by the native entry.
    #[inline(always)]
    #[must_use]
    pub const fn native(self) -> Call {
        Call(self.0 as u16)
    }

    /// The call by the 32-bit entry.
    #[inline(always)]
    #[must_use]
    pub const fn compat(self) -> Call {
        Call((self.0 >> 16) as u16)
    }
}
