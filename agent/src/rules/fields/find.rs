//! From the name of a field in a rule to the field.

use super::{Argument, FIELDS, Field, Kind, Origin};
use crate::{context::Enriched, rules::Value, rules::names::nearest};

/// A field as a rule names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved {
    pub(crate) field: &'static Field,
    /// For a field of the ancestors: which one. 0 is the process itself.
    ancestor: Option<usize>,
}

/// A field that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    #[error("there is no field `{name}`{}", hint(*nearest))]
    Unknown { name: Box<str>, nearest: Option<&'static str> },
    #[error("the field `{name}` takes no argument")]
    NoArgument { name: &'static str },
    #[error("`{argument}` is not the number of an ancestor: `{name}[1]` is the parent")]
    NotANumber { name: &'static str, argument: Box<str> },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The field that a rule means.
pub(crate) fn resolve(name: &str, argument: Option<&[u8]>) -> Result<Resolved, FieldError> {
    // `evt.arg[flags]` and `evt.arg.flags` are one field, and so are the raw and the rendered form where we have one.
    if let ("evt.arg", Some(argument)) = (name, argument) {
        return resolve(&format!("evt.arg.{}", String::from_utf8_lossy(argument)), None);
    }
    let Some(field) = find(name) else {
        let nearest = nearest(name, FIELDS.iter().map(|field| field.name));
        return Err(FieldError::Unknown { name: name.into(), nearest });
    };
    let ancestor = match (field.argument, argument) {
        (_, None) | (Argument::Any, Some(_)) => None,
        (Argument::None, Some(_)) => return Err(FieldError::NoArgument { name: field.name }),
        (Argument::Ancestor, Some(argument)) => {
            let argument = String::from_utf8_lossy(argument);
            let bad = || FieldError::NotANumber { name: field.name, argument: argument.as_ref().into() };
            Some(argument.parse().map_err(|_| bad())?)
        }
    };
    Ok(Resolved { field, ancestor })
}

/// The field whose name is the longest beginning of this text.
pub(crate) fn longest_prefix(text: &str) -> Option<&'static Field> {
    FIELDS.iter().filter(|field| text.starts_with(field.name)).max_by_key(|field| field.name.len())
}

fn find(name: &str) -> Option<&'static Field> {
    FIELDS.binary_search_by_key(&name, |field| field.name).ok().map(|index| &FIELDS[index])
}

impl Resolved {
    pub(crate) fn kind(&self) -> Kind {
        self.field.kind
    }

    /// No event has a value for it.
    pub(crate) fn is_nowhere(&self) -> bool {
        matches!(self.field.origin, Origin::Nowhere)
    }

    /// Whether this holds for its value; for a field of all ancestors, for the value of any of them.
    pub(crate) fn any(&self, enriched: &Enriched<'_>, mut test: impl FnMut(&Value<'_>) -> bool) -> bool {
        match (self.field.origin, self.ancestor) {
            (Origin::Ancestors(value), None) => {
                enriched.ancestors().filter_map(value).any(|value| test(&value))
            }
            _ => self.value(enriched).is_some_and(|value| test(&value)),
        }
    }

    /// Its value, to be told. Of all ancestors: the texts, with a blank between them; of numbers, the parent's.
    pub(crate) fn value<'a>(&self, enriched: &Enriched<'a>) -> Option<Value<'a>> {
        match (self.field.origin, self.ancestor) {
            (Origin::Event(value), _) => value(enriched),
            (Origin::Ancestors(value), Some(0)) => value(enriched.process),
            (Origin::Ancestors(value), Some(n)) => enriched.ancestors().nth(n - 1).and_then(value),
            (Origin::Ancestors(value), None) => joined(enriched.ancestors().filter_map(value)),
            (Origin::Nowhere, _) => None,
        }
    }
}

fn joined<'a>(mut values: impl Iterator<Item = Value<'a>>) -> Option<Value<'a>> {
    let first = values.next()?;
    let Value::Text(first) = first else {
        return Some(first);
    };
    let mut all = first.into_owned();
    for value in values {
        all.push(b' ');
        value.write_to(&mut all);
    }
    Some(Value::Text(all.into()))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn fields_are_sorted_so_that_they_can_be_searched() {
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn a_name_that_no_field_has_is_an_error_that_helps() {
        check("proc.nmae", None, expect!["there is no field `proc.nmae`; did you mean `proc.name`?"]);
        check("totally.other", None, expect!["there is no field `totally.other`"]);
        check("proc.name", Some(b"1"), expect!["the field `proc.name` takes no argument"]);
        check(
            "proc.aname",
            Some(b"x"),
            expect!["`x` is not the number of an ancestor: `proc.aname[1]` is the parent"],
        );
    }

    fn check(name: &str, argument: Option<&[u8]>, message: Expect) {
        message.assert_eq(&resolve(name, argument).err().map(|error| error.to_string()).unwrap_or_default());
    }

    #[test]
    fn an_argument_of_an_event_is_named_in_either_way() {
        assert!(resolve("evt.arg", Some(b"flags")).is_ok_and(|field| field.field.name == "evt.arg.flags"));
    }
}
