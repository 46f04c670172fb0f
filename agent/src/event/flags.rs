//! The flags of the open family, from the kernel's numbers to the names of the Falco language.

/// `O_*` of `include/uapi/asm-generic/fcntl.h`, which x86-64 follows; arm64 differs in `O_DIRECTORY`, `O_NOFOLLOW`,
/// `O_DIRECT` and `O_LARGEFILE`.
#[allow(missing_docs, reason = "the names say it; they are those of open(2)")]
pub(crate) mod open_flags {
    pub(crate) const O_ACCMODE: u64 = 0o3;
    pub(crate) const O_WRONLY: u64 = 0o1;
    pub(crate) const O_RDWR: u64 = 0o2;
    pub(crate) const O_CREAT: u64 = 0o100;
    pub(crate) const O_EXCL: u64 = 0o200;
    pub(crate) const O_TRUNC: u64 = 0o1000;
    pub(crate) const O_APPEND: u64 = 0o2000;
    pub(crate) const O_NONBLOCK: u64 = 0o4000;
    pub(crate) const O_DSYNC: u64 = 0o10000;
    pub(crate) const O_DIRECT: u64 = 0o40000;
    pub(crate) const O_LARGEFILE: u64 = 0o100_000;
    pub(crate) const O_DIRECTORY: u64 = 0o200_000;
    pub(crate) const O_CLOEXEC: u64 = 0o2_000_000;
    /// `O_SYNC` less the `O_DSYNC` that it contains.
    pub(crate) const O_SYNC_ONLY: u64 = 0o4_000_000;
    pub(crate) const O_PATH: u64 = 0o10_000_000;
    /// `O_TMPFILE` less the `O_DIRECTORY` that it contains.
    pub(crate) const O_TMPFILE_ONLY: u64 = 0o20_000_000;
}

use open_flags::*;

/// What an open asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFlags(pub u64);

impl OpenFlags {
    /// It asks to read. `O_PATH` asks for neither reading nor writing.
    #[must_use]
    pub const fn reads(self) -> bool {
        self.0 & O_PATH == 0 && matches!(self.0 & O_ACCMODE, 0 | O_RDWR)
    }

    /// It asks to write.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.0 & O_PATH == 0 && matches!(self.0 & O_ACCMODE, O_WRONLY | O_RDWR)
    }

    /// It may make a file.
    #[must_use]
    pub const fn creates(self) -> bool {
        self.0 & (O_CREAT | O_TMPFILE_ONLY) != 0
    }

    /// It asks for a folder.
    #[must_use]
    pub const fn wants_folder(self) -> bool {
        self.0 & (O_DIRECTORY | O_TMPFILE_ONLY) == O_DIRECTORY
    }

    /// The names of what is asked, in the order of the Falco language.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let access = match self.0 & O_ACCMODE {
            _ if self.0 & O_PATH != 0 => None,
            0 => Some("O_RDONLY"),
            O_WRONLY => Some("O_WRONLY"),
            O_RDWR => Some("O_RDWR"),
            _ => None,
        };
        let named = move |table: &'static [(u64, &'static str)]| {
            table.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
        };
        named(BEFORE_ACCESS).chain(access).chain(named(AFTER_ACCESS))
    }

    const fn has(self, flag: u64) -> bool {
        match flag {
            // Each contains another, which then is not named by itself.
            O_DIRECTORY => self.wants_folder(),
            O_DSYNC => self.0 & (O_DSYNC | O_SYNC_ONLY) == O_DSYNC,
            flag => self.0 & flag == flag,
        }
    }
}

const BEFORE_ACCESS: &[(u64, &str)] = &[
    (O_LARGEFILE, "O_LARGEFILE"),
    (O_DIRECTORY, "O_DIRECTORY"),
    (O_DIRECT, "O_DIRECT"),
    (O_TRUNC, "O_TRUNC"),
    (O_SYNC_ONLY, "O_SYNC"),
    (O_NONBLOCK, "O_NONBLOCK"),
    (O_EXCL, "O_EXCL"),
    (O_DSYNC, "O_DSYNC"),
    (O_APPEND, "O_APPEND"),
    (O_CREAT, "O_CREAT"),
];

const AFTER_ACCESS: &[(u64, &str)] = &[(O_CLOEXEC, "O_CLOEXEC"), (O_TMPFILE_ONLY, "O_TMPFILE")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_the_names_and_the_order_of_the_language() {
        for (flags, names) in [
            (0, "O_RDONLY"),
            (O_CLOEXEC, "O_RDONLY|O_CLOEXEC"),
            (O_WRONLY | O_CREAT | O_TRUNC, "O_TRUNC|O_CREAT|O_WRONLY"),
            (O_RDWR | O_APPEND, "O_APPEND|O_RDWR"),
            (O_DIRECTORY | O_NONBLOCK, "O_DIRECTORY|O_NONBLOCK|O_RDONLY"),
            (O_TMPFILE_ONLY | O_DIRECTORY | O_RDWR, "O_RDWR|O_TMPFILE"),
            (O_SYNC_ONLY | O_DSYNC | O_WRONLY, "O_SYNC|O_WRONLY"),
            (O_PATH, ""),
        ] {
            assert_eq!(OpenFlags(flags).names().collect::<Vec<_>>().join("|"), names, "{flags:o}");
        }
    }

    #[test]
    fn what_an_open_asks_for_is_told_by_its_access_mode() {
        for (flags, reads, writes) in [
            (0, true, false),
            (O_WRONLY, false, true),
            (O_RDWR, true, true),
            (O_PATH | O_RDWR, false, false),
            (O_ACCMODE, false, false),
        ] {
            assert_eq!((OpenFlags(flags).reads(), OpenFlags(flags).writes()), (reads, writes), "{flags:o}");
        }
    }
}
