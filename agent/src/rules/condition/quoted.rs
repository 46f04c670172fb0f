//! Escapes in quoted strings.

/// Not an escape: what stands after the backslash, and where the backslash stands in the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadEscape {
    pub(super) found: Box<str>,
    pub(super) offset: usize,
}

/// What the body of a quoted string stands for. Bytes, since `\xff` is one.
pub(super) fn unescape(body: &str, quote: char) -> Result<Box<[u8]>, BadEscape> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut chars = body.char_indices();
    while let Some((offset, char)) = chars.next() {
        if char != '\\' {
            bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let bad = |found: &str| BadEscape { found: found.into(), offset };
        bytes.push(match chars.next().map(|(_, escaped)| escaped) {
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            // A backslash before a blank stands for itself, and the blank for nothing: so upstream has it.
            Some('\\' | ' ') => b'\\',
            Some('/') => b'/',
            Some('x') => {
                let digits = body.get(offset + 2..offset + 4).unwrap_or_default();
                if digits.len() != 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(bad(body.get(offset + 1..offset + 4).unwrap_or("x")));
                }
                chars.nth(1);
                u8::from_str_radix(digits, 16).map_err(|_| bad(digits))?
            }
            Some(escaped) if escaped == quote => quote as u8,
            Some(other) => return Err(bad(other.encode_utf8(&mut [0; 4]))),
            None => return Err(bad("")),
        });
    }
    Ok(bytes.into())
}

/// The quoted string that stands for these bytes.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted.push_str("\\\""),
            // As the last one it would keep the closing quote from closing.
            b'\\' if index + 1 < bytes.len() => quoted.push_str("\\\\"),
            b' '..=b'~' if *byte != b'\\' => quoted.push(char::from(*byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_one_byte_each() {
        for (body, bytes) in [
            ("plain", b"plain".as_slice()),
            (r"\b\f\n\r\t\\\/", b"\x08\x0c\n\r\t\\/"),
            (r"\x7f\xAb\x413", b"\x7f\xabA3"),
            (r#"say \"so\""#, b"say \"so\""),
            (r"a\ b", b"a\\b"),
            ("é", "é".as_bytes()),
        ] {
            assert_eq!(unescape(body, '"').as_deref(), Ok(bytes), "{body}");
        }
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for body in [r"\xf", r"\xfg", r"\x+a", r"\x", r"\q", r"\'", r"end\", r"\xé"] {
            assert!(unescape(body, '"').is_err(), "{body}");
        }
    }
}
