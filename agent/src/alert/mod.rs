//! Match -> Alert: the message, the JSON.

mod from_match;
mod types;

pub use types::{Alert, FieldValue};
