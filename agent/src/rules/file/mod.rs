//! Source -> definitions: what rule files define, with every `append` and `override` carried out.
//!
//! In: the sources in their order. Out: the [`collect::Definitions`] of all of them. Promise: no text panics; what cannot be
//! read is reported with its place, and the rest is read all the same.

mod collect;
mod exceptions;
mod item;
mod rule;
mod version;
mod yaml;

pub(crate) use collect::{ListDef, MacroDef, collect};
pub(crate) use rule::RuleDef;
