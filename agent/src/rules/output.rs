//! Output templates: text with `%field` in it.

use std::sync::Arc;

use super::{
    Value,
    condition::{Operand, parse_operand},
    fields::FIELDS,
    fields::{FieldError, Resolved, longest_prefix, resolve},
    names::nearest,
    text::{Place, Text},
};
use crate::context::Enriched;

/// What an absent value is printed as.
const ABSENT: &[u8] = b"<NA>";
/// Widest that `%<n>field` may ask for. A rule that asks for more has a slip of the keyboard in it.
const MAX_WIDTH: usize = 1024;

/// The output of a rule, ready to be filled in.
#[derive(Debug)]
pub struct Output {
    parts: Box<[Part]>,
    /// Each field once, under the name it is written with.
    fields: Box<[(Arc<str>, Resolved)]>,
}

#[derive(Debug)]
enum Part {
    Literal(Box<[u8]>),
    /// One of the fields, padded or cut to that many characters.
    Field {
        index: usize,
        width: Option<usize>,
    },
}

/// A template that cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("invalid formatting token: `%` has to be followed by the name of a field{}", .nearest.map(|name| format!("; did you mean `%{name}`?")).unwrap_or_default())]
    Token { at: Place, nearest: Option<&'static str> },
    #[error("invalid formatting token: {error}")]
    Field { at: Place, error: FieldError },
    #[error("invalid formatting token: {message}")]
    Argument { at: Place, message: String },
    #[error("transformers such as `%tolower(..)` are not supported yet")]
    Transformer { at: Place },
}

impl OutputError {
    pub(crate) fn at(&self) -> Place {
        match self {
            Self::Token { at, .. }
            | Self::Field { at, .. }
            | Self::Argument { at, .. }
            | Self::Transformer { at } => *at,
        }
    }
}

impl Output {
    pub(crate) fn parse(text: &Text) -> Result<Self, OutputError> {
        let written = text.as_str();
        let mut parts = Vec::new();
        let mut fields: Vec<(Arc<str>, Resolved)> = Vec::new();
        // The surrounding blanks go, and so does `*`, which asks for what we do anyway: absent values do not matter.
        let mut at = written.len() - written.trim_start().len();
        if written[at..].starts_with('*') {
            at += 1;
        }
        let end = written.trim_end().len().max(at);
        while at < end {
            let percent = written[at..end].find('%').map_or(end, |found| at + found);
            if percent > at {
                parts.push(Part::Literal(written.as_bytes()[at..percent].into()));
            }
            if percent == end {
                break;
            }
            let (name, resolved, width, next) = token(text, percent, end)?;
            let index = fields.iter().position(|(known, _)| **known == *name).unwrap_or_else(|| {
                fields.push((name.into(), resolved));
                fields.len() - 1
            });
            parts.push(Part::Field { index, width });
            at = next;
        }
        Ok(Self { parts: parts.into(), fields: fields.into() })
    }

    /// The text for this event.
    #[must_use]
    pub fn render(&self, enriched: &Enriched<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text),
                Part::Field { index, width } => {
                    let start = out.len();
                    match self.fields[*index].1.value(enriched) {
                        Some(value) => value.write_to(&mut out),
                        None => out.extend_from_slice(ABSENT),
                    }
                    if let Some(width) = width {
                        out.resize(start + width, b' ');
                    }
                }
            }
        }
        out
    }

    /// The fields under the names they are written with, each once, in that order.
    pub fn fields<'a>(
        &'a self,
        enriched: &'a Enriched<'a>,
    ) -> impl Iterator<Item = (&'a Arc<str>, Option<Value<'a>>)> {
        self.fields.iter().map(|(name, field)| (name, field.value(enriched)))
    }

    /// The fields that no event has a value for yet.
    pub(crate) fn absent_fields(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|(_, field)| field.is_nowhere()).map(|(_, field)| field.field.name)
    }
}

