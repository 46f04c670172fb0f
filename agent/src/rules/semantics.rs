//! What conditions mean: a table of conditions and what they say of an event.

use super::{Loaded, RuleSet, Source};
use crate::{
    context::fixture::{Fixture, exec, open},
    event::EventType,
};

/// Loads one rule with this condition.
fn load(condition: &str) -> Loaded {
    let rule = format!(
        "- rule: r\n  desc: d\n  condition: |\n    {condition}\n  output: o\n  priority: INFO\n  warn_evttypes: false\n"
    );
    let source = Source { name: "test.yaml".to_owned(), text: rule };
    RuleSet::load(&[source]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn check(fixture: &Fixture, table: &[(&str, bool)]) {
    for (condition, expected) in table {
        let matched = load(condition).rules.matches(&fixture.enriched()).is_some();
        assert_eq!(matched, *expected, "{condition}");
    }
}

#[test]
fn text_is_compared_byte_by_byte() {
    // bash (40) below sshd (30) below systemd (1) has executed it.
    check(
        &exec("/usr/bin/myexe", &["--x", "two words"]),
        &[
            ("proc.name = myexe", true),
            ("proc.name == MYEXE", false),
            ("proc.name != bash", true),
            ("proc.name in (bash, myexe)", true),
            ("proc.name in ()", false),
            ("proc.name intersects (myexe)", true),
            ("proc.cmdline = 'myexe --x two words'", true),
            ("proc.args contains 'two w'", true),
            ("proc.args icontains TWO", true),
            ("proc.args contains TWO", false),
            ("proc.exepath startswith /usr/ and proc.exepath endswith exe", true),
            ("proc.exepath glob /usr/*exe", true),
            ("proc.exepath glob /usr/?xe", false),
            ("proc.exepath iglob /USR/*", true),
            ("proc.exepath pmatch (/opt, /usr/b*)", true),
            ("proc.exepath pmatch (/us)", false),
            ("proc.name regex 'my.*'", true),
            ("proc.name regex 'y.*'", false),
            ("proc.name > 0 and proc.name < 9", false),
        ],
    );
}

#[test]
fn a_modifier_says_how_many_values_have_to_do() {
    check(
        &exec("/usr/bin/myexe", &[]),
        &[
            ("proc.name = oneof (myexe)", true),
            ("proc.name contains oneof (my, exe)", false),
            ("proc.name contains anyof (my, sh)", true),
            ("proc.name contains allof (my, exe)", true),
            ("proc.name != oneof (bash, sh)", false),
            ("proc.name != allof (bash, sh)", true),
            ("proc.name = anyof ()", false),
            ("proc.name = allof ()", false),
        ],
    );
}

#[test]
fn numbers_and_truths_are_compared_by_value() {
    check(
        &open("/usr/bin/cat", "/etc/shadow"),
        &[
            ("fd.num = 3", true),
            ("fd.num >= 0x3 and fd.num < 4", true),
            ("fd.num in (1, 2)", false),
            ("fd.num != 3", false),
            ("proc.pid > 41 and proc.ppid = 40", true),
            ("evt.is_open_read = true", true),
            ("evt.is_open_read != true", false),
            ("evt.is_open_write = false", true),
            ("evt.is_open_write in (true, false)", true),
        ],
    );
}

#[test]
fn an_absent_field_makes_every_comparison_false() {
    check(
        &exec("/usr/bin/ls", &[]),
        &[
            ("fd.name = x", false),
            ("fd.name != x", false),
            ("not fd.name = x", true),
            ("not fd.name != x", true),
            ("fd.num < 0 or fd.num >= 0", false),
            ("fd.name exists", false),
            ("container.name exists", false),
            ("not container.name = x", true),
            ("proc.args = ''", true),
            ("proc.args exists", true),
            ("proc.aname[7] exists", false),
            ("proc.aname[7] != x", false),
        ],
    );
}

#[test]
fn ancestors_are_named_by_number_or_all_at_once() {
    check(
        &exec("/usr/bin/ls", &[]),
        &[
            ("proc.aname[0] = ls", true),
            ("proc.aname[1] = bash and proc.pname = bash", true),
            ("proc.aname[2] = sshd", true),
            ("proc.aname = sshd", true),
            ("proc.aname = ls", false),
            ("proc.aname in (systemd)", true),
            ("proc.aname != sshd", true),
            ("proc.apid = 30 and proc.apid[3] = 1", true),
            ("proc.aexepath startswith /usr/sbin/", true),
            ("proc.acmdline contains systemd", true),
            ("proc.sname = bash", true),
        ],
    );
}

#[test]
fn the_words_of_a_condition_bind_as_one_expects() {
    check(
        &exec("/usr/bin/ls", &[]),
        &[
            ("proc.name = ls or proc.name = x and proc.name = y", true),
            ("(proc.name = ls or proc.name = x) and proc.name = y", false),
            ("not proc.name = x and proc.name = ls", true),
            ("not not proc.name = ls", true),
            ("not(proc.name = x or proc.name = ls)", false),
            ("evt.num = 0", false),
            ("evt.num >= 0", true),
            ("container.id = host", true),
        ],
    );
}

#[test]
fn the_types_of_events_come_from_the_condition() {
    let all = EventType::COUNT;
    for (condition, expected) in [
        ("evt.type = openat", 1),
        ("evt.type in (openat, open) and proc.name = cat", 2),
        ("evt.type != openat", all - 1),
        ("not evt.type in (openat, open)", all - 2),
        ("evt.type = openat or evt.type = open and fd.num > 0", 2),
        ("evt.type = openat or proc.name = cat", all),
        ("evt.type = openat and not (proc.name = cat and evt.type = open)", 1),
        ("evt.type startswith open", 6),
        ("evt.num = 0", 0),
        ("not evt.num = 0 and evt.type = open", 1),
        ("not evt.num >= 1", 0),
        ("evt.type = container", 0),
        ("proc.name exists", all),
    ] {
        assert_eq!(load(condition).rules.event_types().len(), expected, "{condition}");
    }
}
