//! What the kernel half decides, in user space and step by step: `agent-ebpf/src/filter.rs`.

use holdfast_common::{
    COMPONENT_BYTES, Clauses, Component, ComponentClauses, OpenFilter, PREFIX_BYTES, SECTION_BYTES,
};

use crate::sensor::OpenPlan;

/// As in the kernel half.
const MAX_GIVEN: usize = 256;
const MAX_STEPS: usize = 64;

/// The file that was opened.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// From the root.
    pub(super) components: Vec<Vec<u8>>,
    pub(super) mount_root: bool,
    /// No folder holds it.
    pub(super) detached: bool,
}

/// Whether the kernel half lets the event through. `given` is what is carried of the path.
pub(super) fn passes(plan: &OpenPlan, result: i64, flags: u64, given: &[u8], file: Option<&File>) -> bool {
    let Some(filter) = Filter::begin(plan, result, flags) else { return false };
    filter.passes(given, file)
}

struct Filter<'a> {
    plan: &'a OpenPlan,
    live: Clauses,
}

impl<'a> Filter<'a> {
    fn begin(plan: &'a OpenPlan, result: i64, flags: u64) -> Option<Self> {
        let by_result = plan.words[if result < 0 { OpenFilter::FAILED } else { OpenFilter::SUCCEEDED }];
        let live = by_result & plan.words[OpenFilter::ACCESS + (flags & 3) as usize];
        (live != 0).then_some(Self { plan, live })
    }

    fn passes(&self, given: &[u8], file: Option<&File>) -> bool {
        let any_name = self.plan.words[OpenFilter::ANY_NAME];
        let any_folder = self.plan.words[OpenFilter::ANY_FOLDER];
        if self.live & any_name & any_folder != 0 {
            return true;
        }
        let mut live = self.live & any_name;
        live |= self.live & self.by_given_name(given);
        if let Some(file) = file {
            live |= self.live & self.by_own_name(file);
        }
        if live == 0 {
            return false;
        }
        if live & any_folder != 0 {
            return true;
        }
        live & self.by_given_folders(given) != 0 || file.is_some_and(|file| self.is_in_folders(file, live))
    }

    fn by_given_name(&self, given: &[u8]) -> Clauses {
        let name = given.iter().rev().take(COMPONENT_BYTES).take_while(|byte| **byte != b'/').count();
        if name >= COMPONENT_BYTES {
            return 0;
        }
        let cut = given.len() == SECTION_BYTES - 1;
        let name = &given[given.len() - name..];
        if cut || matches!(name, b"" | b"." | b"..") {
            return Clauses::MAX;
        }
        self.look_up(&words(name))[0]
    }

    fn by_own_name(&self, file: &File) -> Clauses {
        if file.mount_root || file.detached && file.components.len() == 1 {
            return Clauses::MAX;
        }
        match file.components.last().and_then(|name| component_at(name)) {
            Some(component) => self.look_up(&component)[0],
            None => 0,
        }
    }

    fn is_in_folders(&self, file: &File, live: Clauses) -> bool {
        for (step, name) in file.components.iter().rev().enumerate() {
            if step == MAX_STEPS {
                return true;
            }
            let clauses = component_at(name).map_or(0, |component| self.look_up(&component)[1]);
            let last = file.detached && step + 1 == file.components.len();
            if live & clauses != 0 || last {
                return true;
            }
        }
        file.components.len() == MAX_STEPS
    }

    fn look_up(&self, component: &Component) -> ComponentClauses {
        let (word, bit) = OpenFilter::bloom_bit(component);
        if self.plan.words[word] & bit == 0 {
            return [0; 2];
        }
        self.plan.components.get(component).copied().unwrap_or_default()
    }

    fn by_given_folders(&self, given: &[u8]) -> Clauses {
        if given.first() != Some(&b'/') {
            return Clauses::MAX;
        }
        let mut data = [0; PREFIX_BYTES];
        let len = given.len().min(PREFIX_BYTES);
        data[..len].copy_from_slice(&given[..len]);
        let has = |part: &[u8]| given.windows(part.len()).any(|bytes| bytes == part);
        if given.len() > MAX_GIVEN || has(b"//") || has(b"/./") || has(b"/../") {
            return Clauses::MAX;
        }
        let matching = self.plan.prefixes.iter().filter(|prefix| {
            let len = prefix.bits as usize / 8;
            prefix.bytes[..len] == data[..len]
        });
        matching.max_by_key(|prefix| prefix.bits).map_or(0, |prefix| prefix.clauses)
    }
}

/// A name as the kernel half reads it from a kernel object: one that fills the room with its NUL may have been cut.
fn component_at(name: &[u8]) -> Option<Component> {
    (name.len() + 1 < COMPONENT_BYTES).then(|| words(name))
}

fn words(name: &[u8]) -> Component {
    let mut bytes = [0; COMPONENT_BYTES];
    bytes[..name.len()].copy_from_slice(name);
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|word| u64::from_ne_bytes(words[word]))
}
