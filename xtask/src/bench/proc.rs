//! What a process uses, from /proc.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// CPU time of all its threads, ended ones too, in steps of a clock tick.
    pub(crate) cpu_s: f64,
    /// CPU time of the threads that live, in nanoseconds: for what is less than a tick.
    pub(crate) living_cpu_ns: u64,
    /// Memory now.
    pub(crate) rss_bytes: u64,
    /// Memory at its most.
    pub(crate) rss_max_bytes: u64,
}

impl Usage {
    /// Of a process that lives.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let stat = fs::read_to_string(folder.join("stat")).context("the process has ended")?;
        let status = fs::read_to_string(folder.join("status")).context("the process has ended")?;
        let ticks = ticks(&stat).context("/proc/PID/stat is not as proc(5) says")?;
        let mut living_cpu_ns = 0;
        for task in fs::read_dir(folder.join("task"))?.flatten() {
            // A thread may end between the listing and the reading.
            let schedstat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let first = schedstat.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            living_cpu_ns += first.unwrap_or(0);
        }
        Ok(Self {
            cpu_s: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            living_cpu_ns,
            rss_bytes: kibibytes(&status, "VmRSS:").unwrap_or(0) << 10,
            rss_max_bytes: kibibytes(&status, "VmHWM:").unwrap_or(0) << 10,
        })
    }
}

/// User and system time. The name before them is in brackets and may hold anything, brackets too.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    // The state is field 3; utime is field 14 and stime field 15.
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

fn kibibytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Usage, ticks};

    #[test]
    fn times_are_found_behind_a_name_with_brackets_and_blanks() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn this_process_uses_memory() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_bytes > 0 && usage.rss_max_bytes >= usage.rss_bytes);
    }
}
