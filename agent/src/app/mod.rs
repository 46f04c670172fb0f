//! The agent: makes every room, joins them by channels, and takes them down again in order.
//!
//! Records go from the sensor to the pipeline to the journal. Only the sensor hears that it is time to stop: it detaches,
//! empties its rings and hangs up; each of the others ends when its input ends. A channel that is full waits, so that
//! events are lost in one place only, the ring, where they are counted.

mod journal;
mod pipeline;
mod sensor;
mod start;
mod stdout;

pub use start::{Error, run};
