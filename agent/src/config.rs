//! What can be set, and where it is set: defaults, then the configuration file, then flags.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Deserialize;

use crate::{journal, sensor};

/// Where the configuration is looked for when no flag names it. There need not be one.
pub const DEFAULT_PATH: &str = "/etc/holdfast/config.yaml";

/// How alerts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stdout {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Not at all.
    None,
}

/// Everything that can be set, complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Rule files and folders of them. Empty: the rules in the binary.
    pub rules: Vec<PathBuf>,
    /// Where the node's root file system is seen: names of users are read there.
    pub host_root: PathBuf,
    /// The node's name in Kubernetes.
    pub node: String,
    /// The host's name.
    pub hostname: String,
    /// How alerts are printed. `None`: as text on a terminal, as JSON elsewhere.
    pub stdout: Option<Stdout>,
    /// The rings.
    pub sensor: sensor::Config,
    /// The alert log.
    pub journal: journal::Config,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not say what a configuration can say.
    #[error("{path}: {message}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Key, place, and what would be accepted.
        message: String,
    },
}

/// The file as it is written. Every key may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    rules: Vec<PathBuf>,
    host_root: Option<PathBuf>,
    node: Option<String>,
    log_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    stdout: Option<Stdout>,
    sensor: sensor::Config,
    journal: JournalFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct JournalFile {
    segment_bytes: Option<u64>,
    max_bytes: Option<u64>,
}

/// What flags say; each goes before what the file says.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// Configuration file [default: /etc/holdfast/config.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Rule file, or folder of *.yaml; may be given more than once [default: the rules in the binary]
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Folder for what must survive a restart [default: /var/lib/holdfast]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Folder for the alert log [default: /var/log/holdfast]
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
    /// Where the node's root file system is seen; in a pod, where it is mounted [default: /]
    #[arg(long, value_name = "DIR")]
    pub host_root: Option<PathBuf>,
    /// How alerts are printed [default: text on a terminal, else json]
    #[arg(long, value_enum, value_name = "FORM")]
    pub stdout: Option<Stdout>,
}

impl Config {
    /// The smallest segment: below it a storm of alerts would be all rotation.
    const MIN_SEGMENT_BYTES: u64 = 64 << 10;

    /// Defaults, then the file, then the flags.
    ///
    /// # Errors
    /// [`Error::Read`] where a named file cannot be read, [`Error::Content`] where it says what cannot be.
    pub fn load(overrides: Overrides) -> Result<Self, Error> {
        let file = match &overrides.config {
            Some(path) => Self::read(path)?,
            None if Path::new(DEFAULT_PATH).exists() => Self::read(Path::new(DEFAULT_PATH))?,
            None => File::default(),
        };
        let defaults = journal::Config::default();
        let journal = journal::Config {
            log_dir: overrides.log_dir.or(file.log_dir).unwrap_or(defaults.log_dir),
            state_dir: overrides.state_dir.or(file.state_dir).unwrap_or(defaults.state_dir),
            segment_bytes: file.journal.segment_bytes.unwrap_or(defaults.segment_bytes),
            max_bytes: file.journal.max_bytes.unwrap_or(defaults.max_bytes),
        };
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let from_env = |key| std::env::var(key).ok().filter(|value| !value.is_empty());
        Ok(Self {
            rules: if overrides.rules.is_empty() { file.rules } else { overrides.rules },
            host_root: overrides.host_root.or(file.host_root).unwrap_or_else(|| PathBuf::from("/")),
            // The manifests pass it by the downward API.
            node: file.node.or_else(|| from_env("NODE_NAME")).unwrap_or_else(|| hostname.clone()),
            // The name that Falco's users know.
            hostname: from_env("FALCO_HOSTNAME").unwrap_or(hostname),
            stdout: overrides.stdout.or(file.stdout),
            sensor: file.sensor,
            journal,
        })
    }

    fn read(path: &Path) -> Result<File, Error> {
        let text =
            fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        parse(&text).map_err(|message| Error::Content { path: path.to_owned(), message })
    }
}

/// Reads the text of a configuration file.
fn parse(text: &str) -> Result<File, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(File::default());
    }
    let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let rings = [
        ("sensor.process_ring_bytes", file.sensor.process_ring_bytes),
        ("sensor.event_ring_bytes", file.sensor.event_ring_bytes),
    ];
    for (key, value) in rings {
        if !(4096..=sensor::Config::MAX_RING_BYTES).contains(&value) {
            return Err(format!(
                "`{key}` is {value}; from 4096 to {} are accepted",
                sensor::Config::MAX_RING_BYTES
            ));
        }
    }
    if let Some(value) = file.journal.segment_bytes.filter(|value| *value < Config::MIN_SEGMENT_BYTES) {
        let least = Config::MIN_SEGMENT_BYTES;
        return Err(format!("`journal.segment_bytes` is {value}; {least} and more are accepted"));
    }
    let segment = file.journal.segment_bytes.unwrap_or(journal::Config::default().segment_bytes);
    if let Some(value) = file.journal.max_bytes.filter(|value| *value < 2 * segment) {
        return Err(format!(
            "`journal.max_bytes` is {value}; two segments ({}) and more are accepted",
            2 * segment
        ));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_left_out_has_its_default() {
        for text in ["", "# nothing\n", "log_dir: /tmp/x\n"] {
            let file = parse(text).expect("accepted");
            assert_eq!(file.sensor, sensor::Config::default(), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_configuration_names_the_key_and_what_would_be_accepted() {
        for (text, key, accepted) in [
            ("log_dri: /tmp\n", "log_dri", "log_dir"),
            ("sensor:\n  event_ring_bytes: 12\n", "sensor.event_ring_bytes", "4096"),
            ("journal:\n  segment_bytes: 1\n", "journal.segment_bytes", "65536"),
            ("journal:\n  max_bytes: 70000\n", "journal.max_bytes", "134217728"),
            ("stdout: loud\n", "loud", "json"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(key) && message.contains(accepted), "{text:?}: {message}");
        }
    }
}
