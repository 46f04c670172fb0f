//! What the kernel half drops, because no rule can match it.
//!
//! The conditions of all rules are turned into clauses, one bit each. A property of an event (did it succeed, was it a
//! read or a write, what is the last component of its path, which folders is it in) gives the set of clauses that are
//! still possible, and the AND of these sets decides. So the cost grows with the number of properties, and not of rules.
//! The filter may only let too much through.

/// A set of clauses.
pub type Clauses = u64;

/// The name of a file or folder, cut at 31 bytes and filled up with zeroes, as words. Longer names are in no rule's
/// clause: such a rule lets every name through.
pub type Component = [u64; 4];
/// Bytes of a [`Component`]; the last one is zero.
pub const COMPONENT_BYTES: usize = 32;
/// Bytes of a folder's path that are compared with the beginning of a path as given.
pub const PREFIX_BYTES: usize = 64;
/// Components and folders that can be looked up. Above what the largest public rule sets name.
pub const MAX_COMPONENTS: u32 = 4096;

/// Words of the table that says which components are worth looking up.
const BLOOM_WORDS: usize = 64;

/// The fixed part of the filter of opens, by word.
pub struct OpenFilter;

impl OpenFilter {
    /// Clauses that a call that failed can match.
    pub const FAILED: usize = 0;
    /// Clauses that a call that succeeded can match.
    pub const SUCCEEDED: usize = 1;
    /// Four words, by `flags & O_ACCMODE`: clauses that such an access can match.
    pub const ACCESS: usize = 2;
    /// Clauses that do not ask for a name.
    pub const ANY_NAME: usize = 6;
    /// Clauses that do not ask for a folder.
    pub const ANY_FOLDER: usize = 7;
    /// A bit for the beginning of each prefix in the table of prefixes, at [`OpenFilter::prefix_bit`].
    pub const PREFIXES: usize = 8;
    /// A bit for each component that is in the table of components, at [`OpenFilter::bloom_bit`].
    pub const BLOOM: usize = 9;
    /// How many words there are.
    pub const WORDS: usize = Self::BLOOM + BLOOM_WORDS;

    /// The word and the bit of a component. A bit that is not set says that the component is in no clause, which is
    /// what is asked most often and costs a tenth of a look-up.
    #[inline(always)]
    #[must_use]
    pub const fn bloom_bit(component: &Component) -> (usize, Clauses) {
        // Odd constants with well mixed bits: the words of the golden ratio and of two square roots (SHA-512).
        let mixed = component[0].wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ component[1].wrapping_mul(0xbb67_ae85_84ca_a73b)
            ^ component[2].wrapping_mul(0x3c6e_f372_fe94_f82b)
            ^ component[3].wrapping_mul(0xa54f_f53a_5f1d_36f1);
        (Self::BLOOM + (mixed >> 58) as usize, 1 << (mixed >> 52 & 63))
    }
}

impl OpenFilter {
    /// The word and the bit of a prefix, by its first four bytes. As with components, a bit that is not set spares the
    /// look-up. A prefix that is shorter sets all bits.
    #[inline(always)]
    #[must_use]
    pub const fn prefix_bit(beginning: u32) -> (usize, Clauses) {
        (Self::PREFIXES, 1 << (beginning.wrapping_mul(0x9e37_79b9) >> 26))
    }
}

/// What a component means to the clauses: as the last one of a path, and as a folder on the way.
pub type ComponentClauses = [Clauses; 2];
