//! Which types of events a filter can be about.

use super::{filter::Filter, test::Test};
use crate::{event::EventType, rules::Value};

const WORDS: usize = EventType::COUNT.div_ceil(64);

/// A set of event types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTypes([u64; WORDS]);

impl EventTypes {
    /// No type.
    #[must_use]
    pub fn none() -> Self {
        Self([0; WORDS])
    }

    /// Every type.
    #[must_use]
    pub fn all() -> Self {
        EventType::all().collect()
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(&self, event_type: EventType) -> bool {
        self.0[event_type.index() / 64] >> (event_type.index() % 64) & 1 == 1
    }

    /// Puts it in.
    pub fn insert(&mut self, event_type: EventType) {
        self.0[event_type.index() / 64] |= 1 << (event_type.index() % 64);
    }

    /// Those in the set, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = EventType> + '_ {
        EventType::all().filter(|event_type| self.contains(*event_type))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// Those in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }
}

impl FromIterator<EventType> for EventTypes {
    fn from_iter<I: IntoIterator<Item = EventType>>(types: I) -> Self {
        let mut set = Self::none();
        types.into_iter().for_each(|event_type| set.insert(event_type));
        set
    }
}

/// Of which types an event can be that a filter holds for, and that it fails for.
struct Possible {
    hold: EventTypes,
    fail: EventTypes,
}

impl Filter {
    /// The types of the events that it can hold for. May have too many, never too few.
    pub(crate) fn event_types(&self) -> EventTypes {
        self.possible().hold
    }

    fn possible(&self) -> Possible {
        match self {
            Self::And(parts) => fold(parts, EventTypes::intersection, EventTypes::union),
            Self::Or(parts) => fold(parts, EventTypes::union, EventTypes::intersection),
            Self::Not(part) => {
                let Possible { hold, fail } = part.possible();
                Possible { hold: fail, fail: hold }
            }
            Self::Never => Possible { hold: EventTypes::none(), fail: EventTypes::all() },
            Self::Exists(field) if matches!(field.field.name, "evt.type" | "syscall.type" | "evt.num") => {
                Possible { hold: EventTypes::all(), fail: EventTypes::none() }
            }
            Self::Exists(_) => Possible { hold: EventTypes::all(), fail: EventTypes::all() },
            Self::Test(comparison) => match comparison.field.field.name {
                "evt.type" | "syscall.type" => by_type(&comparison.test),
                "evt.num" => by_number(&comparison.test),
                _ => Possible { hold: EventTypes::all(), fail: EventTypes::all() },
            },
        }
    }
}

type Join = fn(&EventTypes, &EventTypes) -> EventTypes;

fn fold(parts: &[Filter], hold: Join, fail: Join) -> Possible {
    let mut possible = parts.iter().map(Filter::possible);
    // A chain has at least two parts.
    let first = possible.next().unwrap_or(Possible { hold: EventTypes::none(), fail: EventTypes::all() });
    possible.fold(first, |all, one| Possible {
        hold: hold(&all.hold, &one.hold),
        fail: fail(&all.fail, &one.fail),
    })
}

/// A comparison of the type decides for each type, so it is asked for each.
fn by_type(test: &Test) -> Possible {
    let (hold, fail): (Vec<_>, Vec<_>) =
        EventType::all().partition(|event_type| test.holds(&Value::text(event_type.name())));
    Possible { hold: hold.into_iter().collect(), fail: fail.into_iter().collect() }
}

/// Events are numbered from 1, so `evt.num = 0` never holds: the idiom for a condition that is never or always true.
fn by_number(test: &Test) -> Possible {
    // Between the numbers that it compares with, a comparison does not change its mind.
    let near = test.numbers().into_iter().flat_map(|number| [number - 1, number, number + 1]);
    let possible = near.chain([1, i128::from(i64::MAX)]).filter_map(|number| i64::try_from(number).ok());
    let (mut holds, mut fails) = (false, false);
    for number in possible.filter(|number| *number >= 1) {
        let held = test.holds(&Value::Number(number));
        holds |= held;
        fails |= !held;
    }
    let types = |possible| if possible { EventTypes::all() } else { EventTypes::none() };
    Possible { hold: types(holds), fail: types(fails) }
}
