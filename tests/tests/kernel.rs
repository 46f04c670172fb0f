//! The agent on this kernel: a deed, and the alert it must raise.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::symlink, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Result;
use holdfast_tests::{Agent, Alert, Deed, Options};

/// What the agent promises for an alert, with room for a busy machine.
const SOON: Duration = Duration::from_secs(1);

const SHADOW: &str = "
- rule: Shadow read
  desc: The password hashes are opened for reading
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read = true and evt.rawres >= 0
    and (fd.name = /etc/shadow or fd.realpath = /etc/shadow)
  output: read %fd.name %fd.realpath %evt.type %proc.pid %proc.name %proc.exepath %proc.pname %proc.ppid %user.name
  priority: WARNING
";

fn shadow() -> Result<Agent> {
    Agent::start(&Options::rules(SHADOW))
}

/// Does a deed, and waits for the alert of that process.
fn alert_of(agent: &Agent, deed: &[&str]) -> Result<Alert> {
    let pid = Deed::named(agent.dir(), "deed")?.done(deed)?;
    await_pid(agent, pid)
}

fn await_pid(agent: &Agent, pid: u32) -> Result<Alert> {
    agent.await_alert(|alert| alert.number("proc.pid") == Some(pid.into()), SOON)
}

fn in_folder(agent: &Agent, name: &str) -> String {
    agent.dir().join(name).to_str().expect("temporary folders have names of text").to_owned()
}

#[test]
fn reading_the_shadow_file_says_who_did_it_and_whose_child_that_is() -> Result<()> {
    let agent = shadow()?;
    // The second command keeps the shell from becoming the cat.
    let mut shell =
        Command::new("/bin/sh").args(["-c", "cat /etc/shadow; :"]).stdout(Stdio::null()).spawn()?;
    let shell_pid = shell.id();
    shell.wait()?;
    let alert = agent.await_alert(|alert| alert.number("proc.ppid") == Some(shell_pid.into()), SOON)?;
    assert_eq!(alert.rule, "Shadow read");
    assert_eq!(alert.priority, "Warning");
    assert_eq!(alert.source, "syscall");
    assert_eq!(alert.text("fd.name"), Some("/etc/shadow"));
    assert_eq!(alert.text("fd.realpath"), Some("/etc/shadow"));
    assert_eq!(alert.text("proc.name"), Some("cat"));
    assert_eq!(alert.text("proc.pname"), Some("sh"));
    assert_eq!(alert.text("user.name"), Some("root"));
    assert!(alert.output.contains(": Warning read /etc/shadow"), "{}", alert.output);
    Ok(())
}

#[test]
fn a_symbolic_link_does_not_hide_what_is_read() -> Result<()> {
    let agent = shadow()?;
    let link = in_folder(&agent, "link");
    symlink("/etc/shadow", &link)?;
    let alert = alert_of(&agent, &["read", &link])?;
    assert_eq!(alert.text("fd.name"), Some(link.as_str()));
    assert_eq!(alert.text("fd.realpath"), Some("/etc/shadow"));
    Ok(())
}

#[test]
fn a_relative_path_is_made_whole_from_the_folder_the_process_went_to() -> Result<()> {
    let agent = shadow()?;
    assert_eq!(alert_of(&agent, &["read-in", "/etc", "shadow"])?.text("fd.name"), Some("/etc/shadow"));
    assert_eq!(
        alert_of(&agent, &["read-in", "/usr", "../etc/./shadow"])?.text("fd.name"),
        Some("/etc/shadow")
    );
    Ok(())
}

#[test]
fn a_tool_under_another_name_is_seen_under_that_name() -> Result<()> {
    let agent = shadow()?;
    let deed = Deed::named(agent.dir(), "innocent")?;
    let alert = await_pid(&agent, deed.done(["read", "/etc/shadow"])?)?;
    assert_eq!(alert.text("proc.name"), Some("innocent"));
    assert_eq!(alert.text("proc.exepath").map(Path::new), Some(deed.program()));
    Ok(())
}

#[test]
fn every_call_that_opens_is_seen() -> Result<()> {
    let agent = shadow()?;
    for (deed, call) in [("open", "open"), ("read", "openat"), ("openat2", "openat2")] {
        assert_eq!(alert_of(&agent, &[deed, "/etc/shadow"])?.text("evt.type"), Some(call));
    }
    Ok(())
}

#[test]
fn the_way_through_proc_self_root_is_seen() -> Result<()> {
    let agent = shadow()?;
    let alert = alert_of(&agent, &["read", "/proc/self/root/etc/shadow"])?;
    assert_eq!(alert.text("fd.realpath"), Some("/etc/shadow"));
    Ok(())
}

