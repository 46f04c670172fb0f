//! Whether any rule can match an open: see `holdfast_common`'s `filter`.

use core::mem::MaybeUninit;

use aya_ebpf::maps::lpm_trie::Key;
use holdfast_common::{
    COMPONENT_BYTES, Clauses, Component, Field, OpenFilter, OpenRecord, PREFIX_BYTES, SECTION_BYTES, Section,
    SectionFlags,
};

use crate::{
    bytes::{Unclean, behind_last_slash},
    kernel::{Typed, read_field},
    maps::{COMPONENTS, PREFIXES, open_filter},
    names::NAME_MASKS,
    path::{self, Dentry, KernelPath, MAX_STEPS, OpenFile, Step},
    scratch::Builder,
};

/// `O_ACCMODE`, `include/uapi/asm-generic/fcntl.h`.
const O_ACCMODE: u64 = 3;
/// Where the path as given begins in the record: right behind the fixed part.
const GIVEN: usize = size_of::<OpenRecord>();
/// Bytes of a path as given that is looked at for folders; a longer one is let through. Few programs use as long ones.
const MAX_GIVEN: usize = 256;

/// The filter, and the clauses that are still possible.
pub struct Filter {
    words: &'static [Clauses; OpenFilter::WORDS],
    live: Clauses,
}

impl Filter {
    /// What result and access leave possible. `None` where that is nothing.
    #[inline(always)]
    pub fn begin(result: i64, flags: u64) -> Option<Self> {
        let words = open_filter()?;
        let by_result = words[if result < 0 { OpenFilter::FAILED } else { OpenFilter::SUCCEEDED }];
        let live = by_result & words[OpenFilter::ACCESS + (flags & O_ACCMODE) as usize];
        (live != 0).then_some(Self { words, live })
    }

    /// Whether what the path as given (already in the record) and the opened file are called leaves anything possible.
    #[inline(always)]
    pub fn passes(&self, record: &mut Builder, task: Typed, given: Section, file: Option<OpenFile>) -> bool {
        let any_name = self.words[OpenFilter::ANY_NAME];
        let any_folder = self.words[OpenFilter::ANY_FOLDER];
        if self.live & any_name & any_folder != 0 {
            return true;
        }
        let by_given_name = any_name | self.by_given_name(record, given);
        let Some(file) = file else {
            let live = self.live & by_given_name;
            return live & any_folder != 0 || live != 0 && live & self.by_given_folders(record, given) != 0;
        };
        // A file that cannot be read can be any.
        let Some(dentry) = Dentry::at(file.path.dentry) else { return true };
        let Some(mount_root) = read_field(file.path.mnt, Field::VfsmountRoot) else { return true };
        let object = Object { path: file.path, dentry, mount_root };
        let [own_name, own_folder] = self.by_own_name(&object);
        let live = self.live & (by_given_name | own_name);
        if live == 0 {
            return false;
        }
        live & (any_folder | own_folder) != 0
            || live & self.by_given_folders(record, given) != 0
            || self.is_in_folders(record, task, &object, live)
    }

    /// Clauses that ask for the last component of the path as given. All, where that takes more than a look: the rules
    /// compare with the path after `.`, `..` and doubled slashes are taken out.
    #[inline(always)]
    fn by_given_name(&self, record: &Builder, given: Section) -> Clauses {
        let len = usize::from(given.len);
        // Never so: said for the verifier, which does not know what is in the record.
        if len > SECTION_BYTES {
            return Clauses::MAX;
        }
        if given.flags & SectionFlags::CUT != 0 {
            return Clauses::MAX;
        }
        // The last bytes of the path, and where it is shorter some of the record before it.
        let mut name = 0;
        for word in record.component_at(GIVEN + len - COMPONENT_BYTES).into_iter().rev() {
            let behind = behind_last_slash(word);
            name += behind;
            if behind < 8 {
                break;
            }
        }
        // As one number and not five, or the verifier would follow the rest of the program five times.
        let name = record.forget(name);
        let name = if name > len { len } else { name };
        if name == 0 {
            return Clauses::MAX;
        }
        let Some(masks) = NAME_MASKS.get(name) else { return 0 };
        let mut component = record.component_at(GIVEN + len - name);
        for (word, mask) in component.iter_mut().zip(masks) {
            *word &= mask;
        }
        // `.` and `..`, as the first bytes of a word.
        if component[0] == 0x2e || component[0] == 0x2e2e {
            return Clauses::MAX;
        }
        self.look_up(&component)[0]
    }

