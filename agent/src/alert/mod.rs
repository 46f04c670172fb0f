//! Match -> Alert: the message, the JSON.
//!
//! In: what a rule found. Out: an [`Alert`], and its renderings: a line of JSON for the log and whatever reads it
//! ([`Encoder`]), a line of text for people ([`Text`]). Promise: no alert is too odd to render, and nothing an attacker
//! chose can break a line or move a reader's cursor.

mod encode;
mod escape;
mod from_match;
mod text;
mod types;

pub use encode::Encoder;
pub use text::{Text, takes_colour};
pub use types::{Alert, FieldValue};
