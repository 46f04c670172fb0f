//! `holdfast run`: the agent.

use std::process::ExitCode;

use anyhow::Result;

use super::log;
use crate::{
    app,
    config::{Config, Overrides},
};

/// What `run` is told.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  holdfast run                                  the rules in the binary, the log in /var/log/holdfast
  holdfast run --rules my.yaml --stdout json    your rules, alerts on standard output as JSON too
  HOLDFAST_LOG=debug holdfast run               more of the agent's own log (on standard error)

Ends on SIGTERM and SIGINT, when what was seen until then is in the log. A second instance on the same state folder
waits as standby and takes over.")]
pub(super) struct RunArgs {
    #[command(flatten)]
    overrides: Overrides,
}

pub(super) fn run(args: RunArgs) -> Result<ExitCode> {
    log::init();
    let config = Config::load(args.overrides)?;
    app::run(config)?;
    Ok(ExitCode::SUCCESS)
}
