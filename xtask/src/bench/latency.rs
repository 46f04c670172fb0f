//! How long from a deed to its line in the alert log, on a quiet node; from the agent's start to its first alert; and
//! what the agent uses when nothing happens.

use std::{
    fs::File,
    io::Read as _,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
};

use super::{
    agent::{Agent, Home},
    report::{Figure, Goal},
    stats::{median, quantile},
};
use crate::step;

/// Between two deeds of the quiet node: long enough that each finds the agent asleep.
const PAUSE: Duration = Duration::from_millis(20);
/// An alert that is not there by then is missing.
const PATIENCE: Duration = Duration::from_secs(5);

/// The figures of a quiet node.
pub(crate) fn quiet(home: &Home, matched: &Path, alerts: u32, idle: Duration) -> Result<Vec<Figure>> {
    step::done("measure", &format!("the quiet node: {alerts} alerts, then {} s of rest", idle.as_secs()));
    let agent = Agent::start(home)?;
    // The first alert of all makes the file.
    let mut log = Tail::open(home, || touch(matched))?;
    let mut latencies = Vec::new();
    for _ in 0..alerts {
        thread::sleep(PAUSE);
        let start = Instant::now();
        touch(matched)?;
        if log.next_alert(start + PATIENCE)? {
            latencies.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let missing = f64::from(alerts) - latencies.len() as f64;
    thread::sleep(PAUSE);
    let before = agent.usage()?;
    thread::sleep(idle);
    let after = agent.usage()?;
    let idle_percent = (after.living_cpu_ns - before.living_cpu_ns) as f64 / idle.as_nanos() as f64 * 100.0;
    agent.stop()?;
    let nothing = f64::INFINITY;
    Ok(vec![
        Figure::new("event to line in the log, p50", quantile(&latencies, 0.5).unwrap_or(nothing), "ms")
            .goal(Goal::AtMost(1.0)),
        Figure::new("event to line in the log, p99", quantile(&latencies, 0.99).unwrap_or(nothing), "ms")
            .goal(Goal::AtMost(3.0)),
        Figure::new("events without a line", missing, "").goal(Goal::AtMost(0.0)),
        Figure::new("idle CPU, of a core", idle_percent, "%").goal(Goal::AtMost(0.05)),
        Figure::new("memory", after.rss_bytes as f64 / f64::from(1 << 20), "MiB").goal(Goal::AtMost(30.0)),
    ])
}

/// The time from the start of the process to its first line in the log, and to `Ready`.
pub(crate) fn start(home: &Home, matched: &Path, times: u32) -> Result<Vec<Figure>> {
    step::done("measure", &format!("start to first alert, {times} times"));
    let (mut first, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| -> Result<()> {
            scope.spawn(|| {
                // The deed is done over and over: the first that is seen counts.
                while !stop.load(Ordering::Relaxed) {
                    let _ = touch(matched);
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let measured = start_once(home, &mut first, &mut ready);
            stop.store(true, Ordering::Relaxed);
            measured
        })?;
    }
    let median = |samples: &[f64]| median(samples).unwrap_or(f64::INFINITY);
    Ok(vec![
        Figure::new("start to ready", median(&ready), "s"),
        Figure::new("start to first alert", median(&first), "s").goal(Goal::AtMost(0.5)),
    ])
}

fn start_once(home: &Home, first: &mut Vec<f64>, ready: &mut Vec<f64>) -> Result<()> {
    let mut agent = Agent::spawn(home)?;
    Tail::open(home, || Ok(()))?;
    first.push(agent.started().elapsed().as_secs_f64());
    ready.push(agent.wait_ready()?.as_secs_f64());
    agent.stop()?;
    Ok(())
}

fn touch(path: &Path) -> Result<()> {
    File::open(path).map(drop).with_context(|| format!("cannot open `{}`", path.display()))
}

/// The alert log as one reads it with `tail -f`: woken by inotify, so that waiting takes no CPU from the agent. The
/// wake-up of this process is part of the latency, as it is for any reader.
struct Tail {
    inotify: OwnedFd,
    file: File,
}

impl Tail {
    /// Waits until the log has its first alert, which `deed` may bring about, and stands behind it.
    fn open(home: &Home, deed: impl FnOnce() -> Result<()>) -> Result<Self> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let inotify = inotify::init(flags).context("cannot watch the log")?;
        let path = home.alerts();
        let folder = path.parent().context("the log lies in a folder")?;
        inotify::add_watch(&inotify, folder, inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE)
            .context("cannot watch the log's folder")?;
        let deadline = Instant::now() + PATIENCE * 2;
        deed()?;
        let file = loop {
            if let Ok(file) = File::open(&path) {
                break file;
            }
            anyhow::ensure!(Instant::now() < deadline, "the agent made no `{}`", path.display());
            wait(&inotify, Duration::from_millis(100))?;
        };
        let mut tail = Self { inotify, file };
        anyhow::ensure!(
            tail.next_alert(deadline)?,
            "no alert of the benchmark's rule in `{}`",
            path.display()
        );
        Ok(tail)
    }

    /// Waits for an alert of the benchmark's rule.
    fn next_alert(&mut self, deadline: Instant) -> Result<bool> {
        let mut text = Vec::new();
        loop {
            self.file.read_to_end(&mut text).context("cannot read the log")?;
            let mut lines = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
            let rule = super::RULE.as_bytes();
            if lines.any(|line| line.windows(rule.len()).any(|window| window == rule)) {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            wait(&self.inotify, left)?;
        }
    }
}

/// Sleeps until something in the folder changes, or the time is over.
fn wait(inotify: &OwnedFd, at_most: Duration) -> Result<()> {
    let timeout = Timespec::try_from(at_most).context("a timeout of sane length")?;
    poll(&mut [PollFd::new(inotify, PollFlags::IN)], Some(&timeout)).context("cannot wait for the log")?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    // What has happened does not matter; that it has is why we are awake.
    while events.next().is_ok() {}
    Ok(())
}
