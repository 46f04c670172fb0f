//! The empty program, loaded and attached: the measure of what any agent on this tracepoint must cost.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use aya::{Btf, Ebpf, programs::BtfTracePoint};
use holdfast_ebpf_toolchain::{EMPTY_OBJECT, Toolchain};

use crate::tree;

/// The tracepoint of `agent-ebpf/src/empty.rs`.
const TRACEPOINT: &str = "sys_exit";

/// Builds the object.
pub(crate) fn build(toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = tree::target().join("bench/bpf");
    toolchain.build_bin(tree::root(), &folder, EMPTY_OBJECT).context("cannot build the empty program")
}

/// The attached program; detached when dropped.
pub(crate) struct Empty {
    _program: Ebpf,
}

impl Empty {
    /// Loads and attaches it.
    pub(crate) fn attach(object: &PathBuf) -> Result<Self> {
        let bytes = fs::read(object).with_context(|| format!("cannot read `{}`", object.display()))?;
        let mut ebpf = Ebpf::load(&bytes).context("cannot load the empty program")?;
        let btf = Btf::from_sys_fs().context("this kernel gives no BTF at /sys/kernel/btf/vmlinux")?;
        let program = ebpf.program_mut("empty").context("the object has a program `empty`")?;
        let program: &mut BtfTracePoint = program.try_into()?;
        program.load(TRACEPOINT, &btf).context("the kernel refused the empty program")?;
        program.attach().with_context(|| format!("cannot attach the empty program to `{TRACEPOINT}`"))?;
        Ok(Self { _program: ebpf })
    }
}

/// Identifiers of all BPF programs that are loaded now.
pub(crate) fn loaded_programs() -> Vec<u32> {
    aya::programs::loaded_programs().flatten().map(|program| program.id()).collect()
}
