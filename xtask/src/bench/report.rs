//! What was measured: a table for people, a file for comparing.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{step, tree};

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtMost(f64),
}

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    /// In the file only.
    aside: bool,
}

impl Figure {
    /// A figure with no goal.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, goal: None, aside: false }
    }

    /// With a goal.
    pub(crate) fn goal(self, goal: Goal) -> Self {
        self.goal_if(Some(goal))
    }

    /// With a goal, if there is one.
    pub(crate) fn goal_if(mut self, goal: Option<Goal>) -> Self {
        self.goal = goal;
        self
    }

    /// Left out of the table: a second view of what it has already.
    pub(crate) fn aside(mut self) -> Self {
        self.aside = true;
        self
    }

    fn met(&self) -> Option<bool> {
        let Goal::AtMost(most) = self.goal?;
        Some(self.value <= most)
    }

    fn cells(&self) -> [String; 4] {
        let goal = self.goal.map(|Goal::AtMost(most)| format!("at most {}", number(most, self.unit)));
        let met = self.met().map(|met| if met { "met" } else { "MISSED" });
        let value = number(self.value, self.unit);
        [self.name.clone(), value, goal.unwrap_or_default(), met.unwrap_or_default().to_owned()]
    }

    fn json(&self) -> Value {
        let goal = self.goal.map(|Goal::AtMost(most)| most);
        json!({"name": self.name, "value": self.value, "unit": self.unit, "at_most": goal, "met": self.met()})
    }
}

/// The table.
pub(crate) fn table(figures: &[Figure]) -> String {
    let rows: Vec<[String; 4]> = figures.iter().filter(|figure| !figure.aside).map(Figure::cells).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, value, goal) = (width(0), width(1), width(2));
    let line = |row: &[String; 4]| {
        let line = format!("{:<name$}  {:>value$}  {:<goal$}  {}", row[0], row[1], row[2], row[3]);
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What the figures come from: without it they mean nothing.
pub(crate) struct Origin {
    date: String,
    quick: bool,
    commit: Option<String>,
    kernel: String,
    architecture: String,
    cpu: String,
    cpus: usize,
    memory: String,
    /// Before anything was measured: what else the machine had to do.
    load: String,
}

impl Origin {
    /// This machine and this moment.
    pub(crate) fn here(quick: bool) -> Self {
        let root = tree::root().to_string_lossy();
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, key| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
            line.trim_start_matches(['\t', ' ', ':']).trim_end().to_owned()
        };
        let uname = rustix::system::uname();
        Self {
            date: date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            quick,
            commit: step::output("git", &["-C", &root, "describe", "--always", "--dirty"]),
            kernel: uname.release().to_string_lossy().into_owned(),
            architecture: uname.machine().to_string_lossy().into_owned(),
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            memory: field(&read("/proc/meminfo"), "MemTotal"),
            load: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        }
    }

    /// Kernel and CPU, in a line.
    pub(crate) fn machine(&self) -> String {
        let Self { kernel, architecture, cpu, cpus, memory, load, .. } = self;
        format!("Linux {kernel} {architecture}, CPU {cpu}, {cpus} of them, memory {memory}, load {load}")
    }

    fn json(&self) -> Value {
        let Self { kernel, architecture, cpu, cpus, memory, load, .. } = self;
        json!({
            "kernel": kernel, "architecture": architecture, "cpu": cpu, "cpus": cpus, "memory": memory, "load": load,
        })
    }
}

/// Writes `target/bench/<date>.json`.
pub(crate) fn write(figures: &[Figure], details: &Value, origin: &Origin) -> Result<PathBuf> {
    let Origin { date, quick, commit, .. } = origin;
    let report = json!({
        "date": date,
        "quick": quick,
        "commit": commit,
        "machine": origin.json(),
        "figures": figures.iter().map(Figure::json).collect::<Vec<_>>(),
        "details": details,
    });
    let path = tree::target().join("bench").join(format!("{}.json", date.replace(':', "")));
    let text = serde_json::to_string_pretty(&report).context("a report is JSON")?;
    fs::write(&path, text + "\n").with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// Writes the table as Markdown, to be kept.
pub(crate) fn write_markdown(path: &Path, figures: &[Figure], origin: &Origin) -> Result<()> {
    fs::write(path, markdown(figures, origin)).with_context(|| format!("cannot write `{}`", path.display()))
}

fn markdown(figures: &[Figure], origin: &Origin) -> String {
    let Origin { date, quick, commit, .. } = origin;
    let mut text = String::from("# Benchmark\n\n");
    let command = if *quick { "cargo xtask bench --quick` (rough figures)" } else { "cargo xtask bench`" };
    let commit = commit.as_deref().unwrap_or("unknown");
    let _ = writeln!(text, "`{command}, commit `{commit}`, {date}.\n\n{}.\n", origin.machine());
    text.push_str("| Figure | Value | Goal | |\n| --- | ---: | --- | --- |\n");
    for [name, value, goal, met] in figures.iter().filter(|figure| !figure.aside).map(Figure::cells) {
        let _ = writeln!(text, "| {} | {value} | {goal} | {met} |", name.replace('|', "\\|"));
    }
    text
}

fn number(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return "not measured".to_owned();
    }
    let digits = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 1000.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

/// A moment as `2026-01-31T12:00:00Z`.
fn date(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Figure, Goal, Origin, date, markdown, table};

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(Duration::ZERO), "1970-01-01T00:00:00Z");
        assert_eq!(date(Duration::from_secs(951_782_399)), "2000-02-28T23:59:59Z");
        assert_eq!(date(Duration::from_secs(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(date(Duration::from_secs(1_767_225_599)), "2025-12-31T23:59:59Z");
    }

    #[test]
    fn markdown_tells_machine_and_figures() {
        let figures =
            [Figure::new("a|b", 3.0, "ns").goal(Goal::AtMost(4.0)), Figure::new("c", 1.0, "").aside()];
        let text = markdown(&figures, &Origin::here(true));
        assert!(text.contains(&Origin::here(true).kernel), "{text}");
        assert!(text.ends_with("| --- |\n| a\\|b | 3 ns | at most 4 ns | met |\n"), "{text}");
    }

    #[test]
    fn the_table_is_aligned_and_says_which_goals_are_missed() {
        let figures = [
            Figure::new("short", 3.0, "").goal(Goal::AtMost(0.0)),
            Figure::new("a longer one", 12.345, "ns"),
            Figure::new("in the file only", 1.0, "ns").aside(),
        ];
        assert_eq!(table(&figures), "short               3  at most 0  MISSED\na longer one  12.3 ns");
    }
}
