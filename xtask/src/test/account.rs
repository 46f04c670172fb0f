//! What a test run amounts to, read from what the test programs print.

use std::{fmt::Write as _, time::Duration};

use crate::step;

/// The sum of all test programs.
#[derive(Debug, Default)]
pub(crate) struct Account {
    passed: u64,
    /// Names of the tests that failed.
    pub(crate) failed: Vec<String>,
    /// `name: reason` of each test that did not run.
    skipped: Vec<String>,
    /// Tests that the arguments left out.
    filtered: u64,
}

impl Account {
    /// Takes one line of a test program's output.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.filtered += number_before(result, " filtered out");
        } else if let Some((name, outcome)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
        {
            if outcome.starts_with("FAILED") {
                self.failed.push(name.to_owned());
            } else if let Some(reason) = outcome.strip_prefix("ignored") {
                // A documentation example marked `ignore` is text, not a test that did not run.
                let of_a_document =
                    name.contains(" - ") || name.contains(".rs - ") || name.contains("(line ");
                let reason = reason.strip_prefix(", ").unwrap_or("marked `ignore`, with no reason given");
                if !of_a_document {
                    self.skip(&format!("{name}: {reason}"));
                }
            }
        }
    }

    /// Notes a test that did not run, and why.
    pub(crate) fn skip(&mut self, line: &str) {
        let line = line.trim().to_owned();
        if !line.is_empty() && !self.skipped.contains(&line) {
            self.skipped.push(line);
        }
    }

    /// The closing words. The last line is for machines too.
    pub(crate) fn summary(&self, took: Duration) -> String {
        let mut text = format!("Ran {} tests in {}.\n", self.passed + self.failed(), step::seconds(took));
        let mut list = |title: &str, lines: &[String]| {
            if !lines.is_empty() {
                let _ = writeln!(text, "{title} ({}):", lines.len());
                for line in lines {
                    let _ = writeln!(text, "  {line}");
                }
            }
        };
        list("Did not run here", &self.skipped);
        list("Failed", &self.failed);
        if self.filtered > 0 {
            let _ = writeln!(text, "Left out by the arguments: {}.", self.filtered);
        }
        let _ = write!(text, "{} passed, {} failed", self.passed, self.failed());
        text
    }

    fn failed(&self) -> u64 {
        self.failed.len() as u64
    }
}

/// The number in front of a word of libtest's closing line, or 0.
fn number_before(text: &str, word: &str) -> u64 {
    let number = text.split_once(word).and_then(|(before, _)| before.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Account, Duration};

    fn account(lines: &str) -> Account {
        let mut account = Account::default();
        lines.lines().for_each(|line| account.read(line));
        account
    }

    #[test]
    fn test_programs_are_added_up_and_each_skip_keeps_its_reason() {
        let account = account(
            "test a::b ... ok\n\
             test kernel::opens ... ignored, needs a kernel of 6.1\n\
             test c - shape (line 3) ... ignored\n\
             test d ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: ok. 20 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s",
        );
        assert_eq!(
            account.summary(Duration::from_secs(2)),
            "Ran 22 tests in 2.0 s.\n\
             Did not run here (1):\n  kernel::opens: needs a kernel of 6.1\n\
             Failed (1):\n  d\n\
             Left out by the arguments: 3.\n\
             21 passed, 1 failed"
        );
    }

    #[test]
    fn a_reason_said_by_many_tests_is_listed_once() {
        let mut account = Account::default();
        account.skip("io_uring: not in this kernel\n");
        account.skip("io_uring: not in this kernel");
        assert!(account.summary(Duration::ZERO).contains("Did not run here (1)"));
    }
}
