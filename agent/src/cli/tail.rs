//! `holdfast tail`: the alert log for people.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::{
    alert::{Text, takes_colour},
    journal::{Follower, LOG_NAME},
    rules::Priority,
};

/// Shows the last alerts of this node, and the next ones as they come.
///
/// Reads the log on disk: it needs no running agent and no network.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  holdfast tail                           the last ten alerts
  holdfast tail -f --priority error       what is serious, as it happens
  holdfast tail -n 100 --rule '*shadow*'  the last hundred of some rules
  holdfast tail --pod kube-system/etcd    those of one pod
  holdfast tail --json -n 1000 | jq .output_fields")]
pub(super) struct TailArgs {
    /// How many alerts to show; counts those that the filters let through
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub lines: usize,
    /// Go on and show new alerts as they come
    #[arg(short, long)]
    pub follow: bool,
    /// Print the lines of the log as they are: one JSON object each
    #[arg(long)]
    pub json: bool,
    /// Only rules with this in their name, in any case; `*` stands for any text, and then the whole name counts
    #[arg(long, value_name = "R")]
    pub rule: Option<String>,
    /// Only alerts of this priority or a more severe one
    #[arg(long, value_name = "P")]
    pub priority: Option<Priority>,
    /// Only alerts of this pod: its name, or its namespace and name as NS/NAME; `*` stands for any text
    #[arg(long, value_name = "P")]
    pub pod: Option<String>,
    /// The folder of the log
    #[arg(long, value_name = "D", default_value = "/var/log/holdfast")]
    pub log_dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
///
/// Where the log is not there or cannot be read.
pub(super) fn run(args: TailArgs) -> anyhow::Result<ExitCode> {
    let stdout = io::stdout();
    let colour = takes_colour(&stdout);
    match show(&args, colour, &mut stdout.lock()) {
        // The reader has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn show(args: &TailArgs, colour: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let log = args.log_dir.join(LOG_NAME);
    if let Err(error) = std::fs::metadata(&log) {
        match error.kind() {
            io::ErrorKind::NotFound if args.follow => {
                eprintln!("`{}` is not there yet; waiting for it", log.display());
            }
            // A log that was just set aside: the older segments have what is asked for.
            io::ErrorKind::NotFound
                if std::fs::read_dir(&args.log_dir).is_ok_and(|mut dir| dir.next().is_some()) => {}
            io::ErrorKind::NotFound => bail!(
                "`{}` is not there: has the agent run on this node? Name the folder with --log-dir, or wait for it with -f",
                log.display()
            ),
            _ => {
                return Err(error)
                    .with_context(|| format!("cannot look at `{}`; are you root?", log.display()));
            }
        }
    }
    let read = || format!("cannot read the log in `{}`; are you root?", args.log_dir.display());
    let filter = Filter::new(args);
    let (mut follower, lines) =
        Follower::start(&args.log_dir, args.lines, |line| filter.takes(line)).with_context(read)?;
    for line in &lines {
        print(args, colour, line, out)?;
    }
    out.flush()?;
    if !args.follow {
        return Ok(());
    }
    loop {
        let lines = follower.read().with_context(read)?;
        for line in lines.iter().filter(|line| filter.takes(line)) {
            print(args, colour, line, out)?;
        }
        out.flush()?;
        if lines.is_empty() {
            thread::sleep(Follower::LOOK_EVERY);
        }
    }
}

/// What is read of a line.
#[derive(Debug, Deserialize)]
struct Line {
    output: String,
    #[serde(default)]
    output_fields: serde_json::Map<String, serde_json::Value>,
    priority: Priority,
    rule: String,
    time: jiff::Timestamp,
}

impl Line {
    /// The output without the time and priority that Falco's form begins with.
    fn message(&self) -> &str {
        let message =
            self.output.split_once(": ").and_then(|(_, rest)| rest.strip_prefix(self.priority.name()));
        message.and_then(|message| message.strip_prefix(' ')).unwrap_or(&self.output)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.output_fields.get(name)?.as_str()
    }
}

fn print(args: &TailArgs, colour: bool, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    if args.json {
        out.write_all(bytes)?;
        return out.write_all(b"\n");
    }
    // The filter has let nothing else through.
    let Ok(line) = serde_json::from_slice::<Line>(bytes) else { return Ok(()) };
    let text = Text {
        time_unix_ns: u64::try_from(line.time.as_nanosecond()).unwrap_or(0),
        priority: line.priority,
        rule: &line.rule,
        message: line.message().as_bytes(),
    };
    writeln!(out, "{}", text.render(colour))
}

/// Which lines are shown.
struct Filter {
    rule: Option<String>,
    priority: Option<Priority>,
    pod: Option<String>,
}

impl Filter {
    fn new(args: &TailArgs) -> Self {
        let lower = |text: &String| text.to_lowercase();
        Self { rule: args.rule.as_ref().map(lower), priority: args.priority, pod: args.pod.clone() }
    }

    /// Damaged lines are never shown: there is nothing to be read in them, and a terminal or `jq` would choke.
    fn takes(&self, bytes: &[u8]) -> bool {
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else { return false };
        self.takes_rule(&line.rule) && self.takes_priority(line.priority) && self.takes_pod(&line)
    }

    fn takes_rule(&self, rule: &str) -> bool {
        let Some(wanted) = &self.rule else { return true };
        let rule = rule.to_lowercase();
        if wanted.contains('*') { wildcard(wanted, &rule) } else { rule.contains(wanted) }
    }

    fn takes_priority(&self, priority: Priority) -> bool {
        self.priority.is_none_or(|least| priority <= least)
    }

    fn takes_pod(&self, line: &Line) -> bool {
        let Some(wanted) = &self.pod else { return true };
        let Some(name) = line.field("k8s.pod.name") else { return false };
        match wanted.split_once('/') {
            Some((wanted_namespace, wanted_name)) => {
                wildcard(wanted_name, name)
                    && line
                        .field("k8s.ns.name")
                        .is_some_and(|namespace| wildcard(wanted_namespace, namespace))
            }
            None => wildcard(wanted, name),
        }
    }
}

/// Whether the text is as the pattern says, in which `*` stands for any text.
fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The first place each piece fits leaves the most room for those after it.
    for piece in middle.split('*') {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{
        alert::{Alert, Encoder, FieldValue},
        journal::{Config, Journal, Lock},
    };

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: TailArgs,
    }

    fn alert(rule: &str, priority: Priority, pod: Option<(&str, &str)>) -> Alert {
        let text = |text: &str| FieldValue::Text(text.as_bytes().to_vec());
        Alert {
            time_unix_ns: 1_779_790_272_123_456_789,
            rule: rule.into(),
            priority,
            source: "syscall",
            tags: [].into(),
            message: b"x: \x1b[31m".to_vec(),
            fields: vec![
                ("k8s.ns.name".into(), pod.map_or(FieldValue::Absent, |(namespace, _)| text(namespace))),
                ("k8s.pod.name".into(), pod.map_or(FieldValue::Absent, |(_, name)| text(name))),
            ],
        }
    }

    /// Four alerts, shown by `holdfast tail` with those arguments.
    fn tail(arguments: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            log_dir: dir.path().join("log"),
            state_dir: dir.path().join("state"),
            ..Config::default()
        };
        let lock = Lock::try_acquire(&config.state_dir).unwrap();
        let (mut journal, _) = Journal::open(&config, lock).unwrap();
        for alert in [
            alert("Read sensitive file", Priority::Warning, None),
            alert("Shell in container", Priority::Notice, Some(("shop", "web-1"))),
            alert("Write below manifests", Priority::Critical, Some(("kube-system", "web-2"))),
            alert("Read SSH key", Priority::Error, None),
        ] {
            journal.append(false, |stamp| Encoder::new("n", "n").encode(&alert, stamp.epoch, stamp.seq));
        }
        journal.close().unwrap();
        let mut args = vec!["tail", "--log-dir", config.log_dir.to_str().unwrap()];
        args.extend_from_slice(arguments);
        let mut out = Vec::new();
        show(&Command::parse_from(args).args, false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The names of the rules shown.
    fn rules(arguments: &[&str]) -> Vec<String> {
        let rule = |line: &str| line[39..line.find(": ").unwrap()].to_owned();
        tail(arguments).lines().map(rule).collect()
    }

    #[test]
    fn alerts_are_shown_as_text_that_cannot_reach_the_terminal() {
        assert_eq!(
            tail(&["-n", "1"]),
            "2026-05-26T10:11:12.123Z Error         Read SSH key: x: \\u001b[31m\n"
        );
    }

    #[test]
    fn rules_are_found_by_a_part_of_their_name_or_a_pattern() {
        assert_eq!(rules(&["--rule", "READ"]), ["Read sensitive file", "Read SSH key"]);
        assert_eq!(rules(&["--rule", "read*key"]), ["Read SSH key"]);
        assert!(rules(&["--rule", "*shell"]).is_empty());
    }

    #[test]
    fn a_priority_takes_what_is_more_severe_too() {
        assert_eq!(rules(&["--priority", "error"]), ["Write below manifests", "Read SSH key"]);
    }

    #[test]
    fn pods_are_found_by_name_with_or_without_their_namespace() {
        assert_eq!(rules(&["--pod", "web-1"]), ["Shell in container"]);
        assert_eq!(rules(&["--pod", "kube-system/web-*"]), ["Write below manifests"]);
        assert!(rules(&["--pod", "shop/web-2"]).is_empty());
    }

    #[test]
    fn lines_are_counted_after_filtering() {
        assert_eq!(rules(&["-n", "1", "--rule", "read*file"]), ["Read sensitive file"]);
    }

    #[test]
    fn json_is_the_line_of_the_log() {
        let out = tail(&["--json", "-n", "2"]);
        assert!(out.lines().all(|line| crate::journal::check(line.as_bytes()).is_some()), "{out}");
        assert_eq!(out.lines().count(), 2);
    }

    #[test]
    fn a_log_that_is_not_there_is_an_error_with_its_remedy() {
        let args = Command::parse_from(["tail", "--log-dir", "/nonexistent"]).args;
        let error = show(&args, false, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("`/nonexistent/alerts.jsonl` is not there") && error.contains("--log-dir"));
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a**c", "ac", true),
            ("a*a", "a", false),
            ("*b*", "ac", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
    }
}
