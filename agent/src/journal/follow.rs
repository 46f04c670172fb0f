//! Follows the log as it grows.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    format::{self, LOG_NAME, MAX_LINE_BYTES, Number},
    fs::Disk,
    reader::last_lines,
    segments,
};

/// How often a reader should look. It looks instead of being told (inotify): that works on every file system, and ten
/// looks a second cost less than can be measured.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How much one look reads at most, so that a reader of a long log shows its first lines soon.
const READ_BYTES: usize = 2 * MAX_LINE_BYTES;

/// Reads lines as they come, through rotation, truncation, and a file that is not there yet.
#[derive(Debug)]
pub struct Follower {
    log_dir: PathBuf,
    file: Option<File>,
    /// Where the next line begins.
    offset: u64,
    /// The number of the last line that was read: what a segment has to begin after to be new.
    last: Option<Number>,
    /// Segments that have to be read before the current file.
    older: VecDeque<PathBuf>,
}

impl Follower {
    /// How often [`Follower::read`] is worth calling.
    pub const LOOK_EVERY: Duration = LOOK_EVERY;

    /// Begins behind the last line that is there now, and gives the last `count` lines that `wanted` takes. Whatever is
    /// appended in the meantime is either among them or read later, not both.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read.
    pub fn start(
        log_dir: &Path,
        count: usize,
        wanted: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<(Self, Vec<Vec<u8>>)> {
        let last = last_lines(log_dir, 1, |line| format::check(line).is_some())?;
        let last = last.first().and_then(|line| format::check(line));
        let last_seq = last.as_ref().map_or(0, |number| number.seq);
        let mut wanted = wanted;
        let lines = last_lines(log_dir, count, |line| {
            format::check(line).is_none_or(|number| number.seq <= last_seq) && wanted(line)
        })?;
        let mut follower =
            Self { log_dir: log_dir.into(), file: None, offset: 0, last, older: VecDeque::new() };
        follower.find_older()?;
        // The current file is read from its start, and lines up to the last number are passed over: it is bounded,
        // and no rotation in between can make a gap. Most often its end is where we are, so look there first.
        follower.skip_to_last()?;
        Ok((follower, lines))
    }

    /// The lines that have come since, without their line ends. Empty where there are none: look again in
    /// [`Self::LOOK_EVERY`].
    ///
    /// # Errors
    ///
    /// Where a file cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<Vec<u8>>> {
        loop {
            if self.file.is_none() {
                if self.older.is_empty() {
                    self.find_older()?;
                }
                if !self.open_next()? {
                    return Ok(Vec::new());
                }
            }
            // Asked before reading: what was written before the file lost its name is then read below.
            let finished = self.is_finished()?;
            let lines = self.read_lines()?;
            if !lines.is_empty() || !finished {
                return Ok(lines);
            }
            self.file = None;
        }
    }

    fn current(&self) -> PathBuf {
        self.log_dir.join(LOG_NAME)
    }

    fn find_older(&mut self) -> io::Result<()> {
        let segments = segments::list(&Disk, &self.log_dir)?;
        let last_seq = self.last.as_ref().map_or(0, |last| last.seq);
        self.older = segments
            .into_iter()
            .filter(|segment| segment.first > last_seq)
            .map(|segment| segment.path)
            .collect();
        Ok(())
    }

    fn open_next(&mut self) -> io::Result<bool> {
        while let Some(path) = self.older.pop_front() {
            if let Some(file) = open(&path)? {
                (self.file, self.offset) = (Some(file), 0);
                return Ok(true);
            }
        }
        (self.file, self.offset) = (open(&self.current())?, 0);
        Ok(self.file.is_some())
    }

