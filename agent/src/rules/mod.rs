//! Enriched -> Match: the rule language, from text to a decision.

mod condition;
mod priority;
mod text;
mod value;

pub use priority::Priority;
pub use value::Value;
