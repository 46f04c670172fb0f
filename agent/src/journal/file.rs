//! The file that is written now: opened under its name, cut to whole lines, set aside when it is full.

use std::{io, path::PathBuf, sync::Arc};

use super::{
    Config, format,
    fs::{File, Fs},
    recover::{self, Tail},
    segments,
};

/// The log's current file.
pub(super) struct LogFile {
    fs: Arc<dyn Fs>,
    log_dir: PathBuf,
    /// It is full before it grows beyond this many bytes.
    limit: u64,
    /// Absent while it cannot be opened.
    file: Option<Box<dyn File>>,
    /// Number of the file's first line; what the file is named after when it is set aside.
    first_seq: Option<u64>,
    /// A partial line lies in the file from there on, and could not be cut off yet.
    torn_at: Option<u64>,
}

/// What was found when the file was opened.
pub(super) struct Opened {
    /// Its end; `None` where there was no log under its name.
    pub(super) tail: Option<Tail>,
    /// Why a torn line could not be cut off it.
    pub(super) uncut: Option<io::Error>,
}

/// Where the next line would go.
pub(super) enum Room {
    /// At that offset, the end of the file.
    Enough(u64),
    /// There too, but the file gets too long by it.
    Full(u64),
    /// Nowhere: no file is open.
    Closed,
    /// Nowhere: somebody deleted the file. What is written into a file without a name nobody would ever read.
    Deleted,
}

impl LogFile {
    /// The file of that log, not yet opened.
    pub(super) fn new(fs: Arc<dyn Fs>, config: &Config) -> Self {
        let (log_dir, limit) = (config.log_dir.clone(), config.segment_limit());
        Self { fs, log_dir, limit, file: None, first_seq: None, torn_at: None }
    }

    /// Its name.
    pub(super) fn path(&self) -> PathBuf {
        self.log_dir.join(format::LOG_NAME)
    }

