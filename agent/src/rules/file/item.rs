//! One item of a rule file, and its keys.

use super::yaml::{Node, Yaml};
use crate::rules::{
    diagnostic::{Code, Item, Report},
    text::{Place, Text},
};

/// A mapping with a name: a list, a macro, a rule, an exception.
pub(super) struct Entry<'a> {
    pub(super) item: Item,
    pub(super) at: Place,
    pub(super) keys: &'a [(Node, Node)],
}

/// What was to be read could not be; it has been reported.
#[derive(Debug)]
pub(super) struct Reported;

pub(super) type Read<T> = Result<T, Reported>;

/// What `override` says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Append,
    Replace,
}

/// The text of a scalar key.
pub(super) fn key_text(node: &Node) -> Option<&str> {
    match &node.value {
        Yaml::Scalar(text) => Some(text.as_str()),
        _ => None,
    }
}

impl<'a> Entry<'a> {
    pub(super) fn error<T>(&self, report: &mut Report<'_>, at: Place, message: impl ToString) -> Read<T> {
        report.error(Code::Validate, at, Some(&self.item), message);
        Err(Reported)
    }

    pub(super) fn wrong<T>(&self, report: &mut Report<'_>, at: Place, message: impl ToString) -> Read<T> {
        report.error(Code::YamlValidate, at, Some(&self.item), message);
        Err(Reported)
    }

    /// The value of a key, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let found = self.keys.iter().find(|(name, _)| key_text(name) == Some(key));
        found.map(|(_, value)| value).filter(|value| !matches!(value.value, Yaml::Null))
    }

    pub(super) fn text(&self, report: &mut Report<'_>, key: &str) -> Read<Option<&'a Text>> {
        match self.get(key).map(|node| (node.at, &node.value)) {
            None => Ok(None),
            Some((_, Yaml::Scalar(text))) => Ok(Some(text)),
            Some((at, _)) => self.wrong(report, at, format!("`{key}` has to be a text")),
        }
    }

    /// A text that has to be there, and not be empty.
    pub(super) fn required(&self, report: &mut Report<'_>, key: &str) -> Read<&'a Text> {
        match self.text(report, key)? {
            Some(text) if !text.as_str().trim().is_empty() => Ok(text),
            _ => self.wrong(
                report,
                self.at,
                format!("Item has no mapping for key '{key}': it has to have one, not empty"),
            ),
        }
    }

    pub(super) fn flag(&self, report: &mut Report<'_>, key: &str) -> Read<Option<bool>> {
        let Some(text) = self.text(report, key)? else {
            return Ok(None);
        };
        match text.as_str().to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" | "on" => Ok(Some(true)),
            "n" | "no" | "false" | "off" => Ok(Some(false)),
            _ => self.wrong(
                report,
                text.place(0),
                format!("Can't decode YAML scalar value: `{key}` has to be true or false"),
            ),
        }
    }

    pub(super) fn sequence(&self, report: &mut Report<'_>, key: &str) -> Read<Option<&'a [Node]>> {
        match self.get(key).map(|node| (node.at, &node.value)) {
            None => Ok(None),
            Some((_, Yaml::Sequence(nodes))) => Ok(Some(nodes)),
            Some((at, _)) => self.wrong(report, at, format!("`{key}` has to be a sequence")),
        }
    }

    pub(super) fn texts(&self, report: &mut Report<'_>, key: &str) -> Read<Option<Vec<&'a Text>>> {
        let Some(nodes) = self.sequence(report, key)? else {
            return Ok(None);
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for node in nodes {
            match &node.value {
                Yaml::Scalar(text) => texts.push(text),
                _ => return self.wrong(report, node.at, format!("`{key}` has to be a sequence of texts")),
            }
        }
        Ok(Some(texts))
    }

    /// What `override` says, key by key. Each key in it has to be in the item, and each key that can be has to be in it.
    pub(super) fn changes(
        &self,
        report: &mut Report<'_>,
        append: &[&str],
        replace: &[&str],
    ) -> Read<Vec<(&'a str, Change)>> {
        let Some(node) = self.get("override") else {
            return Ok(Vec::new());
        };
        let Yaml::Mapping(entries) = &node.value else {
            return self.wrong(
                report,
                node.at,
                "`override` has to be a mapping, such as `condition: append`",
            );
        };
        let mut changes = Vec::new();
        for (key, value) in entries {
            let (Some(name), Some(change)) = (key_text(key), key_text(value)) else {
                return self.wrong(report, key.at, "`override` has to be a mapping of texts");
            };
            let change = match change {
                "append" if append.contains(&name) => Change::Append,
                "append" if replace.contains(&name) => {
                    return self.error(
                        report,
                        value.at,
                        format!("Key '{name}' cannot be appended to, use 'replace' instead"),
                    );
                }
                "replace" if replace.contains(&name) => Change::Replace,
                "append" | "replace" => {
                    return self.error(report, key.at, format!("Key '{name}' cannot be overridden"));
                }
                other => {
                    return self.error(report, value.at, format!("Invalid override operation for key '{name}': '{other}'. Use 'append' or 'replace'"));
                }
            };
            if self.get(name).is_none() {
                let word = if change == Change::Append { "An append" } else { "A replace" };
                return self.error(
                    report,
                    key.at,
                    format!("{word} override for '{name}' was specified but '{name}' is not defined"),
                );
            }
            changes.push((name, change));
        }
        let listed = |name| changes.iter().any(|(key, _)| *key == name);
        let unexpected = self
            .keys
            .iter()
            .find(|(key, _)| key_text(key).is_some_and(|name| replace.contains(&name) && !listed(name)));
        match unexpected {
            Some((key, _)) => {
                let name = key_text(key).unwrap_or_default();
                self.error(
                    report,
                    key.at,
                    format!("Unexpected key '{name}': no corresponding entry under 'override' is defined."),
                )
            }
            None => Ok(changes),
        }
    }

    /// Warns of keys that mean nothing here.
    pub(super) fn warn_of_unknown_keys(&self, report: &mut Report<'_>, known: &[&str]) {
        for (key, _) in self.keys {
            let name = key_text(key).unwrap_or("?");
            if !known.contains(&name) {
                let nearest = crate::rules::names::nearest(name, known.iter().copied());
                let hint = nearest.map(|name| format!(" Did you mean '{name}'?")).unwrap_or_default();
                let message = format!("Unknown key '{name}'. The key will be ignored.{hint}");
                report.warning(Code::UnknownKey, key.at, Some(&self.item), message);
            }
        }
    }
}
