//! One writer at a time.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::fs::{make_dir, open_or_make};

/// The file in the state folder that is locked. It stays when the lock is given up: a lock on a deleted file is a lock
/// on nothing.
const NAME: &str = "lock";

/// The right to write a journal. Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another instance has it.
    #[error("another instance ({}) holds `{}`", pid.map_or("pid unknown".into(), |pid| format!("pid {pid}")), path.display())]
    Held {
        /// The process that holds it, as it named itself.
        pid: Option<u32>,
        /// The file that is locked.
        path: PathBuf,
    },
    /// The file cannot be locked.
    #[error("cannot lock `{}`; is its folder there, and are you root?", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of that state folder, which is made where it is missing. Does not wait.
    ///
    /// # Errors
    ///
    /// Where another process has it, or the file cannot be opened.
    pub fn try_acquire(state_dir: &Path) -> Result<Self, LockError> {
        let path = state_dir.join(NAME);
        match acquire(state_dir, &path) {
            Ok(Ok(file)) => Ok(Self { _file: file }),
            Ok(Err(pid)) => Err(LockError::Held { pid, path }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }
}

fn acquire(state_dir: &Path, path: &Path) -> io::Result<Result<File, Option<u32>>> {
    make_dir(state_dir)?;
    let mut file = match open_or_make(OpenOptions::new().read(true).write(true), path) {
        // A lock needs no writing, and an agent on a disk that became read-only still needs its lock.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(path)?,
        file => file?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // The pid is for people. On a full disk the lock holds without it.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            Ok(Ok(file))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            file.take(PID_BYTES).read_to_string(&mut pid)?;
            Ok(Err(pid.trim().parse().ok()))
        }
        Err(error) => Err(error.into()),
    }
}

/// More than a pid has digits.
const PID_BYTES: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_learns_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::try_acquire(dir.path()).unwrap();
        let error = Lock::try_acquire(dir.path()).unwrap_err();
        let own = std::process::id();
        assert!(matches!(error, LockError::Held { pid: Some(pid), .. } if pid == own), "{error}");
        assert!(error.to_string().starts_with(&format!("another instance (pid {own}) holds `/")), "{error}");
        drop(first);
        Lock::try_acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_missing_state_folder_is_made() {
        let dir = tempfile::tempdir().unwrap();
        Lock::try_acquire(&dir.path().join("a/b")).unwrap();
    }
}
