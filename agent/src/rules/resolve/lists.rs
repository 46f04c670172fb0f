//! Lists: the items in place of the name, in the text, before it is parsed. So the language has it.

use std::collections::HashSet;

use crate::rules::{
    diagnostic::{Code, Report},
    file::ListDef,
    text::{Place, Text},
};

/// How long a condition may be with its lists, in bytes: a hundred times the longest that is published. Lists of lists
/// grow fast.
const MAX_BYTES: usize = 1 << 20;

/// Lists, ready to be put in.
pub(crate) struct Lists<'a> {
    lists: Vec<(&'a ListDef, Vec<String>)>,
    used: HashSet<&'a str>,
}

/// A condition that its lists make too long.
#[derive(Debug, thiserror::Error)]
#[error("with its lists, this condition has more than {MAX_BYTES} bytes")]
pub(crate) struct TooLong;

impl<'a> Lists<'a> {
    /// An item that is the name of a list defined before stands for that list's own items.
    pub(crate) fn new(defined: &'a [ListDef]) -> Self {
        let mut used = HashSet::new();
        let mut lists = Vec::with_capacity(defined.len());
        for list in defined {
            let mut items = Vec::with_capacity(list.items.len());
            for item in &list.items {
                let visible = |other: &&ListDef| {
                    *other.item.name == *item.as_str() && other.order.defined < list.order.changed
                };
                match defined.iter().find(visible) {
                    Some(other) => {
                        used.insert(&*other.item.name);
                        items.extend(other.items.iter().map(|item| quoted(item.as_str())));
                    }
                    None => items.push(quoted(item.as_str())),
                }
            }
            lists.push((list, items));
        }
        Self { lists, used }
    }

    /// The text with items in place of names.
    pub(crate) fn put_in(&mut self, text: &Text) -> Result<Text, TooLong> {
        let mut text = text.clone();
        for (list, items) in &self.lists {
            if let Some(with_items) = put_in(&text, &list.item.name, items)? {
                text = with_items;
                self.used.insert(&list.item.name);
            }
        }
        Ok(text)
    }

    pub(crate) fn warn_of_unused(&self, report: &mut Report<'_>) {
        for (list, _) in self.lists.iter().filter(|(list, _)| !self.used.contains(&*list.item.name)) {
            report.warning(
                Code::UnusedList,
                list.at,
                Some(&list.item),
                "List not referred to by any other rule/macro/list",
            );
        }
    }
}

/// An item with a blank needs quotes.
fn quoted(item: &str) -> String {
    if item.contains(' ') && !item.starts_with(['"', '\'']) { format!("\"{item}\"") } else { item.to_owned() }
}

fn put_in(text: &Text, name: &str, items: &[String]) -> Result<Option<Text>, TooLong> {
    let written = text.as_str();
    let bytes = written.as_bytes();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let ends_name = |byte: Option<&u8>| byte.is_none_or(|byte| is_blank(byte) || b"(),=".contains(byte));
    let mut result = Text::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = written.get(from..).filter(|_| !name.is_empty()).and_then(|rest| rest.find(name))
    {
        let (mut start, mut end) = (from + found, from + found + name.len());
        from = end;
        if !ends_name(start.checked_sub(1).and_then(|before| bytes.get(before))) || !ends_name(bytes.get(end))
        {
            continue;
        }
        let at = text.place(start);
        if items.is_empty() {
            // Nothing stands between commas: one of them goes too.
            let before =
                bytes[copied..start].iter().rposition(|byte| !is_blank(byte)).map(|index| copied + index);
            let after = bytes[end..].iter().position(|byte| !is_blank(byte)).map(|index| end + index);
            match (before, after) {
                (Some(before), _) if bytes[before] == b',' => start = before,
                (_, Some(after)) if bytes[after] == b',' => end = after + 1,
                _ => {}
            }
        }
        result.push_part(text, copied..start);
        write_items(&mut result, items, at);
        (copied, from) = (end, end);
        if result.as_str().len() > MAX_BYTES {
            return Err(TooLong);
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    result.push_part(text, copied..written.len());
    Ok(Some(result))
}

fn write_items(text: &mut Text, items: &[String], at: Place) {
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index > 0 { ", " } else { "" }, at);
        text.push_str(item, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_take_the_place_of_a_name_that_stands_alone() {
        let two = ["sh".to_owned(), "\"two words\"".to_owned()];
        for (text, items, expected) in [
            ("proc.name in (shells)", two.as_slice(), Some("proc.name in (sh, \"two words\")")),
            ("proc.name in (a, shells,b)", &two, Some("proc.name in (a, sh, \"two words\",b)")),
            ("proc.name in (shells2, my_shells)", &two, None),
            ("proc.name=shells", &two[..1], Some("proc.name=sh")),
            ("shells and shells", &two[..1], Some("sh and sh")),
            ("x in (a, shells)", &[], Some("x in (a)")),
            ("x in (shells, a)", &[], Some("x in ( a)")),
            ("x in (shells)", &[], Some("x in ()")),
        ] {
            let result = put_in(&Text::whole(text), "shells", items).expect("this is short");
            assert_eq!(result.as_ref().map(Text::as_str), expected, "{text}");
        }
    }
}
