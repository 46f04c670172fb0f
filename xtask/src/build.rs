//! `cargo xtask build`: the agent as one file.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{setup, step, tree};

/// What `build` is told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Optimised and stripped, as it is shipped
    #[arg(long)]
    release: bool,
}

/// `cargo xtask build`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let agent = agent(args.release)?;
    let bytes = fs::metadata(&agent).context("the build left no binary")?.len();
    step::done("built", &format!("{} ({:.1} MiB)", tree::shown(&agent), bytes as f64 / f64::from(1 << 20)));
    Ok(ExitCode::SUCCESS)
}

/// Builds the agent and returns the path of its binary.
pub(crate) fn agent(release: bool) -> Result<PathBuf> {
    setup::toolchain()?;
    with_toolchain(release)
}

/// The same, given a toolchain.
pub(crate) fn with_toolchain(release: bool) -> Result<PathBuf> {
    step::command(&mut command(release))?;
    Ok(tree::agent(release))
}

fn command(release: bool) -> Command {
    let mut command = tree::cargo();
    command.args(["build", "--package", "holdfast"]);
    if release {
        command.arg("--release");
    }
    command
}
