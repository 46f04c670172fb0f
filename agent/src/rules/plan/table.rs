//! What the plans of rules drop, and what not.

use holdfast_common::{MAX_COMPONENTS, OpenFilter};

use super::model::{File, passes};
use crate::{
    rules::{RuleSet, Source, embedded},
    sensor::OpenPlan,
};

const READ: u64 = 0;
const WRITE: u64 = 0o1101;

fn shipped() -> OpenPlan {
    RuleSet::load(&embedded()).unwrap_or_else(|errors| panic!("{errors}")).rules.open_plan()
}

fn plan(condition: &str) -> OpenPlan {
    let text = format!(
        "- rule: r\n  desc: d\n  condition: |\n    {condition}\n  output: o\n  priority: INFO\n  warn_evttypes: false\n"
    );
    let source = Source { name: "test.yaml".to_owned(), text };
    RuleSet::load(&[source]).unwrap_or_else(|errors| panic!("{errors}")).rules.open_plan()
}

fn file(path: &str) -> File {
    let components = path.split('/').filter(|part| !part.is_empty()).map(|part| part.as_bytes().to_vec());
    File { components: components.collect(), mount_root: false, detached: false }
}

/// Flags, path as given, file (`None`: the call failed), and whether it passes.
type Row<'a> = (u64, &'a str, Option<&'a str>, bool);

fn check(plan: &OpenPlan, table: &[Row<'_>]) {
    for (flags, given, real, expected) in table {
        let result = if real.is_some() { 3 } else { -2 };
        let passed = passes(plan, result, *flags, given.as_bytes(), real.map(file).as_ref());
        assert_eq!(passed, *expected, "{flags:o} {given} {real:?}");
    }
}

#[test]
fn the_shipped_rules_see_what_they_are_about_and_little_else() {
    let library = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    let manifest = "/etc/kubernetes/manifests/x.yaml";
    check(
        &shipped(),
        &[
            (READ, "/etc/shadow", Some("/etc/shadow"), true),
            (READ, "shadow", Some("/etc/shadow"), true),
            (READ, "/tmp/link", Some("/etc/shadow"), true),
            (READ, "/proc/self/root/etc/pam.d/sshd", Some("/etc/pam.d/sshd"), true),
            (READ, "/root/.ssh/id_rsa", Some("/root/.ssh/id_rsa"), true),
            (WRITE, manifest, Some(manifest), true),
            (WRITE, "/host/x", Some(manifest), true),
            (READ, "/etc/shadow", None, false),
            (WRITE, manifest, None, false),
            (READ, manifest, Some(manifest), false),
            (READ, "/tmp/x/file", Some("/tmp/x/file"), false),
            (READ, "/etc/ld.so.cache", Some("/etc/ld.so.cache"), false),
            (READ, "/lib/x86_64-linux-gnu/libc.so.6", Some(library), false),
            (READ, library, Some(library), false),
            (WRITE, "/tmp/x/file", Some("/tmp/x/file"), false),
            (WRITE, "/dev/null", Some("/dev/null"), false),
        ],
    );
}

#[test]
fn a_condition_without_a_place_lets_every_open_through() {
    let everything = [
        (READ, "/tmp/x", Some("/tmp/x"), true),
        (WRITE, "/tmp/x", None, true),
        (3, "x", Some("/tmp/x"), true),
    ];
    for condition in [
        "evt.type = open",
        "proc.name = cat",
        "not fd.name = /etc/shadow",
        "evt.type = openat and (fd.name = /a or proc.name = x)",
        "fd.name contains shadow",
        "fd.name endswith .key",
        "fd.name in (/x, /DIR_TOO_LONG/FILENAME_TOO_LONG)",
    ] {
        check(&plan(condition), &everything);
    }
    check(&OpenPlan::default(), &everything);
}

#[test]
fn where_no_rule_is_about_opens_all_are_dropped() {
    for condition in
        ["evt.type = execve", "evt.type = open and evt.num = 0", "evt.type = open and fd.sport = 1"]
    {
        assert_eq!(plan(condition).words, [0; OpenFilter::WORDS], "{condition}");
    }
}

#[test]
fn what_a_condition_says_of_a_place_is_used() {
    check(
        &plan("evt.type = open and fd.realpath startswith /etc/kube"),
        &[
            (READ, "/etc/kubelet", Some("/etc/kubelet"), true),
            (READ, "/etc/kubelet", None, false),
            (READ, "/etc/kubelet", Some("/var/x"), false),
        ],
    );
    check(
        &plan("evt.type = open and fd.name startswith /etc/kube and evt.is_open_write = true"),
        &[
            (WRITE, "/etc/kubelet", None, true),
            (WRITE, "/etc/./kubelet", None, true),
            (WRITE, "kubelet", None, true),
            (WRITE, "/etc/passwd", Some("/etc/kubelet"), false),
        ],
    );
    check(
        &plan("evt.type = open and fd.name endswith /authorized_keys"),
        &[
            (READ, "/root/.ssh/authorized_keys", None, true),
            (READ, "authorized_keys", None, true),
            (READ, "/root/.ssh/authorized_keys/..", None, true),
            (READ, "/root/.ssh/id", None, false),
        ],
    );
    check(
        &plan("evt.type = creat"),
        &[(WRITE, "/x", None, true), (READ, "/x", None, false), (2, "/x", None, false)],
    );
}

#[test]
fn a_shorter_folder_counts_below_a_longer_one() {
    let plan = plan(
        "evt.type = open and (fd.name startswith /a/ and evt.is_open_read = true \
         or fd.name startswith /a/b/ and evt.is_open_write = true)",
    );
    check(
        &plan,
        &[
            (READ, "/a/b/c", None, true),
            (WRITE, "/a/b/c", None, true),
            (READ, "/a/c", None, true),
            (WRITE, "/a/c", None, false),
        ],
    );
}

#[test]
fn more_names_than_the_kernel_half_can_hold_are_let_through() {
    let names: Vec<_> = (0..=MAX_COMPONENTS).map(|number| format!("/n{number}")).collect();
    let plan = plan(&format!("evt.type = open and fd.name in ({})", names.join(", ")));
    assert!(plan.components.len() <= MAX_COMPONENTS as usize);
    check(&plan, &[(READ, "/n7", None, true), (READ, "/x", None, true)]);
}

#[test]
fn a_file_whose_name_is_too_long_to_compare_is_let_through() {
    for len in 28..36 {
        let name = "n".repeat(len);
        let plan = plan(&format!("evt.type = open and fd.realpath endswith /{name}"));
        check(&plan, &[(READ, "/tmp/link", Some(&format!("/a/{name}")), true)]);
    }
}
