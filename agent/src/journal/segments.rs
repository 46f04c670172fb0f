//! The files of the log, oldest first, and how many of them are kept.

use std::{
    io,
    ops::Range,
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

/// What was deleted.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// How many segments.
    pub(super) segments: u64,
    /// Numbers of the lines in them, by their names: from the first one's to the next one's that is still there.
    pub(super) seqs: Range<u64>,
    /// Why the next one could not be deleted, or the folder not be read.
    pub(super) failed: Option<io::Error>,
}

/// Deletes the oldest segments until all take `max_bytes` at most. `end` is the number of the line after the last
/// segment. Tells what it deleted, also where it could not go on.
pub(super) fn prune(fs: &dyn Fs, log_dir: &Path, max_bytes: u64, end: u64) -> Pruned {
    let segments = match list(fs, log_dir) {
        Ok(segments) => segments,
        Err(error) => return Pruned { failed: Some(error), ..Pruned::default() },
    };
    let mut pruned = Pruned::default();
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut count = segments.len();
    let ends = segments.iter().skip(1).map(|next| next.first).chain([end]);
    for (segment, end) in segments.iter().zip(ends) {
        if bytes <= max_bytes && count <= MAX_SEGMENTS {
            break;
        }
        if let Err(error) = fs.remove(&segment.path) {
            pruned.failed = Some(error);
            break;
        }
        bytes -= segment.bytes;
        count -= 1;
        let first = if pruned.segments == 0 { segment.first } else { pruned.seqs.start };
        // Not empty: a segment that is named after a line has that line.
        pruned.seqs = first..end.max(segment.first.saturating_add(1));
        pruned.segments += 1;
    }
    pruned
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::fs::Disk, *};

    fn folder(firsts: &[u64]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for first in firsts {
            fs::write(dir.path().join(format::segment_name(*first)), [b'x'; 10]).unwrap();
        }
        dir
    }

    fn firsts(dir: &tempfile::TempDir) -> Vec<u64> {
        list(&Disk, dir.path()).unwrap().iter().map(|segment| segment.first).collect()
    }

    #[test]
    fn what_is_deleted_is_told_by_its_numbers() {
        let dir = folder(&[1, 8, 20]);
        let none = prune(&Disk, dir.path(), 30, 31);
        assert_eq!((none.segments, none.seqs.is_empty()), (0, true));
        let two = prune(&Disk, dir.path(), 10, 31);
        assert_eq!((two.segments, two.seqs, firsts(&dir)), (2, 1..20, vec![20]));
        let newest = prune(&Disk, dir.path(), 0, 31);
        assert_eq!((newest.segments, newest.seqs, firsts(&dir)), (1, 20..31, vec![]));
    }

    #[test]
    fn what_is_deleted_is_told_even_where_the_next_one_cannot_be() {
        let dir = folder(&[1, 8]);
        // A folder of that name, which no unlink(2) deletes.
        fs::create_dir(dir.path().join(format::segment_name(5))).unwrap();
        let pruned = prune(&Disk, dir.path(), 0, 31);
        assert_eq!((pruned.segments, pruned.seqs, firsts(&dir)), (1, 1..5, vec![5, 8]));
        assert!(pruned.failed.is_some());
    }
}
