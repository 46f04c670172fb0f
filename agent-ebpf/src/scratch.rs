//! Where a record is put together before it goes into a ring.

use core::arch::asm;

use aya_ebpf::{
    helpers::generated::{
        bpf_probe_read_kernel, bpf_probe_read_kernel_str, bpf_probe_read_user, bpf_probe_read_user_str,
    },
    maps::RingBuf,
};
use holdfast_common::{Class, Component, Count, Header, SECTION_BYTES, Section, SectionFlags};

use crate::count::count;

/// The largest value that a per-CPU map can have (`PCPU_MIN_UNIT_SIZE`, `include/linux/percpu.h`).
const SCRATCH_BYTES: usize = 32 << 10;
/// What is left of it for the record. An exec needs 136 bytes and five sections, 20.1 KiB.
const RECORD_BYTES: usize = SCRATCH_BYTES - size_of::<State>();
/// Appending stops here, so that one more full section always fits behind it.
const LAST_START: usize = RECORD_BYTES - SECTION_BYTES;

/// The memory of a record, and of how far it is.
#[repr(C, align(8))]
pub struct Scratch {
    record: [u8; RECORD_BYTES],
    state: State,
}

/// What changes from step to step.
///
/// It lies in memory and not in registers on purpose: the verifier does not follow what is in a map, so all ways
/// through a step are one state to it. With the same in registers it gives up after a million instructions.
#[repr(C)]
struct State {
    /// Bytes of the record so far.
    len: usize,
    /// Where a walk is.
    walk: Walk,
    /// See [`Builder::forget`].
    forgotten: usize,
}

/// Where a walk up a tree is: see [`crate::path`].
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Walk {
    /// The mount, a `struct vfsmount`.
    pub mnt: u64,
    /// The root of the mount, a `struct dentry`.
    pub root: u64,
    /// The place, a `struct dentry` or `struct kernfs_node`.
    pub node: u64,
    /// The first mount of the thread's namespace, a `struct mount`, and its root. Zero where they are not known.
    pub first: u64,
    /// See `first`.
    pub first_root: u64,
}

/// Puts a record together: a fixed part, then sections.
pub struct Builder {
    scratch: *mut Scratch,
}

impl Builder {
    /// Begins a record whose fixed part is a `T`, which the caller fills.
    #[inline(always)]
    pub fn new<T>(scratch: *mut Scratch) -> (Self, *mut T) {
        let builder = Self { scratch };
        builder.set_len(size_of::<T>());
        (builder, scratch.cast())
    }

