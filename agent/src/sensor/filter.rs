//! What the kernel half is told to drop: see `holdfast_common`'s filter.

use std::collections::HashMap;

use aya::{
    Ebpf,
    maps::{Array, HashMap as BpfHashMap, LpmTrie, MapError, lpm_trie::Key},
};
use holdfast_common::{Clauses, Component, ComponentClauses, OpenFilter, PREFIX_BYTES};

use super::{Error, load::map_mut};

/// The filter of opens, as the kernel half looks things up in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPlan {
    /// The fixed part, with a bit for each component below.
    pub words: [Clauses; OpenFilter::WORDS],
    /// Names of files and folders that clauses ask for.
    pub components: HashMap<Component, ComponentClauses>,
    /// Beginnings of paths as given that clauses ask for.
    pub prefixes: Vec<Prefix>,
}

/// The beginning of a path as given, and the clauses of the folders that such a path is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// How many bits of `bytes` are compared.
    pub bits: u32,
    /// The beginning, filled up with zeroes.
    pub bytes: [u8; PREFIX_BYTES],
    /// What it and every shorter prefix of it leave possible: the kernel half sees the longest that matches only.
    pub clauses: Clauses,
}

impl Default for OpenPlan {
    /// One clause that everything matches: nothing is dropped.
    fn default() -> Self {
        let mut words = [0; OpenFilter::WORDS];
        words[..OpenFilter::BLOOM].fill(1);
        Self { words, components: HashMap::new(), prefixes: Vec::new() }
    }
}

/// Fills the maps of a kernel half that has just been loaded: until its words are there, it drops everything.
pub(super) fn install(ebpf: &mut Ebpf, plan: &OpenPlan) -> Result<(), Error> {
    let map_error = |map| move |source: MapError| Error::Map { map, source };

    let failed = map_error("HF_COMPONENTS");
    let mut components: BpfHashMap<_, Component, ComponentClauses> =
        map_mut(ebpf, "HF_COMPONENTS")?.try_into().map_err(&failed)?;
    for (component, clauses) in &plan.components {
        components.insert(component, clauses, 0).map_err(&failed)?;
    }

    let failed = map_error("HF_PREFIXES");
    let mut prefixes: LpmTrie<_, [u8; PREFIX_BYTES], Clauses> =
        map_mut(ebpf, "HF_PREFIXES")?.try_into().map_err(&failed)?;
    for Prefix { bits, bytes, clauses } in &plan.prefixes {
        prefixes.insert(&Key::new(*bits, *bytes), clauses, 0).map_err(&failed)?;
    }

    let failed = map_error("HF_FILTER");
    let mut words: Array<_, [Clauses; OpenFilter::WORDS]> =
        map_mut(ebpf, "HF_FILTER")?.try_into().map_err(&failed)?;
    words.set(0, plan.words, 0).map_err(&failed)
}
