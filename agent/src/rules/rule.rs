//! A rule that is ready.

use std::sync::Arc;

use super::{EventTypes, Output, Priority, compile::Filter};
use crate::context::Enriched;

/// A rule, compiled.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// How severe what it finds is.
    pub priority: Priority,
    /// What it is about, sorted.
    pub tags: Arc<[Box<str>]>,
    /// What it finds, and what to do about it.
    pub description: Box<str>,
    /// What an alert says.
    pub output: Output,
    pub(super) filter: Filter,
    pub(super) event_types: EventTypes,
}

impl Rule {
    /// Whether it is about this event.
    #[must_use]
    pub fn matches(&self, enriched: &Enriched<'_>) -> bool {
        self.filter.matches(enriched)
    }

    /// The types of the events it can be about.
    #[must_use]
    pub fn event_types(&self) -> &EventTypes {
        &self.event_types
    }
}
