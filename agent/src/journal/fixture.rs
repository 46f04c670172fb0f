//! A journal in a folder of its own, on a disk that can fail.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Config, Journal, Lock, Recovery, Stamp, check, fault::FaultyDisk, format, last_lines};

pub(super) struct Fixture {
    pub(super) dir: tempfile::TempDir,
    pub(super) disk: FaultyDisk,
    pub(super) config: Config,
}

pub(super) fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let config =
        Config { log_dir: dir.path().join("log"), state_dir: dir.path().join("state"), ..Config::default() };
    Fixture { dir, disk: FaultyDisk::default(), config }
}

impl Fixture {
    pub(super) fn open(&self) -> (Journal, Recovery) {
        let lock = Lock::try_acquire(&self.config.state_dir).unwrap();
        Journal::open_on(Arc::new(self.disk.clone()), &self.config, lock).unwrap()
    }

    pub(super) fn log(&self) -> PathBuf {
        self.config.log_dir.join(format::LOG_NAME)
    }
}

pub(super) fn encode(stamp: Stamp<'_>) -> Vec<u8> {
    format!(r#"{{"holdfast":{{"epoch":"{}","seq":{}}}}}"#, stamp.epoch, stamp.seq).into_bytes()
}

pub(super) fn seqs(log_dir: &Path) -> Vec<u64> {
    let lines = last_lines(log_dir, usize::MAX, |_| true).unwrap();
    lines.iter().map(|line| check(line).unwrap().seq).collect()
}

pub(super) fn later() -> Instant {
    Instant::now() + Duration::from_secs(1)
}
