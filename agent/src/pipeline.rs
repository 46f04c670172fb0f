//! Record -> Alert: decoding, context and rules as one step without input or output.

use bytes::Bytes;

use crate::{
    alert::Alert,
    context::Context,
    event::{DecodeError, decode},
    rules::RuleSet,
};

/// What has gone through. `records = events + malformed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records taken in.
    pub records: u64,
    /// Records that were not records.
    pub malformed: u64,
    /// Alerts raised.
    pub alerts: u64,
}

/// All state between a record and an alert.
pub struct Pipeline {
    context: Context,
    rules: RuleSet,
    counts: Counts,
    last_malformed: Option<DecodeError>,
}

impl Pipeline {
    /// Decides by these rules, in this context.
    #[must_use]
    pub fn new(context: Context, rules: RuleSet) -> Self {
        Self { context, rules, counts: Counts::default(), last_malformed: None }
    }

    /// Takes in one record. The alert, if a rule matches: the first that does, in the order of the rules.
    pub fn step(&mut self, record: &Bytes) -> Option<Alert> {
        self.counts.records += 1;
        let event = match decode(record) {
            Ok(event) => event,
            Err(error) => {
                self.counts.malformed += 1;
                self.last_malformed = Some(error);
                return None;
            }
        };
        let enriched = self.context.enrich(&event);
        let rule = self.rules.matches(&enriched)?;
        self.counts.alerts += 1;
        Some(Alert::of(rule, &enriched))
    }

    /// What has gone through.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Why the last record that was not one was not.
    #[must_use]
    pub fn last_malformed(&self) -> Option<DecodeError> {
        self.last_malformed
    }

    /// The context, for what has to be looked at again from time to time.
    pub fn context(&mut self) -> &mut Context {
        &mut self.context
    }
}
