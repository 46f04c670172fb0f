//! Alert -> kept: the alert log on disk.
//!
//! In: lines, each made by a closure that is given its number. Out: the file that people tail and that outputs read.
//! Promise: a line that was acknowledged as written survives the death of the agent at any instant; numbers have no
//! holes, and what could not be kept is itself a line; a full or broken disk is a state, not an end. It knows lines,
//! not rules.

mod config;
mod error;
#[cfg(test)]
mod fault;
mod file;
#[cfg(test)]
mod fixture;
mod follow;
mod format;
mod fs;
mod held;
mod lock;
mod loss;
mod metrics;
#[cfg(test)]
mod model;
mod reader;
mod recover;
mod segments;
mod state;
mod writer;

pub use config::Config;
pub use error::Error;
pub use follow::Follower;
pub use format::{LOG_NAME, MAX_LINE_BYTES, Number, check};
pub use lock::{Lock, LockError};
pub use loss::{Loss, LossReason};
pub use metrics::Counters;
pub use reader::last_lines;
pub use recover::Recovery;
pub use writer::{Appended, Journal, Kept, Stamp};
