//! Where the journal lies and how large it may grow.

use std::path::PathBuf;

/// Where the journal lies and how large it may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder of the alert log and its older segments.
    pub log_dir: PathBuf,
    /// The folder of the journal's state and of the lock.
    pub state_dir: PathBuf,
    /// The current file is set aside before it grows beyond this many bytes.
    pub segment_bytes: u64,
    /// All files of the log together stay within this many bytes; the oldest are deleted.
    pub max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log_dir: "/var/log/holdfast".into(),
            state_dir: "/var/lib/holdfast".into(),
            segment_bytes: 64 << 20,
            max_bytes: 512 << 20,
        }
    }
}

impl Config {
    /// The size that segments really get: two always fit, or rotation would delete what was just written.
    pub(super) fn segment_limit(&self) -> u64 {
        self.segment_bytes.min(self.max_bytes / 2)
    }
}
