//! What the tests of the whole agent share: a real agent on this kernel, its alerts, and deeds for it to see.

mod agent;
mod alert;
mod deed;

pub use agent::{Agent, Ended, LogLine, Options, binary};
pub use alert::{Alert, Loss, Ours, read_log};
pub use deed::Deed;
