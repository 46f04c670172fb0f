//! From clauses to what the kernel half looks up: each clause is a bit.

use std::collections::{BTreeMap, HashMap};

use holdfast_common::{
    Clauses as Bits, Component, ComponentClauses, MAX_COMPONENTS, OpenFilter, PREFIX_BYTES,
};

use super::clause::{Choice, Clause, Clauses, Folder};
use crate::sensor::{OpenPlan, Prefix};

pub(super) fn plan(clauses: Clauses) -> OpenPlan {
    let mut clauses = clauses.into_vec();
    loop {
        let components = components(&clauses);
        let prefixes = prefixes(&clauses);
        if components.len().max(prefixes.len()) <= MAX_COMPONENTS as usize {
            return OpenPlan { words: words(&clauses, components.keys(), &prefixes), components, prefixes };
        }
        widen(&mut clauses);
    }
}

/// Lets the longest list of all go.
fn widen(clauses: &mut [Clause]) {
    fn len<T: Ord + Clone>(choice: &Choice<T>) -> usize {
        if choice.is_any() { 0 } else { choice.len() }
    }
    let longest = clauses.iter_mut().max_by_key(|clause| len(&clause.names).max(len(&clause.folders)));
    let Some(clause) = longest else { return };
    if len(&clause.names) > len(&clause.folders) {
        clause.names = Choice::Any;
    } else {
        clause.folders = Choice::Any;
    }
}

fn words<'a>(
    clauses: &[Clause],
    components: impl Iterator<Item = &'a Component>,
    prefixes: &[Prefix],
) -> [Bits; OpenFilter::WORDS] {
    let mut words = [0; OpenFilter::WORDS];
    for (number, clause) in clauses.iter().enumerate() {
        let bit = 1 << number;
        let access = (0..4).map(|mode| (OpenFilter::ACCESS + mode, clause.access >> mode & 1 == 1));
        let others = [
            (OpenFilter::FAILED, clause.results & Clause::FAILED != 0),
            (OpenFilter::SUCCEEDED, clause.results & Clause::SUCCEEDED != 0),
            (OpenFilter::ANY_NAME, clause.names.is_any()),
            (OpenFilter::ANY_FOLDER, clause.folders.is_any()),
        ];
        for (word, _) in access.chain(others).filter(|(_, may)| *may) {
            words[word] |= bit;
        }
    }
    for component in components {
        let (word, bit) = OpenFilter::bloom_bit(component);
        words[word] |= bit;
    }
    for Prefix { bits, bytes, .. } in prefixes {
        let [a, b, c, d, ..] = *bytes;
        let (word, bit) = OpenFilter::prefix_bit(u32::from_ne_bytes([a, b, c, d]));
        words[word] |= if *bits < u32::BITS { Bits::MAX } else { bit };
    }
    words
}

fn components(clauses: &[Clause]) -> HashMap<Component, ComponentClauses> {
    let mut components: HashMap<Component, ComponentClauses> = HashMap::new();
    for (number, clause) in clauses.iter().enumerate() {
        let bit = 1 << number;
        if let Choice::OneOf(names) = &clause.names {
            for name in names {
                components.entry(*name).or_default()[0] |= bit;
            }
        }
        if let Choice::OneOf(folders) = &clause.folders {
            for folder in folders {
                if let Folder::Real(name) = folder {
                    components.entry(*name).or_default()[1] |= bit;
                }
            }
        }
    }
    components
}

fn prefixes(clauses: &[Clause]) -> Vec<Prefix> {
    let mut by_text: BTreeMap<&[u8], Bits> = BTreeMap::new();
    for (number, clause) in clauses.iter().enumerate() {
        let Choice::OneOf(folders) = &clause.folders else { continue };
        for folder in folders {
            if let Folder::Given(beginning) = folder {
                *by_text.entry(&beginning[..beginning.len().min(PREFIX_BYTES)]).or_default() |= 1 << number;
            }
        }
    }
    let with_shorter = |text: &&[u8]| {
        (1..=text.len()).filter_map(|len| by_text.get(&text[..len])).fold(0, |all, clauses| all | clauses)
    };
    by_text
        .keys()
        .map(|text| {
            let mut bytes = [0; PREFIX_BYTES];
            bytes[..text.len()].copy_from_slice(text);
            Prefix { bits: text.len() as u32 * 8, bytes, clauses: with_shorter(text) }
        })
        .collect()
}
