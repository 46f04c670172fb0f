//! What becomes of a line.

use std::fs;

use rustix::io::Errno;

use super::*;
use crate::journal::{
    fixture::{encode, fixture, later, seqs},
    last_lines,
};

#[test]
fn an_urgent_line_is_durable_at_once_and_another_when_it_is_due() {
    let fixture = fixture();
    let (mut journal, _) = fixture.open();
    assert_eq!(journal.next_deadline(), None);
    assert_eq!(journal.append(true, encode), Appended { seq: 1, kept: Kept::Synced });
    assert_eq!(journal.append(false, encode), Appended { seq: 2, kept: Kept::Written });
    assert_eq!(journal.durable_seq(), 1);
    let due = journal.next_deadline().unwrap();
    journal.sync_if_due(due - Duration::from_millis(1));
    assert_eq!(journal.durable_seq(), 1);
    journal.sync_if_due(due);
    assert_eq!((journal.durable_seq(), journal.next_deadline()), (2, None));
}

#[test]
fn what_a_full_disk_refuses_waits_and_is_written_in_order_when_it_can_be() {
    let fixture = fixture();
    let (mut journal, _) = fixture.open();
    journal.append(false, encode);
    fixture.disk.faults().room = Some(10);
    assert_eq!(journal.append(true, encode).kept, Kept::Held);
    assert_eq!(journal.append(false, encode).kept, Kept::Held);
    assert!(fs::read(fixture.log()).unwrap().ends_with(b"}\n"), "what was written of it is cut off");
    assert!(journal.counters().failing.as_ref().unwrap().contains("No space left"));
    fixture.disk.faults().room = None;
    journal.sync_if_due(later());
    assert_eq!(seqs(&fixture.config.log_dir), [1, 2, 3]);
    assert_eq!((journal.counters().lines_held, &journal.counters().failing), (0, &None));
}

#[test]
fn what_memory_cannot_hold_is_counted_and_put_on_record() {
    let fixture = fixture();
    let (mut journal, _) = fixture.open();
    fixture.disk.faults().broken = Some(Errno::ROFS);
    let large = |stamp: Stamp<'_>| {
        let padding = "x".repeat(900_000);
        format!(r#"{{"p":"{padding}","holdfast":{{"epoch":"{}","seq":{}}}}}"#, stamp.epoch, stamp.seq)
            .into_bytes()
    };
    for _ in 0..20 {
        journal.append(false, large);
    }
    let lost = journal.counters().lines_lost;
    assert!(lost >= 10);
    fixture.disk.faults().broken = None;
    journal.sync_if_due(later());
    let lines = last_lines(&fixture.config.log_dir, 100, |_| true).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&lines[0]).unwrap();
    assert_eq!(record["holdfast"]["loss"]["first"], 1);
    assert_eq!(record["holdfast"]["loss"]["count"], lost);
    assert_eq!(seqs(&fixture.config.log_dir), (lost..=20).collect::<Vec<_>>());
}

#[test]
fn what_is_no_line_is_put_on_record_instead_of_breaking_the_log() {
    let fixture = fixture();
    let (mut journal, _) = fixture.open();
    journal.append(false, |_| b"{\"a\":{\n}}".to_vec());
    journal.append(false, encode);
    assert_eq!(seqs(&fixture.config.log_dir), [1, 2]);
    assert_eq!(journal.counters().lines_lost, 1);
}
