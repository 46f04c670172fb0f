//! What the journal counts.

/// Counts since the journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines that were handed in. Equal to `lines_written - loss_lines + lines_held + lines_lost`.
    pub lines_appended: u64,
    /// Lines in the file, loss records among them.
    pub lines_written: u64,
    /// Lines that wait in memory for a disk that takes them, now.
    pub lines_held: u64,
    /// Lines that were given up.
    pub lines_lost: u64,
    /// Loss records in the file.
    pub loss_lines: u64,
    /// Bytes of the lines in the file.
    pub bytes_written: u64,
    /// Writes that failed or came out short.
    pub write_errors: u64,
    /// Syncs that failed.
    pub sync_errors: u64,
    /// Times the state file could not be written.
    pub state_errors: u64,
    /// Times the file was set aside.
    pub rotations: u64,
    /// Times it should have been set aside and could not be.
    pub rotation_errors: u64,
    /// Segments deleted to stay within the bound.
    pub segments_deleted: u64,
    /// Lines in them, by the numbers in their names.
    pub lines_deleted: u64,
    /// Times somebody else deleted, replaced or emptied the file.
    pub disturbed: u64,
    /// The latest failure, in words. `None` when the latest write worked.
    pub failing: Option<String>,
}
