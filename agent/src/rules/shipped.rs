//! The rules we ship: each fires on its deed and is silent otherwise.

use super::{Loaded, RuleSet, embedded};
use crate::{
    context::fixture::{Fixture, exec, open, path},
    event::Comm,
};

fn loaded() -> Loaded {
    RuleSet::load(&embedded()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Asserts which rule an event matches.
fn check(fixture: Fixture, rule: Option<&str>) {
    let loaded = loaded();
    let enriched = fixture.enriched();
    let matched = loaded.rules.matches(&enriched).map(|rule| &*rule.name);
    assert_eq!(matched, rule, "{:?}", fixture.event.body);
}

/// `O_WRONLY|O_CREAT|O_TRUNC`
fn write(fixture: Fixture) -> Fixture {
    fixture.with_open(|open| open.flags = 0o1101)
}

fn below(mut fixture: Fixture, parent: &str) -> Fixture {
    fixture.change_parent(|process| process.comm = Comm::new(parent.as_bytes()));
    fixture
}

#[test]
fn the_rules_load_without_a_warning() {
    let Loaded { rules, warnings } = loaded();
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(rules.event_types().len() < 10);
    for rule in rules.rules() {
        assert!(rule.tags.iter().any(|tag| tag.starts_with("mitre_")), "{}", rule.name);
        assert!(rule.tags.iter().any(|tag| tag.starts_with('T')), "{}", rule.name);
    }
}

#[test]
fn credential_file_read() {
    let rule = Some("Credential file read");
    check(open("/usr/bin/cat", "/etc/shadow"), rule);
    check(open("/usr/bin/cat", "/etc/../etc//shadow"), rule);
    check(open("/tmp/sshd", "/etc/shadow"), rule);
    check(open("/usr/bin/cat", "/etc/sudoers.d/admins"), rule);
    // By a symlink, and by a relative path.
    check(open("/usr/bin/cat", "/tmp/link").with_open(|open| open.real = Some(path("/etc/shadow"))), rule);
    let relative = |open: &mut crate::event::Open| {
        open.base = Some(path("/etc"));
        open.real = None;
    };
    check(open("/usr/bin/cat", "shadow").with_open(relative), rule);

    check(open("/usr/sbin/sshd", "/etc/shadow"), None);
    check(open("/usr/bin/sudo", "/etc/sudoers"), None);
    check(open("/usr/lib/systemd/systemd", "/etc/pam.d/systemd-user"), None);
    check(open("/usr/bin/cat", "/etc/passwd"), None);
    check(open("/usr/bin/cat", "/etc/shadow").with_open(|open| open.result = -13), None);
}

#[test]
fn private_key_read() {
    let rule = Some("Private key read");
    check(open("/usr/bin/cat", "/root/.ssh/id_ed25519"), rule);
    check(open("/usr/bin/cat", "/var/lib/kubelet/pki/kubelet-client-current.pem"), rule);
    check(open("/tmp/kubelet", "/var/lib/kubelet/pki/kubelet-client-current.pem"), rule);
    check(open("/usr/bin/kubelet", "/var/lib/kubelet/pki/kubelet-client-current.pem"), None);
    check(open("/usr/bin/cat", "/root/.ssh/id_ed25519.pub"), None);
}

#[test]
fn static_pod_manifest_written() {
    let rule = Some("Static pod manifest written");
    let manifest = "/etc/kubernetes/manifests/x.yaml";
    check(write(open("/usr/bin/cp", manifest)), rule);
    check(write(open("/usr/bin/cp", "/var/lib/rancher/rke2/agent/pod-manifests/x.yaml")), rule);
    check(write(open("/usr/bin/kubeadm", manifest)).in_container("0123456789abcdef"), rule);
    check(write(open("/tmp/kubeadm", manifest)), rule);
    check(write(open("/usr/bin/cp", "/host/x")).with_open(|open| open.real = Some(path(manifest))), rule);
    check(write(open("/usr/bin/kubeadm", manifest)), None);
    check(open("/usr/bin/kubelet", manifest), None);
    check(write(open("/usr/bin/cp", "/etc/kubernetes/manifests-old/x.yaml")), None);
}

#[test]
fn shells() {
    check(below(exec("/usr/bin/id", &[]), "nginx"), None);
    check(below(exec("/usr/bin/sh", &["-c", "id"]), "nginx"), Some("Shell spawned by a server"));
    check(below(exec("/usr/bin/bash", &[]), "php-fpm8.2"), Some("Shell spawned by a server"));
    check(exec("/usr/bin/bash", &[]), None);
    check(exec("/usr/bin/bash", &[]).in_container("0123456789abcdef"), Some("Terminal shell in container"));
    let mut without_terminal = exec("/usr/bin/bash", &[]).in_container("0123456789abcdef");
    without_terminal.process.tty = 0;
    check(without_terminal, None);
}

#[test]
fn programs_from_memory() {
    let memory_file = |name: &str| {
        let mut fixture = exec(name, &[]);
        fixture.process.exe_memfd = true;
        fixture
    };
    check(memory_file("memfd:x"), Some("Execution from a memory file"));
    check(memory_file("memfd:runc_cloned:/proc/self/exe"), Some("Execution from a memory file"));
    check(below(memory_file("memfd:runc_cloned:/proc/self/exe"), "containerd-shim"), None);
    check(exec("/dev/shm/x", &[]), Some("Execution from shared memory"));
    check(exec("/usr/bin/bash", &["/dev/shm/x.sh"]), Some("Execution from shared memory"));
    check(exec("/usr/bin/ls", &["/dev/shm/x.sh"]), None);
}
