//! Registers and the 32-bit entry: the one place that knows the processor. x86-64.

use holdfast_common::{CALL_SLOTS, COMPAT_BASE, Field};

use crate::kernel::{Typed, has};

/// `TS_COMPAT`, `arch/x86/include/asm/thread_info.h`: the call came by `int 0x80` or from a 32-bit program.
const TS_COMPAT: u32 = 0x0002;
/// `__X32_SYSCALL_BIT`, `arch/x86/include/uapi/asm/unistd.h`: a 64-bit call with 32-bit pointers, same number.
const X32_BIT: u32 = 0x4000_0000;

/// A system call that is done, as its registers tell.
pub struct Syscall {
    regs: Typed,
    number: u32,
    compat: bool,
}

impl Syscall {
    /// The call that left these registers.
    #[inline(always)]
    pub fn of(regs: *const u8) -> Self {
        let regs = Typed::from_arg(regs);
        let number = regs.load::<u64>(Field::RegsNumber) as u32;
        let compat = has(Field::TaskThreadStatus)
            && Typed::current_task().load::<u32>(Field::TaskThreadStatus) & TS_COMPAT != 0;
        Self { regs, number, compat }
    }

    /// Its slot in the table of calls. A number beyond the table has the last slot, which stays empty.
    #[inline(always)]
    pub fn slot(&self) -> u32 {
        let number = self.number & !X32_BIT;
        if number >= COMPAT_BASE - 1 {
            CALL_SLOTS - 1
        } else if self.compat {
            number + COMPAT_BASE
        } else {
            number
        }
    }

    /// Argument `N`, 0 to 3.
    #[inline(always)]
    pub fn arg<const N: usize>(&self) -> u64 {
        if self.compat {
            // The registers of the 32-bit convention, of which only the lower halves count.
            let field = match N {
                0 => Field::RegsCompatArg0,
                1 => Field::RegsCompatArg1,
                2 => Field::RegsArg2,
                _ => Field::RegsArg1,
            };
            u64::from(self.regs.load::<u64>(field) as u32)
        } else {
            self.regs.load(match N {
                0 => Field::RegsArg0,
                1 => Field::RegsArg1,
                2 => Field::RegsArg2,
                _ => Field::RegsArg3,
            })
        }
    }
}
