//! `pmatch`: is a path one of these, or below one of them?

use super::glob::Glob;

/// Paths, each as its parts.
#[derive(Debug)]
pub(crate) struct PathSet(Box<[Box<[Part]>]>);

#[derive(Debug)]
enum Part {
    Name(Box<[u8]>),
    /// Matches within its part only.
    Glob(Glob),
}

impl PathSet {
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let part = |part: &[u8]| match part.iter().any(|byte| matches!(byte, b'?' | b'*' | b'[')) {
            true => Part::Glob(Glob::new(part, false)),
            false => Part::Name(part.into()),
        };
        Self(paths.into_iter().map(|path| parts(path).map(part).collect()).collect())
    }

    /// The parts of each path; `None` for those that are patterns.
    pub(crate) fn paths(&self) -> impl Iterator<Item = Vec<Option<&[u8]>>> {
        self.0.iter().map(|path| path.iter().map(Part::literal).collect())
    }

    /// Whether the parts of one of the paths are the first parts of this.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        self.0.iter().any(|path| {
            let mut of_text = parts(text);
            path.iter().all(|part| of_text.next().is_some_and(|text| part.matches(text)))
        })
    }
}

impl Part {
    fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Name(name) => Some(name),
            Self::Glob(_) => None,
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Name(name) => **name == *text,
            Self::Glob(glob) => glob.matches(text),
        }
    }
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_itself_and_what_is_below() {
        let set = PathSet::new(["/var/run", "/opt/*/subdir", "/lib/"].map(str::as_bytes));
        for (path, matches) in [
            ("/var/run", true),
            ("/var//run/x", true),
            ("/var/running", false),
            ("/var", false),
            ("/opt/dir/subdir/file", true),
            ("/opt/a/b/subdir", false),
            ("/lib/modules", true),
        ] {
            assert_eq!(set.matches(path.as_bytes()), matches, "{path}");
        }
        assert!(PathSet::new(["/".as_bytes()]).matches(b"/one/two"));
        assert!(!PathSet::new([]).matches(b"/one/two"));
    }
}
