//! A condition, ready to decide.

use super::test::Test;
use crate::{context::Enriched, rules::fields::Resolved};

/// A compiled condition.
///
/// An absent field makes every comparison false, `!=` too: so `not proc.pname = x` holds for a process without a
/// parent, and `proc.pname != x` does not.
#[derive(Debug)]
pub(crate) enum Filter {
    And(Box<[Filter]>),
    Or(Box<[Filter]>),
    Not(Box<Filter>),
    Exists(Resolved),
    Test(Box<Comparison>),
    /// A comparison with a field that this agent cannot tell yet.
    Never,
}

/// A field, and what its value has to be.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) field: Resolved,
    pub(crate) test: Test,
}

impl Filter {
    /// Whether it holds for this event.
    pub(crate) fn matches(&self, enriched: &Enriched<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(enriched)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(enriched)),
            Self::Not(part) => !part.matches(enriched),
            Self::Exists(field) => field.any(enriched, |_| true),
            Self::Test(comparison) => comparison.field.any(enriched, |value| comparison.test.holds(value)),
            Self::Never => false,
        }
    }
}
