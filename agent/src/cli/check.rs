//! `holdfast check`: are these rules fine?

use std::{path::PathBuf, process::ExitCode};

use crate::rules::{self, LoadErrors, Loaded, RuleSet};

/// Load rules and say what is wrong with them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --rules, the rules that are part of the agent are checked. A folder gives its *.yaml and *.yml files in the
order of their names. Needs no privileges.

Examples:
  holdfast check --rules my-rules.yaml
  holdfast check --rules /etc/falco/falco_rules.yaml --rules /etc/holdfast/rules.d
  holdfast check --list-fields")]
pub(super) struct CheckArgs {
    /// A rule file, or a folder of them. May be given several times; what comes later may change what came before
    #[arg(long = "rules", value_name = "PATH")]
    rules: Vec<PathBuf>,

    /// Print the fields that conditions and outputs may use, and what they mean
    #[arg(long)]
    list_fields: bool,
}

/// Runs the command. Exit code 1 if there is an error.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    if args.list_fields {
        for field in rules::fields() {
            let note = if field.has_values { "" } else { " (no value yet)" };
            println!("{:<42} {:<10} {}{note}", field.name, field.kind, field.description);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let sources = if args.rules.is_empty() { rules::embedded() } else { rules::read(&args.rules)? };
    match RuleSet::load(&sources) {
        Ok(Loaded { rules, warnings }) => {
            for warning in &warnings {
                println!("warning: {warning}");
            }
            let (files, events) = (sources.len(), rules.event_types().len());
            let (rules, warnings) = (rules.len(), warnings.len());
            println!(
                "{rules} rules in {files} files about {events} types of events: no errors, {warnings} warnings"
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(LoadErrors { errors, warnings }) => {
            for warning in &warnings {
                eprintln!("warning: {warning}");
            }
            for error in &errors {
                eprintln!("error: {error}");
            }
            eprintln!(
                "{} errors, {} warnings: these rules would not be loaded",
                errors.len(),
                warnings.len()
            );
            Ok(ExitCode::FAILURE)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn rules_with_an_error_fail_and_the_rules_of_the_agent_do_not() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("rules.yaml");
        fs::write(&file, "- macro: m\n  condition: proc.nmae = x\n- macro: n\n  condition: a and\n")
            .expect("the folder is writable");
        for (rules, code) in [(vec![file], ExitCode::FAILURE), (vec![], ExitCode::SUCCESS)] {
            let result = run(CheckArgs { rules, list_fields: false }).expect("the files can be read");
            assert_eq!(format!("{result:?}"), format!("{code:?}"));
        }
    }
}
