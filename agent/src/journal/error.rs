//! What keeps a journal from being opened.

use std::{io, path::PathBuf};

/// The journal cannot be opened, or not all of it could be written before its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder is not there and cannot be made.
    #[error("cannot make the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the journal cannot be opened or read.
    #[error("cannot open `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The journal ends while lines are waiting for a disk that takes them.
    #[error("{lines} lines could not be written")]
    Unwritten {
        /// How many.
        lines: usize,
        /// Why the last attempt failed.
        #[source]
        source: io::Error,
    },
}

/// A disk that is full, read-only or broken may heal; a folder that may not be entered needs a person.
pub(super) fn may_heal(error: &io::Error) -> bool {
    use rustix::io::Errno;
    // std has no kind for EIO.
    Errno::from_io_error(error)
        .is_some_and(|errno| matches!(errno, Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::IO))
}
