//! The record of what is not in the log.
//!
//! A loss is a line like any other. Its `holdfast` object has one key more:
//!
//! ```json
//! "loss":{"first":10,"last":20,"count":11,"reason":"…"}
//! ```
//!
//! Who checks that nothing is missing expects the number after the last line's; a loss whose `first` is that number
//! fills the hole, and the next line has the number after the loss's own. (A loss of lines that never left memory
//! takes the number of the last of them; a loss found at the start takes a new one.)

use serde::Serialize;

use super::{Stamp, format::MAX_LINE_BYTES};

/// Lines that are not in the log, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// Why.
    pub reason: LossReason,
}

/// Why lines are not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossReason {
    /// The disk took nothing for so long that memory for waiting lines ran out.
    Overflow,
    /// It was no line that a log can hold: longer than [`MAX_LINE_BYTES`], or not one object on one line.
    Unfit,
    /// They had been written, and were not on the disk at the next start.
    Missing,
}

impl std::fmt::Display for LossReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Overflow => {
                f.write_str("the log could not be written, and the memory for waiting lines was full")
            }
            Self::Unfit => write!(f, "the line was longer than {MAX_LINE_BYTES} bytes or not one JSON object"),
            Self::Missing => f.write_str(
                "they were not on the disk at start: deleted, damaged, or not yet durable when the node stopped",
            ),
        }
    }
}

impl Loss {
    /// How many lines.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The record, in the form that [`seal`](super::format::seal) takes.
    pub(super) fn encode(&self, node: &str, stamp: Stamp<'_>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            hostname: &'a str,
            output: String,
            output_fields: Fields<'a>,
            priority: &'a str,
            rule: &'a str,
            source: &'a str,
            tags: [&'a str; 0],
            time: &'a str,
            holdfast: Ours<'a>,
        }
        #[derive(Serialize)]
        struct Ours<'a> {
            v: u32,
            node: &'a str,
            epoch: &'a str,
            seq: u64,
            loss: Fields<'a>,
        }
        #[derive(Clone, Copy, Serialize)]
        struct Fields<'a> {
            first: u64,
            last: u64,
            count: u64,
            reason: &'a str,
        }
        let Self { first, last, .. } = *self;
        let (count, reason) = (self.count(), self.reason.to_string());
        let fields = Fields { first, last, count, reason: &reason };
        let time = format!("{:.9}", jiff::Timestamp::now());
        let line = Line {
            hostname: node,
            output: format!(
                "{}+0000: Critical {count} alerts are lost (numbers {first} to {last}): {reason}",
                time.trim_end_matches('Z')
            ),
            output_fields: fields,
            priority: "Critical",
            rule: "Holdfast internal: alerts lost",
            source: "internal",
            tags: [],
            time: &time,
            holdfast: Ours { v: 1, node, epoch: stamp.epoch, seq: stamp.seq, loss: fields },
        };
        serde_json::to_vec(&line).expect("writing to a Vec does not fail, and every key is a string")
    }
}
