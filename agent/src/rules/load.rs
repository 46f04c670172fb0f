//! Source -> RuleSet.

use super::{
    EventTypes, LoadErrors, Output, Rule, RuleSet, Source, Warning,
    compile::{Compiled, Fault, compile},
    condition::parse,
    diagnostic::{Code, Report},
    file::{RuleDef, collect},
    resolve::{Lists, MacroError, Macros},
    text::Place,
};

/// Rules that could be loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: RuleSet,
    /// What is odd about them.
    pub warnings: Vec<Warning>,
}

/// A rule about more types of events than this probably lacks a comparison of `evt.type`.
const MANY_TYPES: usize = 100;

impl RuleSet {
    /// Loads rule files, in their order. All or nothing.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(sources: &[Source]) -> Result<Loaded, LoadErrors> {
        let mut report = Report::new(sources);
        let definitions = collect(sources, &mut report);
        let mut lists = Lists::new(&definitions.lists);
        let mut macros = Macros::new(&definitions.macros, &mut lists, &mut report);
        let mut rules = Vec::with_capacity(definitions.rules.len());
        for def in &definitions.rules {
            let rule = Loading { def, report: &mut report }.rule(&mut lists, &mut macros);
            rules.extend(rule.filter(|_| def.enabled));
        }
        lists.warn_of_unused(&mut report);
        macros.warn_of_unused(&definitions.macros, &mut report);
        let Report { errors, warnings, .. } = report;
        if errors.is_empty() {
            Ok(Loaded { rules: Self::new(rules), warnings })
        } else {
            Err(LoadErrors { errors, warnings })
        }
    }
}

/// One rule on its way.
struct Loading<'a, 'r> {
    def: &'a RuleDef,
    report: &'a mut Report<'r>,
}

impl Loading<'_, '_> {
    /// `None` for a rule that is left out, or wrong: either has been reported.
    fn rule(&mut self, lists: &mut Lists<'_>, macros: &mut Macros<'_>) -> Option<Rule> {
        let def = self.def;
        if def.source != "syscall" {
            let message = format!("Unknown source '{}': the rule is left out", def.source);
            self.report.warning(Code::UnknownSource, def.at, Some(&def.item), message);
            return None;
        }
        let compiled = self.condition(lists, macros);
        let output = self.output();
        let filter = compiled?.filter?;
        let event_types = filter.event_types();
        self.warn_of_many_types(&event_types);
        Some(Rule {
            name: def.name().clone(),
            priority: def.priority,
            tags: def.tags.iter().cloned().collect(),
            description: def.description.as_str().into(),
            output: output?,
            filter,
            event_types,
        })
    }

    fn condition(&mut self, lists: &mut Lists<'_>, macros: &mut Macros<'_>) -> Option<Compiled> {
        let text = self.def.whole_condition(self.report);
        let text = match lists.put_in(&text) {
            Ok(text) => text,
            Err(error) => return self.error(Code::CompileCondition, self.def.at, error),
        };
        let expr = match parse(&text) {
            Ok(expr) => expr,
            Err(error) => return self.error(Code::CompileCondition, error.at, error),
        };
        let expr = match macros.put_in(&expr) {
            Ok(expr) => expr,
            Err(MacroError::Broken) => return None,
            Err(error) => return self.error(Code::Validate, error.at().unwrap_or(self.def.at), error),
        };
        let compiled = compile(&expr);
        self.faults(&compiled);
        self.oddities(&compiled);
        Some(compiled)
    }

    fn faults(&mut self, compiled: &Compiled) {
        let may_skip = self.def.skip_if_unknown;
        for error in &compiled.errors {
            if may_skip && error.fault.is_unknown_name() {
                let message = format!("{error}: the rule is left out");
                self.report.warning(Code::UnknownFilter, error.at, Some(&self.def.item), message);
            } else if !may_skip || !compiled.errors.iter().any(|error| Fault::is_unknown_name(&error.fault)) {
                self.report.error(Code::CompileCondition, error.at, Some(&self.def.item), error);
            }
        }
    }

    fn oddities(&mut self, compiled: &Compiled) {
        let item = Some(&self.def.item);
        for (at, field) in &compiled.absent_fields {
            let message = format!("this agent has no value for `{field}` yet: this comparison is never true");
            self.report.warning(Code::AbsentField, *at, item, message);
        }
        if let Some(at) = compiled.direction_at {
            let message = "evt.dir is deprecated, and `<` for every event: leave it out";
            self.report.warning(Code::DeprecatedItem, at, item, message);
        }
        if let Some(at) = compiled.no_value_at {
            let message =
                "comparing a field value with <NA> is unsafe: use `not .. exists` for an absent value";
            self.report.warning(Code::UnsafeNaCheck, at, item, message);
        }
    }

    fn output(&mut self) -> Option<Output> {
        match Output::parse(&self.def.output) {
            Ok(output) => {
                for field in output.absent_fields() {
                    let message =
                        format!("this agent has no value for `{field}` yet: the output has <NA> there");
                    let at = self.def.output.place(self.def.output.as_str().find(field).unwrap_or_default());
                    self.report.warning(Code::AbsentField, at, Some(&self.def.item), message);
                }
                Some(output)
            }
            Err(error) if self.def.skip_if_unknown => {
                let message = format!("{error}: the rule is left out");
                self.report.warning(Code::UnknownFilter, error.at(), Some(&self.def.item), message);
                None
            }
            Err(error) => self.error(Code::CompileOutput, error.at(), error),
        }
    }

    fn warn_of_many_types(&mut self, event_types: &EventTypes) {
        if self.def.warn_evttypes && event_types.len() > MANY_TYPES {
            let message = "Rule matches too many evt.type values. This has a significant performance penalty: compare evt.type.";
            self.report.warning(Code::NoEventType, self.def.at, Some(&self.def.item), message);
        }
    }

    fn error<T>(&mut self, code: Code, at: Place, message: impl ToString) -> Option<T> {
        self.report.error(code, at, Some(&self.def.item), message);
        None
    }
}
