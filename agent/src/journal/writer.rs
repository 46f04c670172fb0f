//! The one who writes the log: gives lines their numbers, keeps them until the disk takes them, makes them durable.

mod open;
#[cfg(test)]
mod tests;
mod write;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Config, Counters, Error, Lock,
    file::LogFile,
    format,
    fs::Fs,
    held::{Held, Ring},
    loss::{Loss, LossReason},
    state::StateFile,
};

/// A line that is not urgent is durable after at most this long; so long, too, waits the next attempt at a disk that
/// took nothing. Short enough to lose little with the node, long enough that a storm of alerts costs five syncs a second.
const SYNC_EVERY: Duration = Duration::from_millis(200);

/// Who a line is: what its encoder has to write into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// Random name of the journal.
    pub epoch: &'a str,
    /// Number of the line, from 1, without holes.
    pub seq: u64,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub seq: u64,
    /// How well it is kept.
    pub kept: Kept,
}

/// How well a line is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk: it survives a power cut.
    Synced,
    /// It is in the file: it survives the death of this process, and within 200 ms a power cut.
    Written,
    /// It waits in memory for a disk that takes it.
    Held,
}

/// The alert log, open for writing.
pub struct Journal {
    fs: Arc<dyn Fs>,
    config: Config,
    node: String,
    epoch: String,
    /// The number given out last.
    seq: u64,
    /// The number up to which lines are on the disk.
    durable_seq: u64,
    /// The number written last.
    written_seq: u64,
    file: LogFile,
    state: Option<StateFile>,
    held: Ring,
    due: Option<Instant>,
    last_error: Option<io::Error>,
    counters: Counters,
    _lock: Lock,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { epoch, seq, durable_seq, counters, .. } = self;
        f.debug_struct("Journal")
            .field("epoch", epoch)
            .field("seq", seq)
            .field("durable_seq", durable_seq)
            .field("counters", counters)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Random name of the journal: the same for as long as its log or its state is there.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The number that the next line gets.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.seq + 1
    }

    /// The name that the journal's own lines (losses) give the node. The host name, unless told otherwise.
    pub fn set_node(&mut self, node: impl Into<String>) {
        self.node = node.into();
    }

    /// Keeps a line. `encode` makes it, as one JSON object without line end that ends in `}}`. An urgent line is on the
    /// disk when this returns, if the disk can.
    pub fn append(&mut self, urgent: bool, encode: impl FnOnce(Stamp<'_>) -> Vec<u8>) -> Appended {
        self.seq += 1;
        let seq = self.seq;
        self.counters.lines_appended += 1;
        let entry = match format::seal(encode(Stamp { epoch: &self.epoch, seq })) {
            Ok(line) => Held::Line { seq, urgent, line },
            Err(_) => {
                self.counters.lines_lost += 1;
                Held::Loss(Loss { first: seq, last: seq, reason: LossReason::Unfit })
            }
        };
        let kept = self.keep(entry, urgent);
        self.due.get_or_insert_with(|| Instant::now() + SYNC_EVERY);
        Appended { seq, kept }
    }

    /// Does what is due: makes lines durable, tries again what failed. Cheap when nothing is.
    pub fn sync_if_due(&mut self, now: Instant) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        self.look_after_file();
        let flushed = self.flush();
        let synced = self.sync();
        self.remember();
        self.due = (!flushed || !synced).then(|| now + SYNC_EVERY);
    }

    /// When [`Self::sync_if_due`] has something to do. `None` while all lines are durable.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The number up to which every line is on the disk, or has a loss there in its place. What lies above it can be
    /// undone by a power cut, so nothing that counts by numbers should act on it yet.
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.durable_seq
    }

    /// Writes what waits, and makes all of it durable.
    ///
    /// # Errors
    ///
    /// Where the disk still does not take it. The next start records the loss.
    pub fn close(mut self) -> Result<(), Error> {
        self.look_after_file();
        self.flush();
        self.sync();
        self.remember();
        if let Some(state) = &mut self.state {
            let _ = state.sync();
        }
        if self.held.is_empty() {
            return Ok(());
        }
        let source =
            self.last_error.take().unwrap_or_else(|| io::Error::other("the file could not be opened"));
        Err(Error::Unwritten { lines: self.held.lines(), source })
    }

    /// What was counted since the journal was opened.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Writes an entry, or lets it wait behind those that wait.
    fn keep(&mut self, entry: Held, urgent: bool) -> Kept {
        if !self.held.is_empty() {
            self.hold(entry);
            // An urgent line is worth an attempt of its own.
            return if urgent && self.flush() { self.kept(urgent) } else { Kept::Held };
        }
        match self.write(&entry) {
            Ok(()) => self.kept(urgent),
            Err(error) => {
                self.failed(error);
                self.hold(entry);
                Kept::Held
            }
        }
    }

    fn kept(&mut self, urgent: bool) -> Kept {
        if urgent && self.sync() { Kept::Synced } else { Kept::Written }
    }

    fn hold(&mut self, entry: Held) {
        self.counters.lines_lost += self.held.push(entry) as u64;
        self.counters.lines_held = self.held.lines() as u64;
        self.due.get_or_insert_with(|| Instant::now() + SYNC_EVERY);
    }

    /// Writes what waits, in order, as far as the disk takes it. Tells whether nothing waits any more.
    fn flush(&mut self) -> bool {
        let mut held = std::mem::take(&mut self.held);
        while let Some(entry) = held.front() {
            if let Err(error) = self.write(entry) {
                self.failed(error);
                break;
            }
            held.pop_front();
        }
        self.held = held;
        self.counters.lines_held = self.held.lines() as u64;
        self.held.is_empty()
    }

    /// Makes what was written durable. Tells whether it is.
    fn sync(&mut self) -> bool {
        if self.durable_seq == self.written_seq {
            return true;
        }
        match self.file.sync() {
            Some(Ok(())) => {
                self.durable_seq = self.written_seq;
                true
            }
            Some(Err(error)) => {
                self.counters.sync_errors += 1;
                self.counters.failing = Some(error.to_string());
                false
            }
            None => false,
        }
    }

    /// Writes down the number given out last, for the day the log is gone.
    fn remember(&mut self) {
        let stored = match &mut self.state {
            Some(state) => state.store(&self.epoch, self.seq),
            None => StateFile::open(&*self.fs, &self.config.state_dir)
                .and_then(|file| self.state.insert(file).store(&self.epoch, self.seq)),
        };
        self.counters.state_errors += u64::from(stored.is_err());
    }

    fn failed(&mut self, error: io::Error) {
        self.counters.write_errors += 1;
        self.counters.failing = Some(error.to_string());
        self.last_error = Some(error);
    }
}
