//! Expr -> Filter: names looked up, types checked, values made ready.
//!
//! In: an [`Expr`](super::condition::Expr) without macros. Out: a [`Filter`], or every [`CompileError`] in it. Promise:
//! what can be wrong with a condition is found here, so a filter decides about any event, and allocates nothing for it
//! beyond the values that have to be joined first.

mod compiler;
mod error;
mod event_types;
mod filter;
mod glob;
mod path_set;
mod test;

pub(crate) use compiler::{Compiled, compile};
pub(crate) use error::Fault;
pub use event_types::EventTypes;
pub(crate) use filter::{Comparison, Filter};
pub(crate) use test::{Test, TextTest};
