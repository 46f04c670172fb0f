//! All rules, and which of them an event can match.

use super::{EventTypes, Rule};
use crate::{context::Enriched, event::EventType};

/// The rules that are enabled, in the order of their definition.
#[derive(Debug)]
pub struct RuleSet {
    rules: Box<[Rule]>,
    /// For each event type, the rules that can be about it.
    by_type: Box<[Box<[usize]>]>,
}

impl RuleSet {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let of_type = |event_type| {
            let about =
                |(index, rule): (usize, &Rule)| rule.event_types.contains(event_type).then_some(index);
            rules.iter().enumerate().filter_map(about).collect()
        };
        let by_type = EventType::all().map(of_type).collect();
        Self { rules: rules.into(), by_type }
    }

    /// The first rule that the event matches.
    #[must_use]
    pub fn matches(&self, enriched: &Enriched<'_>) -> Option<&Rule> {
        self.candidates(enriched.event.event_type).find(|rule| rule.matches(enriched))
    }

    /// The rules that an event of this type can match, in their order.
    pub fn candidates(&self, event_type: EventType) -> impl Iterator<Item = &Rule> {
        self.by_type[event_type.index()].iter().map(|index| &self.rules[*index])
    }

    /// The types of the events that any rule can be about.
    #[must_use]
    pub fn event_types(&self) -> EventTypes {
        self.rules.iter().fold(EventTypes::none(), |types, rule| types.union(&rule.event_types))
    }

    /// All rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
