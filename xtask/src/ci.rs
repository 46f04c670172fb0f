//! `cargo xtask ci`: what has to hold before a change is merged. `.ci/run` calls this.

use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context as _, Result};

use crate::{setup, step, test, tree};

/// The `cargo-deny` that `deny.toml` is written for. Pinned: a new one may read the file differently.
const DENY: &str = "0.20.2";

/// `cargo xtask ci`. Every check runs, so that one run tells all; the tests come last, as their closing lines are read
/// by machines.
pub(crate) fn run() -> Result<ExitCode> {
    let start = Instant::now();
    setup::toolchain()?;
    let mut failed = Vec::new();
    for (name, outcome) in [("format", format()), ("lints", lints()), ("licences", deny())] {
        if let Err(error) = outcome {
            step::error(&format!("{name}: {error:#}"));
            failed.push(name);
        }
    }
    step::done("checks", &format!("took {}", step::seconds(start.elapsed())));
    let tests = test::all(false, &[], &failed)?;
    Ok(if failed.is_empty() { tests } else { ExitCode::FAILURE })
}

fn format() -> Result<()> {
    component("fmt", "rustfmt")?;
    step::command(tree::cargo().args(["fmt", "--all", "--", "--check"])).context("`cargo fmt` mends it")
}

fn lints() -> Result<()> {
    component("clippy", "clippy")?;
    let arguments = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    step::command(tree::cargo().args(arguments))
}

/// rustup's minimal profile leaves these out.
fn component(subcommand: &str, component: &str) -> Result<()> {
    if step::output(tree::cargo_path(), &[subcommand, "--version"]).is_some() {
        return Ok(());
    }
    step::command(Command::new("rustup").args(["component", "add", component]))
}

/// Licences, bans and sources need no network. The advisories are a git repository, which not every machine reaches.
fn deny() -> Result<()> {
    let deny = cargo_deny()?;
    // The tree is read with every target's crates; a build fetches only this one's.
    step::command(tree::cargo().args(["fetch", "--locked", "--quiet"]))?;
    let check =
        |arguments: &[&str]| step::command(tree::cargo_environment(&mut Command::new(&deny)).args(arguments));
    check(&["--workspace", "--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])?;
    if step::output("git", &["ls-remote", "--quiet", "--exit-code", ADVISORIES, "HEAD"]).is_none() {
        step::warn(&format!("advisories not checked: {ADVISORIES} cannot be reached from here"));
        return Ok(());
    }
    check(&["--workspace", "check", "advisories"])
}

/// Where cargo-deny fetches the advisories from.
const ADVISORIES: &str = "https://github.com/rustsec/advisory-db";

/// `cargo-deny` from `PATH`, or our own copy, which the target folder keeps.
fn cargo_deny() -> Result<PathBuf> {
    let own = tree::target().join("tools");
    let known = [own.join("bin/cargo-deny"), cargo_home().join("bin/cargo-deny")];
    let known = known.into_iter().chain(tree::which("cargo-deny"));
    let wanted = format!("cargo-deny {DENY}");
    for path in known {
        if step::output(&path, &["--version"]).is_some_and(|version| version == wanted) {
            return Ok(path);
        }
    }
    // A profile made for a short build: the checks themselves take a second.
    let mut install = tree::cargo();
    install.args([
        "install",
        "--quiet",
        "--locked",
        "cargo-deny",
        "--version",
        DENY,
        "--profile",
        "dev",
        "--root",
    ]);
    step::command(install.arg(&own)).context("cannot install cargo-deny")?;
    Ok(own.join("bin/cargo-deny"))
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}
