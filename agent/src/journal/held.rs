//! Lines that wait in memory for a disk that takes them.

use std::collections::VecDeque;

use super::loss::{Loss, LossReason};

/// How many bytes of lines wait at most: some ten thousand alerts, and no more than a quarter of the agent's memory
/// budget.
pub(super) const HELD_BYTES: usize = 8 << 20;

/// What is written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    Line { seq: u64, urgent: bool, line: Vec<u8> },
    Loss(Loss),
}

/// A bounded queue. When it is full it gives up the oldest lines that are not urgent, then the oldest of all; a loss
/// stands in their place.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<Held>,
    bytes: usize,
    lines: usize,
}

impl Ring {
    /// Adds an entry; tells how many lines had to be given up for it.
    pub(super) fn push(&mut self, entry: Held) -> usize {
        if let Held::Line { line, .. } = &entry {
            self.bytes += line.len();
            self.lines += 1;
        }
        self.entries.push_back(entry);
        if self.bytes <= HELD_BYTES {
            return 0;
        }
        let before = self.lines;
        // To well below the bound, so that a full ring does not go through all its entries for each new one.
        let goal = HELD_BYTES / 8 * 7;
        for urgent_too in [false, true] {
            self.give_up(goal, urgent_too);
        }
        self.merge_losses();
        before - self.lines
    }

    /// The entry that is written next.
    pub(super) fn front(&self) -> Option<&Held> {
        self.entries.front()
    }

    /// Takes that entry away.
    pub(super) fn pop_front(&mut self) {
        if let Some(Held::Line { line, .. }) = self.entries.pop_front() {
            self.bytes -= line.len();
            self.lines -= 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many lines wait, losses not among them.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    fn give_up(&mut self, goal: usize, urgent_too: bool) {
        for entry in &mut self.entries {
            if self.bytes <= goal {
                return;
            }
            if let Held::Line { seq, urgent, line } = entry
                && (urgent_too || !*urgent)
            {
                self.bytes -= line.len();
                self.lines -= 1;
                *entry = Held::Loss(Loss { first: *seq, last: *seq, reason: LossReason::Overflow });
            }
        }
    }

    /// Neighbours become one, so that there are never more losses than lines, and one.
    fn merge_losses(&mut self) {
        let mut merged: VecDeque<Held> = VecDeque::with_capacity(self.lines + 1);
        for entry in self.entries.drain(..) {
            if let (Some(Held::Loss(last)), Held::Loss(loss)) = (merged.back_mut(), &entry)
                && last.reason == loss.reason
                && last.last + 1 == loss.first
            {
                last.last = loss.last;
            } else {
                merged.push_back(entry);
            }
        }
        self.entries = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE_BYTES: usize = HELD_BYTES / 16;

    fn line(seq: u64, urgent: bool) -> Held {
        Held::Line { seq, urgent, line: vec![b'x'; LINE_BYTES] }
    }

    fn summary(ring: &Ring) -> Vec<String> {
        ring.entries
            .iter()
            .map(|entry| match entry {
                Held::Line { seq, .. } => seq.to_string(),
                Held::Loss(loss) => format!("lost {}-{}", loss.first, loss.last),
            })
            .collect()
    }

    #[test]
    fn a_full_ring_gives_up_its_oldest_lines_and_says_which() {
        let mut ring = Ring::default();
        let lost: usize = (1..=17).map(|seq| ring.push(line(seq, false))).sum();
        assert_eq!(lost, 3);
        assert_eq!(summary(&ring)[..2], ["lost 1-3", "4"]);
        assert!(ring.bytes <= HELD_BYTES);
    }

    #[test]
    fn urgent_lines_stay_longest() {
        let mut ring = Ring::default();
        for seq in 1..=40 {
            ring.push(line(seq, seq % 8 == 0));
        }
        let left = summary(&ring);
        for urgent in ["8", "16", "24", "32", "40"] {
            assert!(left.iter().any(|entry| entry == urgent), "{left:?}");
        }
        assert_eq!(left[..2], ["lost 1-7", "8"]);
    }

    #[test]
    fn even_urgent_lines_go_when_there_are_only_those() {
        let mut ring = Ring::default();
        for seq in 1..=100 {
            ring.push(line(seq, true));
        }
        assert!(ring.bytes <= HELD_BYTES);
        assert!(ring.entries.len() <= ring.lines + 1);
        while ring.front().is_some() {
            ring.pop_front();
        }
        assert_eq!((ring.bytes, ring.lines), (0, 0));
    }
}
