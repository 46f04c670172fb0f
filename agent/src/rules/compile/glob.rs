//! Glob patterns as `fnmatch(3)` without flags has them: `*` and `?` match `/` too.

/// A glob pattern, ready to match.
#[derive(Debug)]
pub(crate) struct Glob {
    tokens: Box<[Token]>,
    ignore_case: bool,
}

#[derive(Debug)]
enum Token {
    Byte(u8),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `[a-z]`, `[!a-z]`
    Set {
        negate: bool,
        ranges: Box<[(u8, u8)]>,
    },
}

impl Glob {
    pub(crate) fn new(pattern: &[u8], ignore_case: bool) -> Self {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            tokens.push(match first {
                b'*' => Token::Star,
                b'?' => Token::Any,
                b'[' => match set(after) {
                    Some((set, after)) => {
                        rest = after;
                        set
                    }
                    None => Token::Byte(b'['),
                },
                b'\\' => match after.split_first() {
                    Some((escaped, after)) => {
                        rest = after;
                        Token::Byte(*escaped)
                    }
                    None => Token::Byte(b'\\'),
                },
                byte => Token::Byte(*byte),
            });
        }
        Self { tokens: tokens.into(), ignore_case }
    }

    /// Its bytes; `None` for what stands for other bytes than itself.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = Option<u8>> {
        self.tokens.iter().map(|token| match token {
            Token::Byte(byte) if !(self.ignore_case && byte.is_ascii_alphabetic()) => Some(*byte),
            _ => None,
        })
    }

    /// Whether the whole text matches. A star gives back what it took, one byte at a time; only the last one has to.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        let mut star = None;
        loop {
            match (self.tokens.get(token), text.get(at)) {
                (Some(Token::Star), _) => {
                    star = Some((token, at));
                    token += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(wanted), Some(byte)) if self.matches_byte(wanted, *byte) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((after, taken)) = star.filter(|(_, taken)| *taken < text.len()) else {
                return false;
            };
            star = Some((after, taken + 1));
            (token, at) = (after + 1, taken + 1);
        }
    }

    fn matches_byte(&self, token: &Token, byte: u8) -> bool {
        match token {
            Token::Byte(wanted) if self.ignore_case => wanted.eq_ignore_ascii_case(&byte),
            Token::Byte(wanted) => *wanted == byte,
            Token::Any | Token::Star => true,
            Token::Set { negate, ranges } => {
                let within = |byte| ranges.iter().any(|(first, last)| (*first..=*last).contains(&byte));
                let other = if byte.is_ascii_lowercase() {
                    byte.to_ascii_uppercase()
                } else {
                    byte.to_ascii_lowercase()
                };
                (within(byte) || self.ignore_case && within(other)) != *negate
            }
        }
    }
}

/// Reads a set from after its `[` to its `]`. A `]` right at the beginning is a member.
fn set(text: &[u8]) -> Option<(Token, &[u8])> {
    let negate = matches!(text.first(), Some(b'!' | b'^'));
    let members = &text[usize::from(negate)..];
    let end = members.iter().skip(1).position(|byte| *byte == b']')? + 1;
    let mut ranges = Vec::new();
    let mut rest = &members[..end];
    loop {
        match rest {
            [first, b'-', last, after @ ..] => {
                ranges.push((*first, *last));
                rest = after;
            }
            [first, after @ ..] => {
                ranges.push((*first, *first));
                rest = after;
            }
            [] => return Some((Token::Set { negate, ranges: ranges.into() }, &members[end + 1..])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_fnmatch_without_flags_does() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*.log", "/var/log/x.log", true),
            ("/tmp/a?", "/tmp/a/", true),
            ("a*b*c", "a/bb/xbcc", true),
            ("a*b*c", "a/bb/xbcd", false),
            ("di[!r]", "dir", false),
            ("di[a-z]", "dir", true),
            ("di[]r]", "di]", true),
            ("di[r", "di[r", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            ("MY*", "myexe", false),
        ] {
            assert_eq!(
                Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
        assert!(Glob::new(b"MY[A-E]xe", true).matches(b"mycXE"));
        assert!(Glob::new(b"/tmp/a?", false).matches(b"/tmp/a\xff"));
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "a*".repeat(64) + "b";
        assert!(!Glob::new(pattern.as_bytes(), false).matches(&[b'a'; 4096]));
    }
}
