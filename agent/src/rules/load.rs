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
        let (errors, warnings) = report.into_sorted();
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
        for (at, message) in &compiled.misused {
            self.report.warning(Code::MisusedValue, *at, item, message);
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

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::context::fixture;

    fn load(files: &[&str]) -> Result<Loaded, LoadErrors> {
        let sources = files
            .iter()
            .zip(1..)
            .map(|(text, number)| Source { name: format!("{number}.yaml"), text: (*text).to_owned() });
        RuleSet::load(&sources.collect::<Vec<_>>())
    }

    const RULE: &str = "
- rule: r
  desc: d
  condition: evt.type = openat and proc.name = cat
  output: '%proc.name'
  priority: INFO
";

    #[test]
    fn everything_that_is_wrong_is_told_where_it_was_written() {
        let errors = load(&[
            "
- macro: reader
  condition: >
    proc.nmae = cat
    or proc.name = tac
- list: readers
  items: [cat, tac]
- rule: first
  desc: d
  condition: evt.type = openat and (readr or
    proc.name in (readers) and fd.nmae = x)
  output: '%proc.name'
  priority: INFO
- rule: loud
  desc: d
  condition: evt.type = open
  output: o
  priority: LOUD
- rule: second
  desc: d
  condition: evt.type in (openta) and reader and fd.num contains 3 and user.uid = -1
  output: '%proc.nmae'
  priority: INFO
- rule: third
  desc: d
",
            "a: b",
        ])
        .expect_err("this is wrong");
        expect![[r#"
            1.yaml:4:5: there is no field `proc.nmae`; did you mean `proc.name`?
            4 |     proc.nmae = cat
              |     ^ in rule `second` [LOAD_ERR_COMPILE_CONDITION]
            1.yaml:10:37: Undefined macro 'readr' used in filter. Did you mean `reader`?
            10 |   condition: evt.type = openat and (readr or
               |                                     ^ in rule `first` [LOAD_ERR_VALIDATE]
            1.yaml:18:13: `LOUD` is not a priority; use one of emergency, alert, critical, error, warning, notice, informational (or info), debug
            18 |   priority: LOUD
               |             ^ in rule `loud` [LOAD_ERR_VALIDATE]
            1.yaml:21:27: there is no event type `openta`; did you mean `openat`?
            21 |   condition: evt.type in (openta) and reader and fd.num contains 3 and user.uid = -1
               |                           ^ in rule `second` [LOAD_ERR_COMPILE_CONDITION]
            1.yaml:21:57: `contains` does not go with `fd.num`, which is a number
            21 | ition: evt.type in (openta) and reader and fd.num contains 3 and user.uid = -1
               |                                                   ^ in rule `second` [LOAD_ERR_COMPILE_CONDITION]
            1.yaml:21:83: `-1` is not a number that `user.uid` can have (0 to 4294967295, decimal or hexadecimal)
            21 | ) and reader and fd.num contains 3 and user.uid = -1
               |                                                   ^ in rule `second` [LOAD_ERR_COMPILE_CONDITION]
            1.yaml:22:12: invalid formatting token: `%` has to be followed by the name of a field; did you mean `%proc.name`?
            22 |   output: '%proc.nmae'
               |            ^ in rule `second` [LOAD_ERR_COMPILE_OUTPUT]
            1.yaml:24:3: Item has no mapping for key 'condition': it has to have one, not empty
            24 | - rule: third
               |   ^ in rule `third` [LOAD_ERR_YAML_VALIDATE]
            2.yaml:1:1: Rules content is not yaml array of objects: begin each item with `- `
            1 | a: b
              | ^ [LOAD_ERR_YAML_VALIDATE]"#]]
        .assert_eq(&errors.to_string());
    }

    #[test]
    fn a_macro_sees_what_was_defined_before_it_and_a_rule_sees_all() {
        let with = |before: &str, condition: &str| {
            let rule = RULE.replace("proc.name = cat", condition);
            load(&[&format!("{before}{rule}- macro: late\n  condition: proc.name = cat\n")]).map(drop)
        };
        check(with("", "late"), expect![""]);
        check(
            with("- macro: early\n  condition: late\n", "early"),
            expect![[r#"
                1.yaml:2:14: Undefined macro 'late' used in filter: it is defined after this macro; define it before
                2 |   condition: late
                  |              ^ in macro `early` [LOAD_ERR_VALIDATE]"#]],
        );
        check(
            with(
                "- macro: loops\n  condition: proc.name = a\n- macro: loops\n  condition: or loops\n  append: true\n",
                "loops",
            ),
            expect![[r#"
                1.yaml:4:17: reference loop in macro 'loops'
                4 |   condition: or loops
                  |                 ^ in macro `loops` [LOAD_ERR_VALIDATE]"#]],
        );
    }

    fn check(result: Result<(), LoadErrors>, message: Expect) {
        message.assert_eq(&result.err().map(|errors| errors.to_string()).unwrap_or_default());
    }

    #[test]
    fn a_later_file_changes_what_an_earlier_one_says() {
        let opened = |files: &[&str], exe: &str| {
            let loaded = load(files).unwrap_or_else(|errors| panic!("{errors}"));
            loaded.rules.matches(&fixture::open(exe, "/etc/shadow").enriched()).map(|rule| rule.priority)
        };
        let both = "- rule: r\n  condition: or proc.name = tac\n  priority: ERROR\n  override: {condition: append, priority: replace}\n";
        assert_eq!(opened(&[RULE], "/bin/tac"), None);
        assert_eq!(opened(&[RULE], "/bin/cat"), Some(crate::rules::Priority::Informational));
        assert_eq!(opened(&[RULE, both], "/bin/tac"), Some(crate::rules::Priority::Error));
        assert_eq!(opened(&[RULE, "- rule: r\n  enabled: no\n"], "/bin/cat"), None);
        let exception = "- rule: r\n  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      comps: [=, startswith]\n      values: [[cat, /etc/]]\n  override: {exceptions: append}\n";
        assert_eq!(opened(&[RULE, exception], "/bin/cat"), None);
    }

    #[test]
    fn a_rule_that_names_what_we_do_not_know_is_left_out_if_it_says_so() {
        let rule = RULE.replace("proc.name =", "new.field =") + "  skip-if-unknown-filter: true\n";
        let loaded = load(&[&rule]).expect("the rule is left out");
        assert!(loaded.rules.is_empty());
        assert_eq!(
            loaded.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(),
            [Code::UnknownFilter]
        );
    }

    #[test]
    fn macros_of_macros_are_bounded() {
        let mut text = "- macro: m0\n  condition: proc.name = a\n".to_owned();
        for level in 1..40 {
            let before = level - 1;
            text += &format!("- macro: m{level}\n  condition: m{before} or m{before}\n");
        }
        assert!(load(&[&text]).is_err());
    }

    proptest! {
        #[test]
        fn no_file_panics(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "- rule: r", "- macro: m", "- list: l", "  items: [a, l]", "  condition: m or l = a", "  output: '%fd.name %'",
                    "  priority: INFO", "  desc: d", "  append: true", "  override: {condition: append}", "  exceptions: [{name: e}]",
                    "---", "- x", "  tags: [", "  condition: >", "    proc.name in (l)", "- required_engine_version: 9",
                ]),
                0..20,
            )
        ) {
            let _ = load(&[&lines.join("\n")]);
        }
    }
}
