//! The little that the journal remembers beside its lines.
//!
//! A file `journal` in the state folder, two slots of 512 bytes (a sector: no write tears both). Each slot is a line of
//! text, padded with spaces:
//!
//! ```text
//! holdfast-journal v1 epoch=<name> seq=<number> crc=<CRC-32 of the text before " crc", eight hex digits>
//! ```
//!
//! Slots are written in turn, and of the whole ones that with the higher number counts. It is there for the day
//! somebody deletes the log: numbers go on from where they were. After a crash it can be up to the sync interval old;
//! the log itself then knows better.

use std::{io, path::Path};

use super::fs::{File, Fs};

const NAME: &str = "journal";
const SLOT_BYTES: usize = 512;
const PREFIX: &str = "holdfast-journal v1 epoch=";

/// What a journal remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Random name of the journal.
    pub(super) epoch: String,
    /// The highest number that was given out.
    pub(super) seq: u64,
}

/// The file that holds it.
pub(super) struct StateFile {
    file: Box<dyn File>,
    next_slot: u64,
}

impl StateFile {
    /// Opens the file, or makes it.
    pub(super) fn open(fs: &dyn Fs, state_dir: &Path) -> io::Result<Self> {
        let file = fs.open_update(&state_dir.join(NAME))?;
        let next_slot = newest(&*file)?.map_or(0, |(_, slot)| 1 - slot);
        Ok(Self { file, next_slot })
    }

    /// Remembers.
    pub(super) fn store(&mut self, epoch: &str, seq: u64) -> io::Result<()> {
        self.file.write_at(&render(epoch, seq), self.next_slot * SLOT_BYTES as u64)?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }

    /// Makes what was stored durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

/// What the state folder remembers. Needs no right to write.
pub(super) fn read(fs: &dyn Fs, state_dir: &Path) -> io::Result<Option<State>> {
    match fs.open_read(&state_dir.join(NAME)) {
        Ok(file) => Ok(newest(&*file)?.map(|(state, _)| state)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole slot with the highest number, and which one it is.
fn newest(file: &dyn File) -> io::Result<Option<(State, u64)>> {
    let mut slots = [0; 2 * SLOT_BYTES];
    let bytes = file.read_at(&mut slots, 0)?;
    let states =
        slots[..bytes].chunks(SLOT_BYTES).zip(0..).filter_map(|(slot, index)| Some((parse(slot)?, index)));
    Ok(states.max_by_key(|(state, _)| state.seq))
}

fn render(epoch: &str, seq: u64) -> Vec<u8> {
    let mut text = format!("{PREFIX}{epoch} seq={seq}");
    let checksum = crc32fast::hash(text.as_bytes());
    text = format!("{text} crc={checksum:08x}");
    format!("{text:<width$}\n", width = SLOT_BYTES - 1).into_bytes()
}

fn parse(slot: &[u8]) -> Option<State> {
    let text = std::str::from_utf8(slot).ok()?.trim_end();
    let (body, digits) = text.rsplit_once(" crc=")?;
    if format!("{:08x}", crc32fast::hash(body.as_bytes())) != digits {
        return None;
    }
    let (epoch, seq) = body.strip_prefix(PREFIX)?.split_once(" seq=")?;
    Some(State { epoch: epoch.to_owned(), seq: seq.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{super::fs::Disk, *};

    #[test]
    fn what_was_stored_last_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&Disk, dir.path()).unwrap(), None);
        for seq in 0..5 {
            StateFile::open(&Disk, dir.path()).unwrap().store("cafe", seq).unwrap();
            assert_eq!(read(&Disk, dir.path()).unwrap(), Some(State { epoch: "cafe".into(), seq }));
        }
    }

    #[test]
    fn a_torn_slot_leaves_the_one_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = StateFile::open(&Disk, dir.path()).unwrap();
        for seq in [1, 2] {
            file.store("cafe", seq).unwrap();
        }
        file.file.write_at(b"holdfast-journal v1 epoch=cafe seq=3", 0).unwrap();
        assert_eq!(read(&Disk, dir.path()).unwrap(), Some(State { epoch: "cafe".into(), seq: 2 }));
    }
}
