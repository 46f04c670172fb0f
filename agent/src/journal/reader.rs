//! The last lines of the log, read from its end.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    format::{LOG_NAME, MAX_LINE_BYTES},
    fs::Disk,
    segments,
};

/// How much is read at once: the ten last lines of most logs.
const CHUNK_BYTES: u64 = 64 << 10;

/// The last `count` lines that `wanted` takes, oldest first and without their line ends, over all files of the log. Reads
/// backwards, and no further than it must. A folder without a log has no lines.
///
/// # Errors
///
/// Where a file cannot be read.
pub fn last_lines(
    log_dir: &Path,
    count: usize,
    mut wanted: impl FnMut(&[u8]) -> bool,
) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    if count == 0 {
        return Ok(found);
    }
    for path in files(log_dir)?.into_iter().rev() {
        let file = match File::open(&path) {
            // Set aside or deleted since the folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        let mut lines = Backwards::new(file)?;
        while let Some(line) = lines.next()? {
            if wanted(&line) {
                found.push(line);
                if found.len() == count {
                    found.reverse();
                    return Ok(found);
                }
            }
        }
    }
    found.reverse();
    Ok(found)
}

/// All files of the log, oldest first; the current one last.
pub(super) fn files(log_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        segments::list(&Disk, log_dir)?.into_iter().map(|segment| segment.path).collect();
    files.push(log_dir.join(LOG_NAME));
    Ok(files)
}

/// The whole lines of a file, last first.
struct Backwards {
    file: File,
    /// Where `pending` begins in the file.
    start: u64,
    /// What was read and not yet given out. Ends with a line end, or is empty.
    pending: Vec<u8>,
    /// How much of its end is known to hold no line end but the last.
    searched: usize,
}

impl Backwards {
    fn new(file: File) -> io::Result<Self> {
        let start = file.metadata()?.len();
        let mut lines = Self { file, start, pending: Vec::new(), searched: 0 };
        // What comes after the last line end is being written, or torn.
        while lines.start > 0 {
            lines.read_more()?;
            if let Some(end) = lines.pending.iter().rposition(|byte| *byte == b'\n') {
                lines.pending.truncate(end + 1);
                break;
            }
            lines.pending.clear();
        }
        Ok(lines)
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(body) = self.pending.len().checked_sub(1) else { return Ok(None) };
            let unsearched = &self.pending[..body - self.searched.min(body)];
            if let Some(end) = unsearched.iter().rposition(|byte| *byte == b'\n') {
                let line = self.pending[end + 1..body].to_vec();
                self.pending.truncate(end + 1);
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = body;
            if self.start == 0 {
                self.pending.truncate(body);
                return Ok(Some(std::mem::take(&mut self.pending)));
            }
            if self.pending.len() > MAX_LINE_BYTES {
                // No line of ours. Its end stands for it, so that it is seen, and damaged.
                self.pending.drain(..body - MAX_LINE_BYTES / 2);
                self.searched = self.pending.len() - 1;
            }
            self.read_more()?;
        }
    }

    /// Puts the chunk before what is pending in front of it.
    fn read_more(&mut self) -> io::Result<()> {
        let bytes = self.start.min(CHUNK_BYTES.max(self.pending.len() as u64));
        let mut chunk = vec![0; bytes as usize];
        self.file.read_exact_at(&mut chunk, self.start - bytes)?;
        chunk.append(&mut self.pending);
        self.pending = chunk;
        self.start -= bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text(lines: Vec<Vec<u8>>) -> Vec<String> {
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn the_last_lines_are_found_across_segments() {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("alerts-00000000000000000001.jsonl", "1\n2\n3\n"),
            ("alerts-00000000000000000004.jsonl", "4\n5\n"),
            (LOG_NAME, "6\n7\n{\"torn"),
            ("other.jsonl", "8\n"),
        ] {
            fs::write(dir.path().join(name), content).unwrap();
        }
        assert_eq!(text(last_lines(dir.path(), 4, |_| true).unwrap()), ["4", "5", "6", "7"]);
        assert_eq!(text(last_lines(dir.path(), 2, |line| line[0] % 2 == 1).unwrap()), ["5", "7"]);
        assert_eq!(last_lines(dir.path(), 100, |_| true).unwrap().len(), 7);
        assert!(last_lines(dir.path(), 0, |_| true).unwrap().is_empty());
    }

    #[test]
    fn lines_are_whole_wherever_the_chunks_end() {
        let dir = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..200).map(|number: usize| "x".repeat(number * 37 % 3000)).collect();
        fs::write(dir.path().join(LOG_NAME), lines.join("\n") + "\n").unwrap();
        assert_eq!(text(last_lines(dir.path(), 1000, |_| true).unwrap()), lines);
        let huge = ["a".into(), "y".repeat(900_000), "b".into()];
        fs::write(dir.path().join(LOG_NAME), huge.join("\n") + "\n").unwrap();
        assert_eq!(text(last_lines(dir.path(), 1000, |_| true).unwrap()), huge);
    }

    #[test]
    fn a_log_that_is_not_there_has_no_lines() {
        let dir = tempfile::tempdir().unwrap();
        assert!(last_lines(&dir.path().join("none"), 10, |_| true).unwrap().is_empty());
    }
}
