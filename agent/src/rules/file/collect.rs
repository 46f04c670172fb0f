//! All items of all files, in their order.

use super::{
    item::{Change, Entry, Read, key_text},
    rule::{self, RuleDef},
    version,
    yaml::{Node, Yaml, documents},
};
use crate::rules::{
    Source,
    diagnostic::{Code, Item, Report},
    text::{Place, Text},
};

/// A list as it is defined.
#[derive(Clone, Debug)]
pub(crate) struct ListDef {
    pub(crate) item: Item,
    pub(crate) at: Place,
    pub(crate) items: Vec<Text>,
    pub(crate) order: Order,
}

/// A macro as it is defined.
#[derive(Clone, Debug)]
pub(crate) struct MacroDef {
    pub(crate) item: Item,
    pub(crate) at: Place,
    pub(crate) condition: Text,
    pub(crate) order: Order,
}

/// When something was defined, and when last changed: it sees what was defined before its last change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) defined: usize,
    pub(crate) changed: usize,
}

/// Everything that rule files define, each in the order of its first definition.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) lists: Vec<ListDef>,
    pub(crate) macros: Vec<MacroDef>,
    pub(crate) rules: Vec<RuleDef>,
    items: usize,
}

/// Reads all sources.
pub(crate) fn collect(sources: &[Source], report: &mut Report<'_>) -> Definitions {
    let mut definitions = Definitions::default();
    for (index, source) in (0..).zip(sources) {
        match documents(index, &source.text) {
            Ok(documents) => documents.iter().for_each(|document| definitions.document(document, report)),
            Err(error) => report.error(Code::YamlParse, error.at, None, error),
        }
    }
    definitions
}

impl Definitions {
    fn document(&mut self, document: &Node, report: &mut Report<'_>) {
        let nodes = match &document.value {
            Yaml::Sequence(nodes) => nodes,
            Yaml::Null => return,
            Yaml::Scalar(_) => {
                return report.error(Code::YamlValidate, document.at, None, "Rules content is not yaml");
            }
            Yaml::Mapping(_) => {
                let message = "Rules content is not yaml array of objects: begin each item with `- `";
                return report.error(Code::YamlValidate, document.at, None, message);
            }
        };
        for node in nodes {
            match &node.value {
                // What is wrong has been reported; the next item may be fine.
                Yaml::Mapping(keys) => drop(self.item(node.at, keys, report)),
                Yaml::Null => {}
                _ => {
                    let message = "Unexpected element type. Each element should be a yaml associative array.";
                    report.error(Code::YamlValidate, node.at, None, message);
                }
            }
        }
    }

    fn item(&mut self, at: Place, keys: &[(Node, Node)], report: &mut Report<'_>) -> Read<()> {
        const KINDS: [&str; 5] =
            ["required_engine_version", "required_plugin_versions", "list", "macro", "rule"];
        let has = |kind: &&&str| keys.iter().any(|(key, _)| key_text(key) == Some(kind));
        let Some(kind) = KINDS.iter().find(has) else {
            let names = keys.iter().filter_map(|(key, _)| key_text(key));
            let nearest = names.into_iter().find_map(|name| crate::rules::names::nearest(name, KINDS));
            let hint = nearest.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
            report.warning(Code::UnknownItem, at, None, format!("Unknown top level item{hint}"));
            return Ok(());
        };
        let mut entry = Entry { item: Item { kind, name: "".into() }, at, keys };
        if *kind == "required_plugin_versions" {
            return plugins(&entry, report);
        }
        entry.item.name = entry.required(report, kind)?.as_str().into();
        let order = Order { defined: self.items, changed: self.items };
        self.items += 1;
        match *kind {
            "required_engine_version" => match version::check_engine(&entry.item.name) {
                Ok(()) => Ok(()),
                Err(message) => entry.error(report, at, message),
            },
            "list" => self.list(&entry, order, report),
            "macro" => self.macro_(&entry, order, report),
            _ => rule::carry_out(&entry, &mut self.rules, report),
        }
    }

