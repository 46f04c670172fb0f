//! How severe an alert is.

use serde::{Deserialize, Serialize};

/// How severe, most severe first: `Emergency < Debug`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it; they are those of syslog")]
pub enum Priority {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
}

impl Priority {
    /// Every priority, most severe first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// Its name as alerts have it: `Warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }
}

/// Not the name of a priority.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a priority; use one of emergency, alert, critical, error, warning, notice, informational (or info), debug"
)]
pub struct UnknownPriority(String);

impl std::str::FromStr for Priority {
    type Err = UnknownPriority;

    /// In any case; `info` is `informational`.
    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        let known = Self::ALL.into_iter().find(|priority| priority.name().eq_ignore_ascii_case(text));
        known
            .or_else(|| text.eq_ignore_ascii_case("info").then_some(Self::Informational))
            .ok_or_else(|| UnknownPriority(text.to_owned()))
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
