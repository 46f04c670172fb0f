//! Reading kernel structures: typed loads where the verifier knows the type, copies where it does not.

use core::{mem::MaybeUninit, ptr};

use aya_ebpf::helpers::{generated::bpf_get_current_task_btf, generated::bpf_probe_read_kernel};
use holdfast_common::Field;

/// Offsets of [`Field`]s on this kernel, written before the load. Read-only data of a frozen map, so that the
/// verifier takes each for the constant that it is.
#[unsafe(no_mangle)]
static OFFSETS: [u32; Field::COUNT] = [Field::MISSING; Field::COUNT];

/// The process id of the agent, whose own calls are not events. Written before the load.
#[unsafe(no_mangle)]
static SELF_PID: u32 = 0;

/// The offset of a field.
#[inline(always)]
pub fn offset(field: Field) -> usize {
    // SAFETY: a read of a static; volatile, since the loader has written another value than the compiler sees.
    unsafe { ptr::read_volatile(&raw const OFFSETS[field as usize]) as usize }
}

/// Whether this kernel has the field. Decided when the program is loaded: the verifier drops the dead branch.
#[inline(always)]
pub fn has(field: Field) -> bool {
    offset(field) != Field::MISSING as usize
}

/// The process id of the agent.
#[inline(always)]
pub fn self_pid() -> u32 {
    // SAFETY: as in `offset`.
    unsafe { ptr::read_volatile(&raw const SELF_PID) }
}

/// A pointer that the verifier knows the type of: loads through it need no helper, and a wrong one reads zero.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Typed(*const u8);

impl Typed {
    /// The current thread. Needs kernel 5.11 (`bpf_get_current_task_btf`).
    #[inline(always)]
    pub fn current_task() -> Self {
        // SAFETY: the helper has no preconditions.
        Self(unsafe { bpf_get_current_task_btf() }.cast())
    }

    /// An argument of a BTF tracepoint that is a pointer to a structure.
    #[inline(always)]
    pub fn from_arg(arg: *const u8) -> Self {
        Self(arg)
    }

    /// Loads a field.
    #[inline(always)]
    pub fn load<T: Copy>(self, field: Field) -> T {
        self.load_at(offset(field))
    }

    /// Loads a part of a field.
    #[inline(always)]
    pub fn load_at<T: Copy>(self, offset: usize) -> T {
        // SAFETY: the verifier accepts the load only where the structure has a member of this size there, and the
        // kernel's fault handler turns a stale pointer into zeroes.
        unsafe { ptr::read_volatile(self.0.add(offset).cast()) }
    }

    /// Follows a field that is a pointer to a structure.
    #[inline(always)]
    pub fn follow(self, field: Field) -> Self {
        self.load(field)
    }

    /// The address, with the type forgotten.
    #[inline(always)]
    pub fn address(self) -> u64 {
        self.0 as u64
    }
}

/// Copies a value from a kernel address. `None` where nothing is mapped there.
#[inline(always)]
pub fn read<T: Copy>(address: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the destination has the size of T; the helper checks the source.
    let result = unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, address as *const _)
    };
    // SAFETY: the helper returned 0, so the value is filled; T is plain data.
    (result == 0).then(|| unsafe { value.assume_init() })
}

/// Copies a field of the structure at a kernel address.
#[inline(always)]
pub fn read_field<T: Copy>(address: u64, field: Field) -> Option<T> {
    read(address.wrapping_add(offset(field) as u64))
}
