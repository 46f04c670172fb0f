//! All that the journal asks of a disk, behind a trait, so that a test can fail, shorten and tear any of it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// The log is for its owner to write and for a group of readers; what is in it is nobody else's business.
/// A file or folder that is made gets this whatever the umask. One that is there keeps what it has: whoever changed it
/// meant it.
const FILE_MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// A disk.
pub(super) trait Fs: Send + Sync {
    /// Makes a folder and what is missing above it.
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// The file names of a folder, with their sizes in bytes.
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>>;
    /// Opens for reading and appending; makes the file where it is missing.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens for reading and writing in place; makes the file where it is missing.
    fn open_update(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens for reading.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Which file has that name now.
    fn status(&self, path: &Path) -> io::Result<Status>;
    /// Renames a file. There must be none of the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Deletes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// An open file.
pub(super) trait File: Send {
    /// One `write(2)` at the end of the file. May write less than it was given.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Fills the buffer from there on, as far as the file goes.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of it in place.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
    /// `fdatasync(2)`.
    fn sync(&mut self) -> io::Result<()>;
    /// Which file this is, and how it is now.
    fn status(&self) -> io::Result<Status>;
}

/// Which file, and how it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// Its size.
    pub(super) bytes: u64,
    /// How many names it has: 0 for a file that was deleted while it was open.
    pub(super) links: u64,
    /// Its device and inode: which file it is, whatever its name.
    pub(super) identity: (u64, u64),
}

/// The real disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk;

impl Fs for Disk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        make_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // A name that is no text is none of ours; a file that is gone by now needs no mention.
            if let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) {
                files.push((name, metadata.len()));
            }
        }
        Ok(files)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(open_or_make(OpenOptions::new().read(true).append(true), path)?))
    }

    fn open_update(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(open_or_make(OpenOptions::new().read(true).write(true), path)?))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn status(&self, path: &Path) -> io::Result<Status> {
        Ok(status(&fs::metadata(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (cwd, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
        match rustix::fs::renameat_with(cwd, from, cwd, to, flags) {
            // A file system without the flag (NFS, some FUSE): the check is then a moment older than the deed.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !to.exists() => fs::rename(from, to),
            result => Ok(result?),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }
}

/// The log is never written through a symbolic link: whoever can put one there would choose what we write to.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// Opens a file, or makes it.
pub(super) fn open_or_make(options: &mut OpenOptions, path: &Path) -> io::Result<fs::File> {
    options.mode(FILE_MODE).custom_flags(NO_FOLLOW);
    loop {
        match options.create_new(false).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => return file,
        }
        match options.create_new(true).open(path) {
            // Somebody was faster by that moment.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                // The umask only takes away, so where this fails the file is too private, never too public.
                let _ = file.set_permissions(fs::Permissions::from_mode(FILE_MODE));
                return Ok(file);
            }
        }
    }
}

/// Makes a folder and what is missing above it.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    match make_one_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir(path.parent().ok_or(error)?)?;
            make_one_dir(path)
        }
        result => result,
    }
}

fn make_one_dir(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Ok(()) => {
            // What the folder above hands down (set-group-id: whose group reads) stays.
            let _ = fs::metadata(path).and_then(|made| {
                let inherited = made.permissions().mode() & 0o7000;
                fs::set_permissions(path, fs::Permissions::from_mode(inherited | FOLDER_MODE))
            });
            // A line is only as durable as the folder that its file is in. Where the disk cannot, syncing lines tells.
            let _ = path.parent().map(|above| Disk.sync_dir(above));
            Ok(())
        }
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

impl File for fs::File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(self, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn status(&self) -> io::Result<Status> {
        Ok(status(&self.metadata()?))
    }
}

fn status(metadata: &fs::Metadata) -> Status {
    Status { bytes: metadata.len(), links: metadata.nlink(), identity: (metadata.dev(), metadata.ino()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::Mode;

    use super::*;
    use crate::journal::{
        Config, Journal, Lock,
        fixture::{encode, seqs},
    };

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// The life of a journal, with every file that it makes.
    fn write_a_log(dir: &Path) {
        let config = Config {
            log_dir: dir.join("deep/log"),
            state_dir: dir.join("deep/state"),
            segment_bytes: 1000,
            ..Config::default()
        };
        let lock = Lock::try_acquire(&config.state_dir).unwrap();
        let (mut journal, _) = Journal::open(&config, lock).unwrap();
        for _ in 0..40 {
            journal.append(false, encode);
        }
        journal.close().unwrap();
    }

    /// The umask is one for all threads: other tests' files get one of these too, and remain theirs to read and write.
    /// (A process of its own would, between fork and exec, hold other tests' locks.)
    #[test]
    fn files_and_folders_have_their_modes_whatever_the_umask() {
        for umask in [0o000, 0o022, 0o077] {
            let dir = tempfile::tempdir().unwrap();
            let before = rustix::process::umask(Mode::from_raw_mode(umask));
            let written = std::panic::catch_unwind(|| write_a_log(dir.path()));
            rustix::process::umask(before);
            written.unwrap();
            let deep = dir.path().join("deep");
            let (log, state) = (deep.join("log"), deep.join("state"));
            for folder in [&deep, &log, &state] {
                assert_eq!(mode(folder), FOLDER_MODE, "umask {umask:03o}: {}", folder.display());
            }
            let files: Vec<_> = [&log, &state]
                .into_iter()
                .flat_map(|dir| fs::read_dir(dir).unwrap())
                .map(|entry| entry.unwrap().path())
                .collect();
            for file in &files {
                assert_eq!(mode(file), FILE_MODE, "umask {umask:03o}: {}", file.display());
            }
            assert!(files.len() >= 5, "log, two segments, state, lock: {files:?}");
            assert_eq!(seqs(&log), (1..=40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_there_keeps_the_mode_that_somebody_gave_it() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("log"), dir.path().join("log/file"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Disk.make_dir(&folder).unwrap();
        Disk.open_append(&file).unwrap();
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_keeps_the_group_that_the_one_above_hands_down() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o2755)).unwrap();
        Disk.make_dir(&dir.path().join("a/b")).unwrap();
        assert_eq!(mode(&dir.path().join("a/b")), 0o2750);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (there, missing) = (dir.path().join("there"), dir.path().join("missing"));
        fs::write(&there, "").unwrap();
        for target in [&there, &missing] {
            let link = dir.path().join("link");
            symlink(target, &link).unwrap();
            assert!(Disk.open_append(&link).is_err());
            assert!(Disk.open_update(&link).is_err());
            fs::remove_file(&link).unwrap();
        }
        assert!(!missing.exists());
    }
}
