//! One deed by one process: what the agent is to see.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// A program that does one thing, under a name of the test's choice.
#[derive(Clone, Debug)]
pub struct Deed {
    program: PathBuf,
}

impl Deed {
    /// A copy of the deed program in that folder, under that name.
    ///
    /// # Errors
    ///
    /// Where it cannot be copied.
    pub fn named(folder: &Path, name: &str) -> Result<Self> {
        let test = std::env::current_exe()?;
        let profile = test.parent().and_then(Path::parent).context("the test lies in a target folder")?;
        let program = folder.join(name);
        fs::copy(profile.join("deed"), &program).context(
            "the program `deed` is built with the tests: run them with `cargo test -p holdfast-tests`",
        )?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(Self { program })
    }

    /// Does it; tells the process id it was done under.
    ///
    /// # Errors
    ///
    /// Where it fails.
    pub fn done(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<u32> {
        let mut child = Command::new(&self.program).args(arguments).spawn()?;
        let pid = child.id();
        let status = child.wait()?;
        ensure!(status.success(), "the deed ended with {status}");
        Ok(pid)
    }

    /// Where the program lies.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }
}
