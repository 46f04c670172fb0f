//! What `/proc` tells of a process: at the start, and where an event was lost.

use std::{fs, os::unix::ffi::OsStringExt, path::Path};

use bytes::Bytes;

use super::{
    Container,
    process::{Process, ProcessKey, tick_ns},
};
use crate::event::{self, Comm};

/// Where the kernel shows processes.
const PROC: &str = "/proc";
/// Longest argument list that is kept: as much as an event carries.
const MAX_ARGV_BYTES: usize = 4096;

/// Every process that is there now.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir(PROC) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

/// One process, if it is there. What may not be read, or is gone in between, is empty.
pub(super) fn process(pid: u32) -> Option<Process> {
    let dir = Path::new(PROC).join(pid.to_string());
    let stat = stat(&fs::read(dir.join("stat")).ok()?)?;
    let exe = link(&dir.join("exe"));
    let exe_memfd = exe.bytes.starts_with(b"/memfd:");
    let mut argv = fs::read(dir.join("cmdline")).unwrap_or_default();
    argv.truncate(MAX_ARGV_BYTES);
    let cgroup = cgroup_path(pid);
    let container = cgroup.as_deref().and_then(Container::of_cgroup).map(std::sync::Arc::new);
    let parent = (stat.parent != 0).then(|| parent_key(stat.parent)).flatten();
    Some(Process {
        key: ProcessKey { pid, start_ticks: stat.start_ticks },
        start_ns: stat.start_ticks * tick_ns(),
        parent,
        comm: stat.comm,
        exe,
        argv: argv.into(),
        cwd: Some(link(&dir.join("cwd"))).filter(|cwd| !cwd.bytes.is_empty()),
        loginuid: number(&dir.join("loginuid")).unwrap_or(u32::MAX),
        session: stat.session,
        tty: stat.tty,
        vpid: innermost_pid(&dir),
        exe_memfd,
        // Not told here: the first event of the process brings it, and its container is looked at again.
        cgroup_id: 0,
        container,
    })
}

/// The parent's key, from its own `stat`.
fn parent_key(pid: u32) -> Option<ProcessKey> {
    let stat = stat(&fs::read(Path::new(PROC).join(pid.to_string()).join("stat")).ok()?)?;
    Some(ProcessKey { pid, start_ticks: stat.start_ticks })
}

/// The path of the process's cgroup: in the unified hierarchy, or where that is not in use in any other that names a
/// container.
pub(super) fn cgroup_path(pid: u32) -> Option<Vec<u8>> {
    let text = fs::read_to_string(Path::new(PROC).join(pid.to_string()).join("cgroup")).ok()?;
    let mut paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let named = paths.clone().find(|path| Container::of_cgroup(path.as_bytes()).is_some());
    named.or_else(|| paths.next()).map(|path| path.as_bytes().to_vec())
}

/// The fields of `/proc/PID/stat` that are used (`proc_pid_stat(5)`).
struct Stat {
    comm: Comm,
    parent: u32,
    session: u32,
    tty: u32,
    start_ticks: u64,
}

/// The name stands in parentheses and may hold any byte, parentheses too; no number does.
fn stat(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let comm = Comm::new(text.get(open + 1..close)?);
    let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
    // Behind the name comes field 3.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3);
    Some(Stat {
        comm,
        parent: field(4)?.parse().ok()?,
        session: field(6)?.parse().unwrap_or(0),
        tty: field(7)?.parse().unwrap_or(0),
        start_ticks: field(22)?.parse().ok()?,
    })
}

/// What a link of procfs points to, without what the kernel says of a file that has no name any more.
fn link(path: &Path) -> event::Path {
    let target = fs::read_link(path).map(|target| target.into_os_string().into_vec()).unwrap_or_default();
    let target = target.strip_suffix(b" (deleted)").unwrap_or(&target);
    event::Path { bytes: Bytes::copy_from_slice(target), ..event::Path::default() }
}

fn number(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The last of `NSpid:` in `status`: the process id in the innermost namespace.
fn innermost_pid(dir: &Path) -> Option<u32> {
    let status = fs::read(dir.join("status")).ok()?;
    let line = status.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"NSpid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let text = b"42 (a) (b 1) S 7 42 40 34816 42 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n";
        let stat = stat(text).expect("whole");
        assert_eq!((stat.parent, stat.session, stat.tty, stat.start_ticks), (7, 40, 34816, 12345));
        assert_eq!(stat.comm.as_bytes(), b"a) (b 1");
    }

    #[test]
    fn this_process_is_found_with_its_parent_and_arguments() {
        let own = process(std::process::id()).expect("it runs");
        assert_eq!(own.parent.map(|key| key.pid), Some(std::os::unix::process::parent_id()));
        assert!(own.args().next().is_some() && !own.exe.bytes.is_empty());
        assert!(all().iter().any(|process| process.key == own.key));
    }
}
