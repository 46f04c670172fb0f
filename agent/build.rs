//! Builds the kernel half and hands its object to the agent, which embeds it.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result};
use holdfast_ebpf_toolchain::Toolchain;

fn main() -> Result<()> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").context("cargo sets CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR").context("cargo sets OUT_DIR")?);
    let root = manifest.parent().context("the agent lies in the workspace")?;
    for path in
        ["agent-ebpf/src", "agent-ebpf/Cargo.toml", "agent-ebpf/common/src", "agent-ebpf/common/Cargo.toml"]
    {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rerun-if-env-changed=PATH");
    let object = Toolchain::find()?.build(root, &out.join("bpf"))?;
    println!("cargo::rustc-env=HOLDFAST_BPF_OBJECT={}", object.display());
    Ok(())
}
