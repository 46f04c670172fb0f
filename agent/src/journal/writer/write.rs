//! How a line gets into the file: where it goes, and what is done first to make room for it.

use std::io;

use tracing::warn;

use super::{
    super::{
        file::Room,
        format,
        held::Held,
        loss::LossReason,
        recover::Tail,
        segments::{self, Pruned},
    },
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

    /// Keeps room for the current file within the bound of all. What is deleted for it is told in the agent's log: a
    /// line could not, since it would stand behind those it is about, and need room itself.
    pub(super) fn prune(&mut self) {
        let for_segments = self.config.max_bytes.saturating_sub(self.config.segment_limit());
        let end = self.file.first_seq().unwrap_or(self.written_seq + 1);
        let Pruned { segments, seqs, failed } =
            segments::prune(&*self.fs, &self.config.log_dir, for_segments, end);
        if segments > 0 {
            let lines = seqs.end - seqs.start;
            self.counters.segments_deleted += segments;
            self.counters.lines_deleted += lines;
            let (first_seq, last_seq) = (seqs.start, seqs.end - 1);
            warn!(
                first_seq,
                last_seq, lines, segments, "The oldest alerts were deleted to stay within the bound"
            );
        }
        self.counters.rotation_errors += u64::from(failed.is_some());
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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use crate::journal::fixture::{encode, fixture, seqs};

    /// What the agent says, in memory.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_deleted_line_is_told_in_the_agents_log_once() {
        let mut fixture = fixture();
        (fixture.config.segment_bytes, fixture.config.max_bytes) = (1000, 5000);
        let (mut journal, _) = fixture.open();
        let said = Said::default();
        let writer = said.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..200 {
                journal.append(false, encode);
            }
        });
        let said = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        let number = |line: &str, key: &str| -> u64 {
            line.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap().parse().unwrap()
        };
        let mut next = 1;
        for line in said.lines() {
            assert!(line.contains(" WARN "), "{line}");
            assert_eq!(number(line, "first_seq="), next, "{line}");
            next = number(line, "last_seq=") + 1;
        }
        assert!(next > 1);
        assert_eq!(seqs(&fixture.config.log_dir)[0], next);
    }
}
