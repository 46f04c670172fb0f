//! The files of the log, oldest first, and how many of them are kept.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{format, fs::Fs};

/// However small they are, no more segments are kept than this: start-up and readers list the folder.
const MAX_SEGMENTS: usize = 1024;

/// An older file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Number of its first line, by its name.
    pub(super) first: u64,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// The segments, oldest first. None where the folder is not there.
pub(super) fn list(fs: &dyn Fs, log_dir: &Path) -> io::Result<Vec<Segment>> {
    let files = match fs.list(log_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        files => files?,
    };
    let mut segments: Vec<Segment> = files
        .into_iter()
        .filter_map(|(name, bytes)| {
            Some(Segment { first: format::segment_first(&name)?, path: log_dir.join(name), bytes })
        })
        .collect();
    segments.sort_unstable_by_key(|segment| segment.first);
    Ok(segments)
}

/// Sets the current file aside, as the segment that begins with the line `first`.
pub(super) fn set_aside(fs: &dyn Fs, log_dir: &Path, first: u64) -> io::Result<()> {
    let current = log_dir.join(format::LOG_NAME);
    let mut first = first;
    loop {
        match fs.rename(&current, &log_dir.join(format::segment_name(first))) {
            // Somebody has put back an older segment. It is not ours to overwrite, and the order still holds.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => first += 1,
            result => break result?,
        }
    }
    // The rename has happened; a crash that takes it back leaves the file where it was, whole.
    let _ = fs.sync_dir(log_dir);
    Ok(())
}

/// Deletes the oldest segments until all take `max_bytes` at most. Tells how many it deleted.
pub(super) fn prune(fs: &dyn Fs, log_dir: &Path, max_bytes: u64) -> io::Result<u64> {
    let segments = list(fs, log_dir)?;
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut count = segments.len();
    let mut deleted = 0;
    for segment in segments {
        if bytes <= max_bytes && count <= MAX_SEGMENTS {
            break;
        }
        fs.remove(&segment.path)?;
        bytes -= segment.bytes;
        count -= 1;
        deleted += 1;
    }
    Ok(deleted)
}
