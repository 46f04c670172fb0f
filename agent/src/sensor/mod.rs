//! Kernel -> Record: what this kernel can do, loading and attaching the kernel half, and reading its rings.
//!
//! In: the calls that rules care about, and which of them they do not. Out: records, in the order in which they happened. Promise: what the kernel half
//! saw is filtered, delivered or counted as lost; all of it goes away when the sensor is dropped.

mod arch;
mod btf;
mod config;
mod counters;
mod filter;
mod load;
mod preflight;
mod ring;

pub use config::Config;
pub use counters::{ClassCounts, Counters};
pub use filter::{OpenPlan, Prefix};
pub use load::{Error, Sensor};
pub use preflight::NotPossible;
pub use ring::{Batch, Reader};
