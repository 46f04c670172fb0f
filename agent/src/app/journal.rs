//! The thread of the alert log: alerts in, lines on disk, and a copy on standard output.
//!
//! A thread and not a task, since writing waits for the disk.

use std::{
    future::Future,
    io::{self, IsTerminal as _},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout_at,
};
use tracing::{error, info, warn};

use super::stdout::Stdout;
use crate::{
    alert::{Alert, Encoder, Text, takes_colour},
    config::Stdout as Form,
    journal::{Journal, Kept},
    rules::Priority,
};

/// Alerts as severe as this are on the disk before anything else happens to them.
const URGENT: Priority = Priority::Critical;
/// How long a stalled reader of standard output holds up the end.
const STDOUT_GRACE: Duration = Duration::from_millis(500);

/// Starts the thread. What is returned is done when the thread has ended.
pub(super) fn start(
    journal: Journal,
    encoder: Encoder,
    form: Option<Form>,
    from: mpsc::Receiver<Vec<Alert>>,
) -> io::Result<impl Future<Output = Result<(), oneshot::error::RecvError>>> {
    let (ended_tx, ended_rx) = oneshot::channel();
    let handle = Handle::current();
    let printer = Printer::start(form)?;
    thread::Builder::new().name("journal".into()).spawn(move || {
        Keeper { journal, encoder, printer, held: false }.run(&handle, from);
        // The receiver waits for as long as the agent runs; without it there is nobody to tell.
        let _ = ended_tx.send(());
    })?;
    Ok(ended_rx)
}

struct Keeper {
    journal: Journal,
    encoder: Encoder,
    printer: Printer,
    /// The disk takes nothing at the moment, and that has been said.
    held: bool,
}

impl Keeper {
    fn run(mut self, handle: &Handle, mut from: mpsc::Receiver<Vec<Alert>>) {
        loop {
            let alerts = match self.journal.next_deadline() {
                None => handle.block_on(from.recv()),
                Some(due) => match handle.block_on(async { timeout_at(due.into(), from.recv()).await }) {
                    Ok(alerts) => alerts,
                    Err(_elapsed) => {
                        self.journal.sync_if_due(Instant::now());
                        continue;
                    }
                },
            };
            let Some(alerts) = alerts else { break };
            for alert in &alerts {
                self.keep(alert);
            }
            self.journal.sync_if_due(Instant::now());
        }
        let counters = self.journal.counters().clone();
        if let Err(error) = self.journal.close() {
            error!(error = &error as &dyn std::error::Error, "Alerts could not be written");
        }
        info!(?counters, "Alert log closed");
        self.printer.close();
    }

    fn keep(&mut self, alert: &Alert) {
        let mut copy = None;
        let appended = self.journal.append(alert.priority <= URGENT, |stamp| {
            let line = self.encoder.encode(alert, stamp.epoch, stamp.seq);
            copy = self.printer.wants_json().then(|| line.clone());
            line
        });
        let held = appended.kept == Kept::Held;
        if held != self.held {
            self.held = held;
            if held {
                error!(seq = appended.seq, "The disk takes no alerts, they wait in memory");
            } else {
                warn!(seq = appended.seq, "The disk takes alerts again");
            }
        }
        self.printer.print(alert, copy);
    }
}

/// Standard output in the form that was asked for.
struct Printer {
    stdout: Option<Stdout>,
    form: Form,
    colour: bool,
}

impl Printer {
    fn start(form: Option<Form>) -> io::Result<Self> {
        let terminal = io::stdout().is_terminal();
        let form = form.unwrap_or(if terminal { Form::Text } else { Form::Json });
        let stdout = (form != Form::None).then(Stdout::start).transpose()?;
        let colour = takes_colour(&io::stdout());
        Ok(Self { stdout, form, colour })
    }

    fn wants_json(&self) -> bool {
        self.form == Form::Json
    }

    fn print(&mut self, alert: &Alert, json: Option<Vec<u8>>) {
        let Some(stdout) = &mut self.stdout else { return };
        let mut line = json.unwrap_or_else(|| Text::of(alert).render(self.colour).into_bytes());
        line.push(b'\n');
        stdout.print(line);
    }

    fn close(self) {
        if let Some(stdout) = self.stdout {
            stdout.close(STDOUT_GRACE);
        }
    }
}
