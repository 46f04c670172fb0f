//! A disk that does what a test wants: fills up, fails, forgets.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use rustix::io::Errno;

use super::fs::{Disk, File, Fs, Status};

/// What is wrong with the disk, and what it has made durable.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Bytes of room for appending; a write that needs more is shortened, or fails at zero. `None`: enough.
    pub(super) room: Option<u64>,
    /// Every change fails with this.
    pub(super) broken: Option<Errno>,
    /// Cutting a file fails.
    pub(super) no_truncate: bool,
    /// Renaming fails.
    pub(super) no_rename: bool,
    /// Syncing fails.
    pub(super) no_sync: bool,
    /// How many bytes of each file survive a power cut.
    pub(super) durable: HashMap<(u64, u64), u64>,
    /// The number of writes at the end of a file.
    pub(super) appends: u64,
    /// The number of syncs of a file's data.
    pub(super) syncs: u64,
}

impl Faults {
    fn check(&self) -> io::Result<()> {
        self.broken.map_or(Ok(()), |errno| Err(errno.into()))
    }
}

/// The real disk under those faults.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultyDisk(Arc<Mutex<Faults>>);

impl FaultyDisk {
    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap()
    }

    fn wrap(&self, file: io::Result<Box<dyn File>>) -> io::Result<Box<dyn File>> {
        Ok(Box::new(FaultyFile { file: file?, disk: self.clone() }))
    }
}

impl Fs for FaultyDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        Disk.make_dir(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        Disk.list(dir)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.faults().check()?;
        self.wrap(Disk.open_append(path))
    }
    fn open_update(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.faults().check()?;
        self.wrap(Disk.open_update(path))
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Disk.open_read(path)
    }
    fn status(&self, path: &Path) -> io::Result<Status> {
        Disk.status(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let faults = self.faults();
        faults.check()?;
        if faults.no_rename { Err(Errno::IO.into()) } else { Disk.rename(from, to) }
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.faults().check()?;
        Disk.remove(path)
    }
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        // A test that cuts the power leaves names alone, and hundreds of real syncs take seconds.
        self.faults().check()
    }
}

struct FaultyFile {
    file: Box<dyn File>,
    disk: FaultyDisk,
}

impl File for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut faults = self.disk.faults();
        faults.appends += 1;
        faults.check()?;
        let room = faults.room.unwrap_or(u64::MAX).min(bytes.len() as u64);
        if room == 0 {
            return Err(Errno::NOSPC.into());
        }
        if let Some(left) = &mut faults.room {
            *left -= room;
        }
        self.file.append(&bytes[..room as usize])
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.faults().check()?;
        self.file.write_at(bytes, offset)
    }
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let faults = self.disk.faults();
        faults.check()?;
        if faults.no_truncate { Err(Errno::IO.into()) } else { self.file.truncate(bytes) }
    }
    fn sync(&mut self) -> io::Result<()> {
        let status = self.file.status()?;
        let mut faults = self.disk.faults();
        faults.syncs += 1;
        faults.check()?;
        if faults.no_sync {
            return Err(Errno::IO.into());
        }
        faults.durable.insert(status.identity, status.bytes);
        Ok(())
    }
    fn status(&self) -> io::Result<Status> {
        self.file.status()
    }
}
