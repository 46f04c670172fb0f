//! Looking at eight bytes at once.
//!
//! A loop over bytes costs the traced process time, and the verifier a state for each way through it. These have no
//! branches.

/// `/` in every byte.
const SLASHES: u64 = 0x2f2f_2f2f_2f2f_2f2f;
/// `.` in every byte.
const DOTS: u64 = 0x2e2e_2e2e_2e2e_2e2e;
/// All but the highest bit of every byte.
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// The highest bit of every byte that is zero. Exact: no byte takes from its neighbour.
#[inline(always)]
fn zeroes(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// How many bytes there are behind the last `/` of a word, 8 where there is none.
#[inline(always)]
pub(crate) fn behind_last_slash(word: u64) -> usize {
    // The first byte is the lowest.
    (zeroes(word ^ SLASHES).leading_zeros() / 8) as usize
}

/// Looks for `//`, `/./` and `/../` in words that come one after the other.
#[derive(Default)]
pub(crate) struct Unclean {
    slash: u64,
    slash_dot: u64,
    slash_dot_dot: u64,
    /// Not zero when there was one.
    pub(crate) found: u64,
}

impl Unclean {
    /// Takes in the next word.
    #[inline(always)]
    pub(crate) fn look(&mut self, word: u64) {
        let (slash, dot) = (zeroes(word ^ SLASHES), zeroes(word ^ DOTS));
        // What ends at the byte before: a shift, and the last byte of the word before.
        let after_slash = slash << 8 | self.slash >> 56;
        let slash_dot = dot & after_slash;
        let after_slash_dot = slash_dot << 8 | self.slash_dot >> 56;
        let slash_dot_dot = dot & after_slash_dot;
        let after_slash_dot_dot = slash_dot_dot << 8 | self.slash_dot_dot >> 56;
        self.found |= slash & (after_slash | after_slash_dot | after_slash_dot_dot);
        (self.slash, self.slash_dot, self.slash_dot_dot) = (slash, slash_dot, slash_dot_dot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slash_is_found() {
        for (text, behind) in [(b"abcdefgh", 8), (b"/bcdefgh", 7), (b"a/c/efgh", 4), (b"abcdefg/", 0)] {
            assert_eq!(behind_last_slash(u64::from_le_bytes(*text)), behind);
        }
    }

    #[test]
    fn a_path_that_is_not_in_its_shortest_form_is_found_wherever_it_lies() {
        for (part, expected) in [
            ("//", true),
            ("/./", true),
            ("/../", true),
            ("/.a/", false),
            ("/..a", false),
            ("a./", false),
            ("/.../", false),
        ] {
            for before in 0..20 {
                let path = format!("{}{part}{}", "x".repeat(before), "y".repeat(9));
                let mut unclean = Unclean::default();
                for chunk in path.as_bytes().chunks(8) {
                    let mut word = [0; 8];
                    word[..chunk.len()].copy_from_slice(chunk);
                    unclean.look(u64::from_le_bytes(word));
                }
                assert_eq!(unclean.found != 0, expected, "{path}");
            }
        }
    }
}
