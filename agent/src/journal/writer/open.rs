//! How writing begins: what is on the disk says which number comes next.

use std::{path::PathBuf, sync::Arc, time::Instant};

use super::{
    super::{
        Config, Counters, Error, Lock, Recovery,
        error::may_heal,
        file::LogFile,
        fs::{Disk, Fs},
        held::{Held, Ring},
        loss::{Loss, LossReason},
        recover, segments,
        state::{self, StateFile},
    },
    Journal,
};

impl Journal {
    /// Opens the journal, or makes it. Takes the same time whatever the size of the log. A disk that is full, read-only
    /// or broken is no error: the journal then holds its lines until the disk takes them.
    ///
    /// # Errors
    ///
    /// Where a folder or file may not be opened, or what is there cannot be read.
    pub fn open(config: &Config, lock: Lock) -> Result<(Self, Recovery), Error> {
        Self::open_on(Arc::new(Disk), config, lock)
    }

    pub(in crate::journal) fn open_on(
        fs: Arc<dyn Fs>,
        config: &Config,
        lock: Lock,
    ) -> Result<(Self, Recovery), Error> {
        for path in [&config.log_dir, &config.state_dir] {
            match fs.make_dir(path) {
                Err(source) if !may_heal(&source) => {
                    return Err(Error::Folder { path: path.clone(), source });
                }
                _ => {}
            }
        }
        let mut journal = Self {
            file: LogFile::new(fs.clone(), config),
            fs,
            config: config.clone(),
            node: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            epoch: String::new(),
            seq: 0,
            durable_seq: 0,
            written_seq: 0,
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

    /// Finds out which number comes next.
    fn recover(&mut self) -> Result<Recovery, Error> {
        let mut recovery = Recovery::default();
        let at = |path: PathBuf| move |source| Error::Open { path, source };

        let state_dir = self.config.state_dir.clone();
        let state = state::read(&*self.fs, &state_dir).map_err(at(state_dir))?;
        let mut tail = match self.open_file() {
            Err(error) if may_heal(&error) => {
                // Nothing can be written now. What is there can still be read, and must be: it has our last number.
                self.failed(error);
                self.due = Some(Instant::now());
                recover::read_log(&*self.fs, &self.file.path())
            }
            tail => tail,
        }
        .map_err(at(self.file.path()))?
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
        // The state file may have been made just now.
        let _ = self.fs.sync_dir(&self.config.state_dir);
        self.prune();
        recovery.epoch.clone_from(&self.epoch);
        recovery.last_seq = self.seq;
        recovery.failing.clone_from(&self.counters.failing);
        Ok(recovery)
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
    use std::fs;

    use rustix::io::Errno;

    use super::*;
    use crate::journal::{
        Appended, Kept,
        fixture::{encode, fixture, seqs},
    };

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
}
