//! `cargo xtask test`: everything that can be tested here, and an account of what cannot.
//!
//! What cargo prints passes through as it is. After it come what did not run, by name and reason, and the sum.

mod account;

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result};

use self::account::Account;
use crate::{build, setup, step, tree};

/// A test that finds at run time that it cannot run here appends a line `name: reason` to the file that this
/// variable names, and returns.
const SKIPPED: &str = "HOLDFAST_SKIPPED";
/// The package whose tests load BPF programs.
const KERNEL_TIER: &str = "holdfast-tests";

/// What `test` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask test\n  \
    cargo xtask test -- journal          only tests with `journal` in their name\n  \
    cargo xtask test --unprivileged      leaves out what loads BPF programs; says so")]
pub(crate) struct Args {
    /// Leaves out the tests that load BPF programs, which take root
    #[arg(long)]
    unprivileged: bool,
    /// Arguments of the test programs, after `--`
    #[arg(last = true)]
    tests: Vec<String>,
}

/// `cargo xtask test`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::toolchain()?;
    all(args.unprivileged, &args.tests, &[])
}

/// Tests, given a toolchain. Checks that failed before the tests are named once more at the end.
pub(crate) fn all(unprivileged: bool, tests: &[String], failed_checks: &[&str]) -> Result<ExitCode> {
    let mut kernel = kernel_tier(unprivileged);
    // `cargo test` builds no program for a package whose tests do not ask for it, and the kernel tier runs the agent's.
    let built = build::with_toolchain(false);
    if let Err(error) = &built {
        step::error(&format!("{error:#}"));
        // An old binary may be there: it is not what is to be tested.
        if matches!(kernel, Kernel::Runs) {
            kernel = Kernel::Missing("the agent could not be built");
        }
    }
    let skips = tree::target().join("skipped-tests.txt");
    fs::write(&skips, "").with_context(|| format!("cannot write `{}`", skips.display()))?;
    let start = Instant::now();
    let mut account = Account::default();
    let cargo_was_content = cargo_test(&kernel, tests, &skips, &mut account)?;
    for line in fs::read_to_string(&skips).unwrap_or_default().lines() {
        account.skip(line);
    }
    if let Kernel::LeftOut(why) | Kernel::Missing(why) = &kernel {
        account.skip(&format!("{KERNEL_TIER} (all that loads BPF programs): {why}"));
    }
    let broken = !cargo_was_content && account.failed.is_empty();
    if broken {
        step::error("cargo failed before every test had run; it has said why above");
    }
    let failed =
        built.is_err() || broken || !account.failed.is_empty() || matches!(kernel, Kernel::Missing(_));
    let mut out = io::stdout().lock();
    writeln!(out)?;
    if !failed_checks.is_empty() {
        writeln!(out, "Checks that failed before the tests: {}.", failed_checks.join(", "))?;
    }
    writeln!(out, "{}", account.summary(start.elapsed()))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

enum Kernel {
    Runs,
    /// Asked for.
    LeftOut(&'static str),
    /// Not asked for, so the run fails.
    Missing(&'static str),
}

fn kernel_tier(unprivileged: bool) -> Kernel {
    let runner = env::vars_os().any(|(key, _)| {
        let key = key.to_string_lossy();
        key.starts_with("CARGO_TARGET_") && key.ends_with("_RUNNER")
    });
    match (unprivileged, tree::is_root() || runner) {
        (true, _) => Kernel::LeftOut("--unprivileged was given"),
        (false, true) => Kernel::Runs,
        (false, false) => Kernel::Missing(
            "it takes root. Run `cargo xtask test` as root; or let only the test programs be root, with \
             CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='sudo -E'; or leave these tests out with --unprivileged",
        ),
    }
}

fn cargo_test(kernel: &Kernel, tests: &[String], skips: &Path, account: &mut Account) -> Result<bool> {
    let mut command = tree::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    if !matches!(kernel, Kernel::Runs) {
        command.args(["--exclude", KERNEL_TIER]);
    }
    if !tests.is_empty() {
        command.arg("--").args(tests);
    }
    step::done("run", &step::words(&command));
    command.env(SKIPPED, skips);
    pass_through(&mut command, account)
}

/// Runs a command, repeats its standard output line by line and lets the account read it.
fn pass_through(command: &mut Command, account: &mut Account) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let stdout = child.stdout.take().context("standard output is a pipe")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("cannot read what cargo prints")?;
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        out.flush()?;
        account.read(&String::from_utf8_lossy(&line));
    }
    Ok(child.wait().context("cannot wait for cargo")?.success())
}
