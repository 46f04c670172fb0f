//! Enriched -> Value: the fields of the language.
//!
//! One table names every field, its type and where its value comes from. What an event has no value for is absent.

mod event;
mod file;
mod find;
mod process;
mod table;
mod types;

pub(crate) use file::MAX_PATH;
pub(crate) use find::{FieldError, Resolved, longest_prefix, resolve};
pub(crate) use table::FIELDS;
pub(crate) use types::{Argument, Field, Kind, Origin};
