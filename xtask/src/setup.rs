//! Set-up: a toolchain for the kernel half. Found, or installed on Debian, or asked for.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use holdfast_ebpf_toolchain::{DEBIAN_PACKAGES, Error, LINKER_INSTALL, Toolchain};

use crate::{debian, step, tree};

/// `cargo xtask setup`.
pub(crate) fn run() -> Result<ExitCode> {
    toolchain()?;
    step::done("ready", "`cargo xtask build`, `run` and `test` need nothing more");
    Ok(ExitCode::SUCCESS)
}

/// The toolchain of the kernel half, installed if need be. Every command that builds begins here.
pub(crate) fn toolchain() -> Result<Toolchain> {
    linker_of_the_host()?;
    // Each turn installs what the one before found missing: the compiler, then the linker.
    for _ in 0..2 {
        match Toolchain::find() {
            Ok(found) => return said(found),
            Err(Error::NoCompiler) if can_install() => {
                debian::install("no compiler here can build for BPF", &DEBIAN_PACKAGES)?;
            }
            Err(Error::NoLinker) if can_install() || has_llvm() => bpf_linker()?,
            Err(error) => return Err(error.into()),
        }
    }
    said(Toolchain::find()?)
}

fn said(found: Toolchain) -> Result<Toolchain> {
    let linker = found.linker.display();
    step::done("kernel", &format!("half is built by {}, {linker}", found.compiler));
    Ok(found)
}

/// `cc` links the user half, and C parts of dependencies are compiled with it.
fn linker_of_the_host() -> Result<()> {
    if tree::which("cc").is_none() {
        debian::install("no C compiler to link with", &["gcc", "libc6-dev"])?;
    }
    Ok(())
}

fn can_install() -> bool {
    debian::is_debian() && tree::is_root()
}

fn has_llvm() -> bool {
    let (_, llvm, _) = LINKER_INSTALL;
    Path::new(llvm).join("bin/llvm-config").exists()
}

fn bpf_linker() -> Result<()> {
    // What it is built with; a compiler of rustup's may be there without them.
    let llvm = &DEBIAN_PACKAGES[3..];
    if !has_llvm() {
        debian::install("bpf-linker is built with LLVM", llvm)?;
    }
    // It is C++ inside.
    if tree::which("c++").is_none() {
        if !can_install() {
            bail!("bpf-linker is linked with the C++ library: sudo apt-get install g++");
        }
        debian::install("bpf-linker is linked with the C++ library", &["g++"])?;
    }
    let (key, value, arguments) = LINKER_INSTALL;
    step::command(tree::cargo().args(arguments).env(key, value)).context("cannot install bpf-linker")
}
