//! The journal against a model: whatever happens to it and its disk, its promises hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rustix::io::Errno;
use serde::Deserialize;

use super::{Config, Journal, Kept, Lock, Stamp, fault::FaultyDisk, format, fs::Disk, segments};

#[derive(Clone, Debug)]
enum Step {
    Append {
        urgent: bool,
        padding: usize,
    },
    /// The time of the next sync comes.
    Tick,
    /// The process dies; of the line it was writing, so many bytes reached the file.
    Kill {
        torn: usize,
    },
    /// The node dies: of what was not yet durable, a share (of 255) is left.
    PowerCut {
        share: u8,
    },
    /// An orderly end and a new start.
    Restart,
    /// The disk has so many bytes of room left.
    Fill {
        room: u64,
    },
    /// The disk takes nothing.
    Break(Errno),
    /// Cutting, renaming and syncing fail.
    Obstruct {
        truncate: bool,
        rename: bool,
        sync: bool,
    },
    /// All is well again.
    Heal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (any::<bool>(), 0..300_usize).prop_map(|(urgent, padding)| Step::Append { urgent, padding }),
        4 => Just(Step::Tick),
        2 => (0..200_usize).prop_map(|torn| Step::Kill { torn }),
        2 => any::<u8>().prop_map(|share| Step::PowerCut { share }),
        1 => Just(Step::Restart),
        2 => (0..500_u64).prop_map(|room| Step::Fill { room }),
        1 => prop_oneof![Just(Errno::ROFS), Just(Errno::IO)].prop_map(Step::Break),
        1 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(truncate, rename, sync)| Step::Obstruct { truncate, rename, sync }),
        3 => Just(Step::Heal),
    ]
}

#[derive(Deserialize)]
struct Line {
    payload: Option<u64>,
    holdfast: Ours,
}

#[derive(Deserialize)]
struct Ours {
    epoch: String,
    seq: u64,
    loss: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    first: u64,
    last: u64,
    count: u64,
}

