//! Whether any rule can match an open: see `holdfast_common`'s `filter`.

use aya_ebpf::{helpers::generated::bpf_probe_read_kernel_str, maps::lpm_trie::Key};
use holdfast_common::{
    COMPONENT_BYTES, Clauses, Component, Field, OpenFilter, OpenRecord, PREFIX_BYTES, SECTION_BYTES, Section,
    SectionFlags,
};

use crate::{
    bytes::{Unclean, behind_last_slash},
    file::OpenFile,
    kernel::{Typed, has, offset},
    maps::{COMPONENTS, PREFIXES, open_filter},
    path::{self, MountPlace, Step},
    scratch::Builder,
};

/// `O_ACCMODE`, `include/uapi/asm-generic/fcntl.h`.
const O_ACCMODE: u64 = 3;
/// Where the path as given begins in the record: right behind the fixed part.
const GIVEN: usize = size_of::<OpenRecord>();
/// Bytes of a path as given that is looked at for folders; a longer one is let through. Few programs use as long ones.
const MAX_GIVEN: usize = 256;
/// Steps up that folders are looked for; a path with more is let through.
const MAX_STEPS: u32 = 64;

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
        let mut live = self.live & any_name;
        live |= self.live & self.by_given_name(record, given);
        if let Some(file) = file {
            live |= self.live & self.by_own_name(file);
        }
        if live == 0 {
            return false;
        }
        if live & any_folder != 0 {
            return true;
        }
        live & by_given_folders(record, given) != 0
            || file.is_some_and(|file| self.is_in_folders(record, task, file, live))
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
        // The last bytes of the path, and where it is shorter some of the record before it.
        let mut tail: Component = [0; 4];
        if given.flags & SectionFlags::CUT != 0
            || !record.copy_to(&mut tail, GIVEN + len - COMPONENT_BYTES, COMPONENT_BYTES)
        {
            return Clauses::MAX;
        }
        let mut name = 0;
        for word in tail.into_iter().rev() {
            let behind = behind_last_slash(word);
            name += behind;
            if behind < 8 {
                break;
            }
        }
        // As one number and not five, or the verifier would follow the rest of the program five times.
        let name = record.forget(name);
        let name = if name > len { len } else { name };
        if name >= COMPONENT_BYTES {
            return 0;
        }
        let mut component: Component = [0; 4];
        if name == 0 || !record.copy_to(&mut component, GIVEN + len - name, name) {
            return Clauses::MAX;
        }
        // `.` and `..`, as the first bytes of a word.
        if component[0] == 0x2e || component[0] == 0x2e2e {
            return Clauses::MAX;
        }
        self.look_up(&component)[0]
    }

    /// Clauses that ask for the last component of the file that was opened. All, for the root of a mount, whose name
    /// is that of the place it is mounted on, and for what no folder holds.
    #[inline(always)]
    fn by_own_name(&self, file: OpenFile) -> Clauses {
        if file.path.dentry == file.mount_root {
            return Clauses::MAX;
        }
        let component = match file.dentry {
            Some(dentry) if dentry.parent().address() == dentry.address() => return Clauses::MAX,
            Some(dentry) => dentry.name(),
            None => match file.path.own_name() {
                Some(name) => component_at(name),
                None => return Clauses::MAX,
            },
        };
        component.map_or(0, |component| self.look_up(&component)[0])
    }

    /// Whether the file is in a folder that a clause asks for.
    #[inline(always)]
    fn is_in_folders(&self, record: &mut Builder, task: Typed, file: OpenFile, live: Clauses) -> bool {
        let mut path = file.path;
        if let Some(mut dentry) = file.dentry {
            for _ in 0..MAX_STEPS {
                if dentry.address() == file.mount_root {
                    break;
                }
                let clauses = dentry.name().map_or(0, |component| self.look_up(&component)[1]);
                let parent = dentry.parent();
                if live & clauses != 0 || parent.address() == dentry.address() {
                    return true;
                }
                dentry = parent;
            }
            // Most files are in the mount at the root, and that is all of the path.
            if is_namespace_root(task, path.mnt) {
                return dentry.address() != file.mount_root;
            }
            path.dentry = dentry.address();
        }
        path::begin(record, path);
        for _ in 0..MAX_STEPS {
            match path::step(record) {
                Step::Mount => {}
                Step::Component { name, last } => {
                    let clauses = component_at(name).map_or(0, |component| self.look_up(&component)[1]);
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

/// Whether the root of a mount is the end of every path in it: it is the one at the root of the thread's namespace, or
/// lies right on that, as the root file system lies on the one that the kernel started with.
#[inline(always)]
fn is_namespace_root(task: Typed, mnt: u64) -> bool {
    if !(has(Field::TaskNsproxy) && has(Field::NsproxyMnt) && has(Field::MntNsRoot)) {
        return false;
    }
    let first = task.follow(Field::TaskNsproxy).follow(Field::NsproxyMnt).follow(Field::MntNsRoot);
    let mount = mnt.wrapping_sub(offset(Field::MountVfsmount) as u64);
    if mount == first.address() {
        return true;
    }
    let Some(place) = MountPlace::of(mount) else { return false };
    let first_root: u64 = first.load_at(offset(Field::MountVfsmount) + offset(Field::VfsmountRoot));
    place.parent == first.address() && place.mountpoint == first_root
}

/// Clauses of the folders that a path as given is in, by its letters. All, where it is relative or not written as the
/// rules compare it.
#[inline(always)]
fn by_given_folders(record: &Builder, given: Section) -> Clauses {
    let len = usize::from(given.len);
    let mut data = [0; PREFIX_BYTES];
    let absolute = len > 0 && record.byte(GIVEN) == b'/';
    if !absolute
        || len > MAX_GIVEN
        || is_unclean(record, len)
        || !record.copy_to(&mut data, GIVEN, PREFIX_BYTES)
    {
        return Clauses::MAX;
    }
    // Behind the path comes a NUL, which is in no prefix.
    PREFIXES.get(Key::new(PREFIX_BYTES as u32 * 8, data)).copied().unwrap_or(0)
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

/// The name at a kernel address. `None` where it is longer than a clause can ask for.
#[inline(always)]
fn component_at(address: u64) -> Option<Component> {
    let mut component: Component = [0; 4];
    // SAFETY: the destination has COMPONENT_BYTES; the helper checks the source.
    let read = unsafe {
        bpf_probe_read_kernel_str(component.as_mut_ptr().cast(), COMPONENT_BYTES as u32, address as *const _)
    };
    // A name that fills it to the last byte was cut, or is as long as one that was.
    (read > 0 && read < COMPONENT_BYTES as i64).then_some(component)
}
