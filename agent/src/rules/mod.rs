//! Enriched -> Match: the rule language, from text to a decision.

mod priority;
mod value;

pub use priority::Priority;
pub use value::Value;
