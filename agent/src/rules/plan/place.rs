//! What a comparison of a path says of the names and folders that the kernel half looks at.
//!
//! A path as given and the path of the file are told apart for folders. The path as given is what the kernel half sees
//! of `fd.name`, which is the same without `.`, `..` and doubled slashes: where there are any, it lets the path through.

use holdfast_common::{COMPONENT_BYTES, Component};

use super::clause::{Choice, Folder};
use crate::rules::{
    compile::{Test, TextTest},
    condition::Modifier,
    fields::TOO_LONG,
};

/// The longest name that the kernel half compares: of the file's name it has to see the NUL and one byte more, or it
/// cannot tell it from one that was cut.
const MAX_NAME: usize = COMPONENT_BYTES - 2;

/// The fields of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The path as given, or what it stands for.
    Given,
    /// Its folder.
    Folder,
    /// Its last component.
    Name,
    /// The file that was opened.
    Real,
}

/// Where a file has to be for a comparison to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) names: Choice<Component>,
    pub(super) folders: Choice<Folder>,
}

impl Field {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "fd.name" | "fd.nameraw" | "evt.arg.name" => Some(Self::Given),
            "fd.directory" => Some(Self::Folder),
            "fd.filename" => Some(Self::Name),
            "fd.realpath" => Some(Self::Real),
            _ => None,
        }
    }

    /// What it says where a path is too long for the language, which the kernel half knows nothing of.
    fn too_long(self) -> &'static [u8] {
        let slash = TOO_LONG.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        match self {
            Self::Given => TOO_LONG,
            Self::Folder => &TOO_LONG[..slash],
            Self::Name => &TOO_LONG[slash + 1..],
            // The kernel's own path is carried as it is.
            Self::Real => b"",
        }
    }
}

impl Place {
    const ANY: Self = Self { names: Choice::Any, folders: Choice::Any };

    /// Where the comparison can hold.
    pub(super) fn of(field: Field, test: &Test) -> Self {
        match test {
            Test::Text(test) => Self::of_text(field, test),
            // All of them hold, so the first does.
            Test::Each(Modifier::AllOf, tests) => {
                tests.first().map_or(Self::ANY, |test| Self::of(field, test))
            }
            Test::Each(_, tests) => Self::one_of(tests.iter().map(|test| Self::of(field, test))),
            _ => Self::ANY,
        }
    }

    fn of_text(field: Field, test: &TextTest) -> Self {
        if field != Field::Real && test.holds(field.too_long()) {
            return Self::ANY;
        }
        let literal = |text: &[u8]| text.iter().copied().map(Some).collect::<Vec<_>>();
        match test {
            TextTest::Equals(text) => Self::of_pattern(field, &literal(text)),
            TextTest::OneOf(texts) => {
                Self::one_of(texts.iter().map(|text| Self::of_pattern(field, &literal(text))))
            }
            TextTest::StartsWith(text) => Self::of_pattern(field, &[literal(text), vec![None]].concat()),
            TextTest::EndsWith(text) => Self::of_pattern(field, &[vec![None], literal(text)].concat()),
            TextTest::Glob(glob) => Self::of_pattern(field, &glob.bytes().collect::<Vec<_>>()),
            TextTest::Below(paths) => Self::one_of(paths.paths().map(|parts| Self::below(field, &parts))),
            _ => Self::ANY,
        }
    }

    fn one_of(places: impl IntoIterator<Item = Self>) -> Self {
        places
            .into_iter()
            .reduce(|one, other| Self {
                names: one.names.union(&other.names),
                folders: one.folders.union(&other.folders),
            })
            .unwrap_or(Self::ANY)
    }

    /// The text is these bytes, with any text for each `None`.
    fn of_pattern(field: Field, pattern: &[Option<u8>]) -> Self {
        let parts: Vec<Option<Vec<u8>>> =
            pattern.split(|byte| *byte == Some(b'/')).map(|part| part.iter().copied().collect()).collect();
        let (last, before) = parts.split_last().expect("splitting gives at least one part");
        let beginning: Vec<u8> = pattern.iter().map_while(|byte| *byte).collect();
        let whole = beginning.len() == pattern.len();
        let name = || Choice::one(last.as_deref().and_then(component));
        match field {
            Field::Given => {
                // Of a whole path its folder, since the name is asked for anyway and many share a folder.
                let end =
                    if whole { beginning.len() - last.as_ref().map_or(0, Vec::len) } else { beginning.len() };
                Self { names: name(), folders: Choice::one(given(&beginning[..end])) }
            }
            Field::Folder => {
                // Unless it is the root, something follows.
                let slash: &[u8] = if whole && beginning.last() != Some(&b'/') { b"/" } else { b"" };
                Self { names: Choice::Any, folders: Choice::one(given(&[&beginning, slash].concat())) }
            }
            Field::Name if before.is_empty() => Self { names: name(), folders: Choice::Any },
            Field::Name => Self::ANY,
            // What is between two slashes is whole; what is before the first one may not be.
            Field::Real => {
                let folders = before.iter().skip(1).filter_map(|part| part.as_deref());
                Self { names: name(), folders: Choice::one(rarest(folders)) }
            }
        }
    }

    /// The first parts of the path are these, each `None` being any.
    fn below(field: Field, parts: &[Option<&[u8]>]) -> Self {
        let folder = match field {
            Field::Given | Field::Folder => {
                let literal: Vec<&[u8]> = parts.iter().map_while(|part| *part).collect();
                given(&[b"/", &*literal.join(&b'/')].concat())
            }
            Field::Real => rarest(parts.iter().filter_map(|part| *part)),
            Field::Name => None,
        };
        Self { names: Choice::Any, folders: Choice::one(folder) }
    }
}

/// A path as given begins so. What is relative tells the kernel half nothing, and everything is below the root.
fn given(beginning: &[u8]) -> Option<Folder> {
    (beginning.len() > 1 && beginning[0] == b'/').then(|| Folder::Given(beginning.into()))
}

/// Folders of every system: a path is seldom about these.
const COMMON: &[&[u8]] = &[
    b"bin", b"dev", b"etc", b"home", b"lib", b"lib64", b"opt", b"proc", b"root", b"run", b"sbin", b"srv",
    b"sys", b"tmp", b"usr", b"var",
];

/// Of folders that are all on the way, the one to ask for: the last that is not one of every system.
fn rarest<'a>(names: impl Iterator<Item = &'a [u8]>) -> Option<Folder> {
    let comparable = names.filter(|name| component(name).is_some());
    comparable.max_by_key(|name| !COMMON.contains(name)).and_then(component).map(Folder::Real)
}

/// The name as the kernel half looks it up. `None` for what it cannot look up.
pub(super) fn component(name: &[u8]) -> Option<Component> {
    if name.len() > MAX_NAME || matches!(name, b"" | b"." | b"..") {
        return None;
    }
    let mut bytes = [0; COMPONENT_BYTES];
    bytes[..name.len()].copy_from_slice(name);
    let (words, _) = bytes.as_chunks::<8>();
    Some(std::array::from_fn(|word| u64::from_ne_bytes(words[word])))
}
