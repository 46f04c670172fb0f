//! What a system call costs: with nothing attached, with an empty program, with the agent.
//!
//! The three take turns within every repetition, and the order turns too, so that a machine that gets slower or
//! faster in the meantime does it to all three.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{
    agent::{Agent, Home},
    empty::{Empty, loaded_programs},
    report::{Figure, Goal},
    stats::{median, minimum},
    workload::{How, Kind, spawn},
};
use crate::step;

/// What is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Situation {
    Without,
    Empty,
    Agent,
}

const SITUATIONS: [Situation; 3] = [Situation::Without, Situation::Empty, Situation::Agent];

/// One line of the table.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    /// Operations of a batch: a millisecond of work. Shorter than a turn of the scheduler, so that some batches are
    /// left alone even on a machine that has other things to do.
    pub(crate) operations: u32,
    /// The agent's added cost, at most so many times the empty program's.
    pub(crate) ratio: Option<f64>,
}

/// Samples of one work in the three situations, in nanoseconds per operation.
pub(crate) struct Measured {
    pub(crate) work: Work,
    samples: [Vec<f64>; 3],
}

/// Measures all works.
pub(crate) fn measure(works: Vec<Work>, home: &Home, empty: &PathBuf, turns: Turns) -> Result<Vec<Measured>> {
    let mut all: Vec<Measured> =
        works.into_iter().map(|work| Measured { work, samples: Default::default() }).collect();
    for repetition in 0..turns.repetitions {
        step::done(
            "measure",
            &format!("system calls, repetition {} of {}", repetition + 1, turns.repetitions),
        );
        for turn in 0..SITUATIONS.len() {
            let situation = SITUATIONS[(turn + repetition) % SITUATIONS.len()];
            let others = loaded_programs();
            let mut agent = None;
            let mut program = None;
            match situation {
                Situation::Without => {}
                Situation::Empty => program = Some(Empty::attach(empty)?),
                Situation::Agent => agent = Some(Agent::start(home)?),
            }
            for measured in &mut all {
                let Work { kind, path, operations, .. } = &measured.work;
                let how = How::Batches(turns.batches, *operations);
                let numbers = spawn(*kind, path, turns.cpu, how)?.numbers()?;
                measured.samples[situation as usize].extend(numbers);
            }
            drop(program);
            agent.map(Agent::stop).transpose()?;
            if !settled(&others) {
                step::warn(
                    "others loaded or removed BPF programs meanwhile: this repetition is not to be trusted",
                );
            }
        }
    }
    Ok(all)
}

/// Whether the programs that are loaded are again those of before. The kernel lets go of ours a moment after we do.
fn settled(before: &[u32]) -> bool {
    /// Long enough for an RCU grace period on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + PATIENCE;
    while loaded_programs() != before {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// How often and how long.
#[derive(Clone, Copy)]
pub(crate) struct Turns {
    pub(crate) repetitions: usize,
    pub(crate) batches: u32,
    /// The CPU of the workload.
    pub(crate) cpu: usize,
}

impl Measured {
    /// The figures of this work. What is added is taken between minima, which other load on the machine moves least;
    /// the same between medians is in the file, and the goal is held against the minima.
    pub(crate) fn figures(&self) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for (label, of) in [("minimum", minimum as fn(&[f64]) -> Option<f64>), ("median", median)] {
            let value = |situation: Situation| {
                of(&self.samples[situation as usize]).context("a situation without samples")
            };
            let figure = |what: &str, value, unit| {
                let name = self.work.name;
                let figure = Figure::new(format!("{name}: {what} ({label})"), value, unit);
                if label == "median" { figure.aside() } else { figure }
            };
            let without = value(Situation::Without)?;
            let (empty, agent) = (value(Situation::Empty)? - without, value(Situation::Agent)? - without);
            // An empty program that costs nothing was not measured but drowned in noise: no goal is met by that.
            let ratio = if empty > 0.0 { agent / empty } else { f64::NAN };
            figures.push(figure("without the agent", without, "ns"));
            figures.push(figure("an empty program adds", empty, "ns"));
            figures.push(figure("the agent adds", agent, "ns"));
            let goal = self.work.ratio.filter(|_| label == "minimum").map(Goal::AtMost);
            figures.push(figure("the agent, in empty programs", ratio, "times").goal_if(goal));
        }
        Ok(figures)
    }

    /// The samples, for the report.
    pub(crate) fn json(&self) -> serde_json::Value {
        let [without, empty, agent] = &self.samples;
        serde_json::json!({
            "work": self.work.name, "unit": "ns per operation",
            "without": without, "empty_program": empty, "agent": agent,
        })
    }
}