    /// Whether nothing more will be written to this file: it no longer has the name that is written to.
    fn is_finished(&self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(true) };
        let own = file.metadata()?;
        match std::fs::metadata(self.current()) {
            Ok(named) => Ok((named.dev(), named.ino()) != (own.dev(), own.ino())),
            // Between two files, or deleted: whatever comes next is another file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn read_lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let mut bytes = file.metadata()?.len();
        if bytes < self.offset {
            // Emptied under our eyes. Its new content is all new.
            self.offset = 0;
        }
        let mut lines = Vec::new();
        while lines.is_empty() && self.offset < bytes {
            let mut buffer = vec![0; READ_BYTES.min((bytes - self.offset) as usize)];
            let read = file.read_at(&mut buffer, self.offset)?;
            buffer.truncate(read);
            match buffer.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => {
                    self.offset += end as u64 + 1;
                    lines.extend(buffer[..end].split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
                }
                // Longer than any line: passed over.
                None if read == READ_BYTES => self.offset += read as u64,
                // Half a line: it is either finished or cut away by the next look.
                None => bytes = self.offset,
            }
        }
        lines.retain(|line| {
            let Some(number) = format::check(line) else { return true };
            // Another epoch is another journal: somebody deleted this one, state and all.
            let is_new =
                self.last.as_ref().is_none_or(|last| last.epoch != number.epoch || last.seq < number.seq);
            if is_new {
                self.last = Some(number);
            }
            is_new
        });
        Ok(lines)
    }

    /// Where the current file ends with the last line, begins there.
    fn skip_to_last(&mut self) -> io::Result<()> {
        if !self.older.is_empty() {
            return Ok(());
        }
        let Some(file) = open(&self.current())? else { return Ok(()) };
        let tail = super::recover::read_tail(&file)?;
        let Some(tail) = tail else { return Ok(()) };
        if tail.last.is_some() && tail.last == self.last {
            self.offset = file.metadata()?.len().saturating_sub(tail.torn_bytes);
            self.file = Some(file);
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    fn line(seq: u64) -> Vec<u8> {
        format::seal(format!(r#"{{"holdfast":{{"epoch":"cafe","seq":{seq}}}}}"#).into_bytes()).unwrap()
    }

    fn append(dir: &Path, bytes: &[u8]) {
        let path = dir.join(LOG_NAME);
        fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    fn seqs(lines: &[Vec<u8>]) -> Vec<u64> {
        lines.iter().map(|line| format::check(line).unwrap().seq).collect()
    }

    fn start(dir: &Path) -> (Follower, Vec<u64>) {
        let (follower, lines) = Follower::start(dir, 2, |_| true).unwrap();
        (follower, seqs(&lines))
    }

    #[test]
    fn a_follower_waits_for_a_file_that_is_not_there_yet() {
        let dir = tempfile::tempdir().unwrap();
        let (mut follower, lines) = start(&dir.path().join("log"));
        assert!(lines.is_empty() && follower.read().unwrap().is_empty());
        fs::create_dir(dir.path().join("log")).unwrap();
        append(&dir.path().join("log"), &line(1));
        assert_eq!(seqs(&follower.read().unwrap()), [1]);
    }

    #[test]
    fn half_a_line_is_not_read_until_it_is_whole_and_never_if_it_is_cut_away() {
        let dir = tempfile::tempdir().unwrap();
        append(dir.path(), &[line(1), line(2), line(3)].concat());
        let (mut follower, lines) = start(dir.path());
        assert_eq!(lines, [2, 3]);
        append(dir.path(), &line(4)[..20]);
        assert!(follower.read().unwrap().is_empty());
        let whole = 3 * line(1).len() as u64;
        fs::OpenOptions::new().write(true).open(dir.path().join(LOG_NAME)).unwrap().set_len(whole).unwrap();
        append(dir.path(), &line(4));
        assert_eq!(seqs(&follower.read().unwrap()), [4]);
        assert!(follower.read().unwrap().is_empty());
    }

    #[test]
    fn no_line_is_missed_when_the_log_is_set_aside_several_times_between_two_looks() {
        let dir = tempfile::tempdir().unwrap();
        append(dir.path(), &line(1));
        let (mut follower, _) = start(dir.path());
        append(dir.path(), &line(2));
        for first in [1, 3, 5] {
            fs::rename(dir.path().join(LOG_NAME), dir.path().join(format::segment_name(first))).unwrap();
            append(dir.path(), &[line(first + 2), line(first + 3)].concat());
        }
        let mut read = Vec::new();
        for _ in 0..10 {
            read.extend(seqs(&follower.read().unwrap()));
        }
        assert_eq!(read, [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn an_emptied_file_is_read_from_its_start() {
        let dir = tempfile::tempdir().unwrap();
        append(dir.path(), &[line(1), line(2)].concat());
        let (mut follower, _) = start(dir.path());
        fs::write(dir.path().join(LOG_NAME), line(3)).unwrap();
        assert_eq!(seqs(&follower.read().unwrap()), [3]);
    }
}
