//! From a compiled condition to clauses.

use std::array::from_fn;

use super::{
    FAMILY,
    clause::{Clause, Clauses, MAX_CLAUSES_OF_RULE},
    place::{Field, Place},
};
use crate::{
    event::EventType,
    rules::{
        Value,
        compile::{Comparison, Filter, Test, TextTest},
    },
};

/// `creat(2)` writes, whatever it is asked.
const CREAT_ACCESS: u8 = 1 << 1;

/// The clauses of the opens that the condition can hold for.
pub(super) fn clauses_of(filter: &Filter) -> Clauses {
    let mut clauses = Clauses::default();
    for mut clause in derive(filter, true).into_vec() {
        if clause.calls == calls(|call| call == EventType::CREAT) {
            clause.access &= CREAT_ACCESS;
        }
        if clause.access != 0 {
            clauses.extend(Clauses::one(clause), MAX_CLAUSES_OF_RULE);
        }
    }
    clauses
}

/// Where the condition holds, or where it fails.
fn derive(filter: &Filter, holds: bool) -> Clauses {
    match (filter, holds) {
        (Filter::Not(part), _) => derive(part, !holds),
        (Filter::And(parts), true) | (Filter::Or(parts), false) => {
            let mut all = Clauses::one(Clause::ANY);
            for part in parts {
                all = all.and(&derive(part, holds));
            }
            all
        }
        (Filter::And(parts), false) | (Filter::Or(parts), true) => {
            let mut any = Clauses::default();
            for part in parts {
                any.extend(derive(part, holds), MAX_CLAUSES_OF_RULE);
            }
            any
        }
        (Filter::Never, true) => Clauses::default(),
        (Filter::Never, false) => Clauses::one(Clause::ANY),
        (Filter::Exists(field), true) if needs_file(field.field.name) => Clauses::one(succeeded()),
        (Filter::Exists(_), _) => Clauses::one(Clause::ANY),
        (Filter::Test(comparison), _) => match compared(comparison, holds) {
            clause if clause.calls == 0 || clause.results == 0 || clause.access == 0 => Clauses::default(),
            clause => Clauses::one(clause),
        },
    }
}

/// The opens for which a comparison can hold, or can fail.
fn compared(Comparison { field, test }: &Comparison, holds: bool) -> Clause {
    let name = field.field.name;
    let can = |value: Value<'_>| test.holds(&value) == holds;
    let can_number = |from: i64, to: i64| numbers(test, from, to).any(|number| can(Value::Number(number)));
    match name {
        "evt.type" | "syscall.type" => {
            Clause { calls: calls(|call| can(Value::text(call.name()))), ..Clause::ANY }
        }
        // `O_PATH` asks for neither, whatever the access mode.
        "evt.is_open_read" => {
            by_access(|mode| can(Value::Bool(false)) || [0, 2].contains(&mode) && can(Value::Bool(true)))
        }
        "evt.is_open_write" => {
            by_access(|mode| can(Value::Bool(false)) || [1, 2].contains(&mode) && can(Value::Bool(true)))
        }
        "evt.failed" => by_result(can(Value::Bool(true)), can(Value::Bool(false))),
        "fd.num" | "evt.arg.fd" => by_result(can_number(-1, -1), can_number(0, i64::MAX)),
        "evt.rawres" => by_result(can_number(i64::MIN, -1), can_number(0, i64::MAX)),
        "evt.res" | "evt.arg.res" => {
            // The name of an error is any text but this.
            let names_success = |text: &[u8]| text == b"SUCCESS";
            let success_only = match test {
                Test::Text(TextTest::Equals(text)) => names_success(text),
                Test::Text(TextTest::OneOf(texts)) => texts.iter().all(|text| names_success(text)),
                _ => false,
            };
            by_result(!(holds && success_only), can(Value::text("SUCCESS")))
        }
        "evt.num" => always(can_number(1, i64::MAX)),
        "evt.dir" => always(can(Value::text("<"))),
        "evt.source" => always(can(Value::text("syscall"))),
        name if holds => {
            let clause = if needs_file(name) { succeeded() } else { Clause::ANY };
            match Field::of(name).map(|field| Place::of(field, test)) {
                Some(Place { names, folders }) => Clause { names, folders, ..clause },
                None => clause,
            }
        }
        // Of what is not there every comparison fails, and so it does for most of what is.
        _ => Clause::ANY,
    }
}

/// It has no value where nothing was opened.
fn needs_file(field: &str) -> bool {
    matches!(field, "fd.realpath" | "fd.filename" | "fd.type" | "fd.ino" | "fd.dev")
}

fn succeeded() -> Clause {
    by_result(false, true)
}

fn by_result(failed: bool, succeeded: bool) -> Clause {
    let results = if failed { Clause::FAILED } else { 0 } | if succeeded { Clause::SUCCEEDED } else { 0 };
    Clause { results, ..Clause::ANY }
}

fn by_access(may: impl Fn(u8) -> bool) -> Clause {
    Clause { access: bits(from_fn(|mode| may(mode as u8))), ..Clause::ANY }
}

fn always(may: bool) -> Clause {
    by_result(may, may)
}

fn calls(may: impl Fn(EventType) -> bool) -> u8 {
    bits(FAMILY.map(may))
}

fn bits(set: [bool; 4]) -> u8 {
    set.into_iter().enumerate().map(|(bit, is_set)| u8::from(is_set) << bit).sum()
}

/// One number for each way in which the test can decide, of those from `from` to `to`: between the numbers that it
/// compares with, it does not change its mind.
fn numbers(test: &Test, from: i64, to: i64) -> impl Iterator<Item = i64> {
    let near = test.numbers().into_iter().flat_map(|number| [number - 1, number, number + 1]);
    let near = near.filter_map(|number| i64::try_from(number).ok());
    near.filter(move |number| (from..=to).contains(number)).chain([from, to])
}
