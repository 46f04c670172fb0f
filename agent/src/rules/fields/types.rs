//! What is known of a field.

use crate::{context::Enriched, context::Process, rules::Value};

/// A field of the language.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) argument: Argument,
    pub(crate) origin: Origin,
    /// What it means, for people.
    pub(crate) doc: &'static str,
}

/// The type of a field: which operators and values go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A whole number, and what a literal may be.
    Number {
        min: i128,
        max: i128,
    },
    Bool,
    /// Bytes that are not text.
    Bytes,
    /// An IP address.
    Address,
    /// An IP address that is compared with networks.
    Net,
}

impl Kind {
    pub(crate) const I64: Self = Self::Number { min: i64::MIN as i128, max: i64::MAX as i128 };
    pub(crate) const U64: Self = Self::Number { min: 0, max: u64::MAX as i128 };
    pub(crate) const U32: Self = Self::Number { min: 0, max: u32::MAX as i128 };
    pub(crate) const U16: Self = Self::Number { min: 0, max: u16::MAX as i128 };

    /// Its name, for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number { .. } => "number",
            Self::Bool => "yes or no",
            Self::Bytes => "bytes",
            Self::Address => "IP address",
            Self::Net => "IP network",
        }
    }
}

/// Whether a field takes an argument: `proc.aname[2]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// It takes none.
    None,
    /// The number of an ancestor; without it, any ancestor.
    Ancestor,
    /// Any text, which it may need.
    Any,
}

/// The value of a field of the event itself.
pub(crate) type OfEvent = for<'a> fn(&Enriched<'a>) -> Option<Value<'a>>;
/// The value of a field of one process.
pub(crate) type OfProcess = for<'a> fn(&'a Process) -> Option<Value<'a>>;

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// From the event.
    Event(OfEvent),
    /// From the ancestors of the process.
    Ancestors(OfProcess),
    /// This agent does not know it yet: it is always absent.
    Nowhere,
}
