//! Enriched -> Match: the rule language, from text to a decision.
//!
//! In: rule files ([`Source`]), and then events in their context. Out: the first [`Rule`] that an event matches.
//! Promise: what can be wrong with a rule is found when it is loaded, all of it at once, and told with file, line and
//! column; matching neither fails nor waits. The way of a rule: `file` (YAML to definitions), `resolve` (lists and
//! macros), `condition` (text to tree), `compile` (tree to filter), with `fields` as the table of what can be compared.

mod clock;
mod compile;
mod condition;
mod diagnostic;
mod fields;
mod file;
mod load;
mod names;
mod output;
mod plan;
mod priority;
mod resolve;
mod rule;
mod rule_set;
#[cfg(test)]
mod semantics;
#[cfg(test)]
mod shipped;
mod source;
mod text;
mod value;

pub use compile::EventTypes;
pub use diagnostic::{Code, Diagnostic, LoadErrors, Warning};
pub use fields::{FieldInfo, fields};
pub use load::Loaded;
pub use output::Output;
pub use priority::{Priority, UnknownPriority};
pub use rule::Rule;
pub use rule_set::RuleSet;
pub use source::{ReadError, Source, embedded, read};
pub use value::Value;
