//! A place in the text, and the small steps forward.

use super::error::{Problem, SyntaxError};
use crate::rules::text::{Place, Text};

/// Where the parser stands.
pub(super) struct Cursor<'a> {
    text: &'a Text,
    at: usize,
}

/// Blanks of the language. Backspace is one of them.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x08)
}

/// Ends a value without quotes.
const fn ends_bare(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'(' | b')' | b',' | b'=' | b'"' | b'\'')
}

/// A value that can stand without quotes.
pub(super) fn is_bare(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() && !ends_bare(*byte))
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a Text) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text.as_str()[self.at..]
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn place(&self) -> Place {
        self.text.place(self.at)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// Goes back to where it once stood.
    pub(super) fn go_back(&mut self, offset: usize) {
        self.at = offset;
    }

    /// Passes over blanks; says whether there was one.
    pub(super) fn blanks(&mut self) -> bool {
        let blanks = self.rest().bytes().take_while(|byte| is_blank(*byte)).count();
        self.at += blanks;
        blanks > 0
    }

    /// Passes over this text if it is what comes.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Passes over this word if it is what comes and `follows` holds for the byte after it (`None`: the end).
    pub(super) fn eat_word(&mut self, word: &str, follows: impl FnOnce(Option<u8>) -> bool) -> bool {
        let found = self.rest().starts_with(word) && follows(self.rest().as_bytes().get(word.len()).copied());
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes the bytes that are `wanted`. The set must not split a character: ASCII, or all that is not ASCII.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes a value without quotes. Empty if none comes.
    pub(super) fn bare(&mut self) -> &'a str {
        self.take_while(|byte| !ends_bare(byte))
    }

    /// Takes `[a-zA-Z][a-zA-Z0-9_]*`. Empty if none comes.
    pub(super) fn identifier(&mut self) -> &'a str {
        if self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        } else {
            ""
        }
    }

    /// Takes what stands between quotes, if a quote comes. A backslash keeps the quote after it from ending it.
    pub(super) fn quoted(&mut self) -> Result<Option<(&'a str, char)>, SyntaxError> {
        let quote = match self.peek() {
            Some(b'"') => '"',
            Some(b'\'') => '\'',
            _ => return Ok(None),
        };
        let body = &self.rest()[1..];
        let mut before = 0;
        for (offset, byte) in body.bytes().enumerate() {
            if char::from(byte) == quote && before != b'\\' {
                self.at += offset + 2;
                return Ok(Some((&body[..offset], quote)));
            }
            before = byte;
        }
        Err(self.error(Problem::Unclosed { quote }))
    }

    /// The error that something else should stand here.
    pub(super) fn expected(&self, what: &'static str) -> SyntaxError {
        self.error(Problem::Expected { what, found: self.found() })
    }

    pub(super) fn error(&self, problem: Problem) -> SyntaxError {
        self.error_at(self.at, problem)
    }

    pub(super) fn error_at(&self, offset: usize, problem: Problem) -> SyntaxError {
        SyntaxError { at: self.text.place(offset), offset, problem }
    }

    /// What comes, in words for an error.
    fn found(&self) -> Box<str> {
        let rest = self.rest();
        let word: String =
            rest.chars().take_while(|char| !u8::try_from(*char).is_ok_and(ends_bare)).collect();
        match rest.chars().next() {
            None => "the end of the condition".into(),
            Some(first) if word.is_empty() => format!("`{}`", first.escape_debug()).into(),
            Some(_) => format!("`{word}`").into(),
        }
    }
}
