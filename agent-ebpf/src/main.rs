//! The kernel half of Holdfast: what is attached where.
//!
//! Four programs, each on a BTF tracepoint. `sys_exit` sees every system call once it is done; the three of the
//! scheduler tell the life of processes. Everything read here is under the control of whoever is being watched, and
//! everything is copied, bounded and checked again in user space.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
// One load in `scratch.rs` has to be written out.
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
mod arch;
#[cfg(any(target_arch = "bpf", test))]
mod bytes;
#[cfg(target_arch = "bpf")]
mod count;
#[cfg(target_arch = "bpf")]
mod filter;
#[cfg(target_arch = "bpf")]
mod kernel;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod names;
#[cfg(target_arch = "bpf")]
mod open;
#[cfg(target_arch = "bpf")]
mod path;
#[cfg(target_arch = "bpf")]
mod process;
#[cfg(target_arch = "bpf")]
mod scratch;
#[cfg(target_arch = "bpf")]
mod task;

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

    use crate::{arch, open, process};

    /// `sys_exit(struct pt_regs *regs, long ret)`, `include/trace/events/syscalls.h`.
    #[btf_tracepoint(function = "sys_exit")]
    fn hf_sys_exit(ctx: BtfTracePointContext) -> i32 {
        if let Some((syscall, call)) = arch::wanted(ctx.arg(0)) {
            open::on_exit(&syscall, call, ctx.arg(1));
        }
        0
    }

    /// `sched_process_fork(struct task_struct *parent, struct task_struct *child)`, `include/trace/events/sched.h`.
    #[btf_tracepoint(function = "sched_process_fork")]
    fn hf_fork(ctx: BtfTracePointContext) -> i32 {
        process::on_fork(ctx.arg(0), ctx.arg(1));
        0
    }

    /// `sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`.
    #[btf_tracepoint(function = "sched_process_exec")]
    fn hf_exec(ctx: BtfTracePointContext) -> i32 {
        process::on_exec(ctx.arg(0), ctx.arg(2));
        0
    }

    /// `sched_process_exit(struct task_struct *p)`.
    #[btf_tracepoint(function = "sched_process_exit")]
    fn hf_exit(ctx: BtfTracePointContext) -> i32 {
        process::on_exit(ctx.arg(0));
        0
    }
}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // A panic that can be reached is an endless loop, which the verifier refuses to load.
    loop {}
}

/// Most helpers that read kernel memory are for GPL-compatible programs only.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
