//! `cargo xtask run`: the agent of this tree on this machine, with folders of its own.

use std::{
    ffi::OsString,
    fs,
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

use crate::{build, step, tree};

/// What `run` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask run\n  \
    cargo xtask run --release -- --rules my-rules.yaml --stdout json\n\n\
    The alert log is target/run/log/alerts.jsonl unless --log-dir is given.")]
pub(crate) struct Args {
    /// Runs the optimised build
    #[arg(long)]
    release: bool,
    /// Arguments of `holdfast run`, after `--`
    #[arg(last = true)]
    agent: Vec<OsString>,
}

/// `cargo xtask run`. Does not return when all is well: the agent takes this process's place, so signals reach it and
/// its exit status is ours.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let agent = build::agent(args.release)?;
    let mut command = if tree::is_root() {
        Command::new(&agent)
    } else if let Some(sudo) = tree::which("sudo") {
        let mut command = Command::new(sudo);
        command.arg("--").arg(&agent);
        command
    } else {
        bail!(
            "loading BPF programs takes root, and there is no sudo here. As root:\n    {} run",
            agent.display()
        );
    };
    command.arg("run").args(&args.agent);
    let folder = tree::target().join("run");
    for (flag, name) in [("--state-dir", "state"), ("--log-dir", "log")] {
        if !given(&args.agent, flag) {
            let path = folder.join(name);
            fs::create_dir_all(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
            command.arg(flag).arg(path);
        }
    }
    if !given(&args.agent, "--stdout") && io::stdout().is_terminal() {
        command.args(["--stdout", "text"]);
    }
    step::done("run", &step::words(&command));
    Err(command.exec()).context("cannot run the agent")
}

/// Whether a flag is among arguments, as `--flag value` or `--flag=value`.
fn given(arguments: &[OsString], flag: &str) -> bool {
    arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::given;

    #[test]
    fn a_flag_is_seen_in_both_spellings_and_not_in_a_longer_name() {
        let arguments = |text: &str| text.split(' ').map(Into::into).collect::<Vec<_>>();
        assert!(given(&arguments("--log-dir /x"), "--log-dir"));
        assert!(given(&arguments("--log-dir=/x"), "--log-dir"));
        assert!(!given(&arguments("--log-dirs=/x"), "--log-dir"));
    }
}
