//! The counters that the agent logs when it stops: what it saw, kept from user space, handed up and lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::agent::message;

/// The four counters of one class of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) seen: u64,
    pub(crate) filtered: u64,
    pub(crate) submitted: u64,
    pub(crate) lost: u64,
}

/// What the agent logged of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Empty when the agent logged none, which is not the same as nothing lost.
    classes: BTreeMap<String, Class>,
    /// How many times it told of lost events. It tells so in the alert log too, a line each.
    reports: u64,
}

impl Counters {
    /// Reads the lines with the message `Counters`: one a class, with the fields `class`, `seen`, `filtered`,
    /// `submitted` and `lost`; or one with a field a class, an object of these (or its text).
    pub(crate) fn read(log: impl Iterator<Item = Value>) -> Self {
        let mut counters = Self::default();
        for line in log {
            match message(&line) {
                Some("Counters") => {}
                Some(text) if text.starts_with("Events were lost") => {
                    counters.reports += 1;
                    continue;
                }
                _ => continue,
            }
            let fields = line.get("fields").unwrap_or(&line).as_object().cloned().unwrap_or_default();
            if let Some(class) = fields.get("class").and_then(Value::as_str) {
                counters.classes.insert(class.to_owned(), class_of(&fields));
                continue;
            }
            for (name, value) in fields {
                let inner = value.as_str().and_then(|text| serde_json::from_str(text).ok());
                if let Some(fields) = inner.as_ref().unwrap_or(&value).as_object() {
                    counters.classes.insert(name, class_of(fields));
                }
            }
        }
        counters
    }

    /// Events lost in all classes; `None` when the agent did not say.
    pub(crate) fn lost(&self) -> Option<u64> {
        (!self.classes.is_empty()).then(|| self.classes.values().map(|class| class.lost).sum())
    }

    /// How many times the agent told of lost events.
    pub(crate) fn reports(&self) -> u64 {
        self.reports
    }

    /// For the report.
    pub(crate) fn json(&self) -> Value {
        let classes = self.classes.iter().map(|(name, class)| {
            let Class { seen, filtered, submitted, lost } = class;
            let class = json!({"seen": seen, "filtered": filtered, "submitted": submitted, "lost": lost});
            (name.clone(), class)
        });
        Value::Object(classes.collect())
    }
}

fn class_of(fields: &Map<String, Value>) -> Class {
    let number = |key| fields.get(key).and_then(Value::as_u64).unwrap_or(0);
    Class {
        seen: number("seen"),
        filtered: number("filtered"),
        submitted: number("submitted"),
        lost: number("lost"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, Value};

    fn lost(lines: &[&str]) -> Option<u64> {
        let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        Counters::read(lines).lost()
    }

    #[test]
    fn losses_of_all_classes_are_added_up_in_either_form() {
        let by_class = [
            r#"{"level":"INFO","fields":{"message":"Counters","class":"open","seen":9,"lost":2}}"#,
            r#"{"level":"INFO","fields":{"message":"Counters","class":"exec","seen":9,"lost":1}}"#,
        ];
        assert_eq!(lost(&by_class), Some(3));
        assert_eq!(lost(&[r#"{"message":"Counters","open":{"lost":4},"exec":"{\"lost\":1}"}"#]), Some(5));
    }

    #[test]
    fn reports_of_losses_are_counted() {
        let line = r#"{"fields":{"message":"Events were lost: the ring was full","class":"open","count":7}}"#;
        let lines = [line, line].map(|line| serde_json::from_str::<Value>(line).unwrap());
        let counters = Counters::read(lines.into_iter());
        assert_eq!((counters.reports(), counters.lost()), (2, None));
    }

    #[test]
    fn no_counters_are_not_zero_losses() {
        assert_eq!(lost(&[r#"{"fields":{"message":"Ready"}}"#]), None);
    }
}
