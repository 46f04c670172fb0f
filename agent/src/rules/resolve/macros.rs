//! Macros: the condition in place of the name, in the tree.

use std::collections::{HashMap, HashSet};

use super::Lists;
use crate::rules::{
    condition::{Expr, MAX_DEPTH, parse},
    diagnostic::{Code, Report},
    file::MacroDef,
    names::nearest,
    text::Place,
};

/// How many parts a condition may have with its macros: a hundred times the largest that is published. Macros of macros
/// grow fast.
const MAX_PARTS: usize = 50_000;

/// Why a macro cannot be put in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MacroError {
    #[error("Undefined macro '{name}' used in filter.{}", .nearest.as_deref().map(|name| format!(" Did you mean `{name}`?")).unwrap_or_default())]
    Unknown { name: Box<str>, nearest: Option<Box<str>>, at: Place },
    #[error("Undefined macro '{name}' used in filter: it is defined after this macro; define it before")]
    Later { name: Box<str>, at: Place },
    #[error("reference loop in macro '{name}'")]
    Loop { name: Box<str>, at: Place },
    #[error(
        "with its macros, this condition has more than {MAX_PARTS} parts, or is nested more than {MAX_DEPTH} deep"
    )]
    TooLarge { at: Place },
    /// The macro itself is wrong, which has been reported where it is defined.
    #[error("this macro could not be read")]
    Broken,
}

/// Macros, ready to be put in.
pub(crate) struct Macros<'a> {
    macros: HashMap<&'a str, (&'a MacroDef, Option<Expr>)>,
    used: HashSet<&'a str>,
}

impl<'a> Macros<'a> {
    /// Parses all of them, used or not, and reports what is wrong.
    pub(crate) fn new(defined: &'a [MacroDef], lists: &mut Lists<'_>, report: &mut Report<'_>) -> Self {
        let mut macros = HashMap::new();
        for def in defined {
            let expr = match lists.put_in(&def.condition) {
                Ok(text) => match parse(&text) {
                    Ok(expr) => Some(expr),
                    Err(error) => {
                        report.error(Code::CompileCondition, error.at, Some(&def.item), error);
                        None
                    }
                },
                Err(error) => {
                    report.error(Code::CompileCondition, def.at, Some(&def.item), error);
                    None
                }
            };
            macros.insert(&*def.item.name, (def, expr));
        }
        let mut macros = Self { macros, used: HashSet::new() };
        for def in defined {
            if let Some(Some(expr)) = macros.macros.get(&*def.item.name).map(|(_, expr)| expr.clone()) {
                let mut way = Way { stack: vec![def], parts: 0 };
                match macros.replace(&expr, &mut way) {
                    Ok(_) | Err(MacroError::Broken) => {}
                    Err(error) => {
                        report.error(Code::Validate, error.at().unwrap_or(def.at), Some(&def.item), &error);
                        // Rules that use it need not say so again.
                        macros.macros.insert(&*def.item.name, (def, None));
                    }
                }
            }
        }
        macros
    }

    /// The condition of a rule, without macros.
    pub(crate) fn put_in(&mut self, expr: &Expr) -> Result<Expr, MacroError> {
        self.replace(expr, &mut Way { stack: Vec::new(), parts: 0 })
    }

    fn replace(&mut self, expr: &Expr, way: &mut Way<'a>) -> Result<Expr, MacroError> {
        Ok(match expr {
            Expr::And(parts) => Expr::And(self.replace_all(parts, way)?),
            Expr::Or(parts) => Expr::Or(self.replace_all(parts, way)?),
            Expr::Not(part) => Expr::Not(Box::new(self.replace(part, way)?)),
            Expr::Macro { name, at } => self.expand(name, *at, way)?,
            Expr::Exists(_) | Expr::Compare(_) => expr.clone(),
        })
    }

    fn replace_all(&mut self, parts: &[Expr], way: &mut Way<'a>) -> Result<Vec<Expr>, MacroError> {
        parts.iter().map(|part| self.replace(part, way)).collect()
    }

    fn expand(&mut self, name: &str, at: Place, way: &mut Way<'a>) -> Result<Expr, MacroError> {
        if way.stack.iter().any(|def| *def.item.name == *name) {
            return Err(MacroError::Loop { name: name.into(), at });
        }
        // A macro sees those defined before it was last changed; a rule sees all.
        let before = way.stack.last().map_or(usize::MAX, |def| def.order.changed);
        let visible = self.macros.get(name).filter(|(def, _)| def.order.defined < before);
        let Some((def, expr)) = visible.map(|(def, expr)| (*def, expr.clone())) else {
            if self.macros.contains_key(name) {
                return Err(MacroError::Later { name: name.into(), at });
            }
            let nearest = nearest(name, self.macros.keys().copied()).map(Into::into);
            return Err(MacroError::Unknown { name: name.into(), nearest, at });
        };
        self.used.insert(&*def.item.name);
        let expr = expr.ok_or(MacroError::Broken)?;
        way.parts += size(&expr);
        if way.parts > MAX_PARTS || way.stack.len() >= MAX_DEPTH {
            return Err(MacroError::TooLarge { at });
        }
        way.stack.push(def);
        let replaced = self.replace(&expr, way);
        way.stack.pop();
        replaced
    }

    pub(crate) fn warn_of_unused(&self, defined: &[MacroDef], report: &mut Report<'_>) {
        for def in defined.iter().filter(|def| !self.used.contains(&*def.item.name)) {
            report.warning(
                Code::UnusedMacro,
                def.at,
                Some(&def.item),
                "Macro not referred to by any other rule/macro",
            );
        }
    }
}

/// How a macro was come to.
struct Way<'a> {
    stack: Vec<&'a MacroDef>,
    parts: usize,
}

impl MacroError {
    pub(crate) fn at(&self) -> Option<Place> {
        match self {
            Self::Unknown { at, .. }
            | Self::Later { at, .. }
            | Self::Loop { at, .. }
            | Self::TooLarge { at } => Some(*at),
            Self::Broken => None,
        }
    }
}

fn size(expr: &Expr) -> usize {
    1 + match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(size).sum(),
        Expr::Not(part) => size(part),
        Expr::Macro { .. } | Expr::Exists(_) | Expr::Compare(_) => 0,
    }
}
