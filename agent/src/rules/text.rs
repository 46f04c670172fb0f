//! Text that remembers where each of its bytes was written.

/// Where something was written: a file of the set, and the byte in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Which of the sources, by its place in the set.
    pub(crate) source: u32,
    /// Offset in that source, in bytes.
    pub(crate) offset: u32,
}

/// A condition on its way to the parser.
///
/// What the parser reads was never written in one piece: YAML folds lines, lists are put in place of their names, other
/// files append. So each byte carries its [`Place`], and an error marks what a person wrote, in the file they wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    text: String,
    /// One a byte of `text`.
    places: Vec<Place>,
}

impl Text {
    /// An empty text.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A text that is a whole source of its own.
    pub(crate) fn whole(text: &str) -> Self {
        let mut whole = Self::new();
        for (offset, char) in text.char_indices() {
            whole.push(char, Place { source: 0, offset: u32::try_from(offset).unwrap_or(u32::MAX) });
        }
        whole
    }

    /// A text that was written nowhere.
    #[cfg(test)]
    pub(crate) fn nowhere(text: &str) -> Self {
        let mut nowhere = Self::new();
        nowhere.push_str(text, Place::default());
        nowhere
    }

    /// Adds a character that was written at `place`.
    pub(crate) fn push(&mut self, char: char, place: Place) {
        self.text.push(char);
        self.places.resize(self.text.len(), place);
    }

    /// Adds text that nobody wrote: it stands for what is at `place`.
    pub(crate) fn push_str(&mut self, text: &str, place: Place) {
        self.text.push_str(text);
        self.places.resize(self.text.len(), place);
    }

    /// Adds a piece of another text, places and all.
    pub(crate) fn push_part(&mut self, other: &Self, range: std::ops::Range<usize>) {
        self.text.push_str(&other.text[range.clone()]);
        self.places.extend_from_slice(&other.places[range]);
    }

    /// Adds another text after a blank.
    pub(crate) fn append(&mut self, other: &Self) {
        self.push_str(" ", other.place(0));
        self.push_part(other, 0..other.text.len());
    }

    /// What is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the byte was written; past the end, where the text ends.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let end = || self.places.last().map(|last| Place { offset: last.offset.saturating_add(1), ..*last });
        self.places.get(offset).copied().or_else(end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_put_together_from_pieces_still_knows_where_each_was_written() {
        let mut text = Text::whole("a or b");
        let mut other = Text::new();
        other.push_str("c", Place { source: 3, offset: 70 });
        text.append(&other);
        assert_eq!(text.as_str(), "a or b c");
        assert_eq!(text.place(5), Place { source: 0, offset: 5 });
        assert_eq!(text.place(7), Place { source: 3, offset: 70 });
        assert_eq!(text.place(99), Place { source: 3, offset: 71 });
    }
}
