//! Match -> Alert: the message, the JSON.

mod types;

pub use types::{Alert, FieldValue};
