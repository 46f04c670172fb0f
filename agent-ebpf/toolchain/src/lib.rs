//! Finds a toolchain that can build the kernel half, and builds it.
//!
//! Two kinds are known, in this order:
//! 1. a distribution's compiler that carries a precompiled `core` for `bpfel-unknown-none` (Debian: `rustc-web`,
//!    `cargo-web` and `libstd-rust-web-dev-bpf`);
//! 2. rustup's nightly with the component `rust-src`, which builds `core` itself (`-Z build-std=core`).
//!
//! Both need `bpf-linker`. `agent/build.rs` builds with what is found here and `xtask` installs what is not.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The target triple of the kernel half: BPF, little-endian.
pub const TARGET: &str = "bpfel-unknown-none";
/// The kernel half: the file that the linker leaves, below the target directory and the profile.
const OBJECT: &str = "holdfast-bpf";
/// A program that does nothing, on the agent's tracepoint: what the benchmark compares the agent with.
pub const EMPTY_OBJECT: &str = "holdfast-bpf-empty";
/// The Debian packages that together are a toolchain of the first kind, and what `bpf-linker` builds with.
pub const DEBIAN_PACKAGES: [&str; 6] =
    ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf", "llvm-22-dev", "libpolly-22-dev", "libzstd-dev"];
/// How `bpf-linker` is installed against Debian's LLVM: the environment, then the arguments of cargo.
pub const LINKER_INSTALL: (&str, &str, &[&str]) = (
    "LLVM_PREFIX",
    "/usr/lib/llvm-22",
    &[
        "install",
        "--locked",
        "bpf-linker",
        "--version",
        "0.13.0",
        "--no-default-features",
        "--features",
        "llvm-22",
    ],
);

/// What is missing, with the commands that mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No compiler that can build for BPF.
    #[error("no Rust toolchain here can build for {TARGET}\n{}", remedy())]
    NoCompiler,
    /// No `bpf-linker` in `PATH` or in cargo's bin folder.
    #[error("`bpf-linker` is not installed\n{}", remedy())]
    NoLinker,
    /// A command could not be started.
    #[error("cannot run `{program}`")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The build itself failed; the compiler has said why.
    #[error("building the kernel half with {toolchain} failed")]
    Build {
        /// The toolchain that was used.
        toolchain: String,
    },
}

fn remedy() -> String {
    let (key, value, args) = LINKER_INSTALL;
    format!(
        "`cargo xtask build` installs what is missing when run as root on Debian. By hand, on Debian:\n    \
         apt-get install --no-install-recommends {}\n    {key}={value} cargo {}\nor with rustup:\n    \
         rustup toolchain install nightly --component rust-src\n    cargo install bpf-linker",
        DEBIAN_PACKAGES.join(" "),
        args.join(" ")
    )
}

/// A compiler that can build for BPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// A distribution's cargo and rustc, with `core` for BPF precompiled.
    Precompiled {
        /// Its cargo.
        cargo: PathBuf,
        /// Its rustc.
        rustc: PathBuf,
    },
    /// rustup's nightly with `rust-src`.
    Nightly,
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Precompiled { rustc, .. } => {
                write!(f, "{} (precompiled core for {TARGET})", rustc.display())
            }
            Self::Nightly => write!(f, "rustup nightly (rust-src, build-std)"),
        }
    }
}

/// A compiler and a linker: all that building the kernel half takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The compiler.
    pub compiler: Compiler,
    /// `bpf-linker`.
    pub linker: PathBuf,
}

impl Toolchain {
    /// Finds one.
    ///
    /// # Errors
    /// Names what is missing and the commands that install it.
    pub fn find() -> Result<Self, Error> {
        Ok(Self {
            compiler: find_compiler().ok_or(Error::NoCompiler)?,
            linker: find_linker().ok_or(Error::NoLinker)?,
        })
    }

    /// Builds the kernel half of the workspace at `root` into `target_dir` and returns the object's path.
    ///
    /// # Errors
    /// [`Error::Spawn`] and [`Error::Build`]; the compiler's own words are on standard error.
    pub fn build(&self, root: &Path, target_dir: &Path) -> Result<PathBuf, Error> {
        self.build_bin(root, target_dir, OBJECT)
    }

    /// Like [`Toolchain::build`], for any one binary of the package `holdfast-ebpf`.
    ///
    /// # Errors
    /// As [`Toolchain::build`].
    pub fn build_bin(&self, root: &Path, target_dir: &Path, bin: &str) -> Result<PathBuf, Error> {
        let mut command = match &self.compiler {
            Compiler::Precompiled { cargo, rustc } => {
                let mut command = Command::new(cargo);
                command.env("RUSTC", rustc).arg("build");
                command
            }
            Compiler::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo", "build", "-Z", "build-std=core"]);
                command.env_remove("RUSTC");
                command
            }
        };
        // What cargo sets for a build script would otherwise reach the inner build: a wrapper of clippy, the flags
        // of the host, another toolchain's name.
        for key in [
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            command.env_remove(key);
        }
        for (key, _) in env::vars_os() {
            let text = key.to_string_lossy();
            let of_this_build = ["CARGO_CFG_", "CARGO_PKG_", "CARGO_FEATURE_", "CARGO_PROFILE_"];
            if of_this_build.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&key);
            }
        }
        // aya-ebpf takes a feature gate (BPF inline assembly) that a release compiler opens only when told so.
        command.env("RUSTC_BOOTSTRAP", "1");
        let linker = format!("-Clinker={}", self.linker.display());
        // Where a call's arguments lie in the registers is the traced machine's affair.
        let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_else(|_| env::consts::ARCH.to_owned());
        let arch = format!("--cfg=bpf_target_arch=\"{arch}\"");
        let flags = [arch.as_str(), "-Cdebuginfo=2", "-Clink-arg=--btf", linker.as_str()];
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        command.current_dir(root).args([
            "--package",
            "holdfast-ebpf",
            "--bin",
            bin,
            "--release",
            "--target",
            TARGET,
        ]);
        command.arg("--target-dir").arg(target_dir);
        let status = command.status().map_err(|source| Error::Spawn {
            program: command.get_program().to_string_lossy().into(),
            source,
        })?;
        if !status.success() {
            return Err(Error::Build { toolchain: self.compiler.to_string() });
        }
        Ok(target_dir.join(TARGET).join("release").join(bin))
    }
}

fn find_compiler() -> Option<Compiler> {
    // A distribution's compiler first: it needs no download and no `core` to build.
    for bin in ["/usr/bin", "/usr/local/bin"] {
        let (cargo, rustc) = (Path::new(bin).join("cargo"), Path::new(bin).join("rustc"));
        if cargo.exists() && rustc.exists() && sysroot(&rustc).is_some_and(|root| has_core(&root)) {
            return Some(Compiler::Precompiled { cargo, rustc });
        }
    }
    let output =
        Command::new("rustup").args(["run", "nightly", "rustc", "--print", "sysroot"]).output().ok()?;
    let root = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let source = root.join("lib/rustlib/src/rust/library/core/src/lib.rs");
    (output.status.success() && source.exists()).then_some(Compiler::Nightly)
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn has_core(sysroot: &Path) -> bool {
    let Ok(entries) = fs::read_dir(sysroot.join("lib/rustlib").join(TARGET).join("lib")) else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

/// `bpf-linker` from `PATH`, or from cargo's own bin folder, which not every shell has in its `PATH`.
fn find_linker() -> Option<PathBuf> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(cargo_home.map(|home| home.join("bin")))
        .map(|dir| dir.join("bpf-linker"))
        .find(|file| file.is_file())
}
