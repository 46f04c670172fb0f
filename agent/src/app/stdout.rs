//! Alerts on standard output: a copy for whoever looks on, after they are in the log.
//!
//! Standard output may be a pipe that nobody reads. So it has a thread of its own and a bounded queue, and what does
//! not fit is dropped from the screen, never from the log.

use std::{
    io::{self, Write as _},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use tracing::warn;

/// Lines that wait for a slow reader: what a terminal scrolls through in a few seconds.
const QUEUE_LINES: usize = 4096;

/// Prints lines, without ever making its caller wait.
pub(super) struct Stdout {
    lines: Option<SyncSender<Vec<u8>>>,
    printer: JoinHandle<()>,
    dropped: u64,
}

impl Stdout {
    pub(super) fn start() -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE_LINES);
        let printer = thread::Builder::new().name("stdout".into()).spawn(move || print(&queue))?;
        Ok(Self { lines: Some(lines), printer, dropped: 0 })
    }

    /// Prints a line, which ends in a newline, unless too many are waiting.
    pub(super) fn print(&mut self, line: Vec<u8>) {
        let Some(lines) = &self.lines else { return };
        match lines.try_send(line) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.dropped += 1,
            // Nobody reads any more; the log goes on.
            Err(TrySendError::Disconnected(_)) => self.lines = None,
        }
    }

    /// Hangs up. The printer ends by itself when the queue is empty; it is not waited for if the reader has stalled.
    pub(super) fn close(mut self, grace: std::time::Duration) {
        drop(self.lines.take());
        let end = std::time::Instant::now() + grace;
        while !self.printer.is_finished() && std::time::Instant::now() < end {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        if self.dropped > 0 {
            warn!(
                count = self.dropped,
                "Alerts were not printed: nobody read them in time; all are in the log"
            );
        }
    }
}

fn print(queue: &Receiver<Vec<u8>>) {
    let mut out = io::stdout().lock();
    while let Ok(line) = queue.recv() {
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
