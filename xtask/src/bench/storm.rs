//! Storms: as much work as the machine can do, and what the agent makes of it.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    agent::{Agent, Home},
    journal,
    report::{Figure, Goal},
    workload::{How, Kind, spawn},
};
use crate::step;

/// One storm.
pub(crate) struct Storm<'a> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) path: &'a Path,
    /// A workload on each of these.
    pub(crate) cpus: Vec<usize>,
    /// Percent of a core, at most.
    pub(crate) cpu_percent: Option<f64>,
    /// Microseconds of CPU an operation, at most.
    pub(crate) cpu_us: Option<f64>,
    /// Whether nothing may be lost; else every loss has to be counted, and all operations end in alerts or losses.
    pub(crate) lossless: bool,
}

/// Lets it rage, and returns its figures and the agent's counters.
pub(crate) fn rage(storm: &Storm<'_>, home: &Home, time: Duration) -> Result<(Vec<Figure>, Value)> {
    step::done("storm", &format!("{}, {} s on {} CPU(s)", storm.name, time.as_secs(), storm.cpus.len()));
    let agent = Agent::start(home)?;
    // The start may have been worth an alert of the rules that are shipped.
    let last_number = journal::last_number(&home.log_dir())?;
    let before = agent.usage()?;
    let workers = storm
        .cpus
        .iter()
        .map(|&cpu| spawn(storm.kind, storm.path, cpu, How::For(time)))
        .collect::<Result<Vec<_>>>()?;
    let mut operations = 0.0;
    for worker in workers {
        operations += worker.numbers()?.iter().sum::<f64>();
    }
    let storm_only = agent.usage()?;
    agent.settle()?;
    let after = agent.usage()?;
    let counters = agent.stop()?;
    let written = journal::written(&home.log_dir(), last_number, counters.reports())?;

    let name = storm.name;
    let figure =
        |what: &str, value: f64, unit: &'static str| Figure::new(format!("{name}: {what}"), value, unit);
    let percent = (storm_only.cpu_s - before.cpu_s) / time.as_secs_f64() * 100.0;
    // What it works off afterwards counts too.
    let per_operation = (after.cpu_s - before.cpu_s) / operations * 1e6;
    let mut figures = vec![
        figure("operations", operations, ""),
        figure("agent CPU during it, of a core", percent, "%").goal_if(storm.cpu_percent.map(Goal::AtMost)),
        figure("agent CPU an operation", per_operation, "µs").goal_if(storm.cpu_us.map(Goal::AtMost)),
        figure("agent memory at its most", after.rss_max_bytes as f64 / f64::from(1 << 20), "MiB"),
        figure("alerts written", written.alerts as f64, ""),
    ];
    match counters.lost() {
        Some(lost) => {
            let lost_figure = figure("lost events", lost as f64, "");
            let goal = storm.lossless.then_some(Goal::AtMost(0.0));
            figures.push(lost_figure.goal_if(goal));
            if !storm.lossless {
                let unaccounted = operations - written.alerts as f64 - lost as f64;
                figures.push(
                    figure("matches neither alerted nor counted as lost", unaccounted, "")
                        .goal(Goal::AtMost(0.0)),
                );
            }
        }
        None => step::warn("the agent logged no counters, so losses are unknown"),
    }
    let detail = json!({
        "storm": name, "seconds": time.as_secs_f64(), "counters": counters.json(), "log": written.json(),
    });
    Ok((figures, detail))
}
