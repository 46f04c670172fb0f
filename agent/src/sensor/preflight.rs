//! What a machine must have before anything is loaded, said in terms of what to do about it.

use rustix::thread::CapabilitySet;

/// The oldest kernel: 5.11 has `bpf_get_current_task_btf`, 5.8 the ring buffer.
const MIN_KERNEL: (u32, u32) = (5, 11);

/// Why the sensor cannot start here.
#[derive(Debug, thiserror::Error)]
pub enum NotPossible {
    /// The kernel is too old.
    #[error(
        "Linux {release} is too old: Holdfast needs {}.{} or newer (BPF ring buffer, typed task pointers)",
        MIN_KERNEL.0,
        MIN_KERNEL.1
    )]
    OldKernel {
        /// What `uname -r` says.
        release: String,
    },
    /// The process may not load BPF programs.
    #[error(
        "not allowed to load BPF programs ({missing} missing): run as root, or in a pod with the capabilities BPF, \
         PERFMON, SYS_PTRACE and DAC_READ_SEARCH"
    )]
    NotPrivileged {
        /// The capability.
        missing: &'static str,
    },
}

/// Checks the version of the kernel and the capabilities of this process.
pub(super) fn check() -> Result<(), NotPossible> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    if version(&release).is_some_and(|version| version < MIN_KERNEL) {
        return Err(NotPossible::OldKernel { release });
    }
    // Where the capabilities cannot be read the load itself will tell.
    let Ok(sets) = rustix::thread::capabilities(None) else { return Ok(()) };
    let has = |capability| sets.effective.intersects(capability | CapabilitySet::SYS_ADMIN);
    if !has(CapabilitySet::BPF) {
        return Err(NotPossible::NotPrivileged { missing: "CAP_BPF" });
    }
    if !has(CapabilitySet::PERFMON) {
        return Err(NotPossible::NotPrivileged { missing: "CAP_PERFMON" });
    }
    Ok(())
}

/// `6.1.0-13-amd64` is 6.1.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_gives_its_version() {
        for (release, expected) in [
            ("6.1.0-13-amd64", Some((6, 1))),
            ("5.10-rc1", Some((5, 10))),
            ("6.18.44-x", Some((6, 18))),
            ("next", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
    }
}
