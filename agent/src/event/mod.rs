//! Record -> Event: what happened, decoded once, in the kernel's own terms.
//!
//! In: the bytes of one record. Out: an [`Event`], or a [`DecodeError`] that is counted. Promise: decoding is total;
//! no input panics. Names, paths and arguments stay bytes, numbers stay the kernel's.

mod clock;
mod decode;
mod errno;
mod event_type;
mod flags;
mod types;

pub use clock::WallClock;
pub use decode::{DecodeError, decode};
pub use errno::errno_name;
pub use event_type::EventType;
pub use flags::OpenFlags;
pub use types::{Body, Comm, Event, Exec, Exit, Fork, Open, Path, Task};
