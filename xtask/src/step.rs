//! How a command shows what it does: a line when a step starts, and how long it took.
//!
//! All of it goes to standard error, so that standard output stays what the command is asked for.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal as _},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

#[derive(Clone, Copy)]
enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// Says that a step is done that was not worth announcing.
pub(crate) fn done(verb: &str, what: &str) {
    line(Colour::Green, verb, what);
}

/// Says something that a person should know and that stops nothing.
pub(crate) fn warn(what: &str) {
    line(Colour::Yellow, "note", what);
}

/// Says why the command fails.
pub(crate) fn error(what: &str) {
    line(Colour::Red, "error", what);
}

/// Runs a command to its end; its output goes where ours goes.
pub(crate) fn command(command: &mut Command) -> Result<()> {
    let text = words(command);
    done("run", &text);
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot run `{text}`"))?;
    if !status.success() {
        bail!("`{text}` failed ({status}) after {}", seconds(start.elapsed()));
    }
    done("done", &format!("in {}", seconds(start.elapsed())));
    Ok(())
}

/// Runs a quick command and returns what it prints, or `None` when it is not there or fails.
pub(crate) fn output(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as one would type it, with the environment it is given.
pub(crate) fn words(command: &Command) -> String {
    let environment = command.get_envs().filter_map(|(key, value)| {
        // The compiler's path is the same in every line and tells nobody anything.
        let value = value.filter(|_| key != "RUSTC")?;
        Some(format!("{}={}", key.to_string_lossy(), quoted(value)))
    });
    let program = command.get_program();
    let program = if program == super::tree::cargo_path() { OsStr::new("cargo") } else { program };
    let arguments = std::iter::once(program).chain(command.get_args()).map(quoted);
    environment.chain(arguments).collect::<Vec<_>>().join(" ")
}

/// A duration for people.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.contains([' ', '"', '$', '*']) || word.is_empty() {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}

fn line(colour: Colour, verb: &str, what: &str) {
    /// Wide enough for the longest verb, so that what follows lines up.
    const WIDTH: usize = 9;
    if coloured() {
        eprintln!("\x1b[1;{}m{verb:>WIDTH$}\x1b[0m {what}", colour as u8);
    } else {
        eprintln!("{verb:>WIDTH$} {what}");
    }
}

fn coloured() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
