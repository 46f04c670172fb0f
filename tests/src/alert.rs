//! A line of the alert log, as a reader of it sees it.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// A line of the alert log.
#[derive(Clone, Debug, Deserialize)]
pub struct Alert {
    /// The full text line.
    pub output: String,
    /// The fields of the rule's output.
    pub output_fields: serde_json::Map<String, serde_json::Value>,
    /// How severe.
    pub priority: String,
    /// Name of the rule.
    pub rule: String,
    /// Where the event came from.
    pub source: String,
    /// When, UTC.
    pub time: String,
    /// What is ours.
    pub holdfast: Ours,
}

/// What is ours in a line.
#[derive(Clone, Debug, Deserialize)]
pub struct Ours {
    /// Version of this object.
    pub v: u32,
    /// The journal.
    pub epoch: String,
    /// The number of the line.
    pub seq: u64,
    /// The lines that this one stands for.
    pub loss: Option<Loss>,
}

/// Lines that are not in the log.
#[derive(Clone, Debug, Deserialize)]
pub struct Loss {
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// How many.
    pub count: u64,
}

impl Alert {
    /// A field that is text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.output_fields.get(field)?.as_str()
    }

    /// A field that is a number.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<i64> {
        self.output_fields.get(field)?.as_i64()
    }
}

/// All whole lines of the log's current file; none where there is none yet.
///
/// # Errors
///
/// Where a whole line is not of the form.
pub fn read_log(log_dir: &Path) -> anyhow::Result<Vec<Alert>> {
    let Ok(bytes) = std::fs::read(log_dir.join("alerts.jsonl")) else { return Ok(Vec::new()) };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    lines
        .map(|line| {
            serde_json::from_slice(line)
                .with_context(|| format!("no alert: {}", String::from_utf8_lossy(line)))
        })
        .collect()
}
