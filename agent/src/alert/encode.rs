//! An alert as a line of JSON.
//!
//! The keys are Falco's, in Falco's order (by name), so whatever reads Falco's alerts reads these; what is ours is in
//! one object under the key `holdfast`, which comes last:
//!
//! ```json
//! {"hostname":"node1","output":"…","output_fields":{…},"priority":"Warning","rule":"…","source":"syscall",
//!  "tags":[…],"time":"2026-05-26T10:11:12.123456789Z","holdfast":{"v":1,"node":"node1","epoch":"…","seq":42}}
//! ```

use std::io;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::ser::Formatter;

use super::{Alert, FieldValue, escape::is_unsafe};

/// The version of the object under `holdfast`. A reader that knows it understands every key that was ever in it.
const VERSION: u32 = 1;

/// Renders alerts as JSON.
#[derive(Clone, Debug)]
pub struct Encoder {
    hostname: String,
    node: String,
}

impl Encoder {
    /// `hostname` is what Falco's consumers read, `node` the name that Kubernetes has for this node: most often equal.
    #[must_use]
    pub fn new(hostname: impl Into<String>, node: impl Into<String>) -> Self {
        Self { hostname: hostname.into(), node: node.into() }
    }

    /// The alert as one line of JSON, without its line end. Ends in `}}`, the form that the journal seals.
    ///
    /// `(node, epoch, seq)` is the alert's name for ever: receivers drop what they have already seen by it.
    #[must_use]
    pub fn encode(&self, alert: &Alert, epoch: &str, seq: u64) -> Vec<u8> {
        let time = utc(alert.time_unix_ns);
        let line = Line {
            hostname: &self.hostname,
            output: full_text(&time, alert),
            output_fields: Fields(alert),
            priority: alert.priority.name(),
            rule: &alert.rule,
            source: alert.source,
            tags: &alert.tags,
            time: &time,
            holdfast: Ours { v: VERSION, node: &self.node, epoch, seq },
        };
        let mut bytes = Vec::with_capacity(TYPICAL_LINE_BYTES);
        line.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Safe))
            .expect("writing to a Vec does not fail, and every key is a string");
        bytes
    }
}

/// Room for most alerts, so that their line is allocated once.
const TYPICAL_LINE_BYTES: usize = 1536;

/// UTC with nine decimals and `Z`.
pub(super) fn utc(time_unix_ns: u64) -> String {
    // A u64 of nanoseconds ends in the year 2554, a Timestamp in 9999.
    let time = jiff::Timestamp::from_nanosecond(i128::from(time_unix_ns)).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.9}")
}

/// The line as Falco's text output has it: `<time>: <Priority> <message>`, the time as with `time_format_iso_8601`.
fn full_text(time: &str, alert: &Alert) -> String {
    let message = String::from_utf8_lossy(&alert.message);
    format!("{}+0000: {} {message}", time.trim_end_matches('Z'), alert.priority)
}

#[derive(Serialize)]
struct Line<'a> {
    hostname: &'a str,
    output: String,
    output_fields: Fields<'a>,
    priority: &'a str,
    rule: &'a str,
    source: &'a str,
    tags: &'a [Box<str>],
    time: &'a str,
    holdfast: Ours<'a>,
}

#[derive(Serialize)]
struct Ours<'a> {
    v: u32,
    node: &'a str,
    epoch: &'a str,
    seq: u64,
}

/// The fields of the output by name, and `evt.time`, which Falco adds to each alert.
struct Fields<'a>(&'a Alert);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const TIME: &str = "evt.time";
        let mut fields: Vec<(&str, Option<&FieldValue>)> =
            self.0.fields.iter().map(|(name, value)| (&**name, Some(value))).collect();
        if fields.iter().all(|(name, _)| *name != TIME) {
            fields.push((TIME, None));
        }
        fields.sort_unstable_by_key(|(name, _)| *name);
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            match value {
                Some(FieldValue::Absent) => map.serialize_entry(name, &())?,
                Some(FieldValue::Text(text)) => map.serialize_entry(name, &String::from_utf8_lossy(text))?,
                Some(FieldValue::Number(number)) => map.serialize_entry(name, number)?,
                Some(FieldValue::Bool(bool)) => map.serialize_entry(name, bool)?,
                None => map.serialize_entry(name, &self.0.time_unix_ns)?,
            }
        }
        map.end()
    }
}

/// Compact JSON in which no string holds a character that a terminal obeys: people `tail` the log. To a JSON reader
/// the escape and the character are the same.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| is_unsafe(*character)) {
            writer.write_all(&fragment.as_bytes()[written..at])?;
            write!(writer, "\\u{:04x}", u32::from(character))?;
            written = at + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::rules::Priority;

    fn alert() -> Alert {
        Alert {
            time_unix_ns: 1_779_790_272_123_456_789,
            rule: "Read sensitive file".into(),
            priority: Priority::Warning,
            source: "syscall",
            tags: ["T1555".into(), "container".into()].into(),
            message: b"file=/etc/shadow".to_vec(),
            fields: vec![
                ("proc.pid".into(), FieldValue::Number(42)),
                ("fd.name".into(), FieldValue::Text(b"/etc/shadow".to_vec())),
                ("proc.aname[2]".into(), FieldValue::Absent),
                ("proc.is_exe_upper_layer".into(), FieldValue::Bool(false)),
            ],
        }
    }

    fn encode(alert: &Alert) -> String {
        String::from_utf8(Encoder::new("node1", "node1").encode(alert, "cafe", 42)).unwrap()
    }

    #[test]
    fn the_line_has_falcos_keys_in_their_order_and_ours_last() {
        expect![[r#"{"hostname":"node1","output":"2026-05-26T10:11:12.123456789+0000: Warning file=/etc/shadow","output_fields":{"evt.time":1779790272123456789,"fd.name":"/etc/shadow","proc.aname[2]":null,"proc.is_exe_upper_layer":false,"proc.pid":42},"priority":"Warning","rule":"Read sensitive file","source":"syscall","tags":["T1555","container"],"time":"2026-05-26T10:11:12.123456789Z","holdfast":{"v":1,"node":"node1","epoch":"cafe","seq":42}}"#]]
        .assert_eq(&encode(&alert()));
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        let line = encode(&Alert { message: b"a\xff\xfeb".to_vec(), ..alert() });
        assert!(line.contains("Warning a\u{fffd}\u{fffd}b\""), "{line}");
    }

    #[test]
    fn control_characters_are_escaped_and_come_back_as_they_were() {
        let message = "\x1b]0;owned\x07\n\"\\\u{7f}\u{9b}\u{202e}";
        let line = encode(&Alert { message: message.into(), ..alert() });
        assert!(!line.chars().any(is_unsafe), "{line:?}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(value["output"].as_str().unwrap().ends_with(message));
    }

    #[test]
    fn a_time_that_the_rule_prints_itself_is_not_given_twice() {
        let fields = vec![("evt.time".into(), FieldValue::Text(b"10:11:12".to_vec()))];
        let line = encode(&Alert { fields, ..alert() });
        assert_eq!(line.matches("evt.time").count(), 1, "{line}");
    }

    #[test]
    fn times_have_nine_decimals_whatever_they_are() {
        assert_eq!(utc(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(utc(u64::MAX), "2554-07-21T23:34:33.709551615Z");
    }
}
