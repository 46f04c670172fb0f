//! Text -> Expr: the condition grammar.
//!
//! In: the [`Text`](super::text::Text) of a condition, lists already put in. Out: an [`Expr`], or a [`error::SyntaxError`] that
//! says where and what was expected. Promise: no text panics or exhausts the stack. Names are not looked up here.

mod ast;
mod cursor;
mod error;
mod parse;
mod parts;
mod quoted;
mod render;

pub(crate) use ast::{Compare, Expr, FieldRef, Function, Literal, Modifier, Op, Operand, Right};
pub(crate) use parse::{MAX_DEPTH, parse, parse_operand};
