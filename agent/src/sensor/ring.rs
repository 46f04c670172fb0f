//! Reads the two rings and puts their records in order.
//!
//! A process's fork and exec come through one ring, what it opens through the other. Both must reach the rules in the
//! order in which they happened, or an open would be told with the program that the process was before. So a round
//! reads the events first and the process ring after: whatever led to an event has then been read too. A process record
//! waits until the events of one more round are there, since an event from before it may still be on its way.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use aya::maps::{MapData, RingBuf};
use bytes::{Bytes, BytesMut};
use holdfast_common::Header;
use zerocopy::FromBytes;

/// How many bytes of records one round takes from each ring: bounds memory and how long the rules wait for the first.
const ROUND_BYTES: usize = 1 << 20;

/// A record as it came out of a ring.
type Record = (u64, Bytes);

/// Records in the order in which they happened.
#[derive(Debug, Default)]
pub struct Batch {
    /// The records: each whole, undecoded.
    pub records: Vec<Bytes>,
    /// More may be waiting: read again without waiting.
    pub more: bool,
}

/// Reads the rings.
pub struct Reader {
    process: RingBuf<MapData>,
    events: RingBuf<MapData>,
    /// Process records that wait for the events of one more round, oldest first.
    held: VecDeque<Record>,
}

impl Reader {
    pub(super) fn new(process: RingBuf<MapData>, events: RingBuf<MapData>) -> Self {
        Self { process, events, held: VecDeque::new() }
    }

    /// Descriptors that become readable when there are records: process ring, then events.
    ///
    /// # Errors
    /// The process has too many open.
    pub fn descriptors(&self) -> io::Result<[OwnedFd; 2]> {
        Ok([self.process.as_fd().try_clone_to_owned()?, self.events.as_fd().try_clone_to_owned()?])
    }

    /// Reads what is there, without waiting.
    pub fn read(&mut self) -> Batch {
        let (mut events, events_full) = drain(&mut self.events);
        let (fresh, process_full) = drain(&mut self.process);
        // Several CPUs put records into one ring, each a little after it has looked at the clock.
        events.sort_by_key(|(time_ns, _)| *time_ns);
        let more = events_full || process_full || !fresh.is_empty();
        let records = merge(&mut self.held, fresh, events);
        Batch { records, more }
    }
}

/// Puts events between the process records that happened before and after. Of the process records, those that waited are
/// all let go; a fresh one only if an event of this round happened after it.
fn merge(held: &mut VecDeque<Record>, mut fresh: Vec<Record>, events: Vec<Record>) -> Vec<Bytes> {
    fresh.sort_by_key(|(time_ns, _)| *time_ns);
    let mut ripe = held.len();
    held.extend(fresh);
    let mut records = Vec::with_capacity(events.len() + ripe);
    for (time_ns, record) in events {
        while held.front().is_some_and(|(earlier_ns, _)| *earlier_ns <= time_ns) {
            records.extend(held.pop_front().map(|(_, record)| record));
            ripe = ripe.saturating_sub(1);
        }
        records.push(record);
    }
    records.extend(held.drain(..ripe).map(|(_, record)| record));
    records
}

/// Takes up to [`ROUND_BYTES`] from a ring; says whether it stopped there.
fn drain(ring: &mut RingBuf<MapData>) -> (Vec<Record>, bool) {
    // One allocation a round: the records share it.
    let mut bytes = BytesMut::new();
    let mut ends = Vec::new();
    let mut full = false;
    while let Some(item) = ring.next() {
        bytes.extend_from_slice(&item);
        ends.push(bytes.len());
        if bytes.len() >= ROUND_BYTES {
            full = true;
            break;
        }
    }
    let bytes = bytes.freeze();
    let mut start = 0;
    let records = ends
        .into_iter()
        .map(|end| {
            let record = bytes.slice(start..end);
            start = end;
            // A record that is too short for a header has no time; decoding counts it.
            (Header::read_from_prefix(&record).map_or(0, |(header, _)| header.time_ns), record)
        })
        .collect();
    (records, full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time_ns: u64, name: &'static str) -> Record {
        (time_ns, Bytes::from_static(name.as_bytes()))
    }

    fn names(records: &[Bytes]) -> Vec<&str> {
        records.iter().map(|record| std::str::from_utf8(record).expect("made here")).collect()
    }

    #[test]
    fn an_exec_comes_before_what_the_new_program_opens_and_after_what_the_old_one_did() {
        let mut held = VecDeque::new();
        let fresh = vec![record(20, "exec")];
        let events = vec![record(10, "open before"), record(30, "open after")];
        assert_eq!(names(&merge(&mut held, fresh, events)), ["open before", "exec", "open after"]);
        assert!(held.is_empty());
    }

    #[test]
    fn a_process_record_waits_for_the_events_of_one_more_round() {
        let mut held = VecDeque::new();
        assert!(merge(&mut held, vec![record(20, "exec")], vec![]).is_empty());
        let late = vec![record(10, "open before")];
        assert_eq!(names(&merge(&mut held, vec![record(40, "exit")], late)), ["open before", "exec"]);
        assert_eq!(names(&merge(&mut held, vec![], vec![])), ["exit"]);
    }
}