    /// How long the record is so far.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: a field of this CPU's scratch memory; volatile, so that it stays there.
        unsafe { (&raw const (*self.scratch).state.len).read_volatile() }
    }

    #[inline(always)]
    fn set_len(&self, len: usize) {
        // SAFETY: as in `len`.
        unsafe { (&raw mut (*self.scratch).state.len).write_volatile(len) }
    }

    /// Where the walk is.
    #[inline(always)]
    pub fn walk(&self) -> Walk {
        // SAFETY: as in `len`.
        unsafe { (&raw const (*self.scratch).state.walk).read_volatile() }
    }

    /// Moves the walk.
    #[inline(always)]
    pub fn set_walk(&self, walk: Walk) {
        // SAFETY: as in `len`.
        unsafe { (&raw mut (*self.scratch).state.walk).write_volatile(walk) }
    }

    /// The same number, of which the verifier then knows nothing any more.
    #[inline(always)]
    pub fn forget(&self, number: usize) -> usize {
        // SAFETY: as in `len`.
        unsafe {
            (&raw mut (*self.scratch).state.forgotten).write_volatile(number);
            (&raw const (*self.scratch).state.forgotten).read_volatile()
        }
    }

    /// The first byte of the record.
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        self.scratch.cast()
    }

    /// The length, and where the next byte goes, if there is room for a full section.
    #[inline(always)]
    fn room(&self) -> Option<(usize, *mut u8)> {
        let len = self.len();
        // SAFETY: the offset has just been checked against the size of the memory.
        (len <= LAST_START).then(|| (len, unsafe { self.start().add(len) }))
    }

    /// The section that has been appended since `mark`.
    #[inline(always)]
    pub fn section(&self, mark: usize, flags: u16) -> Section {
        Section { len: self.len().wrapping_sub(mark) as u16, flags: flags | SectionFlags::PRESENT }
    }

    /// A byte of the record.
    #[inline(always)]
    pub fn byte(&self, at: usize) -> u8 {
        if at >= RECORD_BYTES {
            return 0;
        }
        // SAFETY: the offset has just been checked against the size of the memory.
        unsafe { self.start().add(at).read_volatile() }
    }

    /// Eight bytes of the record, wherever they begin.
    #[inline(always)]
    pub fn word(&self, at: usize) -> u64 {
        if at > RECORD_BYTES - 8 {
            return 0;
        }
        // SAFETY: the offset has just been checked against the size of the memory.
        let from = unsafe { self.start().add(at) };
        let word;
        // SAFETY: a load from there. In assembly, since the compiler makes eight loads of one that need not be aligned,
        // as it must on processors that refuse it; those that run BPF do not (`HAVE_EFFICIENT_UNALIGNED_ACCESS`).
        unsafe { asm!("{word} = *(u64 *)({from} + 0)", word = out(reg) word, from = in(reg) from) };
        word
    }

    /// A component that begins there, and whatever follows it.
    #[inline(always)]
    pub fn component_at(&self, at: usize) -> Component {
        [self.word(at), self.word(at + 8), self.word(at + 16), self.word(at + 24)]
    }

    /// Fills `to` with the bytes of the record from `at` on.
    #[inline(always)]
    pub fn copy_to<const N: usize>(&self, to: *mut [u8; N], at: usize) -> bool {
        if at > LAST_START {
            return false;
        }
        // SAFETY: the offset has just been checked, and N is below what lies behind it.
        unsafe { bpf_probe_read_kernel(to.cast(), N as u32, self.start().add(at).cast()) == 0 }
    }

    /// Appends a string from the caller's memory, without its NUL.
    #[inline(always)]
    pub fn user_str(&mut self, address: u64) -> Section {
        let Some((mark, to)) = self.room() else { return Section::default() };
        // SAFETY: `room` has left SECTION_BYTES; the helper checks the source.
        let read = unsafe { bpf_probe_read_user_str(to.cast(), SECTION_BYTES as u32, address as *const _) };
        self.string(mark, read)
    }

    /// Appends a string from the kernel's memory, without its NUL.
    #[inline(always)]
    pub fn kernel_str(&mut self, address: u64) -> Section {
        let Some((mark, to)) = self.room() else { return Section::default() };
        // SAFETY: as in `user_str`.
        let read = unsafe { bpf_probe_read_kernel_str(to.cast(), SECTION_BYTES as u32, address as *const _) };
        self.string(mark, read)
    }

    #[inline(always)]
    fn string(&mut self, mark: usize, read: i64) -> Section {
        if read <= 0 || read > SECTION_BYTES as i64 {
            return Section::default();
        }
        // A string that fills the room to the last byte was cut there.
        let cut = if read == SECTION_BYTES as i64 { SectionFlags::CUT } else { 0 };
        self.set_len(mark + (read - 1) as usize);
        self.section(mark, cut)
    }

    /// Appends `len` bytes of the caller's memory, cut at [`SECTION_BYTES`].
    #[inline(always)]
    pub fn user_bytes(&mut self, address: u64, len: u64) -> Section {
        let Some((mark, to)) = self.room() else { return Section::default() };
        let cut = if len > SECTION_BYTES as u64 { SectionFlags::CUT } else { 0 };
        let len = if len > SECTION_BYTES as u64 { SECTION_BYTES as u64 } else { len };
        // SAFETY: `len` is at most what `room` has left; the helper checks the source.
        if unsafe { bpf_probe_read_user(to.cast(), len as u32, address as *const _) } != 0 {
            return Section::default();
        }
        self.set_len(mark + len as usize);
        self.section(mark, cut)
    }

    /// Appends the name of a component with its NUL, cut at `MAX` bytes. False where there is no room or no name.
    #[inline(always)]
    pub fn component<const MAX: usize>(&mut self, address: u64) -> bool {
        let Some((mark, to)) = self.room() else { return false };
        // SAFETY: MAX is below SECTION_BYTES, which `room` has left; the helper checks the source.
        let read = unsafe { bpf_probe_read_kernel_str(to.cast(), MAX as u32, address as *const _) };
        if read <= 0 || read > MAX as i64 {
            return false;
        }
        self.set_len(mark + read as usize);
        true
    }

    /// Fills `to` with the thread name at a kernel address.
    #[inline(always)]
    pub fn copy(to: &mut [u8; 16], address: u64) {
        // SAFETY: the destination has 16 bytes; the helper checks the source.
        if unsafe { bpf_probe_read_kernel(to.as_mut_ptr().cast(), 16, address as *const _) } != 0 {
            *to = [0; 16];
        }
    }

    /// Puts the record into the ring and counts it, as submitted or as lost.
    #[inline(always)]
    pub fn submit(self, ring: &RingBuf, class: Class) {
        let len = self.len();
        if len > RECORD_BYTES {
            return count(class, Count::Lost);
        }
        // SAFETY: every record begins with a header; the slice ends within the memory, as just checked.
        let bytes = unsafe {
            (*self.start().cast::<Header>()).len = len as u32;
            core::slice::from_raw_parts(self.start(), len)
        };
        match ring.output::<[u8]>(bytes, 0) {
            Ok(()) => count(class, Count::Submitted),
            Err(_) => count(class, Count::Lost),
        }
    }
}
