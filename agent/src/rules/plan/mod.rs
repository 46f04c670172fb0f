//! Rules -> OpenPlan: which events the kernel may drop, because no rule can match them.
//!
//! In: the compiled conditions. Out: an [`OpenPlan`](crate::sensor::OpenPlan), as the kernel half looks things up in
//! it. Promise: an event that a rule matches is never dropped; what cannot be told from the condition is let through.
//! The way: `derive` turns a condition into clauses, asking `place` what a comparison says of names and folders;
//! `clause` keeps them few; `build` writes them down as bits.

mod build;
mod clause;
mod derive;
#[cfg(test)]
mod model;
mod place;
#[cfg(test)]
mod property;
#[cfg(test)]
mod table;

use clause::{Clauses, MAX_CLAUSES};
use derive::clauses_of;

use super::RuleSet;
use crate::{event::EventType, sensor::OpenPlan};

/// The calls of the open family.
const FAMILY: [EventType; 4] = [EventType::OPEN, EventType::OPENAT, EventType::OPENAT2, EventType::CREAT];

impl RuleSet {
    /// What the kernel half has to let through of the open family.
    #[must_use]
    pub fn open_plan(&self) -> OpenPlan {
        let mut all = Clauses::default();
        for rule in self.rules() {
            if FAMILY.into_iter().any(|call| rule.event_types.contains(call)) {
                all.extend(clauses_of(&rule.filter), MAX_CLAUSES);
            }
        }
        build::plan(all)
    }
}
