//! What a field of an event evaluates to.

use std::{borrow::Cow, io::Write};

/// The value of a field. An absent field has none: `Option<Value>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text: any bytes, as the kernel had them.
    Text(Cow<'a, [u8]>),
    /// A number.
    Number(i64),
    /// Yes or no.
    Bool(bool),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    #[must_use]
    pub fn text(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Text(Cow::Borrowed(text.as_ref()))
    }

    /// A number that may not fit: none does that is real.
    #[must_use]
    pub fn number(number: impl TryInto<i64>) -> Self {
        Self::Number(number.try_into().unwrap_or(i64::MAX))
    }

    /// Adds the value as people read it.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = match self {
            Self::Text(text) => out.write_all(text),
            Self::Number(number) => write!(out, "{number}"),
            Self::Bool(truth) => write!(out, "{truth}"),
        };
    }
}
