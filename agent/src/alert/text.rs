//! An alert as a line of text for people.

use std::io::IsTerminal;

use super::{Alert, encode::utc, escape::push_escaped};
use crate::rules::Priority;

/// What a person wants to see of an alert. Renders as `<time> <priority> <rule>: <message>`.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_ns: u64,
    /// How severe.
    pub priority: Priority,
    /// Name of the rule.
    pub rule: &'a str,
    /// The rule's message. Any bytes.
    pub message: &'a [u8],
}

impl<'a> Text<'a> {
    /// That of an alert.
    #[must_use]
    pub fn of(alert: &'a Alert) -> Self {
        Self {
            time_unix_ns: alert.time_unix_ns,
            priority: alert.priority,
            rule: &alert.rule,
            message: &alert.message,
        }
    }

    /// The line, without its end. In colour where a terminal shows it. What the message holds cannot leave the line,
    /// colour it or talk to the terminal: it is attackers who choose file names.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let time = utc(self.time_unix_ns);
        // Milliseconds: the log has the rest for whoever needs it.
        let (seconds, fraction) = time.split_once('.').unwrap_or((&time, ""));
        let millis = fraction.get(..3).unwrap_or("000");
        let (on, bold, off) =
            if colour { (paint(self.priority), "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let mut line = format!("{seconds}.{millis}Z {on}{:<PRIORITY_WIDTH$}{off} {bold}", self.priority);
        push_escaped(&mut line, self.rule);
        line.push_str(off);
        line.push_str(": ");
        push_escaped(&mut line, &String::from_utf8_lossy(self.message));
        line
    }
}

/// As wide as the longest name, `Informational`, so that rules stand in a column.
const PRIORITY_WIDTH: usize = 13;

/// Whether a stream is to have colour: it is a terminal, and `NO_COLOR` (<https://no-color.org>) is not set to anything.
#[must_use]
pub fn takes_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The colours of severity that `journalctl` and its like have made familiar.
fn paint(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => "\x1b[1;97;41m",
        Priority::Error => "\x1b[1;31m",
        Priority::Warning => "\x1b[33m",
        Priority::Notice => "\x1b[36m",
        Priority::Informational => "\x1b[32m",
        Priority::Debug => "\x1b[2m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &[u8]) -> Text<'_> {
        Text {
            time_unix_ns: 1_779_790_272_123_456_789,
            priority: Priority::Warning,
            rule: "Read a secret",
            message,
        }
    }

    #[test]
    fn a_line_says_when_how_severe_which_rule_and_what() {
        assert_eq!(
            text(b"file=/etc/shadow").render(false),
            "2026-05-26T10:11:12.123Z Warning       Read a secret: file=/etc/shadow"
        );
    }

    #[test]
    fn colour_is_only_around_what_we_wrote_ourselves() {
        assert_eq!(
            text(b"x").render(true),
            "2026-05-26T10:11:12.123Z \x1b[33mWarning      \x1b[0m \x1b[1mRead a secret\x1b[0m: x"
        );
    }

    #[test]
    fn a_file_name_cannot_talk_to_the_terminal() {
        let line = text(b"\x1b[2J\x1b]52;c;aGk=\x07\r\nroot# \xff").render(false);
        assert!(line.ends_with(r"\u001b[2J\u001b]52;c;aGk=\u0007\r\nroot# �"), "{line}");
    }
}
