//! What an alert is made of.

use std::sync::Arc;

use crate::rules::Priority;

/// A rule has matched an event. Owns all it says: the event is gone when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// When the event happened, in nanoseconds since the Unix epoch.
    pub time_unix_ns: u64,
    /// Name of the rule.
    pub rule: Arc<str>,
    /// How severe.
    pub priority: Priority,
    /// Where the event came from: `syscall`, or `internal` for what the agent says of itself.
    pub source: &'static str,
    /// Tags of the rule, sorted.
    pub tags: Arc<[Box<str>]>,
    /// The rule's output with its fields filled in, without time and priority. Any bytes: rendering escapes them.
    pub message: Vec<u8>,
    /// The fields of the output, under the names they are written with, in that order, without repeats.
    pub fields: Vec<(Arc<str>, FieldValue)>,
}

/// The value of a field in an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// The event had none.
    Absent,
    /// Text: any bytes.
    Text(Vec<u8>),
    /// A number.
    Number(i64),
    /// Yes or no.
    Bool(bool),
}
