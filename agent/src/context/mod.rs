//! Event -> Enriched: who did it, from where, with which ancestors.
//!
//! In: an [`Event`](crate::event::Event). Out: an [`Enriched`] view of it. Promise: no error, no wait, no API server;
//! what is not known is absent.

mod container;
mod enrich;
mod enriched;
#[cfg(test)]
pub(crate) mod fixture;
mod process;
mod procfs;
mod users;

pub use container::Container;
pub use enrich::Context;
pub use enriched::Enriched;
pub use process::{Process, ProcessKey, ProcessTable};
pub use users::Users;
