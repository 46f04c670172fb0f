//! Packages of Debian, installed when something is missing and we may.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{step, tree};

/// How long apt waits for another apt. An unattended upgrade on a fresh machine takes minutes.
const LOCK_TIMEOUT: &str = "DPkg::Lock::Timeout=900";
/// The lock of the package lists has no such option: so many tries, `RETRY_PAUSE` apart.
const UPDATE_TRIES: u32 = 30;
const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// Whether this machine is Debian or made from it.
pub(crate) fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let debian = release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .any(|ids| ids.trim_matches('"').split(' ').any(|id| id == "debian"));
    debian && Path::new("/usr/bin/apt-get").exists()
}

/// Installs packages; elsewhere than on Debian, or when not root, says how.
pub(crate) fn install(why: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !is_debian() {
        bail!(
            "{why}: this machine is not Debian, install what these packages of Debian's are:\n    {by_hand}"
        );
    }
    if !tree::is_root() {
        bail!("{why}, and installing takes root:\n    sudo apt-get update && sudo {by_hand}");
    }
    step::done("install", &format!("{} ({why})", packages.join(" ")));
    update()?;
    step::command(
        apt().args(["install", "--yes", "--no-install-recommends", "-o", LOCK_TIMEOUT]).args(packages),
    )
    .with_context(|| format!("{why}; by hand:\n    {by_hand}\nbecause"))
}

fn update() -> Result<()> {
    for _ in 1..UPDATE_TRIES {
        let output = apt().arg("update").output().context("cannot run apt-get")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(());
        }
        if !said.contains("lock") {
            bail!("`apt-get update` failed:\n{}", said.trim());
        }
        step::warn("another apt holds the lock of the package lists; trying again");
        thread::sleep(RETRY_PAUSE);
    }
    bail!("another apt has held the lock of the package lists for minutes")
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--quiet"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
