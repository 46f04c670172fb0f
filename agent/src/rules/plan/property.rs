//! What a rule matches, the plan lets through: for conditions and opens made at random.

use bytes::Bytes;
use proptest::prelude::*;

use super::model::{File, passes};
use crate::{
    context::fixture,
    event::{EventType, Open, Path},
    rules::{RuleSet, Source},
};

/// The parts of all paths: few, so that conditions and opens meet.
const NAMES: &[&str] = &[
    "etc",
    "shadow",
    "a",
    "b.key",
    "...",
    "memfd:x",
    "a-name-of-exactly-30-bytes-xxx",
    "a-name-of-exactly-31-bytes-xxxx",
    "a-name-of-exactly-32-bytes-xxxxx",
    "a-name-of-more-than-32-bytes-xxxxxxxxxxxxxx",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

/// Parts of a path that need not be normal.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![8 => name(), 1 => prop::sample::select(&["", ".", "..", "..data"][..]).prop_map(str::to_owned)]
}

fn text_path() -> impl Strategy<Value = String> {
    let start = prop_oneof![6 => Just("/"), 1 => Just(""), 1 => Just("../"), 1 => Just("//")];
    let end = prop_oneof![8 => Just(""), 1 => Just("/")];
    let near = (start, prop::collection::vec(part(), 0..5), end)
        .prop_map(|(start, parts, end)| format!("{start}{}{end}", parts.join("/")));
    // Up again from far below, behind what the kernel half compares.
    let far = (1..4_usize, 0..4_usize, prop::collection::vec(name(), 1..3)).prop_map(|(down, up, parts)| {
        format!("/{}{}{}", format!("{}/", NAMES[9]).repeat(down), "../".repeat(up), parts.join("/"))
    });
    let too_long = Just("/DIR_TOO_LONG/FILENAME_TOO_LONG".to_owned());
    prop_oneof![12 => near, 2 => far, 1 => too_long]
}

/// A piece of such a path, as values of comparisons are.
fn piece() -> impl Strategy<Value = String> {
    (text_path(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(path, a, b)| {
        let (a, b) = (a.index(path.len() + 1), b.index(path.len() + 1));
        path[a.min(b)..a.max(b)].to_owned()
    })
}

fn pattern() -> impl Strategy<Value = String> {
    (text_path(), any::<prop::sample::Index>(), prop::sample::select(&["*", "?", "[a-z]", ""][..])).prop_map(
        |(path, at, wild)| {
            let at = at.index(path.len() + 1);
            format!("{}{wild}{}", &path[..at], path.get(at + 1..).unwrap_or(""))
        },
    )
}

fn quoted(values: &[String]) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")
}

fn of_path() -> impl Strategy<Value = String> {
    let field = prop::sample::select(
        &["fd.name", "fd.realpath", "fd.nameraw", "fd.filename", "fd.directory", "evt.arg.name"][..],
    );
    let value = prop_oneof![3 => text_path(), 2 => piece(), 1 => name()];
    let values = prop::collection::vec(prop_oneof![text_path(), pattern()], 1..4);
    let one = prop::sample::select(
        &["=", "!=", "startswith", "endswith", "contains", "glob", "iglob", "pmatch", "in", "exists"][..],
    );
    let modifier = prop::sample::select(&["", "anyof", "oneof", "allof"][..]);
    (field, one, modifier, value, pattern(), values).prop_map(
        |(field, op, modifier, value, pattern, values)| match (op, modifier) {
            ("exists", _) => format!("{field} exists"),
            ("pmatch" | "in", _) => format!("{field} {op} ({})", quoted(&values)),
            ("glob" | "iglob", _) => format!("{field} {op} \"{pattern}\""),
            (_, "") => format!("{field} {op} \"{value}\""),
            (_, modifier) => format!("{field} {op} {modifier} ({})", quoted(&values)),
        },
    )
}

fn condition() -> impl Strategy<Value = String> {
    let other = prop::sample::select(
        &[
            "evt.type = open",
            "evt.type in (openat, creat)",
            "evt.type = creat",
            "evt.type = execve",
            "evt.type != openat2",
            "evt.is_open_read = true",
            "evt.is_open_read = false",
            "evt.is_open_write = true",
            "evt.is_open_write != true",
            "fd.num >= 0",
            "fd.num < 0",
            "fd.num in (3, -1)",
            "evt.arg.fd > 3",
            "evt.failed = true",
            "evt.failed = false",
            "evt.rawres < 0",
            "evt.rawres = -13",
            "evt.rawres != 3",
            "evt.res = SUCCESS",
            "evt.res != SUCCESS",
            "evt.res in (SUCCESS, EACCES)",
            "evt.num = 0",
            "evt.dir = <",
            "proc.name = cat",
            "proc.name = other",
            "fd.sport = 1",
            "fd.type exists",
            "fd.ino = 77",
        ][..],
    )
    .prop_map(str::to_owned);
    prop_oneof![3 => of_path(), 1 => other].prop_recursive(4, 24, 6, |part| {
        let parts = prop::collection::vec(part.clone(), 2..6);
        prop_oneof![
            2 => parts.clone().prop_map(|parts| format!("({})", parts.join(" and "))),
            3 => parts.prop_map(|parts| format!("({})", parts.join(" or "))),
            2 => part.prop_map(|part| format!("not ({part})")),
        ]
    })
}

