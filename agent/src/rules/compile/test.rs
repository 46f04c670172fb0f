//! One comparison of one value, ready to run.

use std::{cmp::Ordering, collections::HashSet};

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::{glob::Glob, path_set::PathSet};
use crate::rules::{
    Value,
    condition::{Modifier, Op},
};

/// A comparison with values that the rule gives.
#[derive(Debug)]
pub(crate) enum Test {
    Text(TextTest),
    Number(NumberTest),
    /// Whether `false` passes, and whether `true` does.
    Bool([bool; 2]),
    /// Each is tried, and so many have to hold.
    Each(Modifier, Box<[Test]>),
}

/// A comparison of text.
#[derive(Debug)]
pub(crate) enum TextTest {
    Equals(Box<[u8]>),
    Differs(Box<[u8]>),
    Ordered(Op, Box<[u8]>),
    OneOf(HashSet<Box<[u8]>>),
    Contains(Box<Finder<'static>>),
    /// The text in lower case.
    ContainsIgnoringCase(Box<[u8]>),
    StartsWith(Box<[u8]>),
    EndsWith(Box<[u8]>),
    Glob(Glob),
    Below(PathSet),
    Regex(Box<Regex>),
}

/// A comparison of a number.
#[derive(Debug)]
pub(crate) enum NumberTest {
    Compare(Op, i128),
    /// Sorted.
    OneOf(Box<[i128]>),
}

impl Test {
    /// Whether it holds for this value.
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(test), Value::Text(text)) => test.holds(text),
            (Self::Number(test), Value::Number(number)) => test.holds(i128::from(*number)),
            (Self::Bool(passes), Value::Bool(truth)) => passes[usize::from(*truth)],
            (Self::Each(modifier, tests), value) => {
                let mut hold = tests.iter().filter(|test| test.holds(value));
                match modifier {
                    Modifier::AnyOf => hold.next().is_some(),
                    Modifier::OneOf => hold.next().is_some() && hold.next().is_none(),
                    Modifier::AllOf => !tests.is_empty() && hold.count() == tests.len(),
                }
            }
            // The compiler gives each field a test of its type.
            _ => false,
        }
    }

    /// The numbers that it compares with.
    pub(crate) fn numbers(&self) -> Vec<i128> {
        match self {
            Self::Number(NumberTest::Compare(_, number)) => vec![*number],
            Self::Number(NumberTest::OneOf(numbers)) => numbers.to_vec(),
            Self::Each(_, tests) => tests.iter().flat_map(Self::numbers).collect(),
            _ => Vec::new(),
        }
    }
}

impl TextTest {
    pub(crate) fn holds(&self, text: &[u8]) -> bool {
        match self {
            Self::Equals(other) => **other == *text,
            Self::Differs(other) => **other != *text,
            Self::Ordered(op, other) => ordered(*op, text.cmp(other)),
            Self::OneOf(set) => set.contains(text),
            Self::Contains(part) => part.find(text).is_some(),
            Self::ContainsIgnoringCase(part) => {
                part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
            }
            Self::StartsWith(part) => text.starts_with(part),
            Self::EndsWith(part) => text.ends_with(part),
            Self::Glob(glob) => glob.matches(text),
            Self::Below(paths) => paths.matches(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl NumberTest {
    fn holds(&self, number: i128) -> bool {
        match self {
            Self::Compare(op, other) => ordered(*op, number.cmp(other)),
            Self::OneOf(numbers) => numbers.binary_search(&number).is_ok(),
        }
    }
}

fn ordered(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Eq => ordering.is_eq(),
        Op::Ne => ordering.is_ne(),
        Op::Lt => ordering.is_lt(),
        Op::Le => ordering.is_le(),
        Op::Gt => ordering.is_gt(),
        Op::Ge => ordering.is_ge(),
        // No other operator orders.
        _ => false,
    }
}
