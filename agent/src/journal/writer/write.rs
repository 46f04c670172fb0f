//! How a line gets into the file: where it goes, and what is done first to make room for it.

use std::io;

use super::{
    super::{file::Room, format, held::Held, loss::LossReason, recover::Tail, segments},
    Journal, Stamp,
};

impl Journal {
    /// Writes one entry, whole, or leaves the file as it was.
    pub(super) fn write(&mut self, entry: &Held) -> io::Result<()> {
        let loss;
        let (seq, line) = match entry {
            Held::Line { seq, line, .. } => (*seq, line),
            Held::Loss(missing) => {
                // Its own number: that of the last line it stands for, or a new one where that was on the disk before.
                let seq = if missing.reason == LossReason::Missing { missing.last + 1 } else { missing.last };
                let stamp = Stamp { epoch: &self.epoch, seq };
                loss = format::seal(missing.encode(&self.node, stamp))
                    .map_err(|_| io::Error::other("a loss record is too long"))?;
                (seq, &loss)
            }
        };
        self.write_line(seq, line)?;
        self.written_seq = seq;
        self.counters.lines_written += 1;
        self.counters.bytes_written += line.len() as u64;
        self.counters.loss_lines += u64::from(matches!(entry, Held::Loss(_)));
        self.counters.failing = None;
        Ok(())
    }

    fn write_line(&mut self, seq: u64, line: &[u8]) -> io::Result<()> {
        let end = match self.file.room_for(line.len() as u64)? {
            Room::Enough(end) => end,
            Room::Full(end) => match self.rotate() {
                Ok(()) => self.reopen()?,
                Err(_) => {
                    // A file that is too long is better than a line that is not there.
                    self.counters.rotation_errors += 1;
                    end
                }
            },
            Room::Closed => self.reopen()?,
            Room::Deleted => {
                self.counters.disturbed += 1;
                self.reopen()?
            }
        };
        self.file.append(end, seq, line)
    }

    pub(super) fn open_file(&mut self) -> io::Result<Option<Tail>> {
        let opened = self.file.open(self.seq + 1)?;
        if let Some(error) = opened.uncut {
            self.failed(error);
        }
        Ok(opened.tail)
    }

    /// Opens the file anew. Tells its size in bytes.
    fn reopen(&mut self) -> io::Result<u64> {
        self.open_file()?;
        self.file.whole_bytes()
    }

    fn rotate(&mut self) -> io::Result<()> {
        if !self.sync() {
            return Err(io::Error::other("the file is not durable"));
        }
        self.file.set_aside(self.written_seq)?;
        self.counters.rotations += 1;
        self.remember();
        self.prune();
        Ok(())
    }

    /// Keeps room for the current file within the bound of all.
    pub(super) fn prune(&mut self) {
        let for_segments = self.config.max_bytes.saturating_sub(self.config.segment_limit());
        match segments::prune(&*self.fs, &self.config.log_dir, for_segments) {
            Ok(deleted) => self.counters.segments_deleted += deleted,
            Err(_) => self.counters.rotation_errors += 1,
        }
    }

    /// Sees whether the file is still the one that people read under its name.
    pub(super) fn look_after_file(&mut self) {
        if self.file.is_replaced() {
            self.sync();
            self.counters.disturbed += 1;
            self.file.close();
        }
        if !self.file.is_open()
            && let Err(error) = self.reopen()
        {
            self.failed(error);
        }
    }
}
