//! Holdfast: a node-level syscall security agent.
//!
//! A record leaves the kernel, becomes an event, meets its context, meets the rules, becomes an alert and is kept.
//! Each module is one of those steps, in that order; what a module may use lies above it.
#![forbid(unsafe_code)]

pub mod alert;
pub mod app;
pub mod cli;
pub mod config;
pub mod context;
pub mod event;
pub mod journal;
pub mod pipeline;
pub mod rules;
pub mod sensor;
