//! Clauses: what has to be true of an open, all of it, for a rule to match.

use std::{cmp::Reverse, collections::BTreeSet};

use holdfast_common::Component;

/// How many clauses all rules have together: the bits of the kernel half's set.
pub(super) const MAX_CLAUSES: usize = holdfast_common::Clauses::BITS as usize;
/// How many one rule has. Conditions that people write need one to four; the bound keeps an `and` of many `or`s from
/// multiplying.
pub(super) const MAX_CLAUSES_OF_RULE: usize = 16;

/// One clause. Sets of calls, results and access modes are bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// By place in the family.
    pub(super) calls: u8,
    /// [`Clause::FAILED`], [`Clause::SUCCEEDED`].
    pub(super) results: u8,
    /// By `flags & O_ACCMODE`.
    pub(super) access: u8,
    /// The last component: of the path as given, or of the file.
    pub(super) names: Choice<Component>,
    pub(super) folders: Choice<Folder>,
}

/// Where a file may be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Folder {
    /// The path as given begins so.
    Given(Box<[u8]>),
    /// The path of the file has this component.
    Real(Component),
}

/// What one property of an event may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice<T> {
    Any,
    OneOf(BTreeSet<T>),
}

impl<T: Ord + Clone> Choice<T> {
    pub(super) fn one(value: Option<T>) -> Self {
        value.map_or(Self::Any, |value| Self::OneOf(BTreeSet::from([value])))
    }

    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Any => usize::MAX,
            Self::OneOf(values) => values.len(),
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::OneOf(these), Self::OneOf(those)) => Self::OneOf(these.union(those).cloned().collect()),
            _ => Self::Any,
        }
    }

    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::OneOf(these), Self::OneOf(those)) => these.is_superset(those),
            (Self::OneOf(_), Self::Any) => false,
        }
    }
}

impl Clause {
    pub(super) const FAILED: u8 = 1;
    pub(super) const SUCCEEDED: u8 = 2;
    /// Every open.
    pub(super) const ANY: Self =
        Self { calls: 0xf, results: 3, access: 0xf, names: Choice::Any, folders: Choice::Any };

    /// Both, if they can be true at once. Of two choices of a name only one can be asked for: that of the path as
    /// given and that of the file are one to the kernel half, so what both allow would be too little.
    fn and(&self, other: &Self) -> Option<Self> {
        let both = Self {
            calls: self.calls & other.calls,
            results: self.results & other.results,
            access: self.access & other.access,
            names: narrower(&self.names, &other.names, Choice::len),
            folders: narrower(&self.folders, &other.folders, |folders| {
                (folders.len(), Reverse(length(folders)))
            }),
        };
        (both.calls != 0 && both.results != 0 && both.access != 0).then_some(both)
    }

    /// The narrowest that holds wherever one of them does.
    fn or(&self, other: &Self) -> Self {
        Self {
            calls: self.calls | other.calls,
            results: self.results | other.results,
            access: self.access | other.access,
            names: self.names.union(&other.names),
            folders: self.folders.union(&other.folders),
        }
    }

    /// Whether [`Clause::or`] holds nowhere else: where one contains the other, or all but one property are the same.
    fn joins(&self, other: &Self) -> bool {
        let either = self.or(other);
        let differing = [
            self.calls != other.calls,
            self.results != other.results,
            self.access != other.access,
            self.names != other.names,
            self.folders != other.folders,
        ];
        differing.into_iter().filter(|differs| *differs).count() <= 1 || either == *self || either == *other
    }

    /// How much more [`Clause::or`] would let through. Clauses that ask for a name or a folder are what the filter
    /// lives from, and one that asks for neither is its end.
    fn loss(&self, other: &Self) -> u32 {
        let either = self.or(other);
        [self, other]
            .into_iter()
            .map(|part| {
                let bits = |clause: &Self| {
                    2 * (clause.results.count_ones() + clause.access.count_ones()) + clause.calls.count_ones()
                };
                let lost = |was: bool, cost| if was { cost } else { 0 };
                bits(&either) - bits(part)
                    + lost(either.names.is_any() && !part.names.is_any(), 8)
                    + lost(either.folders.is_any() && !part.folders.is_any(), 8)
                    + lost(either.is_anywhere() && !part.is_anywhere(), 32)
            })
            .sum()
    }

