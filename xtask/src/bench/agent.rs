//! The agent as the benchmark runs it: started, ready, read, stopped, and gone from the kernel.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};
use serde_json::Value;

use super::{counters::Counters, empty::loaded_programs, proc::Usage};
use crate::step;

/// How long the agent may take to start, and to stop, before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the benchmark looks whether something has come true.
const LOOK: Duration = Duration::from_millis(2);

/// Where the agent of the benchmark lives, and what it is given.
#[derive(Clone)]
pub(crate) struct Home {
    /// The binary.
    pub(crate) binary: PathBuf,
    /// Rules that are loaded: those that are shipped, and the one that the workloads trigger.
    pub(crate) rules: Vec<PathBuf>,
    /// A folder that is emptied at each start.
    pub(crate) folder: PathBuf,
    /// Further arguments of `holdfast run`, from the command line.
    pub(crate) arguments: Vec<String>,
}

impl Home {
    /// Where the alert log lies.
    pub(crate) fn log_dir(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn stderr(&self) -> PathBuf {
        self.folder.join("stderr.jsonl")
    }

    /// The alert log.
    pub(crate) fn alerts(&self) -> PathBuf {
        self.log_dir().join("alerts.jsonl")
    }

    /// The one place that knows the agent's command line.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("run");
        for rules in &self.rules {
            command.arg("--rules").arg(rules);
        }
        command.arg("--state-dir").arg(self.folder.join("state")).arg("--log-dir").arg(self.log_dir());
        command.args(["--stdout", "json"]).args(&self.arguments);
        // Its readiness and its counters are lines of this level.
        command.env("HOLDFAST_LOG", "info");
        command
    }
}

/// A running agent; killed when dropped, should the benchmark fail.
pub(crate) struct Agent {
    child: Child,
    home: Home,
    started: Instant,
    /// Programs that were loaded while it started: its own.
    programs: Vec<u32>,
}

impl Agent {
    /// Starts it and returns at once.
    pub(crate) fn spawn(home: &Home) -> Result<Self> {
        for folder in ["log", "state"] {
            let folder = home.folder.join(folder);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        let stderr = File::create(home.stderr()).context("cannot make the agent's log")?;
        let before = loaded_programs();
        let mut command = home.command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot run `{}`", step::words(&command)))?;
        // Until it is ready, `programs` are those of before.
        Ok(Self { child, home: home.clone(), started, programs: before })
    }

    /// Starts it and waits until its programs are attached.
    pub(crate) fn start(home: &Home) -> Result<Self> {
        let mut agent = Self::spawn(home)?;
        agent.wait_ready()?;
        Ok(agent)
    }

    /// Waits for the line `Ready` in its log; the time is since its start.
    pub(crate) fn wait_ready(&mut self) -> Result<Duration> {
        self.wait("is not ready", |agent| Ok(agent.log()?.any(|line| message(&line) == Some("Ready"))))?;
        let ready = self.started.elapsed();
        let before = std::mem::take(&mut self.programs);
        self.programs = loaded_programs().into_iter().filter(|id| !before.contains(id)).collect();
        Ok(ready)
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(self.child.id())
    }

    /// Waits until it has worked off what it was given: its CPU time stands still.
    pub(crate) fn settle(&self) -> Result<()> {
        /// Busy for less than this share of a pause is standing still.
        const STILL: f64 = 0.02;
        const PAUSE: Duration = Duration::from_millis(250);
        let deadline = Instant::now() + PATIENCE;
        let mut before = self.usage()?;
        while Instant::now() < deadline {
            thread::sleep(PAUSE);
            let now = self.usage()?;
            if now.cpu_s - before.cpu_s < STILL * PAUSE.as_secs_f64() {
                return Ok(());
            }
            before = now;
        }
        step::warn("the agent was still at work long after the storm was over");
        Ok(())
    }

    /// SIGTERM; its counters, once it has drained, ended well and left nothing attached.
    pub(crate) fn stop(mut self) -> Result<Counters> {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, Signal::TERM).context("cannot stop the agent")?;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().context("cannot wait for the agent")? {
                Some(status) => break status,
                None if Instant::now() > deadline => bail!("the agent does not stop\n{}", self.last_words()),
                None => thread::sleep(LOOK),
            }
        };
        if !status.success() {
            bail!("the agent ended with {status}\n{}", self.last_words());
        }
        self.gone_from_the_kernel()?;
        Ok(Counters::read(self.log()?))
    }

    /// A pinned link would go on costing, and "without the agent" would be a lie.
    fn gone_from_the_kernel(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let left: Vec<u32> =
                loaded_programs().into_iter().filter(|id| self.programs.contains(id)).collect();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "the agent has stopped, but BPF programs {left:?} are still loaded: pinned? Give it a setting that does not pin"
                );
            }
            thread::sleep(LOOK);
        }
    }

    fn wait(&mut self, what: &str, until: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !until(self)? {
            if let Some(status) = self.child.try_wait()? {
                bail!("the agent ended with {status}\n{}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("the agent {what} after {} s\n{}", PATIENCE.as_secs(), self.last_words());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The lines of its own log that are JSON.
    fn log(&self) -> Result<impl Iterator<Item = Value> + use<>> {
        let text = fs::read_to_string(self.home.stderr()).context("cannot read the agent's log")?;
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(lines.into_iter())
    }

    fn last_words(&self) -> String {
        const LINES: usize = 10;
        let text = fs::read_to_string(self.home.stderr()).unwrap_or_default();
        let skip = text.lines().count().saturating_sub(LINES);
        text.lines().skip(skip).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Nothing happens to one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The message of a line of the agent's log: at the top, or among `fields`.
pub(crate) fn message(line: &Value) -> Option<&str> {
    line.get("message").or_else(|| line.get("fields")?.get("message"))?.as_str()
}

/// Removes a folder's content, so that one run's files do not become the next one's.
pub(crate) fn fresh(folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))
}
