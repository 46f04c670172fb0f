//! What the tests of the whole agent share.
