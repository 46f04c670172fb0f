//! What is wrong with rule files, told to people.

use std::{fmt, sync::Arc};

use super::{Source, text::Place};

/// What a diagnostic is about. The names are those of the Falco engine, so that scripts can rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it; they are those of the Falco engine")]
pub enum Code {
    YamlParse,
    YamlValidate,
    CompileCondition,
    CompileOutput,
    Validate,
    UnknownSource,
    UnsafeNaCheck,
    NoEventType,
    UnknownFilter,
    UnusedMacro,
    UnusedList,
    UnknownItem,
    UnknownKey,
    DeprecatedItem,
    AppendNoValues,
    InvalidMacroName,
    InvalidListName,
    ExceptionNameNotUnique,
    MisusedValue,
    /// Ours: a field is known, but this agent has no value for it yet.
    AbsentField,
}

impl Code {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::YamlParse => "LOAD_ERR_YAML_PARSE",
            Self::YamlValidate => "LOAD_ERR_YAML_VALIDATE",
            Self::CompileCondition => "LOAD_ERR_COMPILE_CONDITION",
            Self::CompileOutput => "LOAD_ERR_COMPILE_OUTPUT",
            Self::Validate => "LOAD_ERR_VALIDATE",
            Self::UnknownSource => "LOAD_UNKNOWN_SOURCE",
            Self::UnsafeNaCheck => "LOAD_UNSAFE_NA_CHECK",
            Self::NoEventType => "LOAD_NO_EVTTYPE",
            Self::UnknownFilter => "LOAD_UNKNOWN_FILTER",
            Self::UnusedMacro => "LOAD_UNUSED_MACRO",
            Self::UnusedList => "LOAD_UNUSED_LIST",
            Self::UnknownItem => "LOAD_UNKNOWN_ITEM",
            Self::UnknownKey => "LOAD_UNKNOWN_KEY",
            Self::DeprecatedItem => "LOAD_DEPRECATED_ITEM",
            Self::AppendNoValues => "LOAD_APPEND_NO_VALUES",
            Self::InvalidMacroName => "LOAD_INVALID_MACRO_NAME",
            Self::InvalidListName => "LOAD_INVALID_LIST_NAME",
            Self::ExceptionNameNotUnique => "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
            Self::MisusedValue => "LOAD_COMPILE_CONDITION",
            Self::AbsentField => "LOAD_ABSENT_FIELD",
        }
    }
}

/// The list, macro or rule that a diagnostic is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) kind: &'static str,
    pub(crate) name: Arc<str>,
}

/// Something wrong, or odd, in a rule file. `Display` gives it with the line it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it is about.
    pub code: Code,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    item: Option<Item>,
    snippet: String,
    mark: usize,
    place: Place,
}

/// Something odd in a rule file that does not keep it from being loaded.
pub type Warning = Diagnostic;

/// Rule files that cannot be loaded: everything that is wrong with them.
#[derive(Clone, Debug)]
pub struct LoadErrors {
    /// At least one.
    pub errors: Vec<Diagnostic>,
    /// What is odd besides.
    pub warnings: Vec<Warning>,
}

impl std::error::Error for LoadErrors {}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// How much of a line is shown on either side of the place, in characters.
const SHOWN: usize = 50;

impl Diagnostic {
    fn new(sources: &[Source], code: Code, place: Place, item: Option<Item>, message: String) -> Self {
        let source = sources.get(place.source as usize);
        let text = source.map_or("", |source| &source.text);
        let before = text.get(..(place.offset as usize).min(text.len())).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line: Vec<char> = text[start..].lines().next().unwrap_or_default().chars().collect();
        let column = before[start..].chars().count();
        let from = column.saturating_sub(SHOWN);
        let shown = line.iter().skip(from).take(2 * SHOWN);
        Self {
            code,
            file: source.map_or_else(String::new, |source| source.name.clone()),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            message,
            item,
            // A rule file may come from anywhere; its text is shown on a terminal.
            snippet: shown.map(|char| if char.is_control() { ' ' } else { *char }).collect(),
            mark: column - from,
            place,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, snippet, mark, .. } = self;
        let margin = line.to_string().len();
        writeln!(f, "{file}:{line}:{column}: {message}")?;
        writeln!(f, "{line} | {snippet}")?;
        write!(f, "{:margin$} | {:mark$}^ ", "", "")?;
        if let Some(Item { kind, name }) = &self.item {
            write!(f, "in {kind} `{}` ", name.escape_debug())?;
        }
        write!(f, "[{}]", self.code.name())
    }
}

/// Gathers what is wrong while files are loaded.
pub(crate) struct Report<'a> {
    sources: &'a [Source],
    errors: Vec<Diagnostic>,
    warnings: Vec<Warning>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        Self { sources, errors: Vec::new(), warnings: Vec::new() }
    }

    /// What was gathered, in the order it was written: errors, then warnings.
    pub(crate) fn into_sorted(mut self) -> (Vec<Diagnostic>, Vec<Warning>) {
        for diagnostics in [&mut self.errors, &mut self.warnings] {
            diagnostics.sort_by_key(|diagnostic| (diagnostic.place.source, diagnostic.place.offset));
            // A macro is wrong once, however many rules it is in.
            diagnostics.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        }
        (self.errors, self.warnings)
    }

    pub(crate) fn error(&mut self, code: Code, at: Place, item: Option<&Item>, message: impl ToString) {
        self.errors.push(Diagnostic::new(self.sources, code, at, item.cloned(), message.to_string()));
    }

    pub(crate) fn warning(&mut self, code: Code, at: Place, item: Option<&Item>, message: impl ToString) {
        self.warnings.push(Diagnostic::new(self.sources, code, at, item.cloned(), message.to_string()));
    }
}