#[derive(Clone, Debug)]
struct Case {
    event_type: EventType,
    open: Open,
    file: Option<File>,
}

/// The path of a file, as `event` decodes what the kernel half has walked.
fn path_of(file: &File) -> Path {
    let joined = file.components.join(&b'/');
    let bytes = if file.detached { joined } else { [b"/", &*joined].concat() };
    Path { bytes: bytes.into(), cut: false, detached: file.detached }
}

fn case() -> impl Strategy<Value = Case> {
    let given = prop_oneof![
        30 => text_path(),
        1 => text_path().prop_map(|path| format!("/{}{path}", "x/".repeat(300))),
        1 => text_path().prop_map(|path| format!("/{}{path}", "x/".repeat(600))),
    ];
    let components = prop::collection::vec(name().prop_map(String::into_bytes), 0..5);
    let kind = prop_oneof![6 => Just((false, false)), 1 => Just((true, false)), 1 => Just((false, true))];
    let file = (components, kind, any::<bool>());
    let base = prop::option::of(
        prop::collection::vec(name(), 0..3).prop_map(|parts| format!("/{}", parts.join("/"))),
    );
    let call = prop::sample::select(&super::FAMILY[..]);
    let result = prop_oneof![2 => 0..9_i64, 1 => prop::sample::select(&[-1_i64, -2, -13][..])];
    let flags = (0..4_u64, prop::sample::select(&[0, 0o100, 0o200_000, 0o10_000_000_u64][..]));
    (call, result, flags, given, file, base).prop_map(
        |(event_type, result, (access, flags), given, file, base)| {
            let (mut components, (mount_root, detached), as_given) = file;
            if as_given && given.starts_with('/') {
                // The file that a path stands for where there are no symlinks.
                components = Vec::new();
                for part in given.split('/') {
                    match part {
                        "" | "." => {}
                        ".." => drop(components.pop()),
                        part => components.push(part.as_bytes().to_vec()),
                    }
                }
            }
            if detached {
                // A memory file: one name, slashes and all.
                components = vec![[b"memfd:", &*components.join(&b'/')].concat()];
            }
            let file = (result >= 0).then_some(File { components, mount_root, detached });
            let absolute = given.starts_with('/');
            let open = Open {
                result,
                flags: if event_type == EventType::CREAT { 0o1101 } else { access | flags },
                mode: 0o644,
                dirfd: if base.is_some() { Open::AT_FDCWD } else { 7 },
                path: Bytes::from(given.into_bytes()),
                base: base.filter(|_| !absolute).map(|base| fixture::path(&base)),
                real: file.as_ref().map(path_of),
                ino: 77,
                ..Open::default()
            };
            Case { event_type, open, file }
        },
    )
}

fn load(conditions: &[String]) -> RuleSet {
    let rule = |(number, condition): (usize, &String)| {
        format!(
            "- rule: r{number}\n  desc: d\n  condition: |\n    {condition}\n  output: o\n  priority: INFO\n  \
             warn_evttypes: false\n"
        )
    };
    let text = conditions.iter().enumerate().map(rule).collect();
    let source = Source { name: "test.yaml".to_owned(), text };
    RuleSet::load(&[source]).unwrap_or_else(|errors| panic!("{errors}")).rules
}

fn assert_matched_passes(conditions: &[String], cases: Vec<Case>) -> (u64, u64, u64) {
    let rules = load(conditions);
    let plan = rules.open_plan();
    let (mut matched, mut passed, mut all) = (0, 0, 0);
    for Case { event_type, open, file } in cases {
        let lets_through = passes(&plan, open.result, open.flags, &open.path, file.as_ref());
        let told = format!("{conditions:?}\n{event_type:?} {open:?} {file:?}\n{plan:?}");
        let mut fixture = fixture::open("/usr/bin/cat", "/").with_open(|of_fixture| *of_fixture = open);
        fixture.event.event_type = event_type;
        let matches = rules.matches(&fixture.enriched()).is_some();
        assert!(lets_through || !matches, "dropped: {told}");
        all += 1;
        matched += u64::from(matches);
        passed += u64::from(lets_through);
    }
    (matched, passed, all)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn what_a_rule_matches_is_let_through(
        conditions in prop::collection::vec(condition(), 1..3), cases in prop::collection::vec(case(), 24),
    ) {
        assert_matched_passes(&conditions, cases);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn what_one_comparison_matches_is_let_through(
        condition in of_path(), cases in prop::collection::vec(case(), 48),
    ) {
        assert_matched_passes(&[condition], cases);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn more_rules_than_clauses_are_let_through_as_well(
        conditions in prop::collection::vec(condition(), 150..200), cases in prop::collection::vec(case(), 64),
    ) {
        assert_matched_passes(&conditions, cases);
    }
}