struct World {
    dir: tempfile::TempDir,
    disk: FaultyDisk,
    journal: Option<Journal>,
    now: Instant,
    /// Every line that was ever handed in: a payload that no other line has.
    payloads: u64,
    /// What was acknowledged as written, by number.
    written: BTreeMap<u64, u64>,
    /// Those of them that were acknowledged as durable.
    synced: BTreeSet<u64>,
    /// What was acknowledged as waiting, since the last start.
    held: BTreeMap<u64, u64>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            dir: tempfile::tempdir().unwrap(),
            disk: FaultyDisk::default(),
            journal: None,
            now: Instant::now(),
            payloads: 0,
            written: BTreeMap::new(),
            synced: BTreeSet::new(),
            held: BTreeMap::new(),
        };
        world.open();
        world
    }

    fn config(&self) -> Config {
        Config {
            log_dir: self.dir.path().join("log"),
            state_dir: self.dir.path().join("state"),
            segment_bytes: 1500,
            max_bytes: 1 << 30,
        }
    }

    fn open(&mut self) {
        let config = self.config();
        let lock = Lock::try_acquire(&config.state_dir).unwrap();
        let (journal, _) = Journal::open_on(Arc::new(self.disk.clone()), &config, lock).unwrap();
        self.journal = Some(journal);
    }

    fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().unwrap()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Append { urgent, padding } => self.append(urgent, padding),
            Step::Tick => {
                self.now += Duration::from_secs(1);
                let now = self.now;
                self.journal().sync_if_due(now);
                self.settle();
            }
            Step::Kill { torn } => {
                self.settle();
                self.journal = None;
                self.held.clear();
                self.tear(torn);
                self.open();
            }
            Step::PowerCut { share } => {
                self.settle();
                self.journal = None;
                self.held.clear();
                self.forget(share);
                self.open();
            }
            Step::Restart => {
                let _ = self.journal.take().unwrap().close();
                // What the end did not write is lost, and said to be; what it wrote is there.
                self.held.clear();
                self.open();
            }
            Step::Fill { room } => self.disk.faults().room = Some(room),
            Step::Break(errno) => self.disk.faults().broken = Some(errno),
            Step::Obstruct { truncate, rename, sync } => {
                let mut faults = self.disk.faults();
                (faults.no_truncate, faults.no_rename, faults.no_sync) = (truncate, rename, sync);
            }
            Step::Heal => self.heal(),
        }
    }

    fn heal(&mut self) {
        let mut faults = self.disk.faults();
        (faults.room, faults.broken) = (None, None);
        (faults.no_truncate, faults.no_rename, faults.no_sync) = (false, false, false);
    }

    fn append(&mut self, urgent: bool, padding: usize) {
        self.payloads += 1;
        let payload = self.payloads;
        let appended = self.journal().append(urgent, |Stamp { epoch, seq }| {
            let padding = "x".repeat(padding);
            format!(r#"{{"payload":{payload},"p":"{padding}","holdfast":{{"epoch":"{epoch}","seq":{seq}}}}}"#)
                .into_bytes()
        });
        match appended.kept {
            Kept::Held => self.held.insert(appended.seq, payload),
            Kept::Written | Kept::Synced => self.written.insert(appended.seq, payload),
        };
        if appended.kept == Kept::Synced {
            self.synced.insert(appended.seq);
        }
        self.settle();
    }

    /// Takes over what the journal has said in the meantime.
    fn settle(&mut self) {
        let counters = self.journal().counters().clone();
        assert_eq!(
            counters.lines_appended,
            counters.lines_written - counters.loss_lines + counters.lines_held + counters.lines_lost
        );
        if counters.lines_held == 0 {
            self.written.append(&mut self.held);
        }
        let durable = self.journal().durable_seq();
        self.synced.extend(self.written.range(..=durable).map(|(seq, _)| *seq));
    }

    fn current(&self) -> std::path::PathBuf {
        self.config().log_dir.join(format::LOG_NAME)
    }

    fn tear(&self, torn: usize) {
        let line = format!(r#"{{"payload":0,"p":"{}"#, "y".repeat(200));
        if let Ok(mut file) = fs::OpenOptions::new().append(true).open(self.current()) {
            file.write_all(&line.as_bytes()[..torn]).unwrap();
        }
    }

    /// Cuts the current file to what is durable, and a share of the rest.
    fn forget(&mut self, share: u8) {
        let Ok(file) = fs::OpenOptions::new().write(true).open(self.current()) else { return };
        let metadata = file.metadata().unwrap();
        let durable = self.disk.faults().durable.get(&(metadata.dev(), metadata.ino())).copied().unwrap_or(0);
        let lost = metadata.len().saturating_sub(durable) * u64::from(255 - share) / 255;
        file.set_len(metadata.len() - lost).unwrap();
        let left: BTreeSet<u64> = read(&self.config().log_dir).iter().map(|line| line.holdfast.seq).collect();
        let synced = &self.synced;
        self.written.retain(|seq, _| synced.contains(seq) || left.contains(seq));
    }

    /// The promises.
    fn check(mut self) {
        self.heal();
        self.step(&Step::Tick);
        assert_eq!(self.journal().next_deadline(), None, "nothing is left to do on a disk that works");
        self.journal.take().unwrap().close().unwrap();
        let lines = read(&self.config().log_dir);
        let mut expected = 1;
        let mut found = BTreeMap::new();
        for line in &lines {
            let seq = line.holdfast.seq;
            match &line.holdfast.loss {
                None => assert_eq!(seq, expected, "no holes"),
                Some(loss) => {
                    assert_eq!(loss.first, expected, "a loss begins where lines end");
                    assert!(seq == loss.last || seq == loss.last + 1);
                    assert_eq!(loss.count, loss.last - loss.first + 1);
                }
            }
            expected = seq + 1;
            if let Some(payload) = line.payload {
                found.insert(seq, payload);
            }
        }
        for (seq, payload) in &self.written {
            assert_eq!(found.get(seq), Some(payload), "line {seq} was acknowledged");
        }
        let payloads: BTreeSet<u64> = found.values().copied().collect();
        assert_eq!(payloads.len(), found.len(), "no line is there twice");
        assert!(payloads.iter().all(|payload| (1..=self.payloads).contains(payload)), "no line is made up");
        let epochs: BTreeSet<&str> = lines.iter().map(|line| line.holdfast.epoch.as_str()).collect();
        assert!(epochs.len() <= 1, "{epochs:?}");
    }
}

/// All whole lines of all files, in order. Panics at a line that is damaged or torn within the log.
fn read(log_dir: &Path) -> Vec<Line> {
    let mut files: Vec<_> =
        segments::list(&Disk, log_dir).unwrap().into_iter().map(|segment| segment.path).collect();
    let current = log_dir.join(format::LOG_NAME);
    if current.exists() {
        files.push(current.clone());
    }
    let mut lines = Vec::new();
    for path in files {
        let bytes = fs::read(&path).unwrap();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => {
                    assert!(format::check(line).is_some(), "damaged: {}", String::from_utf8_lossy(line));
                    lines.push(serde_json::from_slice(line).unwrap());
                }
                None => assert_eq!(path, current, "only the current file may end in a torn line"),
            }
        }
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_was_acknowledged_is_there_and_numbers_have_no_holes(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.check();
    }
}
