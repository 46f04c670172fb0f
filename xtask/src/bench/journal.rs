//! How many alerts were written to the log, by the numbers of its lines.
//!
//! The log has a bound, and its oldest segments are deleted for it, so the lines that are there are not all that were
//! written. Their numbers begin at 1 and have no hole: the last one tells.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::RULE;

/// The rule of the line that tells of events that were lost in the kernel.
const REPORT: &str = "Holdfast internal: events lost";

/// What was written in a while.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Alerts of the benchmark's rule.
    pub(crate) alerts: u64,
    /// Lines of other rules that are still there, and reports of lost events. Others may have been deleted; those
    /// are taken for alerts of the benchmark's rule, as nearly all lines are.
    others: u64,
    /// Numbers that a line of the journal declares lost.
    lost: u64,
    /// Lines of any rule that were deleted for the log's bound.
    deleted: u64,
}

impl Written {
    /// For the report.
    pub(crate) fn json(&self) -> Value {
        let Self { alerts, others, lost, deleted } = self;
        json!({"alerts": alerts, "others": others, "lost": lost, "deleted": deleted})
    }
}

/// The number of the last line, 0 without one.
pub(crate) fn last_number(folder: &Path) -> Result<u64> {
    let mut last = 0;
    for path in segments(folder)? {
        each_line(&path, |line, is_last| {
            if is_last {
                last = last.max(Numbers::of(&parsed(line)?)?.last);
            }
            Ok(())
        })?;
    }
    Ok(last)
}

/// What was written after the line with the number `since`, once the agent has stopped. Of lost events it has told
/// `reports` times.
pub(crate) fn written(folder: &Path, since: u64, reports: u64) -> Result<Written> {
    let mut ends: Vec<Numbers> = Vec::new();
    let (mut covered, mut others, mut reports_left, mut lost) = (0, 0, 0, 0);
    for path in segments(folder)? {
        let mut is_first = true;
        each_line(&path, |line, is_last| {
            let ours = line.contains(RULE);
            covered += 1;
            if ours && !is_first && !is_last {
                return Ok(());
            }
            is_first = false;
            let value = parsed(line)?;
            let numbers = Numbers::of(&value)?;
            ends.push(numbers);
            covered += numbers.last - numbers.first;
            if !ours && numbers.last > since {
                match value.get("rule").and_then(Value::as_str) {
                    _ if numbers.lost => lost += numbers.last - numbers.first + 1,
                    Some(REPORT) => reports_left += 1,
                    _ => others += 1,
                }
            }
            Ok(())
        })?;
    }
    let Some(last) = ends.iter().map(|numbers| numbers.last).max() else {
        return Ok(Written::default());
    };
    let first = ends.iter().map(|numbers| numbers.first).min().unwrap_or(last);
    ensure!(
        covered == last - first + 1,
        "the log has {covered} lines with the numbers {first} to {last}: no count can be taken from them"
    );
    let others = others + reports.max(reports_left);
    let alerts = (last - since).saturating_sub(others + lost);
    Ok(Written { alerts, others, lost, deleted: (first - 1).saturating_sub(since) })
}

/// The numbers that a line stands for: its own, or those that it declares lost, of which its own is the last.
#[derive(Clone, Copy)]
struct Numbers {
    first: u64,
    last: u64,
    lost: bool,
}

impl Numbers {
    fn of(line: &Value) -> Result<Self> {
        let ours = line.get("holdfast").context("a line of the log without `holdfast`")?;
        let last = ours.get("seq").and_then(Value::as_u64).context("a line of the log without a number")?;
        let lost = ours.get("loss").and_then(|loss| loss.get("first")).and_then(Value::as_u64);
        Ok(Self { first: lost.unwrap_or(last), last, lost: lost.is_some() })
    }
}

fn parsed(line: &str) -> Result<Value> {
    serde_json::from_str(line).context("a line of the log is not JSON")
}

fn segments(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Calls with each whole line and whether it is the last one: the log may be being written.
fn each_line(path: &Path, mut take: impl FnMut(&str, bool) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut line, mut next) = (Vec::new(), Vec::new());
    reader.read_until(b'\n', &mut line)?;
    while line.ends_with(b"\n") {
        next.clear();
        reader.read_until(b'\n', &mut next)?;
        let text = str::from_utf8(&line).with_context(|| format!("`{}` is not text", path.display()))?;
        take(text, !next.ends_with(b"\n"))?;
        std::mem::swap(&mut line, &mut next);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{REPORT, RULE, Written, last_number, written};

    fn line(rule: &str, seq: u64) -> String {
        format!("{{\"rule\":\"{rule}\",\"holdfast\":{{\"seq\":{seq}}}}}\n")
    }

    fn folder(segments: &[(&str, &[String])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, lines) in segments {
            fs::write(folder.path().join(name), lines.concat()).unwrap();
        }
        folder
    }

    #[test]
    fn deleted_segments_count_and_lines_of_other_rules_do_not() {
        let older: Vec<String> = (11..=20).map(|seq| line(RULE, seq)).collect();
        let newer = [line(RULE, 21), line("another", 22), line(REPORT, 23), line(RULE, 24)];
        let log = folder(&[("alerts-00000000000000000011.jsonl", &older), ("alerts.jsonl", &newer)]);
        assert_eq!(last_number(log.path()).unwrap(), 24);
        // Three reports, of which two have been deleted.
        assert_eq!(
            written(log.path(), 4, 3).unwrap(),
            Written { alerts: 16, others: 4, lost: 0, deleted: 6 }
        );
        assert_eq!(
            written(log.path(), 22, 1).unwrap(),
            Written { alerts: 1, others: 1, lost: 0, deleted: 0 }
        );
    }

    #[test]
    fn lines_that_the_journal_lost_are_not_alerts() {
        let loss = "{\"rule\":\"l\",\"holdfast\":{\"seq\":9,\"loss\":{\"first\":3,\"last\":9}}}\n".to_owned();
        let log = folder(&[("alerts.jsonl", &[line(RULE, 1), line(RULE, 2), loss, line(RULE, 10)])]);
        assert_eq!(written(log.path(), 0, 0).unwrap(), Written { alerts: 3, others: 0, lost: 7, deleted: 0 });
    }

    #[test]
    fn a_hole_is_an_error_and_a_line_that_is_being_written_is_none() {
        let log = folder(&[("alerts.jsonl", &[line(RULE, 1), line(RULE, 3)])]);
        assert!(written(log.path(), 0, 0).is_err());
        let torn = line(RULE, 2).trim_end().to_owned();
        let log = folder(&[("alerts.jsonl", &[line(RULE, 1), torn])]);
        assert_eq!(last_number(log.path()).unwrap(), 1);
        assert_eq!(last_number(folder(&[]).path()).unwrap(), 0);
    }
}
