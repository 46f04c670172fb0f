//! Exceptions of a rule: when not to alert, as tables.

use super::{
    item::{Entry, Read},
    yaml::{Node, Yaml},
};
use crate::rules::{
    condition::{Modifier, Op},
    diagnostic::{Code, Item, Report},
    text::{Place, Text},
};

/// One exception: the event is fine if all fields of any row compare as told.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    name: Box<str>,
    at: Place,
    fields: Shape<Text>,
    comparisons: Shape<String>,
    rows: Vec<Node>,
}

/// One of it, compared with all values at once; or several, compared row by row.
#[derive(Clone, Debug)]
enum Shape<T> {
    One(T),
    Row(Vec<T>),
}

/// Reads the key `exceptions`; one that is known already gets more values.
pub(super) fn read(entry: &Entry<'_>, exceptions: &mut Vec<Exception>, report: &mut Report<'_>) -> Read<()> {
    let known = exceptions.len();
    for node in entry.sequence(report, "exceptions")?.unwrap_or_default() {
        let Yaml::Mapping(keys) = &node.value else {
            return entry.wrong(
                report,
                node.at,
                "an exception has to be a mapping with `name`, `fields`, `comps` and `values`",
            );
        };
        let one = Entry { item: entry.item.clone(), at: node.at, keys };
        one.warn_of_unknown_keys(report, &["name", "fields", "comps", "values"]);
        let name: Box<str> = one.required(report, "name")?.as_str().into();
        let rows = one.sequence(report, "values")?.unwrap_or_default();
        match exceptions.iter_mut().position(|exception| exception.name == name) {
            Some(index) if index < known => {
                if one.get("fields").is_some() || one.get("comps").is_some() {
                    return entry.error(
                        report,
                        node.at,
                        "Can not append exception fields to existing exception, only values",
                    );
                }
                if rows.is_empty() {
                    report.warning(
                        Code::AppendNoValues,
                        node.at,
                        Some(&entry.item),
                        "Overriding/appending exception with no values",
                    );
                }
                exceptions[index].rows.extend_from_slice(rows);
                continue;
            }
            Some(_) => report.warning(
                Code::ExceptionNameNotUnique,
                node.at,
                Some(&entry.item),
                format!("Multiple definitions of exception '{name}' in the same rule"),
            ),
            None => {}
        }
        exceptions.push(define(&one, name, rows, report)?);
    }
    Ok(())
}

fn define(entry: &Entry<'_>, name: Box<str>, rows: &[Node], report: &mut Report<'_>) -> Read<Exception> {
    let Some(fields) = shape(entry, "fields", report)? else {
        return entry.wrong(report, entry.at, "Item has no mapping for key 'fields'");
    };
    let comparisons = match (shape(entry, "comps", report)?, &fields) {
        (None, Shape::One(_)) => Shape::One("in".to_owned()),
        (None, Shape::Row(fields)) => Shape::Row(vec!["=".to_owned(); fields.len()]),
        (Some(Shape::One(comparison)), Shape::One(_)) => Shape::One(comparison.as_str().trim().to_owned()),
        (Some(Shape::Row(comparisons)), Shape::Row(fields)) if comparisons.len() == fields.len() => {
            Shape::Row(comparisons.iter().map(|comparison| comparison.as_str().trim().to_owned()).collect())
        }
        _ => {
            return entry.error(
                report,
                entry.at,
                "Fields and comps lists must have equal length, or both be one",
            );
        }
    };
    let all: &[String] = match &comparisons {
        Shape::One(one) => std::slice::from_ref(one),
        Shape::Row(row) => row,
    };
    for comparison in all {
        if !is_comparison(comparison, matches!(comparisons, Shape::One(_))) {
            let message = match comparisons {
                Shape::One(_) => format!(
                    "'{comparison}' does not go with one field: comps must be one of in, pmatch, intersects, or an operator with a modifier"
                ),
                Shape::Row(_) => format!("'{comparison}' is not a supported comparison operator"),
            };
            return entry.error(report, entry.at, message);
        }
    }
    Ok(Exception { name, at: entry.at, fields, comparisons, rows: rows.to_vec() })
}

