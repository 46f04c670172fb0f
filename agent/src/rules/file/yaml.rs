//! YAML as nodes that know where they stand. Scalars stay text: `yes` and `1` are what was written.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::rules::text::{Place, Text};

/// How deep a rule file may be nested. Exceptions, the deepest, need six.
const MAX_DEPTH: usize = 32;
/// How many nodes a file may have once its aliases stand for what they mean: an alias of aliases grows fast.
const MAX_NODES: usize = 500_000;

/// A node, and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Yaml,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Yaml {
    Null,
    Scalar(Text),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// Text that is not YAML.
#[derive(Debug, thiserror::Error)]
#[error("this is not YAML: {message}")]
pub(super) struct YamlError {
    pub(super) at: Place,
    pub(super) message: String,
}

/// The documents of a source.
pub(super) fn documents(source: u32, text: &str) -> Result<Vec<Node>, YamlError> {
    let mut builder =
        Builder { source, text, open: Vec::new(), anchors: HashMap::new(), documents: Vec::new(), nodes: 0 };
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let at = builder.place(error.marker().byte_offset());
            YamlError { at, message: error.info() }
        })?;
        builder.event(&event, &span)?;
    }
    Ok(builder.documents)
}

/// A sequence or mapping that is not at its end.
struct Open {
    node: Node,
    key: Option<Node>,
    anchor: usize,
}

struct Builder<'a> {
    source: u32,
    text: &'a str,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: &Event<'_>, span: &Span) -> Result<(), YamlError> {
        let at = self.place(span.start.byte_offset());
        let error = |message: &str| YamlError { at, message: message.to_owned() };
        match event {
            Event::Scalar(value, style, anchor, _) => {
                let is_null =
                    *style == ScalarStyle::Plain && matches!(&**value, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Yaml::Null } else { Yaml::Scalar(self.scalar(value, *style, span)) };
                self.close(Node { at, value }, *anchor, 1).map_err(error)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.start(at, Yaml::Sequence(Vec::new()), *anchor).map_err(error)
            }
            Event::MappingStart(_, anchor, _) => {
                self.start(at, Yaml::Mapping(Vec::new()), *anchor).map_err(error)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor, 1).map_err(error),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(anchor).cloned() {
                Some(node) => {
                    let size = size(&node);
                    self.close(node, 0, size).map_err(error)
                }
                None => Err(error("an alias within what it stands for")),
            },
            _ => Ok(()),
        }
    }

    fn start(&mut self, at: Place, value: Yaml, anchor: usize) -> Result<(), &'static str> {
        if self.open.len() == MAX_DEPTH {
            return Err("it is nested too deep for a rule file");
        }
        self.open.push(Open { node: Node { at, value }, key: None, anchor });
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn close(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), &'static str> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err("it is too large for a rule file");
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(open) => match &mut open.node.value {
                Yaml::Sequence(nodes) => nodes.push(node),
                Yaml::Mapping(entries) => match open.key.take() {
                    None => open.key = Some(node),
                    Some(key) => entries.push((key, node)),
                },
                Yaml::Null | Yaml::Scalar(_) => {}
            },
        }
        Ok(())
    }

    fn place(&self, offset: Option<usize>) -> Place {
        let offset = offset.unwrap_or(self.text.len());
        Place { source: self.source, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// Finds each character of a scalar in the source. Folding changes blanks only, and escapes are rare: so the next
    /// such character is the one, and a character that is not found stands where the last one stood.
    fn scalar(&self, value: &str, style: ScalarStyle, span: &Span) -> Text {
        let start = span.start.byte_offset().unwrap_or_default();
        let end = span.end.byte_offset().unwrap_or(start).max(start);
        let written = self.text.get(start..end).unwrap_or_default();
        let header = match style {
            // `>-  # comment`
            ScalarStyle::Literal | ScalarStyle::Folded if written.starts_with(['|', '>']) => {
                written.find('\n').unwrap_or(0)
            }
            _ => 0,
        };
        let mut text = Text::new();
        let mut at = header;
        for char in value.chars() {
            let found = if char.is_whitespace() { None } else { written[at..].find(char) };
            let place = self.place(Some(start + at + found.unwrap_or(0)));
            text.push(char, place);
            at += found.map_or(0, |found| found + char.len_utf8());
        }
        text
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Yaml::Null | Yaml::Scalar(_) => 0,
        Yaml::Sequence(nodes) => nodes.iter().map(size).sum(),
        Yaml::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_byte_of_a_scalar_is_found_where_it_was_written() {
        for (yaml, value) in [
            ("a: proc.name = X\n", "proc.name = X"),
            ("a: >-  # comment with an X\n  proc.name\n  = X\n", "proc.name = X"),
            ("a: |\n  proc.name\n   = X\n", "proc.name\n = X\n"),
            ("a: \"proc.name = \\\"X\\\"\"\n", "proc.name = \"X\""),
            ("a: 'it''s X'\n", "it's X"),
            ("a: é\n  X\n", "é X"),
        ] {
            let documents = documents(0, yaml).expect("this is YAML");
            let Yaml::Mapping(entries) = &documents[0].value else { panic!("this is a mapping") };
            let Yaml::Scalar(text) = &entries[0].1.value else { panic!("this is a scalar") };
            assert_eq!(text.as_str(), value);
            let place = text.place(value.find('X').expect("there is an X"));
            assert_eq!(place.offset as usize, yaml.rfind('X').expect("there is an X"), "{yaml}");
        }
    }

    #[test]
    fn a_file_that_would_grow_without_end_is_refused() {
        let mut yaml = String::from("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let inner = format!("*a{}, ", level - 1).repeat(10);
            yaml.push_str(&format!("- &a{level} [{inner}]\n"));
        }
        assert!(documents(0, &yaml).is_err());
        assert!(documents(0, &"[".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-a: \\[\\]{}&*|>'\"\\n#!%]{0,60}") {
            let _ = documents(0, &text);
        }
    }
}
