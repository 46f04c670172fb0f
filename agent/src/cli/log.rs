//! The agent's own log: lines for people on a terminal, JSON elsewhere, always on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::alert::takes_colour;

/// The variable that says what is logged, in the language of `tracing_subscriber::EnvFilter`.
const VARIABLE: &str = "HOLDFAST_LOG";

/// Starts logging. Once a process.
pub(super) fn init() {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if io::stderr().is_terminal() {
        builder.with_target(false).with_ansi(takes_colour(&io::stderr())).init();
    } else {
        builder.json().init();
    }
}
