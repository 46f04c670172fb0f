//! The sensor's task: reads the rings, watches the counters, and is the only one that hears `stop`.

use std::{io, os::fd::OwnedFd, time::Duration};

use holdfast_common::Class;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::sensor::{Batch, ClassCounts, Reader, Sensor};

/// What the sensor hands to the pipeline.
pub(super) enum FromSensor {
    /// Records, in order.
    Records(Batch),
    /// Events of a class were lost in the kernel since the last time this was said.
    Lost {
        /// What kind of events.
        class: Class,
        /// How many.
        count: u64,
    },
    /// Nothing happened, for a while: time to look at what changes without an event.
    Tick,
}

/// How long the rings are left alone after something was read. Under load that makes one wake-up of a thousand; the
/// first event on a quiet node does not wait for it.
const PAUSE: Duration = Duration::from_millis(1);
/// How often the counters are looked at for losses.
const TICK: Duration = Duration::from_secs(1);

/// Reads until `stop`, then detaches and reads what is left.
pub(super) async fn run(
    mut sensor: Sensor,
    mut reader: Reader,
    stop: CancellationToken,
    to: mpsc::Sender<FromSensor>,
) {
    let mut losses = Losses::default();
    let ready = match Ready::new(&reader) {
        Ok(ready) => ready,
        Err(error) => return error!(%error, "Cannot wait for the rings"),
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {
                if !losses.report(&sensor, &to).await || to.send(FromSensor::Tick).await.is_err() {
                    return;
                }
            }
            () = ready.wait() => {
                if !drain(&mut reader, &to).await {
                    return;
                }
                sleep(PAUSE).await;
            }
        }
    }
    let detaching = Instant::now();
    sensor.detach();
    drain(&mut reader, &to).await;
    losses.report(&sensor, &to).await;
    log_counters(&sensor);
    info!(took_ms = detaching.elapsed().as_millis() as u64, "Detached, the rings are empty");
}

/// Reads until the rings are empty. False when nobody listens any more.
async fn drain(reader: &mut Reader, to: &mpsc::Sender<FromSensor>) -> bool {
    loop {
        let batch = reader.read();
        let more = batch.more;
        if !batch.records.is_empty() && to.send(FromSensor::Records(batch)).await.is_err() {
            return false;
        }
        if !more {
            return true;
        }
    }
}

/// Tells what has been lost since the last time.
#[derive(Default)]
struct Losses([u64; Class::ALL.len()]);

impl Losses {
    async fn report(&mut self, sensor: &Sensor, to: &mpsc::Sender<FromSensor>) -> bool {
        for (class, known) in Class::ALL.into_iter().zip(&mut self.0) {
            let lost = match sensor.counters().of(class) {
                Ok(counts) => counts.lost,
                Err(error) => {
                    error!(class = class.name(), %error, "Cannot read the counters");
                    continue;
                }
            };
            let count = lost.saturating_sub(*known);
            *known = lost;
            if count > 0 {
                warn!(class = class.name(), count, "Events were lost: the ring was full");
                if to.send(FromSensor::Lost { class, count }).await.is_err() {
                    return false;
                }
            }
        }
        true
    }
}

fn log_counters(sensor: &Sensor) {
    for class in Class::ALL {
        if let Ok(ClassCounts { seen, filtered, submitted, lost }) = sensor.counters().of(class) {
            info!(class = class.name(), seen, filtered, submitted, lost, "Counters");
        }
    }
}

/// Waits until a ring has something.
struct Ready([AsyncFd<OwnedFd>; 2]);

impl Ready {
    fn new(reader: &Reader) -> io::Result<Self> {
        let [process, events] = reader.descriptors()?;
        Ok(Self([watch(process)?, watch(events)?]))
    }

    async fn wait(&self) {
        let [process, events] = &self.0;
        tokio::select! {
            ready = process.readable() => ready.into_iter().for_each(|mut guard| guard.clear_ready()),
            ready = events.readable() => ready.into_iter().for_each(|mut guard| guard.clear_ready()),
        }
    }
}

#[expect(
    deprecated,
    reason = "unsound for what closes its descriptor early; an OwnedFd does not, and this one is ours"
)]
fn watch(ring: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(ring, Interest::READABLE)
}
