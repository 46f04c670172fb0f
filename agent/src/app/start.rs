//! From a configuration to a running agent, and back to nothing.

use std::{io, time::Duration};

use holdfast_common::Call;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{journal as journal_task, pipeline as pipeline_task, sensor as sensor_task};
use crate::{
    alert::Encoder,
    config::Config,
    context::Context,
    event::EventType,
    journal::{self, Journal, Lock, LockError, Recovery},
    pipeline::Pipeline,
    rules::{self, RuleSet},
    sensor::{self, Sensor},
};

/// Batches of records that wait for the pipeline, each up to 2 MiB: enough for it to be never empty-handed, and no more,
/// since what waits here is memory on top of the ring.
const BATCHES: usize = 1;
/// Batches of alerts that wait for the journal: each is what came of one batch of records.
const ALERT_BATCHES: usize = 2;
/// How often a second instance looks whether the first is gone.
const STANDBY_POLL: Duration = Duration::from_millis(500);

/// Why the agent does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Rule files cannot be read.
    #[error(transparent)]
    ReadRules(#[from] rules::ReadError),
    /// Rules are wrong. Every error, each with its place.
    #[error("the rules have errors, nothing is started\n{0}")]
    Rules(#[from] rules::LoadErrors),
    /// The sensor cannot start.
    #[error(transparent)]
    Sensor(#[from] sensor::Error),
    /// The state folder cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The alert log cannot be opened.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The runtime, a signal handler or a thread.
    #[error("cannot {deed}")]
    System {
        /// What was tried.
        deed: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A task ended that should have gone on.
    #[error("the task `{0}` ended early; the log says why")]
    Task(&'static str),
}

/// Runs the agent until it is told to stop.
///
/// # Errors
/// What kept it from starting, with the remedy; afterwards only [`Error::Task`].
pub fn run(config: Config) -> Result<(), Error> {
    // One thread for all but the log: the agent should cost the node as little as it can.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { deed: "start the runtime", source })?;
    runtime.block_on(start(config))
}

async fn start(config: Config) -> Result<(), Error> {
    let stop = CancellationToken::new();
    stop_on_signals(&stop)?;
    let rules = load_rules(&config)?;
    let Some(lock) = active(&config, &stop).await? else { return Ok(()) };
    let (mut journal, recovery) = Journal::open(&config.journal, lock)?;
    journal.set_node(&*config.node);
    tell(&recovery);

    let calls = calls(&rules);
    let mut sensor = Sensor::start(&config.sensor, &calls, &rules.open_plan())?;
    let reader = sensor.take_reader().expect("just started, nobody else has taken it");
    let context = Context::new(&config.host_root);
    info!(
        rules = rules.len(),
        processes = context.processes().len(),
        calls = calls.len(),
        log = %config.journal.log_dir.join(journal::LOG_NAME).display(),
        "Ready"
    );

    let (records_tx, records_rx) = mpsc::channel(BATCHES);
    let (alerts_tx, alerts_rx) = mpsc::channel(ALERT_BATCHES);
    let pipeline = Pipeline::new(context, rules);
    let encoder = Encoder::new(&config.hostname, &config.node);
    let journal = journal_task::start(journal, encoder, config.stdout, alerts_rx)
        .map_err(|source| Error::System { deed: "start the thread of the alert log", source })?;

    let mut tasks = JoinSet::new();
    let until = stop.clone();
    tasks.spawn(async move {
        sensor_task::run(sensor, reader, until, records_tx).await;
        "sensor"
    });
    tasks.spawn(async move {
        pipeline_task::run(pipeline, records_rx, alerts_tx).await;
        "pipeline"
    });
    tasks.spawn(async move {
        // An error here is a panic of the thread, which has ended the log: the same to us as its end.
        let _ = journal.await;
        "journal"
    });

    let mut early = None;
    while let Some(ended) = tasks.join_next().await {
        let name = ended.unwrap_or("a task that panicked");
        if !stop.is_cancelled() {
            early = Some(name);
            stop.cancel();
        }
    }
    match early {
        Some(name) => Err(Error::Task(name)),
        None => {
            info!("Stopped");
            Ok(())
        }
    }
}

/// Says what was found of the log, louder where something is not as it was left.
fn tell(found: &Recovery) {
    let Recovery { epoch, last_seq, created, torn_bytes, damaged_lines, missing, failing } = found;
    info!(epoch, last_seq, created, "Alert log open");
    if *torn_bytes > 0 || *damaged_lines > 0 {
        warn!(
            torn_bytes,
            damaged_lines, "The end of the alert log was damaged; the unfinished line was cut off"
        );
    }
    if let Some(missing) = missing {
        warn!(count = missing.count(), "Alerts that had been written are gone; the log has a record of it");
    }
    if let Some(error) = failing {
        error!(error, "The disk takes no alerts, they wait in memory");
    }
}

/// SIGTERM and SIGINT stop the agent.
fn stop_on_signals(stop: &CancellationToken) -> Result<(), Error> {
    let system = |source| Error::System { deed: "listen for signals", source };
    let mut terminate = signal(SignalKind::terminate()).map_err(system)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system)?;
    let stop = stop.clone();
    tokio::spawn(async move {
        let signal = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        info!(signal, "Stopping");
        stop.cancel();
    });
    Ok(())
}

fn load_rules(config: &Config) -> Result<RuleSet, Error> {
    let sources = if config.rules.is_empty() { rules::embedded() } else { rules::read(&config.rules)? };
    let loaded = RuleSet::load(&sources)?;
    for warning in &loaded.warnings {
        warn!(%warning, "Rules");
    }
    Ok(loaded.rules)
}

/// Waits until this is the one active instance of the state folder. `None` when told to stop before that.
async fn active(config: &Config, stop: &CancellationToken) -> Result<Option<Lock>, Error> {
    let mut holder = None;
    loop {
        match Lock::try_acquire(&config.journal.state_dir) {
            Ok(lock) => return Ok(Some(lock)),
            Err(LockError::Held { pid, path }) => {
                // Said once for each holder, and not at every look.
                if holder != Some(pid) {
                    warn!(pid, lock = %path.display(), "Waiting as standby");
                    holder = Some(pid);
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = sleep(STANDBY_POLL) => {}
        }
    }
}

/// The system calls that some rule cares about.
fn calls(rules: &RuleSet) -> Vec<Call> {
    let wanted = rules.event_types();
    [
        (EventType::OPEN, Call::OPEN),
        (EventType::OPENAT, Call::OPENAT),
        (EventType::OPENAT2, Call::OPENAT2),
        (EventType::CREAT, Call::CREAT),
    ]
    .into_iter()
    .filter_map(|(event_type, call)| wanted.contains(event_type).then_some(call))
    .collect()
}
