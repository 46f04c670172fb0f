//! Set-up, build, run, test, bench, image and ci of Holdfast: `cargo xtask <command>`, one file a command.
//!
//! Each command does the set-up it needs and is quick when there is nothing to do.

mod bench;
mod build;
mod ci;
mod debian;
mod image;
mod run;
mod setup;
mod step;
mod test;
mod tree;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Everything one does with the source tree.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Examples:\n  \
        cargo xtask run                          build the agent and watch this machine\n  \
        cargo xtask run -- --rules my.yaml       the same, with arguments for `holdfast run`\n  \
        cargo xtask build --release              leaves target/release/holdfast\n  \
        cargo xtask test                         all that can be tested on this machine\n  \
        cargo xtask bench --quick                what the agent costs here, roughly, in a minute"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds the toolchain of the kernel half; installs it on Debian when run as root
    Setup,
    /// Builds the agent, kernel half included, as one file
    Build(build::Args),
    /// Builds the agent and runs it here, as root, with its folders below target/run
    Run(run::Args),
    /// Builds and tests everything; says what ran, what did not, and why
    Test(test::Args),
    /// Measures what the agent costs, beside an empty program and beside nothing
    Bench(bench::Args),
    /// Makes an image of one static file, with no registry
    Image(image::Args),
    /// What has to hold before a change is merged: format, lints, licences, tests
    Ci,
    /// A workload of the benchmark, in a process of its own
    #[command(hide = true)]
    Workload(bench::WorkloadArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup => setup::run(),
        Command::Build(args) => build::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Image(args) => image::run(&args),
        Command::Ci => ci::run(),
        Command::Workload(args) => bench::workload(&args),
    };
    exit_code(result)
}

/// An error is printed once, with its causes; a command that has told its failure itself returns a code instead.
fn exit_code(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        step::error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
