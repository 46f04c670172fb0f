//! A program that does nothing, on the tracepoint that the agent uses: the least that watching a system call can
//! cost. `cargo xtask bench` measures the agent against it.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(not(target_arch = "bpf"))]
fn main() {}

/// Returns at once.
#[cfg(target_arch = "bpf")]
#[aya_ebpf::macros::btf_tracepoint(function = "sys_exit")]
fn empty(_ctx: aya_ebpf::programs::BtfTracePointContext) -> i32 {
    0
}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // A panic that can be reached is an endless loop, which the verifier refuses to load.
    loop {}
}

/// Read by the kernel: what a helper that asks for it is told.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