    fn is_anywhere(&self) -> bool {
        self.names.is_any() && self.folders.is_any()
    }

    fn contains(&self, other: &Self) -> bool {
        self.calls & other.calls == other.calls
            && self.results & other.results == other.results
            && self.access & other.access == other.access
            && self.names.contains(&other.names)
            && self.folders.contains(&other.folders)
    }
}

fn narrower<T: Ord + Clone, K: Ord>(
    one: &Choice<T>,
    other: &Choice<T>,
    width: impl Fn(&Choice<T>) -> K,
) -> Choice<T> {
    if width(one) <= width(other) { one.clone() } else { other.clone() }
}

/// How long the shortest of the folders is: of as many folders, longer ones have less in them.
fn length(folders: &Choice<Folder>) -> usize {
    let length = |folder: &Folder| match folder {
        Folder::Given(beginning) => beginning.len(),
        Folder::Real(_) => size_of::<Component>(),
    };
    match folders {
        Choice::Any => 0,
        Choice::OneOf(folders) => folders.iter().map(length).min().unwrap_or(0),
    }
}

/// Clauses, one of which has to hold. None of them: nothing matches.
#[derive(Debug, Default)]
pub(super) struct Clauses(Vec<Clause>);

impl Clauses {
    pub(super) fn one(clause: Clause) -> Self {
        Self(vec![clause])
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Self::default();
        for one in &self.0 {
            for other in &other.0 {
                both.add(one.and(other), MAX_CLAUSES_OF_RULE);
            }
        }
        both
    }

    pub(super) fn extend(&mut self, other: Self, max: usize) {
        for clause in other.0 {
            self.add(Some(clause), max);
        }
    }

    /// Adds a clause, and makes one of two where there are more than `max`: those whose union lets the least through.
    fn add(&mut self, clause: Option<Clause>, max: usize) {
        let mut next = clause;
        while let Some(clause) = next.take() {
            if self.0.iter().any(|known| known.contains(&clause)) {
                return;
            }
            let partner = match self.0.iter().position(|known| known.joins(&clause)) {
                None if self.0.len() >= max => {
                    (0..self.0.len()).min_by_key(|index| self.0[*index].loss(&clause))
                }
                partner => partner,
            };
            match partner {
                // The union may join others in turn.
                Some(index) => next = Some(self.0.swap_remove(index).or(&clause)),
                None => self.0.push(clause),
            }
        }
    }

    pub(super) fn into_vec(self) -> Vec<Clause> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: u64, access: u8) -> Clause {
        Clause { names: Choice::one(Some([name; 4])), access, ..Clause::ANY }
    }

    #[test]
    fn clauses_that_differ_in_one_property_become_one() {
        let mut clauses = Clauses::default();
        for clause in [named(1, 1), named(2, 1), named(1, 2), named(2, 2)] {
            clauses.add(Some(clause), MAX_CLAUSES);
        }
        assert_eq!(clauses.into_vec(), [named(1, 3).or(&named(2, 3))]);
    }

    #[test]
    fn too_many_clauses_are_widened_and_none_is_dropped() {
        let mut clauses = Clauses::default();
        let folder = |n: u64| Choice::one(Some(Folder::Real([n; 4])));
        let all: Vec<_> = (0..200).map(|n| Clause { folders: folder(n), ..named(n, 1) }).collect();
        for clause in &all {
            clauses.add(Some(clause.clone()), MAX_CLAUSES);
        }
        let kept = clauses.into_vec();
        assert!(kept.len() <= MAX_CLAUSES);
        assert!(kept.iter().all(|clause| !clause.names.is_any()));
        assert!(all.iter().all(|clause| kept.iter().any(|kept| kept.contains(clause))));
    }
}
