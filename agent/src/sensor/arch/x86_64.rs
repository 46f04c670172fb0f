//! `arch/x86/entry/syscalls/syscall_64.tbl` and `syscall_32.tbl`, Linux 6.18.

use holdfast_common::Call;

use super::Numbers;

pub(in crate::sensor) const NUMBERS: &[Numbers] = &[
    Numbers { call: Call::OPEN, native: Some(2), compat: Some(5) },
    Numbers { call: Call::CREAT, native: Some(85), compat: Some(8) },
    Numbers { call: Call::OPENAT, native: Some(257), compat: Some(295) },
    Numbers { call: Call::OPENAT2, native: Some(437), compat: Some(437) },
];
