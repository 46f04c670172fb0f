//! Registers and the 32-bit entry: the one place that knows the processor. x86-64.

use holdfast_common::{CALL_SLOTS, Call, CallSlot, Field};

use crate::{
    kernel::{Typed, has},
    maps,
};

/// `TS_COMPAT`, `arch/x86/include/asm/thread_info.h`: the call came by `int 0x80` or from a 32-bit program.
const TS_COMPAT: u32 = 0x0002;
/// `__X32_SYSCALL_BIT`, `arch/x86/include/uapi/asm/unistd.h`: a 64-bit call with 32-bit pointers, same number.
const X32_BIT: u32 = 0x4000_0000;

/// A system call that is done, as its registers tell.
pub struct Syscall {
    /// The thread that called.
    pub task: Typed,
    regs: Typed,
    compat: bool,
}

/// The call that left these registers, if a rule cares for it.
#[inline(always)]
pub fn wanted(regs: *const u8) -> Option<(Syscall, Call)> {
    let regs = Typed::from_arg(regs);
    let number = regs.load::<u64>(Field::RegsNumber) as u32 & !X32_BIT;
    let slot = maps::call_slot(if number < CALL_SLOTS { number } else { CALL_SLOTS - 1 });
    if slot == CallSlot::default() {
        return None;
    }
    // Only now, since most calls end above.
    let task = Typed::current_task();
    let compat = has(Field::TaskThreadStatus) && task.load::<u32>(Field::TaskThreadStatus) & TS_COMPAT != 0;
    let call = if compat { slot.compat() } else { slot.native() };
    (call != Call::NONE).then_some((Syscall { task, regs, compat }, call))
}

impl Syscall {
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
