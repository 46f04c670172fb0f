//! An agent that runs for one test.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::{Alert, read_log};

/// A debug build on a busy machine takes its time to load its programs; a healthy start is far below.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// What the agent promises: an end within this.
const STOP_DEADLINE: Duration = Duration::from_secs(2);
/// How often a condition is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(10);

/// One agent at a time: they would see each other's deeds, and share what is pinned in the kernel.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How an agent is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The text of the rule file.
    pub rules: String,
    /// The text of the configuration file; empty for nothing but defaults.
    pub config: String,
}

impl Options {
    /// These rules, and nothing but defaults.
    #[must_use]
    pub fn rules(text: impl Into<String>) -> Self {
        Self { rules: text.into(), config: String::new() }
    }
}

/// A running agent and its private folders. Dropping it kills that process, and no other.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    dir: tempfile::TempDir,
    starts: u32,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// An agent that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// How long it took.
    pub took: Duration,
    /// Its standard error.
    pub stderr: String,
}

/// A line of the agent's own log.
#[derive(Clone, Debug, Deserialize)]
pub struct LogLine {
    /// How serious.
    pub level: String,
    /// What is said.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl LogLine {
    /// The fixed sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        self.fields.get("message").and_then(|message| message.as_str()).unwrap_or("")
    }
}

/// The built agent: `HOLDFAST_BIN`, or beside the test in the target folder.
///
/// # Errors
///
/// Where it is not there, with the remedy.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("HOLDFAST_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    // target/<profile>/deps/<test>
    let profile = test.parent().and_then(Path::parent).context("the test lies in a target folder")?;
    let path = profile.join("holdfast");
    ensure!(
        path.exists(),
        "`{}` is not there: build the agent first with `cargo build`, or name it in HOLDFAST_BIN",
        path.display()
    );
    Ok(path)
}

impl Ended {
    /// The lines of its log with that message.
    #[must_use]
    pub fn log(&self, message: &str) -> Vec<LogLine> {
        let lines = self.stderr.lines().filter_map(|line| serde_json::from_str::<LogLine>(line).ok());
        lines.filter(|line| line.message() == message).collect()
    }
}

impl Agent {
    /// Starts an agent and waits until it is ready.
    ///
    /// # Errors
    ///
    /// Where it cannot be, with its standard error.
    pub fn start(options: &Options) -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "this test loads programs into the kernel: run it as root, `sudo -E cargo test -p holdfast-tests`"
        );
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = prepare(options)?;
        let child = command(dir.path(), &binary()?, 1)?.spawn()?;
        let mut agent = Self { child, dir, starts: 1, _turn: Some(turn) };
        agent.await_log("Ready", START_DEADLINE)?;
        Ok(agent)
    }

    /// Kills the agent, unless it has ended, and starts it again on the same folders.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.kill9()?;
        self.starts += 1;
        self.child = command(self.dir.path(), &binary()?, self.starts)?.spawn()?;
        self.await_log("Ready", START_DEADLINE)
    }

    /// Starts a second instance on the same folders, and does not wait for it.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn second_instance(&self) -> Result<Instance> {
        let number = self.starts + 100;
        let child = command(self.dir.path(), &binary()?, number)?.spawn()?;
        Ok(Instance { child, stderr: stderr_path(self.dir.path(), number) })
    }

    /// Runs an agent that is expected to end by itself.
    ///
    /// # Errors
    ///
    /// Where it does not.
    pub fn run_to_end(options: &Options, change: impl FnOnce(&mut Command)) -> Result<Ended> {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = prepare(options)?;
        // Who is not root may not be able to reach the target folder.
        let program = dir.path().join("holdfast");
        fs::copy(binary()?, &program)?;
        fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        let mut command = command(dir.path(), &program, 1)?;
        change(&mut command);
        let mut instance = Instance { child: command.spawn()?, stderr: stderr_path(dir.path(), 1) };
        let started = Instant::now();
        let status = instance.wait(Duration::from_secs(10))?;
        Ok(Ended { status, took: started.elapsed(), stderr: fs::read_to_string(&instance.stderr)? })
    }

    /// The private folder of the test. Any user can reach it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id of the agent.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All alerts until now.
    ///
    /// # Errors
    ///
    /// Where a line is none.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        read_log(&self.dir.path().join("log"))
    }

    /// Waits for an alert.
    ///
    /// # Errors
    ///
    /// Where none comes in time; says which came instead.
    pub fn await_alert(&self, matches: impl Fn(&Alert) -> bool, deadline: Duration) -> Result<Alert> {
        let until = Instant::now() + deadline;
        loop {
            let alerts = self.alerts()?;
            if let Some(alert) = alerts.iter().find(|alert| matches(alert)) {
                return Ok(alert.clone());
            }
            if Instant::now() > until {
                let came: Vec<&str> =
                    alerts.iter().rev().take(20).map(|alert| alert.output.as_str()).collect();
                bail!("no such alert within {deadline:?}; the last that came: {came:#?}\n{}", self.stderr());
            }
            thread::sleep(POLL);
        }
    }

    /// Waits for a line of the agent's own log.
    ///
    /// # Errors
    ///
    /// Where none comes in time, or the agent ends.
    pub fn await_log(&mut self, message: &str, deadline: Duration) -> Result<()> {
        let stderr = stderr_path(self.dir.path(), self.starts);
        await_log(&mut self.child, &stderr, message, deadline).map(drop)
    }

    /// What the agent has said on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(stderr_path(self.dir.path(), self.starts)).unwrap_or_default()
    }

    /// Tells the agent to end (SIGTERM). It must, in time and with exit code 0.
    ///
    /// # Errors
    ///
    /// Where it does not.
    pub fn stop(&mut self) -> Result<Ended> {
        let started = Instant::now();
        kill_process(pid(&self.child), Signal::TERM)?;
        let status = wait(&mut self.child, STOP_DEADLINE).with_context(|| self.stderr())?;
        ensure!(status.code() == Some(0), "the agent ended with {status}\n{}", self.stderr());
        Ok(Ended { status, took: started.elapsed(), stderr: self.stderr() })
    }

    /// Kills the agent as the kernel would.
    ///
    /// # Errors
    ///
    /// Where it cannot be.
    pub fn kill9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.kill9();
    }
}

