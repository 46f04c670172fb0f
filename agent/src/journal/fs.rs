//! All that the journal asks of a disk, behind a trait, so that a test can fail, shorten and tear any of it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

/// The log is for its owner to write and for a group of readers; what is in it is nobody else's business.
const MODE: u32 = 0o640;

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
        fs::create_dir_all(path)
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
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(MODE).custom_flags(NO_FOLLOW);
        Ok(Box::new(options.open(path)?))
    }

    fn open_update(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(MODE).custom_flags(NO_FOLLOW);
        Ok(Box::new(options.open(path)?))
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
