//! Every byte layout that crosses the boundary between the kernel half and the user half, and nothing else.
//!
//! Both halves are compiled from this one definition. Integers are in the byte order of the machine: a record never
//! leaves it.
#![no_std]

mod call;
mod count;
mod field;
mod filter;
mod record;

pub use call::{CALL_SLOTS, Call, CallSlot};
pub use count::{Class, Count};
pub use field::Field;
pub use filter::{
    COMPONENT_BYTES, Clauses, Component, ComponentClauses, MAX_COMPONENTS, OpenFilter, PREFIX_BYTES,
};
pub use record::{
    ExecRecord, ExitRecord, ForkRecord, Header, Kind, OpenRecord, SECTION_BYTES, Section, SectionFlags,
};

/// Grows when a layout here changes, so that a newer agent never reads what an older one left in a pinned ring.
pub const LAYOUT_VERSION: u32 = 1;