    /// Clauses that ask for the last component of the file that was opened. All, for the root of a mount, whose name
    /// is that of the place it is mounted on, and for what no folder holds: such a name (`memfd:x/y`) can have slashes.
    #[inline(always)]
    fn by_own_name(&self, object: &Object) -> [Clauses; 2] {
        if object.dentry.links.parent == object.path.dentry || object.mount_root == object.path.dentry {
            return [Clauses::MAX, 0];
        }
        object.dentry.component().map_or([0; 2], |component| self.look_up(&component))
    }

    /// Whether a folder that the file is in is one that a clause asks for.
    #[inline(always)]
    fn is_in_folders(&self, record: &mut Builder, task: Typed, object: &Object, live: Clauses) -> bool {
        object.begin_above(record, task);
        for _ in 0..MAX_STEPS {
            match path::step::<Dentry>(record) {
                Step::Mount => {}
                Step::Component { dentry, last } => {
                    let clauses = dentry.component().map_or(0, |component| self.look_up(&component)[1]);
                    if live & clauses != 0 || last {
                        return true;
                    }
                }
                Step::Root => return false,
                Step::Stuck => return true,
            }
        }
        true
    }

    /// Clauses of the folders that a path as given is in, by its letters. All, where it is relative or not written as the
    /// rules compare it.
    #[inline(always)]
    fn by_given_folders(&self, record: &Builder, given: Section) -> Clauses {
        let len = usize::from(given.len);
        let first = record.word(GIVEN);
        if len == 0 || first as u8 != b'/' || len > MAX_GIVEN || is_unclean(record, len) {
            return Clauses::MAX;
        }
        let (word, bit) = OpenFilter::prefix_bit(first as u32);
        if self.words[word] & bit == 0 {
            return 0;
        }
        let mut key = MaybeUninit::<Key<[u8; PREFIX_BYTES]>>::uninit();
        let at = key.as_mut_ptr();
        // SAFETY: both fields of the key are filled before it is used. Behind the path comes a NUL, which is in no prefix.
        unsafe {
            (&raw mut (*at).prefix_len).write_unaligned(PREFIX_BYTES as u32 * 8);
            if !record.copy_to(&raw mut (*at).data, GIVEN) {
                return Clauses::MAX;
            }
            PREFIXES.get(key.assume_init_ref()).copied().unwrap_or(0)
        }
    }

    #[inline(always)]
    fn look_up(&self, component: &Component) -> [Clauses; 2] {
        let (word, bit) = OpenFilter::bloom_bit(component);
        if self.words.get(word).is_none_or(|word| word & bit == 0) {
            return [0; 2];
        }
        // SAFETY: the value is copied; user space replaces values whole.
        unsafe { COMPONENTS.get(component) }.copied().unwrap_or([0; 2])
    }
}

/// What is read of a file before it is known whether anybody asks for it.
struct Object {
    path: KernelPath,
    dentry: Dentry,
    mount_root: u64,
}

impl Object {
    /// Puts the walk one step behind its beginning, where that step has been looked at already.
    #[inline(always)]
    fn begin_above(&self, record: &mut Builder, task: Typed) {
        let at_root = self.mount_root == self.path.dentry;
        let node = if at_root { self.path.dentry } else { self.dentry.links.parent };
        record.set_walk(path::walk(task, self.path.mnt, self.mount_root, node));
    }
}

/// Whether there is `//`, `/./` or `/../` in the path as given.
#[inline(always)]
fn is_unclean(record: &Builder, len: usize) -> bool {
    let mut unclean = Unclean::default();
    let mut at = 0;
    while at < MAX_GIVEN {
        if at >= len {
            break;
        }
        // The last word can have bytes of an earlier record behind the path: at worst they let this one through.
        unclean.look(record.word(GIVEN + at));
        at += 8;
    }
    unclean.found != 0
}
