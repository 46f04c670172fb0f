//! Names of files as the filter compares them.

use holdfast_common::{COMPONENT_BYTES, Component};

/// For each length of a name that a clause can ask for, the bytes of its component that are of the name. A table, since
/// working them out takes a branch a word.
pub static NAME_MASKS: [Component; COMPONENT_BYTES - 1] = {
    let mut masks = [[0; 4]; COMPONENT_BYTES - 1];
    let mut len = 0;
    while len < masks.len() {
        let mut byte = 0;
        while byte < len {
            // The first byte is the lowest.
            masks[len][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        len += 1;
    }
    masks
};
