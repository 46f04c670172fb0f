//! What is on the disk when a journal is opened.

use std::{io, path::Path};

use super::{
    format::{self, MAX_LINE_BYTES, Number},
    fs::{File, Fs},
    loss::Loss,
    segments,
};

/// How far back from its end a file is searched for a whole line. Two of the longest lines and a tail that a file
/// system filled with zeros; it bounds the time of a start, whatever the size of the log.
const SEARCH_BYTES: u64 = 4 * MAX_LINE_BYTES as u64;

/// The first look: enough for the end of a healthy file.
const FIRST_LOOK_BYTES: u64 = 64 << 10;

/// How many segments are searched for the last number, where newer ones have no whole line at their end.
const SEARCH_SEGMENTS: usize = 4;

/// What the journal found when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The journal's random name.
    pub epoch: String,
    /// The number that the last line has; 0 for a new journal.
    pub last_seq: u64,
    /// There was none: this one is new.
    pub created: bool,
    /// Bytes of an unfinished line that were cut from the end of the file.
    pub torn_bytes: u64,
    /// Damaged lines at the end of the file. They stay where they are; readers pass over them.
    pub damaged_lines: u64,
    /// Lines that had been written and are not there. The log has a record of it.
    pub missing: Option<Loss>,
    /// The disk takes nothing now: why. Lines wait in memory until it does.
    pub failing: Option<String>,
}

impl std::fmt::Display for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self { created: true, .. } => f.write_str("new")?,
            Self { last_seq, .. } => write!(f, "{last_seq} lines so far")?,
        }
        if self.torn_bytes > 0 {
            write!(f, ", cut {} bytes of an unfinished line", self.torn_bytes)?;
        }
        if self.damaged_lines > 0 {
            write!(f, ", passed over {} damaged lines", self.damaged_lines)?;
        }
        if let Some(Loss { first, last, .. }) = self.missing {
            write!(f, ", lines {first} to {last} are gone")?;
        }
        match &self.failing {
            Some(failing) => write!(f, ", the disk takes nothing: {failing}"),
            None => Ok(()),
        }
    }
}

/// The end of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last whole, undamaged line.
    pub(super) last: Option<Number>,
    /// Damaged lines after it.
    pub(super) damaged_lines: u64,
    /// Bytes after the last line end.
    pub(super) torn_bytes: u64,
}

/// Reads the end of a file. `None` if there is no line end as far as it looks: this is no log.
pub(super) fn read_tail(file: &dyn File) -> io::Result<Option<Tail>> {
    let bytes = file.status()?.bytes;
    let mut look = FIRST_LOOK_BYTES;
    loop {
        let start = bytes.saturating_sub(look);
        let mut window = vec![0; (bytes - start) as usize];
        let read = file.read_at(&mut window, start)?;
        window.truncate(read);
        let far_enough = start == 0 || look >= SEARCH_BYTES;
        match parse_tail(&window, start == 0) {
            Some(tail) if tail.last.is_some() || far_enough => return Ok(Some(tail)),
            None if far_enough && start > 0 => return Ok(None),
            // A file without a line end is the first line, torn.
            None if far_enough => return Ok(Some(Tail { torn_bytes: bytes, ..Tail::default() })),
            _ => look *= 4,
        }
    }
}

