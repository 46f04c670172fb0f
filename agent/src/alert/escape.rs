//! Which characters never reach a reader as they are.

use std::fmt::Write;

/// A character that a terminal obeys instead of showing it, or that changes how its neighbours are shown: controls
/// (C0, DEL, C1), line separators, and the marks that turn the direction of text or have no width.
pub(super) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// Writes text that may hold anything, each unsafe character as the escape that JSON has for it.
pub(super) fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            // All of them lie below U+10000, so four digits are enough.
            other if is_unsafe(other) => {
                write!(line, "\\u{:04x}", u32::from(other)).expect("a String takes every write");
            }
            other => line.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_an_escape() {
        let mut line = String::new();
        push_escaped(&mut line, "a\x1b[2J\nb\u{9b}31m\u{202e}c\x7f \\ é");
        assert_eq!(line, "a\\u001b[2J\\nb\\u009b31m\\u202ec\\u007f \\ é");
    }

    #[test]
    fn every_unsafe_character_fits_four_hex_digits() {
        assert!((0x1_0000..=0x10_ffff).filter_map(char::from_u32).all(|character| !is_unsafe(character)));
    }
}
