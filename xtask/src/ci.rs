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

/// `cargo-deny` of the version we want, wherever it is; else of any version in `PATH`; else our own copy, which the
/// target folder keeps.
fn cargo_deny() -> Result<PathBuf> {
    let own = tree::target().join("tools");
    let installed = tree::which("cargo-deny").into_iter().chain([cargo_home().join("bin/cargo-deny")]);
    let found: Vec<(PathBuf, String)> = installed
        .chain([own.join("bin/cargo-deny")])
        .filter_map(|path| step::output(&path, &["--version"]).map(|version| (path, version)))
        .collect();
    let wanted = format!("cargo-deny {DENY}");
    if let Some((path, _)) = found.iter().find(|(_, version)| *version == wanted) {
        return Ok(path.clone());
    }
    if let Some((path, version)) = found.into_iter().find(|(path, _)| !path.starts_with(&own)) {
        step::warn(&format!("{version} checks what is written for {wanted}"));
        return Ok(path);
    }
    step::done("install", &format!("{wanted} to {}, once: it takes minutes to build", tree::shown(&own)));
    // A profile made for a short build: the checks themselves take a second. Cargo tells each crate, as progress.
    let mut install = tree::cargo();
    install.args(["install", "--locked", "cargo-deny", "--version", DENY, "--profile", "dev", "--root"]);
    step::command(install.arg(&own)).context("cannot install cargo-deny")?;
    Ok(own.join("bin/cargo-deny"))
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}
