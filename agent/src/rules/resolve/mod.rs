//! Definitions -> Expr: lists put in as text, macros as trees.

mod lists;
mod macros;

pub(crate) use lists::Lists;
pub(crate) use macros::{MacroError, Macros};
