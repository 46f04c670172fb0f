//! Enriched -> Match: the rule language, from text to a decision.

mod clock;
mod compile;
mod condition;
mod fields;
mod names;
mod priority;
mod text;
mod value;

pub use compile::EventTypes;
pub use priority::Priority;
pub use value::Value;
