//! Enriched -> Value: the fields of the language.
//!
//! One table names every field, its type and where its value comes from. What an event has no value for is absent.

mod event;
mod file;
mod find;
mod process;
mod table;
mod types;

pub(crate) use file::TOO_LONG;
pub(crate) use find::{FieldError, Resolved, longest_prefix, resolve};
pub(crate) use table::FIELDS;
pub(crate) use types::{Argument, Field, Kind, Origin};

/// A field, for people.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether this agent can tell it.
    pub has_values: bool,
}

/// Every field, in the order of their names.
pub fn fields() -> impl Iterator<Item = FieldInfo> {
    FIELDS.iter().map(|field| FieldInfo {
        name: field.name,
        kind: field.kind.name(),
        description: field.doc,
        has_values: !matches!(field.origin, Origin::Nowhere),
    })
}
