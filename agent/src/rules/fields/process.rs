//! Values of `proc.*`, `thread.*`, `user.*`, `group.*` and `container.*`.

use std::borrow::Cow;

use crate::{
    context::{Enriched, Process},
    rules::Value,
};

/// What the language has for a user or a group without a name.
const NO_NAME: &str = "<NA>";
/// `loginuid` where nobody has logged in.
const UNSET: u32 = u32::MAX;

pub(super) fn name(process: &Process) -> Option<Value<'_>> {
    Some(Value::text(process.comm.as_bytes()))
}

/// `argv[0]`.
pub(super) fn exe(process: &Process) -> Option<Value<'_>> {
    process.args().next().map(Value::text)
}

pub(super) fn exe_path(process: &Process) -> Option<Value<'_>> {
    Some(&process.exe.bytes).filter(|path| !path.is_empty()).map(Value::text)
}

/// `argv[1..]`. Empty, not absent, where there are none.
pub(super) fn args(process: &Process) -> Option<Value<'_>> {
    Some(joined(process.args().skip(1)))
}

/// The name, not `argv[0]`, and the arguments.
pub(super) fn cmdline(process: &Process) -> Option<Value<'_>> {
    Some(joined(std::iter::once(process.comm.as_bytes()).chain(process.args().skip(1))))
}

pub(super) fn exe_line(process: &Process) -> Option<Value<'_>> {
    Some(joined(process.args()))
}

pub(super) fn pid(process: &Process) -> Option<Value<'_>> {
    Some(Value::number(process.key.pid))
}

/// The parts with a blank between them.
fn joined<'a>(mut parts: impl Iterator<Item = &'a [u8]>) -> Value<'a> {
    let Some(first) = parts.next() else {
        return Value::text("");
    };
    let mut all = Cow::Borrowed(first);
    for part in parts {
        let all = all.to_mut();
        all.push(b' ');
        all.extend_from_slice(part);
    }
    Value::Text(all)
}

pub(super) fn parent<'a>(enriched: &Enriched<'a>) -> Option<&'a Process> {
    enriched.ancestors().next()
}

pub(super) fn parent_pid<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let known = enriched.process.parent.map(|parent| parent.pid);
    Some(Value::number(known.unwrap_or(enriched.event.task.parent_pid)))
}

/// The working folder, with a slash at its end.
pub(super) fn cwd<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let cwd = &enriched.process.cwd.as_ref()?.bytes;
    Some(if cwd.ends_with(b"/") { Value::text(cwd) } else { Value::Text([cwd, &b"/"[..]].concat().into()) })
}

/// Name of the session's leader: the process of that id, else the oldest in an unbroken line of the same session.
pub(super) fn session_leader<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let session = enriched.process.session;
    let mut line = std::iter::once(enriched.process).chain(enriched.ancestors()).fuse();
    let mut oldest = None;
    let leader = line.by_ref().take_while(|process| process.session == session).find(|process| {
        oldest = Some(*process);
        process.key.pid == session
    });
    leader.or(oldest).and_then(name)
}

/// The oldest shell above the process: where somebody has logged in, that is where.
pub(super) fn login_shell<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let line = std::iter::once(enriched.process).chain(enriched.ancestors());
    line.filter(|process| process.comm.as_bytes().ends_with(b"sh")).last().and_then(pid)
}

/// How long the process has run, in nanoseconds.
pub(super) fn duration<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    age_ns(enriched).map(Value::number)
}

/// When the process started, in nanoseconds since the Unix epoch.
pub(super) fn started<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    age_ns(enriched).map(|age| Value::number(enriched.time_unix_ns.saturating_sub(age)))
}

fn age_ns(enriched: &Enriched<'_>) -> Option<u64> {
    let start_ns = enriched.process.start_ns;
    enriched.event.time_ns.checked_sub(start_ns).filter(|_| start_ns != 0)
}

pub(super) fn user_name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(name_of_user(enriched, enriched.event.task.uid))
}

pub(super) fn group_name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(Value::text(enriched.users.group(enriched.event.task.gid).unwrap_or(NO_NAME)))
}

/// -1 where nobody has logged in.
pub(super) fn login_uid<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    let uid = enriched.process.loginuid;
    Some(if uid == UNSET { Value::Number(-1) } else { Value::number(uid) })
}

pub(super) fn login_name<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(match enriched.process.loginuid {
        UNSET => Value::text(NO_NAME),
        uid => name_of_user(enriched, uid),
    })
}

fn name_of_user<'a>(enriched: &Enriched<'a>, uid: u32) -> Value<'a> {
    // The first user is root whether or not the list of users could be read.
    let fallback = if uid == 0 { "root" } else { NO_NAME };
    Value::text(enriched.users.user(uid).unwrap_or(fallback))
}

pub(super) fn container_id<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    Some(Value::text(enriched.process.container.as_ref().map_or("host", |container| &container.id)))
}

/// The whole id; absent on the host.
pub(super) fn container_full_id<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    enriched.process.container.as_ref().map(|container| Value::text(&*container.full_id))
}

pub(super) fn pod_uid<'a>(enriched: &Enriched<'a>) -> Option<Value<'a>> {
    enriched.process.container.as_ref()?.pod_uid.as_deref().map(Value::text)
}
