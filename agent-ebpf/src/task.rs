//! Who did it: the header of a record.

use aya_ebpf::helpers::{
    bpf_get_current_cgroup_id, bpf_get_smp_processor_id, generated::bpf_ktime_get_boot_ns,
};
use holdfast_common::{Call, Field, Header, Kind};

use crate::{
    kernel::{Typed, offset},
    scratch::Builder,
};

/// Fills the header of a record of what the current thread does.
#[inline(always)]
pub fn fill(header: &mut Header, task: Typed, kind: Kind, call: Call) {
    let parent = task.follow(Field::TaskRealParent);
    let cred = task.follow(Field::TaskCred);
    header.len = 0;
    header.kind = kind;
    header.call = call.0;
    // SAFETY: the helper has no preconditions. Needs kernel 5.8.
    header.time_ns = unsafe { bpf_ktime_get_boot_ns() };
    header.start_ns = task.follow(Field::TaskGroupLeader).load(Field::TaskStart);
    header.parent_start_ns = parent.follow(Field::TaskGroupLeader).load(Field::TaskStart);
    // SAFETY: the helper has no preconditions.
    header.cgroup_id = unsafe { bpf_get_current_cgroup_id() };
    header.tid = task.load(Field::TaskPid);
    header.pid = task.load(Field::TaskTgid);
    header.parent_pid = parent.load(Field::TaskTgid);
    header.uid = cred.load(Field::CredEuid);
    header.gid = cred.load(Field::CredEgid);
    // SAFETY: the helper has no preconditions.
    header.cpu = unsafe { bpf_get_smp_processor_id() };
    Builder::copy(&mut header.comm, task.address().wrapping_add(offset(Field::TaskComm) as u64));
}