    /// Opens it anew, or makes it, and cuts a torn line off its end. `next_seq` names what is under its name and no log.
    pub(super) fn open(&mut self, next_seq: u64) -> io::Result<Opened> {
        self.close();
        let path = self.path();
        let mut file = self.fs.open_append(&path)?;
        let Some(tail) = recover::read_tail(&*file)? else {
            // Whatever this is, it is no log. It is kept for whoever wants to know, and passed over by readers.
            segments::set_aside(&*self.fs, &self.log_dir, next_seq)?;
            self.file = Some(self.fs.open_append(&path)?);
            let _ = self.fs.sync_dir(&self.log_dir);
            return Ok(Opened { tail: None, uncut: None });
        };
        let first_seq = recover::first_seq(&*file)?;
        let mut uncut = None;
        if tail.torn_bytes > 0 {
            let end = file.status()?.bytes - tail.torn_bytes;
            if let Err(error) = file.truncate(end) {
                self.torn_at = Some(end);
                uncut = Some(error);
            }
        }
        // Not fatal: a file whose name is not durable yet is as good as one after the next rotation.
        let _ = self.fs.sync_dir(&self.log_dir);
        (self.file, self.first_seq) = (Some(file), first_seq);
        Ok(Opened { tail: Some(tail), uncut })
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Lets go of it.
    pub(super) fn close(&mut self) {
        (self.file, self.first_seq, self.torn_at) = (None, None, None);
    }

    /// Number of its first line, if it has one.
    pub(super) fn first_seq(&self) -> Option<u64> {
        self.first_seq
    }

    /// Its size in bytes, just opened. An error where a torn line is at its end.
    pub(super) fn whole_bytes(&self) -> io::Result<u64> {
        if self.torn_at.is_some() {
            return Err(io::Error::other("a torn line cannot be cut off"));
        }
        self.file.as_ref().map_or(Ok(0), |file| Ok(file.status()?.bytes))
    }

    /// Sees to it that it ends with a whole line, and tells whether another one of that size fits.
    pub(super) fn room_for(&mut self, line_bytes: u64) -> io::Result<Room> {
        let Some(file) = &mut self.file else { return Ok(Room::Closed) };
        let mut status = file.status()?;
        if status.links == 0 {
            return Ok(Room::Deleted);
        }
        if let Some(end) = self.torn_at {
            if end < status.bytes {
                file.truncate(end)?;
                status.bytes = end;
            }
            self.torn_at = None;
        }
        let fits = status.bytes == 0 || status.bytes + line_bytes <= self.limit;
        Ok(if fits { Room::Enough(status.bytes) } else { Room::Full(status.bytes) })
    }

    /// Writes a line at its end, which is at that offset, or leaves it as it was.
    pub(super) fn append(&mut self, end: u64, seq: u64, line: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("the file is not open")) };
        match file.append(line) {
            Ok(written) if written == line.len() => {
                if end == 0 {
                    self.first_seq = Some(seq);
                }
                Ok(())
            }
            result => {
                // What was written of it must not stay: a reader would take it for a line with the next one's start.
                if file.truncate(end).is_err() {
                    self.torn_at = Some(end);
                }
                // A short write is how a disk says that it is full; the next attempt would get the error itself.
                Err(result.err().unwrap_or_else(|| rustix::io::Errno::NOSPC.into()))
            }
        }
    }

    /// Sets it aside as a segment, and lets go of it. Without a first line of its own it is named after `last_seq`. It
    /// has to be durable before: once it has another name, nobody would sync it again.
    pub(super) fn set_aside(&mut self, last_seq: u64) -> io::Result<()> {
        segments::set_aside(&*self.fs, &self.log_dir, self.first_seq.unwrap_or(last_seq))?;
        self.close();
        Ok(())
    }

    /// Makes what was written into it durable. `None` while it is not open.
    pub(super) fn sync(&mut self) -> Option<io::Result<()>> {
        self.file.as_mut().map(|file| file.sync())
    }

    /// Whether it is no longer the one that people read under its name.
    pub(super) fn is_replaced(&self) -> bool {
        let Some(Ok(own)) = self.file.as_ref().map(|file| file.status()) else { return false };
        match self.fs.status(&self.path()) {
            Ok(named) => named.identity != own.identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::journal::{
        fixture::{encode, fixture, later, seqs},
        fs::{Disk, Fs as _},
    };

    #[test]
    fn each_line_is_one_write() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        for _ in 0..10 {
            journal.append(false, encode);
        }
        assert_eq!(fixture.disk.faults().appends, 10);
    }

    #[test]
    fn a_log_that_is_deleted_moved_or_emptied_under_the_writer_is_written_again_under_its_name() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        journal.append(false, encode);
        fs::remove_file(fixture.log()).unwrap();
        journal.append(false, encode);
        assert_eq!(seqs(&fixture.config.log_dir), [2]);
        fs::rename(fixture.log(), fixture.dir.path().join("away")).unwrap();
        journal.append(false, encode);
        journal.sync_if_due(later());
        journal.append(false, encode);
        assert_eq!(seqs(&fixture.config.log_dir), [4]);
        fs::write(fixture.log(), "").unwrap();
        journal.append(false, encode);
        assert_eq!(seqs(&fixture.config.log_dir), [5]);
        assert_eq!(journal.counters().disturbed, 2);
    }

    #[test]
    fn a_log_that_grows_is_set_aside_and_the_oldest_segments_are_deleted() {
        let mut fixture = fixture();
        (fixture.config.segment_bytes, fixture.config.max_bytes) = (1000, 5000);
        let (mut journal, _) = fixture.open();
        for _ in 0..200 {
            journal.append(false, encode);
        }
        let files = Disk.list(&fixture.config.log_dir).unwrap();
        assert!(files.iter().all(|(_, bytes)| *bytes <= 1000));
        assert!(files.iter().map(|(_, bytes)| bytes).sum::<u64>() <= 5000);
        let seqs = seqs(&fixture.config.log_dir);
        assert!(seqs[0] > 1 && seqs.is_sorted_by(|a, b| a + 1 == *b));
        assert_eq!(seqs.last(), Some(&200));
        let counters = journal.counters();
        assert_eq!(counters.rotations, counters.segments_deleted + files.len() as u64 - 1);
        assert_eq!(counters.lines_deleted, seqs[0] - 1);
    }
}