/// An instance that is not the one under test.
#[derive(Debug)]
pub struct Instance {
    child: Child,
    stderr: PathBuf,
}

impl Instance {
    /// Waits for a line of its log.
    ///
    /// # Errors
    ///
    /// Where none comes in time, or it ends.
    pub fn await_log(&mut self, message: &str, deadline: Duration) -> Result<LogLine> {
        await_log(&mut self.child, &self.stderr, message, deadline)
    }

    fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        wait(&mut self.child, deadline).with_context(|| fs::read_to_string(&self.stderr).unwrap_or_default())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn prepare(options: &Options) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("holdfast-").tempdir()?;
    fs::write(dir.path().join("config.yaml"), &options.config)?;
    fs::write(dir.path().join("rules.yaml"), &options.rules)?;
    for folder in ["", "state", "log"] {
        let path = dir.path().join(folder);
        fs::create_dir_all(&path)?;
        // So that an agent that is not root fails for that reason, and not for its folders.
        fs::set_permissions(&path, Permissions::from_mode(0o777))?;
    }
    Ok(dir)
}

fn command(dir: &Path, program: &Path, number: u32) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg("--config")
        .arg(dir.join("config.yaml"))
        .arg("--rules")
        .arg(dir.join("rules.yaml"))
        .arg("--state-dir")
        .arg(dir.join("state"))
        .arg("--log-dir")
        .arg(dir.join("log"))
        .args(["--stdout", "json"])
        .stdin(Stdio::null())
        .stdout(File::create(dir.join(format!("stdout-{number}")))?)
        .stderr(File::create(stderr_path(dir, number))?);
    Ok(command)
}

fn stderr_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("stderr-{number}"))
}

fn await_log(child: &mut Child, stderr: &Path, message: &str, deadline: Duration) -> Result<LogLine> {
    let until = Instant::now() + deadline;
    loop {
        let text = fs::read_to_string(stderr)?;
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<LogLine>(line).ok());
        if let Some(line) = lines.find(|line| line.message() == message) {
            return Ok(line);
        }
        if let Some(status) = child.try_wait()? {
            bail!("the agent ended with {status} before it said `{message}`\n{text}");
        }
        ensure!(Instant::now() < until, "the agent did not say `{message}` within {deadline:?}\n{text}");
        thread::sleep(POLL);
    }
}

fn wait(child: &mut Child, deadline: Duration) -> Result<ExitStatus> {
    let until = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        ensure!(Instant::now() < until, "the agent did not end within {deadline:?}");
        thread::sleep(POLL);
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}
