//! `cargo xtask bench`: what the agent costs, beside an empty program and beside nothing, in one run on one machine.

mod agent;
mod counters;
mod empty;
mod journal;
mod latency;
mod overhead;
mod proc;
mod report;
mod stats;
mod storm;
mod workload;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

pub(crate) use self::workload::{WorkloadArgs, run as workload};
use self::{
    agent::{Home, fresh},
    overhead::{Turns, Work},
    report::{Figure, Goal, Origin},
    storm::Storm,
    workload::Kind,
};
use crate::{build, setup, step, tree};

/// The name of the rule that the workloads trigger; found in the alert log by it.
const RULE: &str = "Benchmark file opened";

/// What `bench` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask bench                        about three minutes, on a machine with nothing else to do\n  \
    cargo xtask bench --quick                the same in about one, to see that it works\n  \
    cargo xtask bench --only syscalls\n  \
    cargo xtask bench -- --rules falco.yaml  with more rules loaded")]
pub(crate) struct Args {
    /// Seconds instead of minutes; the figures are rough
    #[arg(long)]
    quick: bool,
    /// Measures one part
    #[arg(long)]
    only: Option<Part>,
    /// Takes this agent instead of building one
    #[arg(long, value_name = "BINARY")]
    agent: Option<PathBuf>,
    /// Writes the table to this file too, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Further arguments of `holdfast run`, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The added cost of system calls
    Syscalls,
    /// Storms
    Storms,
    /// Latency, start, rest
    Quiet,
}

/// `cargo xtask bench`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !tree::is_root() {
        bail!("loading BPF programs takes root: run this as root");
    }
    if let Some(folder) = args.markdown.as_deref().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        bail!("--markdown: there is no folder `{}`", folder.display());
    }
    // Before the build: the load that counts is not ours.
    let origin = Origin::here(args.quick);
    println!("{}", origin.machine());
    let object = empty::build(&setup::toolchain()?)?;
    let binary = args.agent.clone().map_or_else(|| build::agent(true), Ok)?;
    let folder = tree::target().join("bench/run");
    fresh(&folder)?;
    let files = Files::make(&folder)?;
    let home = Home { binary, rules: rules(&files), folder, arguments: args.arguments.clone() };
    let loaded = empty::loaded_programs().len();
    if loaded > 0 {
        step::warn(&format!(
            "{loaded} BPF programs of others are loaded here; they are part of every figure"
        ));
    }
    let wanted = |part| args.only.is_none_or(|only| only == part);
    let (mut figures, mut details) = (Vec::new(), Vec::new());
    if wanted(Part::Syscalls) {
        let turns = turns(args.quick);
        for measured in overhead::measure(files.works(), &home, &object, turns)? {
            figures.extend(measured.figures()?);
            details.push(measured.json());
        }
    }
    if wanted(Part::Quiet) {
        let (times, alerts, idle) = if args.quick { (2, 50, 2) } else { (5, 200, 10) };
        figures.extend(latency::start(&home, &files.matched, times)?);
        figures.extend(latency::quiet(&home, &files.matched, alerts, Duration::from_secs(idle))?);
    }
    if wanted(Part::Storms) {
        let time = Duration::from_secs(if args.quick { 3 } else { 20 });
        for storm in files.storms() {
            let (more, detail) = storm::rage(&storm, &home, time)?;
            figures.extend(more);
            details.push(detail);
        }
    }
    let size = fs::metadata(&home.binary).context("the agent's binary")?.len() as f64 / f64::from(1 << 20);
    figures.push(Figure::new("binary, stripped", size, "MiB").goal(Goal::AtMost(15.0)));
    println!("{}", report::table(&figures));
    let path = report::write(&figures, &json!(details), &origin)?;
    step::done("written", &tree::shown(&path));
    if let Some(path) = &args.markdown {
        report::write_markdown(path, &figures, &origin)?;
        step::done("written", &tree::shown(path));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rules that are shipped make the agent what it is; the benchmark's own gives it something to find.
fn rules(files: &Files) -> Vec<PathBuf> {
    let shipped = tree::root().join("agent/rules");
    let there = fs::read_dir(&shipped).is_ok_and(|mut files| files.next().is_some());
    let shipped = there.then_some(shipped);
    if shipped.is_none() {
        step::warn("there are no rules in agent/rules: the agent is measured with one rule alone");
    }
    shipped.into_iter().chain([files.rules.clone()]).collect()
}

/// The last CPU works: what a machine does beside us is rather on the first.
fn turns(quick: bool) -> Turns {
    let cpu = cpus().saturating_sub(1);
    if quick {
        Turns { repetitions: 3, batches: 150, cpu }
    } else {
        Turns { repetitions: 9, batches: 200, cpu }
    }
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the workloads touch.
struct Files {
    /// A file that no rule matches.
    quiet: PathBuf,
    /// A file that one rule matches.
    matched: PathBuf,
    /// That rule.
    rules: PathBuf,
    /// The program that is started.
    tiny: PathBuf,
}

impl Files {
    fn make(folder: &Path) -> Result<Self> {
        let files = Self {
            quiet: folder.join("quiet"),
            matched: folder.join("matched"),
            rules: folder.join("rules.yaml"),
            tiny: workload::tiny_program(folder)?,
        };
        for file in [&files.quiet, &files.matched] {
            fs::write(file, "")?;
        }
        let rule = format!(
            "- rule: {RULE}\n  desc: The benchmark opens this file\n  condition: evt.type in (open, openat, openat2) \
             and fd.name = \"{}\"\n  output: benchmark file opened (file=%fd.name)\n  priority: NOTICE\n",
            files.matched.display()
        );
        fs::write(&files.rules, rule).context("cannot write the rule file")?;
        Ok(files)
    }

    fn works(&self) -> Vec<Work> {
        let work = |name, kind, path: &Path, operations, ratio| Work {
            name,
            kind,
            path: path.to_owned(),
            operations,
            ratio,
        };
        vec![
            work("getppid", Kind::Getppid, &self.quiet, 5_000, Some(1.15)),
            work("open+close, no rule", Kind::Open, &self.quiet, 300, Some(1.7)),
            work("open+close, one rule", Kind::Open, &self.matched, 300, None),
            work("fork+exec+wait", Kind::Exec, &self.tiny, 5, None),
        ]
    }

    fn storms(&self) -> [Storm<'_>; 3] {
        let (one, all) = (vec![cpus().saturating_sub(1)], (0..cpus()).collect());
        let storm = |name, kind, path, cpus, lossless| Storm {
            name,
            kind,
            path,
            cpus,
            cpu_percent: None,
            cpu_us: None,
            lossless,
        };
        [
            Storm { cpu_us: Some(20.0), ..storm("fork+exec", Kind::Exec, &self.tiny, one.clone(), true) },
            Storm { cpu_percent: Some(1.0), ..storm("opens, no rule", Kind::Open, &self.quiet, all, true) },
            storm("opens, all match", Kind::Open, &self.matched, one, false),
        ]
    }
}
