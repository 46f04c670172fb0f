//! What a field of an event evaluates to.

use std::borrow::Cow;

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
