//! Values of `fd.*`: the file that an open is about.
//!
//! `fd.name` is what the caller named, made absolute by the text alone; `fd.realpath` is the file that was opened.

use std::borrow::Cow;

use super::event::open;
use crate::{
    context::Enriched,
    event::{EventType, Open, OpenFlags},
    rules::Value,
};

/// Paths of the language are no longer than this; a longer one is told by [`TOO_LONG`], as upstream does.
pub(crate) const MAX_PATH: usize = 1024;
pub(crate) const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";
/// Stands for a folder that is not known.
const UNKNOWN: &[u8] = b"<UNKNOWN>";

/// The open, if it gave a descriptor.
fn opened<'a>(enriched: &Enriched<'a>) -> Option<&'a Open> {
    open(enriched).filter(|open| open.result >= 0)
}

/// The descriptor; -1 where the call failed.
pub(super) fn num<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    open(enriched).map(|open| Value::Number(open.result.max(-1)))
}

pub(super) fn kind<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let open = opened(enriched)?;
    Some(Value::text(if OpenFlags(open.flags).wants_folder() { "directory" } else { "file" }))
}

/// Of a failed call, what such a call opens; upstream does not know that of plain `open`, and rules rely on it.
pub(super) fn kind_char<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let open = open(enriched)?;
    Some(Value::text(match open.result {
        0.. if OpenFlags(open.flags).wants_folder() => "d",
        ..0 if enriched.event.event_type == EventType::OPEN => "o",
        _ => "f",
    }))
}

pub(super) fn name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    lexical(enriched).map(Value::Text)
}

pub(super) fn real_path<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    open(enriched)?.real.as_ref().map(|real| Value::text(&real.bytes))
}

/// The path as given, without doubled slashes.
pub(super) fn raw_name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let path = &open(enriched)?.path;
    if !path.windows(2).any(|pair| pair == b"//") {
        return Some(Value::text(path));
    }
    let mut raw = path.to_vec();
    raw.dedup_by(|a, b| *a == b'/' && *b == b'/');
    Some(Value::Text(raw.into()))
}

pub(super) fn folder<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let path = lexical(enriched)?;
    let end = path.iter().rposition(|byte| *byte == b'/')?.max(1);
    Some(Value::Text(part(path, 0, end)))
}

pub(super) fn file_name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    opened(enriched)?;
    let path = lexical(enriched)?;
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let end = path.len();
    Some(Value::Text(part(path, start, end)))
}

pub(super) fn inode<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    opened(enriched).map(|open| Value::number(open.ino))
}

pub(super) fn device<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    opened(enriched).map(|open| Value::number(open.dev))
}

/// The path as given, made absolute without a look at the disk.
fn lexical<'a>(enriched: &Enriched<'a>) -> Option<Cow<'a, [u8]>> {
    let open = open(enriched)?;
    if open.path.starts_with(b"/") {
        return Some(normal(Cow::Borrowed(&open.path)));
    }
    let cwd = || enriched.process.cwd.as_ref().filter(|_| open.dirfd == Open::AT_FDCWD);
    let base = open.base.as_ref().or_else(cwd).map_or(UNKNOWN, |base| &base.bytes);
    Some(normal(Cow::Owned([base, b"/", &open.path].concat())))
}

/// Without `.`, `..` and doubled slashes, by the text alone: symlinks are not followed.
fn normal(path: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if path.len() > MAX_PATH {
        return Cow::Borrowed(TOO_LONG);
    }
    let absolute = path.starts_with(b"/");
    let odd = |part: &[u8]| matches!(part, b"" | b"." | b"..");
    if absolute && !path[1..].split(|byte| *byte == b'/').any(odd) {
        return path;
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => normal.truncate(normal.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            part => {
                if absolute || !normal.is_empty() {
                    normal.push(b'/');
                }
                normal.extend_from_slice(part);
            }
        }
    }
    if normal.is_empty() && absolute {
        normal.push(b'/');
    }
    Cow::Owned(normal)
}

fn part(path: Cow<'_, [u8]>, start: usize, end: usize) -> Cow<'_, [u8]> {
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[start..end]),
        Cow::Owned(path) => Cow::Owned(path[start..end].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{context::fixture, rules::fields::resolve};

    #[test]
    fn a_path_is_made_normal_by_its_text_alone() {
        for (path, expected) in [
            ("/", "/"),
            ("/foo", "/foo"),
            ("////app", "/app"),
            ("/a/./b/../c/", "/a/c"),
            ("/..", "/"),
            ("/app/custom/dir/././././../../.../term/", "/app/.../term"),
            ("<UNKNOWN>/x/../y", "<UNKNOWN>/y"),
        ] {
            assert_eq!(normal(Cow::Borrowed(path.as_bytes())), expected.as_bytes(), "{path}");
        }
        assert_eq!(normal(Cow::Owned(vec![b'/'; MAX_PATH + 1])), TOO_LONG);
    }

    #[test]
    fn a_relative_path_starts_from_its_folder_if_that_is_known() {
        for (dirfd, base, expected) in [
            (Open::AT_FDCWD, Some("/srv/www"), "/srv/shadow"),
            (Open::AT_FDCWD, None, "/shadow"),
            (7, Some("/etc/x"), "/etc/shadow"),
            (7, None, "shadow"),
        ] {
            let fixture = fixture::open("/usr/bin/cat", "../shadow").with_open(|open| {
                open.dirfd = dirfd;
                open.base = base.map(fixture::path);
            });
            check(&fixture, &[("fd.name", Some(expected)), ("evt.arg.name", Some(expected))]);
        }
    }

    #[test]
    fn a_file_is_told_by_its_descriptor_its_folder_and_its_name() {
        let opened = fixture::open("/usr/bin/cat", "/etc//pam.d/./sshd");
        check(
            &opened,
            &[
                ("fd.num", Some("3")),
                ("fd.name", Some("/etc/pam.d/sshd")),
                ("fd.nameraw", Some("/etc/pam.d/./sshd")),
                ("fd.directory", Some("/etc/pam.d")),
                ("fd.filename", Some("sshd")),
                ("fd.realpath", Some("/etc//pam.d/./sshd")),
                ("fd.type", Some("file")),
                ("fd.typechar", Some("f")),
                ("fd.ino", Some("77")),
            ],
        );
        let failed = fixture::open("/usr/bin/cat", "/x").with_open(|open| {
            open.result = -13;
            open.real = None;
        });
        check(
            &failed,
            &[
                ("fd.num", Some("-1")),
                ("fd.name", Some("/x")),
                ("fd.directory", Some("/")),
                ("fd.filename", None),
                ("fd.realpath", None),
                ("fd.type", None),
                ("fd.typechar", Some("f")),
                ("evt.res", Some("EACCES")),
                ("evt.rawres", Some("-13")),
                ("evt.failed", Some("true")),
            ],
        );
        check(&fixture::exec("/usr/bin/cat", &[]), &[("fd.name", None), ("evt.is_open_read", Some("false"))]);
    }

    fn check(fixture: &fixture::Fixture, expected: &[(&str, Option<&str>)]) {
        for (name, expected) in expected {
            let field = resolve(name, None).expect("the field is in the table");
            let value = field.value(&fixture.enriched()).map(|value| {
                let mut text = Vec::new();
                value.write_to(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            });
            assert_eq!(value.as_deref(), *expected, "{name}");
        }
    }
}