fn shape(entry: &Entry<'_>, key: &str, report: &mut Report<'_>) -> Read<Option<Shape<Text>>> {
    Ok(match entry.get(key).map(|node| &node.value) {
        None => None,
        Some(Yaml::Scalar(text)) => Some(Shape::One(text.clone())),
        Some(_) => entry.texts(report, key)?.map(|texts| Shape::Row(texts.into_iter().cloned().collect())),
    })
}

fn is_comparison(text: &str, of_list: bool) -> bool {
    let mut words = text.split_ascii_whitespace();
    let op = words.next().map(|word| if word == "==" { "=" } else { word });
    let Some(op) = op.and_then(|word| Op::ALL.iter().find(|op| op.word() == word)) else {
        return false;
    };
    let modifier = words.next();
    let known = |word| Modifier::ALL.iter().any(|modifier| modifier.word() == word);
    words.next().is_none()
        && match modifier {
            None => !of_list || op.takes_list(),
            Some(word) => known(word) && !op.takes_list() && !op.takes_number(),
        }
}

/// The condition with `and not` its exceptions.
pub(super) fn join(condition: &Text, exceptions: &[Exception], item: &Item, report: &mut Report<'_>) -> Text {
    let mut exceptions = exceptions.iter().filter(|exception| !exception.rows.is_empty()).peekable();
    if exceptions.peek().is_none() {
        return condition.clone();
    }
    let mut whole = Text::new();
    whole.push_str("(", condition.place(0));
    whole.push_part(condition, 0..condition.as_str().len());
    whole.push_str(")", condition.place(condition.as_str().len()));
    for exception in exceptions {
        whole.push_str(" and not (", exception.at);
        match (&exception.fields, &exception.comparisons) {
            (Shape::One(field), Shape::One(comparison)) => {
                write_test(&mut whole, field, comparison, exception.at, |text| {
                    write_list(text, &exception.rows);
                });
            }
            (Shape::Row(fields), Shape::Row(comparisons)) => {
                for (index, row) in exception.rows.iter().enumerate() {
                    whole.push_str(if index > 0 { " or (" } else { "(" }, row.at);
                    let cells = match &row.value {
                        Yaml::Sequence(cells) if cells.len() == fields.len() => cells.as_slice(),
                        _ => {
                            report.error(
                                Code::Validate,
                                row.at,
                                Some(item),
                                "Fields and values lists must have equal length",
                            );
                            return condition.clone();
                        }
                    };
                    for (index, ((field, comparison), cell)) in
                        fields.iter().zip(comparisons).zip(cells).enumerate()
                    {
                        if index > 0 {
                            whole.push_str(" and ", cell.at);
                        }
                        write_test(&mut whole, field, comparison, cell.at, |text| {
                            write_cell(text, comparison, cell);
                        });
                    }
                    whole.push_str(")", row.at);
                }
            }
            // `define` gives both the same shape.
            _ => {}
        }
        whole.push_str(")", exception.at);
    }
    whole
}

fn write_test(text: &mut Text, field: &Text, comparison: &str, at: Place, value: impl FnOnce(&mut Text)) {
    text.push_part(field, 0..field.as_str().len());
    text.push_str(&format!(" {comparison} "), at);
    value(text);
}

fn write_cell(text: &mut Text, comparison: &str, cell: &Node) {
    let wants_list = is_comparison(comparison, true);
    match &cell.value {
        Yaml::Sequence(values) => write_list(text, values),
        Yaml::Scalar(value) if wants_list && !value.as_str().starts_with('(') => {
            write_list(text, std::slice::from_ref(cell));
        }
        _ => write_value(text, cell),
    }
}

fn write_list(text: &mut Text, values: &[Node]) {
    let at = values.first().map_or_else(Place::default, |value| value.at);
    text.push_str("(", at);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push_str(", ", value.at);
        }
        write_value(text, value);
    }
    text.push_str(")", at);
}

/// A value; one with a blank in quotes, as it needs them.
fn write_value(text: &mut Text, value: &Node) {
    let Yaml::Scalar(scalar) = &value.value else {
        return text.push_str("\"\"", value.at);
    };
    let written = scalar.as_str();
    let needs_quotes = written.is_empty() || written.contains(' ') && !written.starts_with(['"', '\'']);
    if needs_quotes {
        text.push_str("\"", value.at);
    }
    text.push_part(scalar, 0..written.len());
    if needs_quotes {
        text.push_str("\"", value.at);
    }
}
