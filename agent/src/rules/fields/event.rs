//! Values of `evt.*`.

use std::borrow::Cow;

use crate::{
    context::Enriched,
    event::{Body, Open, OpenFlags, errno_name},
    rules::{Value, clock},
};

pub(super) fn open<'a>(enriched: &Enriched<'a>) -> Option<&'a Open> {
    match &enriched.event.body {
        Body::Open(open) => Some(open),
        _ => None,
    }
}

/// What the call returned. The end of a process is not a call.
fn returned(enriched: &Enriched<'_>) -> Option<i64> {
    match &enriched.event.body {
        Body::Open(open) => Some(open.result),
        Body::Exec(_) => Some(0),
        Body::Fork(fork) => Some(i64::from(fork.child_pid)),
        Body::Exit(_) => None,
    }
}

pub(super) fn raw_result<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    returned(enriched).map(Value::Number)
}

/// `SUCCESS`, or the name of the error.
pub(super) fn result<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let result = returned(enriched)?;
    if result >= 0 {
        return Some(Value::text("SUCCESS"));
    }
    let name = u32::try_from(-result).ok().and_then(errno_name);
    Some(name.map_or_else(|| owned(result.to_string()), Value::text))
}

pub(super) fn failed<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(Value::Bool(returned(enriched).is_some_and(|result| result < 0)))
}

/// Time of day. In UTC: what a node's clock is set to does not depend on where its files of time zones are.
pub(super) fn time<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(owned(clock::time_of_day(enriched.time_unix_ns)))
}

pub(super) fn time_iso8601<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(owned(clock::iso8601(enriched.time_unix_ns)))
}

pub(super) fn is_open_read<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(Value::Bool(open(enriched).is_some_and(|open| OpenFlags(open.flags).reads())))
}

pub(super) fn is_open_write<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(Value::Bool(open(enriched).is_some_and(|open| OpenFlags(open.flags).writes())))
}

/// It may make a file that can be executed.
pub(super) fn is_open_exec<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let makes = |open: &Open| OpenFlags(open.flags).creates() && open.mode & 0o111 != 0;
    Some(Value::Bool(open(enriched).is_some_and(makes)))
}

pub(super) fn flags<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    match &enriched.event.body {
        Body::Open(open) => {
            // Most opens ask for one thing, and its name is there already.
            let mut names = OpenFlags(open.flags).names();
            let first = names.next().unwrap_or("O_NONE");
            let all = names.fold(Cow::Borrowed(first), |all, name| (all.into_owned() + "|" + name).into());
            Some(match all {
                Cow::Borrowed(name) => Value::text(name),
                Cow::Owned(names) => owned(names),
            })
        }
        Body::Exec(exec) => Some(Value::text(if exec.memfd { "EXE_FROM_MEMFD" } else { "<NA>" })),
        _ => None,
    }
}

/// Permission bits as given, in octal.
pub(super) fn mode<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    open(enriched).map(|open| owned(format!("0{:o}", open.mode)))
}

/// The path as given, if absolute; else the path it stands for.
pub(super) fn name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let open = open(enriched)?;
    if open.path.starts_with(b"/") { Some(Value::text(&open.path)) } else { super::file::name(enriched) }
}

pub(super) fn filename<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    match &enriched.event.body {
        Body::Exec(exec) => Some(Value::text(&exec.filename)),
        _ => None,
    }
}

pub(super) fn owned<'a>(text: String) -> Value<'a> {
    Value::Text(Cow::Owned(text.into_bytes()))
}