/// Reads what stands from a `%` on: the field under its written name, its width, and where the text goes on.
fn token(
    text: &Text,
    percent: usize,
    end: usize,
) -> Result<(&str, Resolved, Option<usize>, usize), OutputError> {
    let written = &text.as_str()[..end];
    let at = text.place(percent);
    let start = percent + 1;
    let digits = written[start..].bytes().take_while(u8::is_ascii_digit).count();
    let width = match &written[start..start + digits] {
        "" => None,
        digits => match digits.parse() {
            Ok(width) if width <= MAX_WIDTH => Some(width),
            _ => {
                return Err(OutputError::Argument {
                    at,
                    message: format!("no field is wider than {MAX_WIDTH}"),
                });
            }
        },
    };
    let start = start + digits;
    let rest = &written[start..];
    let Some(field) = longest_prefix(rest).map(|field| field.name).or_else(|| argument_of_event(rest)) else {
        let name: &str = &rest[..rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
            .count()];
        if rest[name.len()..].starts_with('(')
            && super::condition::Function::ALL.iter().any(|function| function.word() == name)
        {
            return Err(OutputError::Transformer { at });
        }
        return Err(OutputError::Token { at, nearest: nearest(name, FIELDS.iter().map(|field| field.name)) });
    };
    let mut length = field.len();
    if rest[length..].starts_with('[') {
        let Some(close) = rest[length..].find(']') else {
            return Err(OutputError::Argument { at, message: format!("`{field}[` has no closing `]`") });
        };
        length += close + 1;
    }
    let name = &rest[..length];
    let mut piece = Text::new();
    piece.push_part(text, start..start + length);
    let Ok(Operand::Field(reference)) = parse_operand(&piece) else {
        return Err(OutputError::Argument {
            at,
            message: format!("`{name}` is not a field with an argument"),
        });
    };
    let resolved = resolve(&reference.name, reference.argument.as_deref())
        .map_err(|error| OutputError::Field { at, error })?;
    Ok((name, resolved, width, start + length))
}

/// `evt.arg[flags]`, which has the same fields under another name.
fn argument_of_event(text: &str) -> Option<&'static str> {
    text.starts_with("evt.arg[").then_some("evt.arg")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::fixture;

    fn render(template: &str) -> Result<String, String> {
        let fixture = fixture::open("/usr/bin/cat", "/etc/shadow");
        let output = Output::parse(&Text::whole(template)).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output.render(&fixture.enriched())).into_owned())
    }

    #[test]
    fn fields_are_filled_in() {
        for (template, expected) in [
            ("start %proc.name end", "start cat end"),
            ("%2proc.name|%6proc.name|", "ca|cat   |"),
            ("(%proc.name)%proc.nameand", "(cat)catand"),
            ("*%container.name and %proc.aname[2] ", "<NA> and sshd"),
            ("%proc.aname %proc.apid", "bash sshd systemd 40"),
            ("%evt.arg.flags %evt.arg[flags] %fd.num", "O_RDONLY O_RDONLY 3"),
            ("no field", "no field"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_is_no_field_is_an_error_that_helps() {
        for (template, part) in [
            ("100%", "`%` has to be followed"),
            ("%some.field", "`%` has to be followed"),
            ("%proc.nmae", "did you mean `%proc.name`?"),
            ("%proc.aname[2", "no closing `]`"),
            ("%proc.aname[x]", "not the number of an ancestor"),
            ("%toupper(proc.name)", "not supported yet"),
            ("%(proc.name)", "`%` has to be followed"),
            ("%99999999999proc.name", "no field is wider"),
        ] {
            let error = render(template).expect_err(template);
            assert!(error.contains(part), "{template}: {error}");
        }
    }

    #[test]
    fn each_field_is_told_once() {
        let output =
            Output::parse(&Text::whole("%proc.name %fd.num %proc.name %proc.aname[1]")).expect("it is fine");
        let fixture = fixture::open("/usr/bin/cat", "/etc/shadow");
        let enriched = fixture.enriched();
        let names: Vec<_> = output.fields(&enriched).map(|(name, _)| &**name).collect();
        assert_eq!(names, ["proc.name", "fd.num", "proc.aname[1]"]);
    }
}
