//! What can be wrong with what a condition means.

use crate::rules::{fields::FieldError, text::Place};

/// A part of a condition that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub(crate) struct CompileError {
    pub(crate) at: Place,
    pub(crate) fault: Fault,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("`{op}` does not go with `{field}`, which is a {kind}")]
    Operator { op: &'static str, field: &'static str, kind: &'static str },
    #[error("`{value}` is not a number that `{field}` can have ({min} to {max}, decimal or hexadecimal)")]
    Number { value: Box<str>, field: &'static str, min: i128, max: i128 },
    #[error("`{value}` is neither `true` nor `false`, which `{field}` is")]
    Bool { value: Box<str>, field: &'static str },
    #[error("there is no event type `{name}`{}", .nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    EventType { name: Box<str>, nearest: Option<&'static str> },
    #[error("this value has {length} bytes; no more than {max} can be compared")]
    TooLong { length: usize, max: usize },
    #[error("`{value}` is not an even number of hexadecimal digits")]
    Hex { value: Box<str> },
    #[error("this value has a NUL byte, which no text has")]
    Nul,
    #[error("this regular expression cannot be used: {0}")]
    Regex(#[from] regex::Error),
    #[error("{what} not supported yet")]
    Unsupported { what: &'static str },
}

impl Fault {
    /// It names something that another version may know: `skip-if-unknown-filter` is about these.
    pub(crate) fn is_unknown_name(&self) -> bool {
        matches!(self, Self::Field(FieldError::Unknown { .. }) | Self::EventType { .. })
    }
}