#[test]
fn an_open_that_fails_raises_nothing() -> Result<()> {
    let agent = shadow()?;
    let deed = Deed::named(agent.dir(), "deed")?;
    // Not a folder: even root cannot look below a file.
    let failed = deed.done(["fail-to-read", "/etc/shadow/x"])?;
    let pid = unprivileged(agent.dir(), deed.program(), &["fail-to-read", "/etc/shadow"])?;
    // Events come in order for one CPU only, so the later alert alone proves little: wait a little, too.
    await_pid(&agent, deed.done(["read", "/etc/shadow"])?)?;
    thread::sleep(Duration::from_millis(200));
    let pids: BTreeSet<i64> = agent.alerts()?.iter().filter_map(|alert| alert.number("proc.pid")).collect();
    assert!(!pids.contains(&failed.into()) && !pids.contains(&pid.into()), "{pids:?}");
    Ok(())
}

/// Runs a program as nobody.
fn unprivileged(dir: &Path, program: &Path, arguments: &[&str]) -> Result<u32> {
    let mut child = Command::new(program).args(arguments).current_dir(dir).uid(NOBODY).gid(NOBODY).spawn()?;
    let pid = child.id();
    anyhow::ensure!(child.wait()?.success());
    Ok(pid)
}

/// The user and group that own nothing, by convention.
const NOBODY: u32 = 65534;

#[test]
fn writing_below_a_folder_is_seen_by_every_call_that_can_make_a_file() -> Result<()> {
    let manifests = tempfile::tempdir()?;
    let folder = manifests.path().to_str().unwrap();
    let agent = Agent::start(&Options::rules(format!(
            "
- rule: Manifest written
  desc: A file below the manifest folder is opened for writing
  condition: >
    evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and evt.rawres >= 0
    and fd.name startswith {folder}/
  output: wrote %fd.name %evt.type %proc.pid
  priority: CRITICAL
"
        )))?;
    for (deed, call) in [("write", "openat"), ("creat", "creat")] {
        let path = format!("{folder}/{deed}.yaml");
        let alert = alert_of(&agent, &[deed, &path])?;
        assert_eq!(alert.text("fd.name"), Some(path.as_str()));
        assert_eq!(alert.text("evt.type"), Some(call));
        assert_eq!(alert.priority, "Critical");
    }
    Ok(())
}

const EXEC: &str = "
- rule: Run from memory
  desc: A program runs that no folder holds
  condition: evt.type in (execve, execveat) and proc.is_exe_from_memfd = true
  output: run %proc.exepath %proc.pid
  priority: CRITICAL
- rule: Run from shared memory
  desc: A program runs from /dev/shm
  condition: evt.type in (execve, execveat) and proc.exepath startswith /dev/shm/
  output: run %proc.exepath %proc.pid
  priority: WARNING
- rule: Shell of a server
  desc: A server runs a shell
  condition: evt.type in (execve, execveat) and proc.name in (sh, bash, dash) and proc.pname in (nginx, httpd)
  output: run %proc.name %proc.pname %proc.ppid
  priority: NOTICE
";

#[test]
fn a_program_that_runs_from_memory_is_seen() -> Result<()> {
    let agent = Agent::start(&Options::rules(EXEC))?;
    let deed = Deed::named(agent.dir(), "deed")?;
    let pid = deed.done(["exec-from-memory", deed.program().to_str().unwrap()])?;
    assert_eq!(await_pid(&agent, pid)?.rule, "Run from memory");
    Ok(())
}

#[test]
fn a_program_that_runs_from_shared_memory_is_seen() -> Result<()> {
    let agent = Agent::start(&Options::rules(EXEC))?;
    let shm = tempfile::tempdir_in("/dev/shm")?;
    let deed = Deed::named(shm.path(), "deed")?;
    let alert = await_pid(&agent, deed.done(["nothing"])?)?;
    assert_eq!(alert.rule, "Run from shared memory");
    assert_eq!(alert.text("proc.exepath").map(Path::new), Some(deed.program()));
    Ok(())
}

#[test]
fn a_shell_that_a_server_runs_is_seen_and_one_of_another_program_is_not() -> Result<()> {
    let agent = Agent::start(&Options::rules(EXEC))?;
    let other = Deed::named(agent.dir(), "other")?.done(["spawn-shell"])?;
    let server = Deed::named(agent.dir(), "nginx")?.done(["spawn-shell"])?;
    let alert = agent.await_alert(|alert| alert.number("proc.ppid") == Some(server.into()), SOON)?;
    assert_eq!((alert.rule.as_str(), alert.text("proc.pname")), ("Shell of a server", Some("nginx")));
    assert!(agent.alerts()?.iter().all(|alert| alert.number("proc.ppid") != Some(other.into())));
    Ok(())
}