    fn list(&mut self, entry: &Entry<'_>, order: Order, report: &mut Report<'_>) -> Read<()> {
        entry.warn_of_unknown_keys(report, &["list", "items", "append", "override"]);
        let name = &entry.item.name;
        if name.contains(|char: char| char.is_whitespace() || "()\"'=,".contains(char)) {
            let message =
                "List has an invalid name. List names should match a regular expression: [^()\"'\\s=,]+";
            report.warning(Code::InvalidListName, entry.at, Some(&entry.item), message);
        }
        let Some(items) = entry.texts(report, "items")? else {
            return entry.wrong(report, entry.at, "Item has no mapping for key 'items'");
        };
        let items = items.into_iter().cloned();
        let known = self.lists.iter_mut().find(|list| list.item.name == *name);
        match (
            change(
                entry,
                "items",
                "List uses 'append' or 'override.items: append' but no list by that name already exists",
                known.is_some(),
                report,
            )?,
            known,
        ) {
            (Some(Change::Append), Some(list)) => {
                list.items.extend(items);
                list.order.changed = order.changed;
            }
            (_, Some(list)) => {
                list.items = items.collect();
                list.order.changed = order.changed;
            }
            (_, None) => {
                self.lists.push(ListDef {
                    item: entry.item.clone(),
                    at: entry.at,
                    items: items.collect(),
                    order,
                });
            }
        }
        Ok(())
    }

    fn macro_(&mut self, entry: &Entry<'_>, order: Order, report: &mut Report<'_>) -> Read<()> {
        entry.warn_of_unknown_keys(report, &["macro", "condition", "append", "override"]);
        let name = &entry.item.name;
        let plain = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if !name.starts_with(|char: char| char.is_ascii_alphabetic()) || !name.chars().all(plain) {
            let message = "Macro has an invalid name. Macro names should match a regular expression: [a-zA-Z]+[a-zA-Z0-9_]*";
            report.warning(Code::InvalidMacroName, entry.at, Some(&entry.item), message);
        }
        let condition = entry.required(report, "condition")?;
        let known = self.macros.iter_mut().find(|other| other.item.name == *name);
        match (
            change(
                entry,
                "condition",
                "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists",
                known.is_some(),
                report,
            )?,
            known,
        ) {
            (Some(Change::Append), Some(known)) => {
                known.condition.append(condition);
                known.order.changed = order.changed;
            }
            (_, Some(known)) => {
                known.condition = condition.clone();
                known.order.changed = order.changed;
            }
            (_, None) => {
                self.macros.push(MacroDef {
                    item: entry.item.clone(),
                    at: entry.at,
                    condition: condition.clone(),
                    order,
                });
            }
        }
        Ok(())
    }
}

/// What a list or macro with one key that can change says of it.
fn change(
    entry: &Entry<'_>,
    key: &str,
    missing: &str,
    known: bool,
    report: &mut Report<'_>,
) -> Read<Option<Change>> {
    let changes = entry.changes(report, &[key], &[key])?;
    let mut change = changes.first().map(|(_, change)| *change);
    if entry.flag(report, "append")? == Some(true) {
        if change.is_some() {
            let message = format!(
                "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. '{key}: append') under 'override' instead."
            );
            return entry.error(report, entry.at, message);
        }
        let message = format!(
            "'append' key is deprecated. Add an 'append' entry (e.g. '{key}: append') under 'override' instead."
        );
        report.warning(Code::DeprecatedItem, entry.at, Some(&entry.item), message);
        change = Some(Change::Append);
    }
    if change == Some(Change::Append) && !known {
        return entry.error(report, entry.at, missing);
    }
    Ok(change)
}

/// Each plugin, or one of its alternatives, has to be one whose fields we have.
fn plugins(entry: &Entry<'_>, report: &mut Report<'_>) -> Read<()> {
    for node in entry.sequence(report, "required_plugin_versions")?.unwrap_or_default() {
        let Yaml::Mapping(keys) = &node.value else {
            return entry.wrong(report, node.at, "a plugin has to be a mapping with `name` and `version`");
        };
        let main = Entry { item: entry.item.clone(), at: node.at, keys };
        let mut choices = vec![(main.required(report, "name")?, main.required(report, "version")?)];
        for other in main.sequence(report, "alternatives")?.unwrap_or_default() {
            if let Yaml::Mapping(keys) = &other.value {
                let other = Entry { item: entry.item.clone(), at: other.at, keys };
                choices.push((other.required(report, "name")?, other.required(report, "version")?));
            }
        }
        if !choices.iter().any(|(name, version)| version::has_plugin(name.as_str(), version.as_str())) {
            let message = format!(
                "Plugin requirement not satisfied: `{}` {}",
                choices[0].0.as_str(),
                choices[0].1.as_str()
            );
            return entry.error(report, node.at, message);
        }
    }
    Ok(())
}
