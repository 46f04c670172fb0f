//! What a line of the log is.
//!
//! The log is a folder. `alerts.jsonl` is written now; `alerts-<number>.jsonl`, the number padded to 20 digits, are the
//! older segments, named after the number of their first line, so that names sort by age.
//!
//! A file is lines, each one JSON object and then `\n`. A line is written by one `write(2)`, whole or, after a crash,
//! torn at the end of the file. The object ends in the key `holdfast`, whose value has at least
//!
//! * `epoch`: a random name of this journal, made with it;
//! * `seq`: the number of the line, from 1, without holes, never twice in an epoch;
//! * `crc`, last: CRC-32 (ISO-HDLC, as in gzip and zlib) of every byte of the line before `,"crc":`, eight lower-case hex
//!   digits. So each line ends `,"crc":"89abcdef"}}` and can be checked without parsing it, by hand too:
//!
//! ```sh
//! head -1 alerts.jsonl | python3 -c 'import sys,zlib; print("%08x" % zlib.crc32(sys.stdin.buffer.readline()[:-20]))'
//! ```
//!
//! All files together have a bound (`max_bytes`): the oldest segments are deleted for it. That is no loss and leaves no
//! line: numbers have no hole, they begin later. The first number in the oldest file says where; what is below it
//! and was not read in time is gone. The agent counts what it deletes, and warns with the numbers in its own log.
//!
//! A line whose `holdfast` has the key `loss` stands for lines that are not there: see [`Loss`](super::Loss).

use std::io::Write;

use serde::Deserialize;

/// The file that is written now.
pub const LOG_NAME: &str = "alerts.jsonl";

/// No line is longer, its end included. The kernel bounds what an alert is made of to some hundred kilobytes; this
/// bounds what a reader has to take into memory.
pub const MAX_LINE_BYTES: usize = 1 << 20;

const KEY: &[u8] = br#","crc":""#;
const CLOSE: &[u8] = br#""}}"#;
const DIGITS: usize = 8;
/// What the seal adds to a line, less the two braces that it moves, and the line end.
const SEAL_BYTES: usize = KEY.len() + DIGITS + CLOSE.len();

/// Why bytes cannot become a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    TooLong,
    /// Has a line end in it, or does not end as an object in an object does.
    NotALine,
}

/// Adds checksum and line end to an encoded object that ends in `}}`.
pub(super) fn seal(mut line: Vec<u8>) -> Result<Vec<u8>, Unfit> {
    if line.len() + SEAL_BYTES >= MAX_LINE_BYTES {
        return Err(Unfit::TooLong);
    }
    if !line.ends_with(b"}}") || line.contains(&b'\n') {
        return Err(Unfit::NotALine);
    }
    line.truncate(line.len() - 2);
    let checksum = crc32fast::hash(&line);
    line.extend_from_slice(KEY);
    write!(line, "{checksum:08x}").expect("a Vec takes every write");
    line.extend_from_slice(CLOSE);
    line.push(b'\n');
    Ok(line)
}

/// Where a line stands in the order of all lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The journal it is of.
    pub epoch: String,
    /// Its number in that journal, from 1.
    pub seq: u64,
}

/// The number of a line (without its line end), if the line is whole and undamaged.
#[must_use]
pub fn check(line: &[u8]) -> Option<Number> {
    #[derive(Deserialize)]
    struct Line {
        holdfast: Ours,
    }
    #[derive(Deserialize)]
    struct Ours {
        epoch: String,
        seq: u64,
    }
    let (body, seal) = line.split_at_checked(line.len().checked_sub(SEAL_BYTES)?)?;
    let digits = seal.strip_prefix(KEY)?.strip_suffix(CLOSE)?;
    if format!("{:08x}", crc32fast::hash(body)).as_bytes() != digits {
        return None;
    }
    let Line { holdfast: Ours { epoch, seq } } = serde_json::from_slice(line).ok()?;
    Some(Number { epoch, seq })
}

/// The name of the segment whose first line has that number.
pub(super) fn segment_name(first: u64) -> String {
    format!("alerts-{first:020}.jsonl")
}

/// The number of a segment's first line, by the segment's name; `None` for a file that is none.
pub(super) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("alerts-")?.strip_suffix(".jsonl")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        seal(br#"{"rule":"r","holdfast":{"v":1,"epoch":"cafe","seq":7}}"#.to_vec()).unwrap()
    }

    #[test]
    fn a_sealed_line_is_an_object_and_says_its_number() {
        let line = sealed();
        let text = std::str::from_utf8(&line).unwrap();
        assert_eq!(
            text,
            "{\"rule\":\"r\",\"holdfast\":{\"v\":1,\"epoch\":\"cafe\",\"seq\":7,\"crc\":\"d1ee4a83\"}}\n"
        );
        serde_json::from_str::<serde_json::Value>(text).unwrap();
        let number = check(line.strip_suffix(b"\n").unwrap());
        assert_eq!(number, Some(Number { epoch: "cafe".into(), seq: 7 }));
    }

    #[test]
    fn a_line_with_any_bit_turned_is_damaged() {
        let line = sealed();
        let line = line.strip_suffix(b"\n").unwrap();
        for bit in 0..line.len() * 8 {
            let mut damaged = line.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn every_part_of_a_line_is_damaged() {
        let line = sealed();
        for end in 0..line.len() - 1 {
            assert_eq!(check(&line[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn what_would_break_the_framing_is_no_line() {
        assert_eq!(seal(b"{\"a\":{\n}}".to_vec()), Err(Unfit::NotALine));
        assert_eq!(seal(b"{}".to_vec()), Err(Unfit::NotALine));
        assert_eq!(seal(vec![b'}'; MAX_LINE_BYTES]), Err(Unfit::TooLong));
    }

    #[test]
    fn segment_names_sort_by_number_and_other_files_are_none() {
        assert!(segment_name(99) < segment_name(100));
        assert_eq!(segment_first(&segment_name(u64::MAX)), Some(u64::MAX));
        for other in [LOG_NAME, "alerts-1.jsonl", "alerts-+0000000000000000001.jsonl", "alerts-.jsonl", "x"] {
            assert_eq!(segment_first(other), None, "{other}");
        }
    }
}