#[test]
fn numbers_and_epoch_go_on_after_kill_9() -> Result<()> {
    let mut agent = shadow()?;
    for _ in 0..3 {
        alert_of(&agent, &["read", "/etc/shadow"])?;
        agent.start_again()?;
    }
    alert_of(&agent, &["read", "/etc/shadow"])?;
    let alerts = agent.alerts()?;
    assert!(alerts.len() >= 4);
    assert!(alerts.iter().map(|alert| alert.holdfast.seq).eq(1..=alerts.len() as u64));
    assert!(alerts.iter().all(|alert| alert.holdfast.epoch == alerts[0].holdfast.epoch));
    assert!(alerts.iter().all(|alert| alert.holdfast.loss.is_none()));
    Ok(())
}

#[test]
fn what_was_done_before_the_agent_is_told_to_end_is_in_the_log() -> Result<()> {
    const DEEDS: usize = 1000;
    let mut agent = shadow()?;
    let pid = Deed::named(agent.dir(), "deed")?.done(["read-many", "/etc/shadow", &DEEDS.to_string()])?;
    let ended = agent.stop()?;
    let of_deed = |alert: &&Alert| alert.number("proc.pid") == Some(pid.into());
    assert_eq!(agent.alerts()?.iter().filter(of_deed).count(), DEEDS, "{}", ended.stderr);
    Ok(())
}

#[test]
fn a_second_instance_says_who_the_first_one_is_and_waits() -> Result<()> {
    let mut agent = shadow()?;
    let mut second = agent.second_instance()?;
    let line = second.await_log("Waiting as standby", Duration::from_secs(5))?;
    let said = serde_json::to_string(&line.fields)?;
    assert!(said.contains(&agent.pid().to_string()), "{said}");
    agent.stop()?;
    second.await_log("Ready", Duration::from_secs(10))?;
    Ok(())
}

#[test]
fn a_call_by_the_32_bit_entry_is_seen() -> Result<()> {
    let agent = shadow()?;
    assert_eq!(alert_of(&agent, &["read-by-int80", "/etc/shadow"])?.text("fd.realpath"), Some("/etc/shadow"));
    Ok(())
}

#[test]
fn what_is_lost_is_counted_and_is_an_alert() -> Result<()> {
    let config = "sensor:\n  event_ring_bytes: 4096\n".into();
    let mut agent = Agent::start(&Options { rules: SHADOW.into(), config })?;
    Deed::named(agent.dir(), "deed")?.done(["read-many", "/etc/shadow", "20000"])?;
    let alert = agent.await_alert(|alert| alert.rule == "Holdfast internal: events lost", 3 * SOON)?;
    assert_eq!((alert.source.as_str(), alert.priority.as_str()), ("internal", "Critical"));
    assert_eq!(alert.text("class"), Some("open"));
    let ended = agent.stop()?;
    let counters = ended.log("Counters");
    let open = counters.iter().find(|line| line.fields["class"] == "open").expect("every class is told");
    let count = |name: &str| open.fields[name].as_u64().expect("a number");
    assert_eq!(count("seen"), count("filtered") + count("submitted") + count("lost"));
    let told: i64 = agent
        .alerts()?
        .iter()
        .filter(|alert| alert.rule == "Holdfast internal: events lost" && alert.text("class") == Some("open"))
        .filter_map(|alert| alert.number("count"))
        .sum();
    assert_eq!(told as u64, count("lost"), "every loss is told, and only once");
    Ok(())
}

#[test]
fn broken_rules_are_shown_with_their_place_and_nothing_is_started() -> Result<()> {
    let rules = "- rule: Broken\n  desc: d\n  condition: evt.type = and\n  output: o\n  priority: WARNING\n";
    let ended = Agent::run_to_end(&Options::rules(rules), |_| {})?;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("rules.yaml:3:"), "{}", ended.stderr);
    Ok(())
}

#[test]
fn without_root_the_agent_says_in_one_line_what_it_needs() -> Result<()> {
    let ended = Agent::run_to_end(&Options::rules(SHADOW), |command| {
        command.uid(NOBODY).gid(NOBODY);
    })?;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    // Lines of its log aside, which are JSON here.
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("holdfast: "), "{lines:?}");
    assert!(lines[0].contains("root") || lines[0].contains("CAP_"), "{lines:?}");
    Ok(())
}

#[test]
fn the_alert_log_is_readable_for_its_group_and_nobody_else() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let agent = shadow()?;
    alert_of(&agent, &["read", "/etc/shadow"])?;
    let mode = fs::metadata(agent.dir().join("log/alerts.jsonl"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    Ok(())
}
