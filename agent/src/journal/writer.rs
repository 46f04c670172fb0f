//! The one who writes the log.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Config, Counters, Error, Lock, Recovery,
    error::may_heal,
    format,
    fs::{Disk, File, Fs},
    held::{Held, Ring},
    loss::{Loss, LossReason},
    recover, segments,
    state::{self, StateFile},
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
    fs: Box<dyn Fs>,
    config: Config,
    node: String,
    epoch: String,
    /// The number given out last.
    seq: u64,
    /// The number up to which lines are on the disk.
    durable_seq: u64,
    /// The number written last.
    written_seq: u64,
    /// Absent while it cannot be opened.
    file: Option<Box<dyn File>>,
    /// Number of the file's first line; what the file is named after when it is set aside.
    first_seq: Option<u64>,
    /// A partial line lies in the file from there on, and could not be cut off yet.
    torn_at: Option<u64>,
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
    /// Opens the journal, or makes it. Takes the same time whatever the size of the log. A disk that is full, read-only
    /// or broken is no error: the journal then holds its lines until the disk takes them.
    ///
    /// # Errors
    ///
    /// Where a folder or file may not be opened, or what is there cannot be read.
    pub fn open(config: &Config, lock: Lock) -> Result<(Self, Recovery), Error> {
        Self::open_on(Box::new(Disk), config, lock)
    }

    pub(super) fn open_on(fs: Box<dyn Fs>, config: &Config, lock: Lock) -> Result<(Self, Recovery), Error> {
        for path in [&config.log_dir, &config.state_dir] {
            match fs.make_dir(path) {
                Err(source) if !may_heal(&source) => {
                    return Err(Error::Folder { path: path.clone(), source });
                }
                _ => {}
            }
        }
        let mut journal = Self {
            fs,
            config: config.clone(),
            node: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            epoch: String::new(),
            seq: 0,
            durable_seq: 0,
            written_seq: 0,
            file: None,
            first_seq: None,
            torn_at: None,
            state: None,
            held: Ring::default(),
            due: None,
            last_error: None,
            counters: Counters::default(),
            _lock: lock,
        };
        let recovery = journal.recover()?;
        Ok((journal, recovery))
    }

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

    fn log_path(&self) -> PathBuf {
        self.config.log_dir.join(format::LOG_NAME)
    }

    /// Finds out which number comes next.
    fn recover(&mut self) -> Result<Recovery, Error> {
        let mut recovery = Recovery::default();
        let at = |path: PathBuf| move |source| Error::Open { path, source };

        let state_dir = self.config.state_dir.clone();
        let state = state::read(&*self.fs, &state_dir).map_err(at(state_dir))?;
        let mut tail = match self.open_log() {
            Err(error) if may_heal(&error) => {
                // Nothing can be written now. What is there can still be read, and must be: it has our last number.
                self.failed(error);
                self.due = Some(Instant::now());
                recover::read_log(&*self.fs, &self.log_path())
            }
            tail => tail,
        }
        .map_err(at(self.log_path()))?
        .unwrap_or_default();
        (recovery.torn_bytes, recovery.damaged_lines) = (tail.torn_bytes, tail.damaged_lines);
        let log_dir = self.config.log_dir.clone();
        if tail.last.is_none()
            && let Some(older) =
                recover::last_in_segments(&*self.fs, &log_dir).map_err(at(log_dir.clone()))?
        {
            recovery.damaged_lines += older.damaged_lines;
            tail.last = older.last;
        }
        let newest =
            segments::list(&*self.fs, &log_dir).map_err(at(log_dir))?.last().map_or(0, |last| last.first);

        // Each source can only be behind, so the one that is furthest is right.
        let on_disk = tail.last.as_ref().map_or(0, |last| last.seq);
        let seq = (on_disk + recovery.damaged_lines)
            .max(state.as_ref().map_or(0, |state| state.seq))
            .max(newest.saturating_sub(1));
        recovery.created = state.is_none() && tail.last.is_none();
        self.epoch = match (state, tail.last) {
            (Some(state), _) => state.epoch,
            (None, Some(last)) => last.epoch,
            (None, None) => random_name(),
        };
        (self.seq, self.written_seq) = (seq, seq);
        // The last writer may have died before its last sync.
        if !self.sync() {
            self.due = Some(Instant::now());
        }
        if seq > on_disk {
            let missing = Loss { first: on_disk + 1, last: seq, reason: LossReason::Missing };
            recovery.missing = Some(missing);
            self.seq += 1;
            self.keep(Held::Loss(missing), true);
        }
        self.remember();
        if let Some(Err(_)) = self.state.as_mut().map(StateFile::sync) {
            self.counters.state_errors += 1;
        }
        self.prune();
        recovery.epoch.clone_from(&self.epoch);
        recovery.last_seq = self.seq;
        recovery.failing.clone_from(&self.counters.failing);
        Ok(recovery)
    }

    /// Opens the current file and cuts a torn line off its end.
    fn open_log(&mut self) -> io::Result<Option<recover::Tail>> {
        let path = self.log_path();
        let mut file = self.fs.open_append(&path)?;
        let Some(tail) = recover::read_tail(&*file)? else {
            // Whatever this is, it is no log. It is kept for whoever wants to know, and passed over by readers.
            segments::set_aside(&*self.fs, &self.config.log_dir, self.seq + 1)?;
            self.file = Some(self.fs.open_append(&path)?);
            self.first_seq = None;
            return Ok(None);
        };
        self.first_seq = recover::first_seq(&*file)?;
        self.torn_at = None;
        if tail.torn_bytes > 0 {
            let end = file.status()?.bytes - tail.torn_bytes;
            if let Err(error) = file.truncate(end) {
                self.torn_at = Some(end);
                self.failed(error);
            }
        }
        // Not fatal: a file whose name is not durable yet is as good as one after the next rotation.
        let _ = self.fs.sync_dir(&self.config.log_dir);
        self.file = Some(file);
        Ok(Some(tail))
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

    /// Writes one entry, whole, or leaves the file as it was.
    fn write(&mut self, entry: &Held) -> io::Result<()> {
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
        let bytes = self.room_for(line.len() as u64)?;
        let Some(file) = &mut self.file else { return Err(io::Error::other("the file is not open")) };
        match file.append(line) {
            Ok(written) if written == line.len() => {
                if bytes == 0 {
                    self.first_seq = Some(seq);
                }
                Ok(())
            }
            result => {
                // What was written of it must not stay: a reader would take it for a line with the next one's start.
                if file.truncate(bytes).is_err() {
                    self.torn_at = Some(bytes);
                }
                // A short write is how a disk says that it is full; the next attempt would get the error itself.
                Err(result.err().unwrap_or_else(|| rustix::io::Errno::NOSPC.into()))
            }
        }
    }

    /// Sees to it that the file is there, ends with a whole line, and has room. Tells its size in bytes.
    fn room_for(&mut self, line_bytes: u64) -> io::Result<u64> {
        let mut status = match &self.file {
            Some(file) => Some(file.status()?),
            None => None,
        };
        if status.is_some_and(|status| status.links == 0) {
            // Somebody deleted the log. What we wrote into a file without a name nobody would ever read.
            self.counters.disturbed += 1;
            status = None;
        }
        let Some(mut status) = status else { return self.reopen() };
        if let (Some(end), Some(file)) = (self.torn_at, &mut self.file) {
            if end < status.bytes {
                file.truncate(end)?;
                status.bytes = end;
            }
            self.torn_at = None;
        }
        if status.bytes == 0 || status.bytes + line_bytes <= self.config.segment_limit() {
            return Ok(status.bytes);
        }
        match self.rotate() {
            Ok(()) => self.reopen(),
            Err(_) => {
                // A file that is too long is better than a line that is not there.
                self.counters.rotation_errors += 1;
                Ok(status.bytes)
            }
        }
    }

    fn reopen(&mut self) -> io::Result<u64> {
        self.file = None;
        self.open_log()?;
        if self.torn_at.is_some() {
            return Err(io::Error::other("a torn line cannot be cut off"));
        }
        self.file.as_ref().map_or(Ok(0), |file| Ok(file.status()?.bytes))
    }

    fn rotate(&mut self) -> io::Result<()> {
        if !self.sync() {
            // Once it has another name, nobody would sync it again.
            return Err(io::Error::other("the file is not durable"));
        }
        segments::set_aside(&*self.fs, &self.config.log_dir, self.first_seq.unwrap_or(self.written_seq))?;
        self.file = None;
        self.counters.rotations += 1;
        self.remember();
        self.prune();
        Ok(())
    }

    /// Keeps room for the current file within the bound of all.
    fn prune(&mut self) {
        let for_segments = self.config.max_bytes.saturating_sub(self.config.segment_limit());
        match segments::prune(&*self.fs, &self.config.log_dir, for_segments) {
            Ok(deleted) => self.counters.segments_deleted += deleted,
            Err(_) => self.counters.rotation_errors += 1,
        }
    }

    /// Makes what was written durable. Tells whether it is.
    fn sync(&mut self) -> bool {
        if self.durable_seq == self.written_seq {
            return true;
        }
        match self.file.as_mut().map(|file| file.sync()) {
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

    /// Sees whether the file is still the one that people read under its name.
    fn look_after_file(&mut self) {
        let other = match self.file.as_ref().map(|file| file.status()) {
            Some(Err(_)) => return,
            Some(Ok(own)) => match self.fs.status(&self.log_path()) {
                Ok(named) => named.identity != own.identity,
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            },
            None => false,
        };
        if other {
            self.sync();
            self.counters.disturbed += 1;
            self.file = None;
        }
        if self.file.is_none()
            && let Err(error) = self.reopen()
        {
            self.failed(error);
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

/// Sixteen hex digits that no other journal has.
fn random_name() -> String {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => {}
        // A seccomp profile without getrandom(2): the clock is as good where two journals are seldom made at once.
        Err(_) => {
            let now = jiff::Timestamp::now().as_nanosecond() as u64;
            bytes = (now ^ (u64::from(std::process::id()) << 40)).to_be_bytes();
        }
    }
    format!("{:016x}", u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use rustix::io::Errno;

    use super::*;
    use crate::journal::{check, fault::FaultyDisk, last_lines};

    struct Fixture {
        dir: tempfile::TempDir,
        disk: FaultyDisk,
        config: Config,
    }

    fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            log_dir: dir.path().join("log"),
            state_dir: dir.path().join("state"),
            ..Config::default()
        };
        Fixture { dir, disk: FaultyDisk::default(), config }
    }

    impl Fixture {
        fn open(&self) -> (Journal, Recovery) {
            let lock = Lock::try_acquire(&self.config.state_dir).unwrap();
            Journal::open_on(Box::new(self.disk.clone()), &self.config, lock).unwrap()
        }

        fn log(&self) -> PathBuf {
            self.config.log_dir.join(format::LOG_NAME)
        }
    }

    fn encode(stamp: Stamp<'_>) -> Vec<u8> {
        format!(r#"{{"holdfast":{{"epoch":"{}","seq":{}}}}}"#, stamp.epoch, stamp.seq).into_bytes()
    }

    fn seqs(log_dir: &Path) -> Vec<u64> {
        let lines = last_lines(log_dir, usize::MAX, |_| true).unwrap();
        lines.iter().map(|line| check(line).unwrap().seq).collect()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[test]
    fn an_urgent_line_is_durable_at_once_and_another_when_it_is_due() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        assert_eq!(journal.next_deadline(), None);
        assert_eq!(journal.append(true, encode), Appended { seq: 1, kept: Kept::Synced });
        assert_eq!(journal.append(false, encode), Appended { seq: 2, kept: Kept::Written });
        assert_eq!(journal.durable_seq(), 1);
        let due = journal.next_deadline().unwrap();
        journal.sync_if_due(due - Duration::from_millis(1));
        assert_eq!(journal.durable_seq(), 1);
        journal.sync_if_due(due);
        assert_eq!((journal.durable_seq(), journal.next_deadline()), (2, None));
    }

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
    fn numbers_and_epoch_go_on_after_a_death_and_a_torn_line_is_cut_off() {
        let fixture = fixture();
        let (mut journal, first) = fixture.open();
        assert!(first.created);
        journal.append(false, encode);
        journal.append(false, encode);
        drop(journal);
        let mut bytes = fs::read(fixture.log()).unwrap();
        bytes.extend_from_slice(b"{\"half");
        fs::write(fixture.log(), bytes).unwrap();
        let (mut journal, second) = fixture.open();
        assert_eq!((second.last_seq, second.torn_bytes, second.missing), (2, 6, None));
        assert_eq!(second.epoch, first.epoch);
        assert_eq!(journal.append(false, encode).seq, 3);
        assert_eq!(seqs(&fixture.config.log_dir), [1, 2, 3]);
    }

    #[test]
    fn deleting_the_log_between_two_runs_does_not_start_the_numbers_again_and_is_put_on_record() {
        let fixture = fixture();
        let (mut journal, first) = fixture.open();
        journal.append(false, encode);
        journal.append(false, encode);
        journal.close().unwrap();
        fs::remove_dir_all(&fixture.config.log_dir).unwrap();
        let (mut journal, second) = fixture.open();
        assert_eq!(second.epoch, first.epoch);
        assert_eq!(second.missing, Some(Loss { first: 1, last: 2, reason: LossReason::Missing }));
        assert_eq!(journal.append(false, encode).seq, 4);
        assert_eq!(seqs(&fixture.config.log_dir), [3, 4]);
    }

    #[test]
    fn deleting_the_state_folder_takes_the_name_and_number_from_the_log() {
        let fixture = fixture();
        let (mut journal, first) = fixture.open();
        journal.append(false, encode);
        journal.close().unwrap();
        fs::remove_dir_all(&fixture.config.state_dir).unwrap();
        let (_, second) = fixture.open();
        assert_eq!((second.epoch, second.last_seq), (first.epoch, 1));
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
    fn what_a_full_disk_refuses_waits_and_is_written_in_order_when_it_can_be() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        journal.append(false, encode);
        fixture.disk.faults().room = Some(10);
        assert_eq!(journal.append(true, encode).kept, Kept::Held);
        assert_eq!(journal.append(false, encode).kept, Kept::Held);
        assert!(fs::read(fixture.log()).unwrap().ends_with(b"}\n"), "what was written of it is cut off");
        assert!(journal.counters().failing.as_ref().unwrap().contains("No space left"));
        fixture.disk.faults().room = None;
        journal.sync_if_due(later());
        assert_eq!(seqs(&fixture.config.log_dir), [1, 2, 3]);
        assert_eq!((journal.counters().lines_held, &journal.counters().failing), (0, &None));
    }

    #[test]
    fn what_memory_cannot_hold_is_counted_and_put_on_record() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        fixture.disk.faults().broken = Some(Errno::ROFS);
        let large = |stamp: Stamp<'_>| {
            let padding = "x".repeat(900_000);
            format!(r#"{{"p":"{padding}","holdfast":{{"epoch":"{}","seq":{}}}}}"#, stamp.epoch, stamp.seq)
                .into_bytes()
        };
        for _ in 0..20 {
            journal.append(false, large);
        }
        let lost = journal.counters().lines_lost;
        assert!(lost >= 10);
        fixture.disk.faults().broken = None;
        journal.sync_if_due(later());
        let lines = last_lines(&fixture.config.log_dir, 100, |_| true).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&lines[0]).unwrap();
        assert_eq!(record["holdfast"]["loss"]["first"], 1);
        assert_eq!(record["holdfast"]["loss"]["count"], lost);
        assert_eq!(seqs(&fixture.config.log_dir), (lost..=20).collect::<Vec<_>>());
    }

    #[test]
    fn a_journal_opens_on_a_disk_that_takes_nothing_and_still_knows_its_number() {
        let fixture = fixture();
        let (mut journal, first) = fixture.open();
        journal.append(false, encode);
        drop(journal);
        fixture.disk.faults().broken = Some(Errno::ROFS);
        let (mut journal, second) = fixture.open();
        assert_eq!((second.epoch, second.last_seq), (first.epoch, 1));
        assert!(second.failing.is_some());
        assert_eq!(journal.append(true, encode), Appended { seq: 2, kept: Kept::Held });
        assert!(matches!(journal.close(), Err(Error::Unwritten { lines: 1, .. })));
    }

    #[test]
    fn what_is_no_line_is_put_on_record_instead_of_breaking_the_log() {
        let fixture = fixture();
        let (mut journal, _) = fixture.open();
        journal.append(false, |_| b"{\"a\":{\n}}".to_vec());
        journal.append(false, encode);
        assert_eq!(seqs(&fixture.config.log_dir), [1, 2]);
        assert_eq!(journal.counters().lines_lost, 1);
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
    }
}
