//! What a file says of a rule.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    exceptions::{Exception, read as read_exceptions},
    item::{Change, Entry, Read},
};
use crate::rules::{
    Priority,
    diagnostic::{Code, Item, Report},
    text::{Place, Text},
};

/// A rule as it is defined.
#[derive(Clone, Debug)]
pub(crate) struct RuleDef {
    pub(crate) item: Item,
    pub(crate) at: Place,
    pub(crate) condition: Text,
    pub(crate) output: Text,
    pub(crate) description: String,
    pub(crate) priority: Priority,
    pub(crate) tags: BTreeSet<Box<str>>,
    pub(crate) source: String,
    pub(crate) enabled: bool,
    pub(crate) warn_evttypes: bool,
    pub(crate) skip_if_unknown: bool,
    pub(super) exceptions: Vec<Exception>,
}

const APPEND: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
const REPLACE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "enabled",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
];
const KEYS: &[&str] = &[
    "rule",
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "enabled",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "source",
    "append",
    "override",
];

impl RuleDef {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.item.name
    }

    /// The condition with its exceptions.
    pub(crate) fn whole_condition(&self, report: &mut Report<'_>) -> Text {
        super::exceptions::join(&self.condition, &self.exceptions, &self.item, report)
    }
}

/// Carries out an item with the key `rule`. `rules` are those defined so far, in their order.
pub(super) fn carry_out(entry: &Entry<'_>, rules: &mut Vec<RuleDef>, report: &mut Report<'_>) -> Read<()> {
    entry.warn_of_unknown_keys(report, KEYS);
    warn_of_capture(entry, report)?;
    let known = rules.iter_mut().find(|rule| rule.item.name == entry.item.name);
    let changes = entry.changes(report, APPEND, REPLACE)?;
    let source = entry.text(report, "source")?;
    if let (Some(rule), Some(source)) = (&known, source)
        && rule.source != source.as_str()
    {
        return entry.error(report, source.place(0), "Rule has been re-defined with a different source");
    }
    if entry.flag(report, "append")? == Some(true) {
        if !changes.is_empty() {
            return entry.error(report, entry.at, "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.");
        }
        report.warning(Code::DeprecatedItem, entry.at, Some(&entry.item), "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.");
        let Some(rule) = known else {
            return entry.error(
                report,
                entry.at,
                "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists",
            );
        };
        let appended = ["condition", "exceptions"].into_iter().filter(|key| entry.get(key).is_some());
        return appended.into_iter().try_for_each(|key| change(rule, entry, key, Change::Append, report));
    }
    if !changes.is_empty() {
        let Some(rule) = known else {
            let replaces = changes.iter().any(|(_, change)| *change == Change::Replace);
            return entry.error(report, entry.at, if replaces {
                "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists"
            } else {
                "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists"
            });
        };
        return changes.into_iter().try_for_each(|(key, how)| change(rule, entry, key, how, report));
    }
    let says_nothing = ["condition", "output", "desc", "priority"].iter().all(|key| entry.get(key).is_none());
    if let (true, Some(enabled)) = (says_nothing, entry.flag(report, "enabled")?) {
        report.warning(Code::DeprecatedItem, entry.at, Some(&entry.item), "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the 'override' key (i.e. 'enabled: replace').");
        let Some(rule) = known else {
            return entry.error(
                report,
                entry.at,
                "Rule has 'enabled' key only, but no rule by that name already exists",
            );
        };
        rule.enabled = enabled;
        return Ok(());
    }
    let rule = define(entry, report)?;
    match known {
        // The new one takes the place of the old one in the order.
        Some(old) if old.source == rule.source => *old = rule,
        Some(_) => {
            return entry.error(report, entry.at, "Rule has been re-defined with a different source");
        }
        None => rules.push(rule),
    }
    Ok(())
}

/// The rule alerts all the same; that there is no recording has to be said.
fn warn_of_capture(entry: &Entry<'_>, report: &mut Report<'_>) -> Read<()> {
    if let Some(text) = entry.text(report, "capture_duration")?
        && text.as_str().trim().parse::<u32>().is_err()
    {
        return entry.wrong(
            report,
            text.place(0),
            "Can't decode YAML scalar value: `capture_duration` is in milliseconds",
        );
    }
    if entry.flag(report, "capture")? == Some(true) {
        let message = "`capture` is not supported: the rule alerts, and records nothing";
        report.warning(Code::UnknownKey, entry.at, Some(&entry.item), message);
    }
    Ok(())
}

fn define(entry: &Entry<'_>, report: &mut Report<'_>) -> Read<RuleDef> {
    let source = entry.text(report, "source")?.map_or("syscall", Text::as_str).to_owned();
    let mut rule = RuleDef {
        item: entry.item.clone(),
        at: entry.at,
        condition: entry.required(report, "condition")?.clone(),
        output: entry.required(report, "output")?.clone(),
        description: entry.required(report, "desc")?.as_str().trim().to_owned(),
        priority: Priority::Debug,
        tags: BTreeSet::new(),
        source,
        enabled: true,
        warn_evttypes: true,
        skip_if_unknown: false,
        exceptions: Vec::new(),
    };
    entry.required(report, "priority")?;
    for key in ["priority", "tags", "exceptions", "enabled", "warn_evttypes", "skip-if-unknown-filter"] {
        if entry.get(key).is_some() {
            change(&mut rule, entry, key, Change::Replace, report)?;
        }
    }
    Ok(rule)
}

/// Carries out what an item says of one key.
fn change(
    rule: &mut RuleDef,
    entry: &Entry<'_>,
    key: &str,
    how: Change,
    report: &mut Report<'_>,
) -> Read<()> {
    match key {
        "condition" | "output" => {
            let new = entry.required(report, key)?;
            let text = if key == "condition" { &mut rule.condition } else { &mut rule.output };
            match how {
                Change::Append => text.append(new),
                Change::Replace => *text = new.clone(),
            }
        }
        "desc" => {
            let new = entry.required(report, key)?.as_str().trim();
            rule.description =
                if how == Change::Append { format!("{} {new}", rule.description) } else { new.to_owned() };
        }
        "tags" => {
            if how == Change::Replace {
                rule.tags.clear();
            }
            let tags = entry.texts(report, key)?.unwrap_or_default();
            rule.tags.extend(tags.into_iter().map(|tag| tag.as_str().into()));
        }
        "exceptions" => {
            if how == Change::Replace {
                rule.exceptions.clear();
            }
            read_exceptions(entry, &mut rule.exceptions, report)?;
        }
        "priority" => {
            let text = entry.required(report, key)?;
            rule.priority = match text.as_str().trim().parse() {
                Ok(priority) => priority,
                Err(error) => {
                    let error: crate::rules::UnknownPriority = error;
                    return entry.error(report, text.place(0), error);
                }
            };
        }
        "enabled" => rule.enabled = entry.flag(report, key)?.unwrap_or(true),
        "warn_evttypes" => rule.warn_evttypes = entry.flag(report, key)?.unwrap_or(true),
        "skip-if-unknown-filter" => rule.skip_if_unknown = entry.flag(report, key)?.unwrap_or(false),
        // `capture: false` and its duration ask for nothing.
        _ => {}
    }
    Ok(())
}
