//! What can be wrong with the text of a condition.

use crate::rules::text::Place;

/// The text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct SyntaxError {
    /// Where it was written.
    pub(crate) at: Place,
    /// Where in the text, in bytes.
    pub(crate) offset: usize,
    /// What is wrong there.
    pub(crate) problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("expected {what}, found {found}")]
    Expected { what: &'static str, found: Box<str> },
    #[error("this is nested more than {limit} levels deep")]
    TooDeep { limit: usize },
    #[error("this string has no closing {quote}")]
    Unclosed { quote: char },
    #[error(
        "`\\{found}` is not an escape of a string in {quote}; use one of \\b \\f \\n \\r \\t \\\\ \\/ \\xHH \\{quote}"
    )]
    Escape { found: Box<str>, quote: char },
}