/// Reads the end of the log's current file without changing it.
pub(super) fn read_log(fs: &dyn Fs, path: &Path) -> io::Result<Option<Tail>> {
    match fs.open_read(path) {
        Ok(file) => read_tail(&*file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// `from_start`: the window begins where the file does, so what precedes its first line end is a line too.
fn parse_tail(window: &[u8], from_start: bool) -> Option<Tail> {
    let end = window.iter().rposition(|byte| *byte == b'\n')?;
    let mut tail = Tail { torn_bytes: (window.len() - end - 1) as u64, ..Tail::default() };
    let mut lines = window[..end].rsplit(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() && !from_start {
            break;
        }
        tail.last = format::check(line);
        if tail.last.is_some() {
            break;
        }
        tail.damaged_lines += 1;
    }
    Some(tail)
}

/// The number of a file's first undamaged line, if one is near its start.
pub(super) fn first_seq(file: &dyn File) -> io::Result<Option<u64>> {
    let mut window = vec![0; file.status()?.bytes.min(MAX_LINE_BYTES as u64) as usize];
    let read = file.read_at(&mut window, 0)?;
    let mut lines = window[..read].split_inclusive(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| Some(format::check(line.strip_suffix(b"\n")?)?.seq)))
}

/// The last line of the newest segments that have one, and how many damaged lines come after it.
pub(super) fn last_in_segments(fs: &dyn Fs, log_dir: &Path) -> io::Result<Option<Tail>> {
    let segments = segments::list(fs, log_dir)?;
    let mut damaged_lines = 0;
    for segment in segments.iter().rev().take(SEARCH_SEGMENTS) {
        let Some(tail) = read_tail(fs.open_read(&segment.path)?.as_ref())? else { continue };
        damaged_lines += tail.damaged_lines;
        if tail.last.is_some() {
            return Ok(Some(Tail { damaged_lines, ..tail }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::FileExt as _};

    use super::*;

    fn line(seq: u64, padding: usize) -> Vec<u8> {
        let padding = "x".repeat(padding);
        format::seal(format!(r#"{{"p":"{padding}","holdfast":{{"epoch":"cafe","seq":{seq}}}}}"#).into_bytes())
            .unwrap()
    }

    fn tail(bytes: &[u8]) -> Option<Tail> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        read_tail(&file).unwrap()
    }

    fn last(seq: u64) -> Option<Number> {
        Some(Number { epoch: "cafe".into(), seq })
    }

    #[test]
    fn the_last_line_is_found_whatever_was_torn_off_the_next() {
        let (whole, next) = ([line(1, 10), line(2, 10)].concat(), line(3, 100_000));
        for cut in [0, 1, 20, next.len() / 2, next.len() - 1] {
            let found = tail(&[&whole, &next[..cut]].concat());
            assert_eq!(found, Some(Tail { last: last(2), damaged_lines: 0, torn_bytes: cut as u64 }));
        }
    }

    #[test]
    fn damaged_lines_at_the_end_are_counted_and_passed_over() {
        let bytes = [line(1, 10), b"garbage\n".to_vec(), b"\0\0\xff\n".to_vec()].concat();
        assert_eq!(tail(&bytes), Some(Tail { last: last(1), damaged_lines: 2, torn_bytes: 0 }));
    }

    #[test]
    fn a_tail_of_zeros_is_cut_like_any_other() {
        let bytes = [line(1, 10), vec![0; 1 << 20]].concat();
        assert_eq!(tail(&bytes), Some(Tail { last: last(1), damaged_lines: 0, torn_bytes: 1 << 20 }));
    }

    #[test]
    fn an_empty_file_and_one_torn_line_have_no_last_line() {
        assert_eq!(tail(b""), Some(Tail::default()));
        assert_eq!(tail(b"{\"hal"), Some(Tail { torn_bytes: 5, ..Tail::default() }));
    }

    #[test]
    fn only_the_end_of_a_huge_file_is_read() {
        let file = tempfile::tempfile().unwrap();
        // A terabyte of nothing, on a file system with holes.
        let end = 1 << 40;
        file.write_all_at(&[b"\n".to_vec(), line(9, 10)].concat(), end).unwrap();
        let started = std::time::Instant::now();
        assert_eq!(read_tail(&file).unwrap().unwrap().last, last(9));
        fs::File::truncate(&mut file.try_clone().unwrap(), end).unwrap();
        assert_eq!(read_tail(&file).unwrap(), None);
        assert!(started.elapsed().as_millis() < 1000);
    }
}
