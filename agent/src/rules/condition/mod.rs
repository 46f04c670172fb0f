//! Text -> Expr: the condition grammar.
//!
//! In: the [`Text`](super::text::Text) of a condition, lists already put in. Out: an [`Expr`], or a [`SyntaxError`] that
//! says where and what was expected. Promise: no text panics or exhausts the stack. Names are not looked up here.

mod ast;
mod cursor;
mod error;
mod parse;
mod quoted;
mod render;

pub(crate) use ast::{
    Argument, Compare, Expr, FieldRef, Function, Literal, Modifier, Op, Operand, Right, Transform,
};
pub(crate) use error::{Problem, SyntaxError};
pub(crate) use parse::{MAX_DEPTH, parse, parse_operand};
