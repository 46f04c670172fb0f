//! The command line: one file a command.

mod check;
mod log;
mod run;
mod tail;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A node-level syscall security agent that keeps watching when the control plane is gone
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch this node, write alerts to the log, until told to stop
    Run(run::RunArgs),
    /// Read the alert log
    Tail(tail::TailArgs),
    /// Load rules and say what is wrong with them
    Check(check::CheckArgs),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Tail(args) => tail::run(args),
        Command::Check(args) => check::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("holdfast: {error:#}");
        ExitCode::FAILURE
    })
}
