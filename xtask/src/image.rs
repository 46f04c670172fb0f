//! `cargo xtask image`: an image of one static file, made with no registry and no base image.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

use crate::{debian, setup, step, tree};

/// What `image` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask image\n  \
    ctr --namespace k8s.io images import target/image/holdfast.oci.tar")]
pub(crate) struct Args {
    /// The image's name
    #[arg(long, default_value_t = format!("localhost/holdfast:{}", tree::VERSION))]
    name: String,
    /// Takes this static binary instead of building one
    #[arg(long, value_name = "BINARY")]
    agent: Option<PathBuf>,
}

/// Folders that the agent finds in an image with nothing else in it: each is a mount point of the manifests, and
/// a root file system that is read-only has to have them already.
const FOLDERS: [&str; 8] =
    ["tmp", "etc/holdfast", "host", "proc", "run/holdfast", "sys", "var/lib/holdfast", "var/log/holdfast"];

/// `cargo xtask image`.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let agent = args.agent.clone().map_or_else(static_agent, Ok)?;
    is_static(&agent)?;
    if tree::which("buildah").is_none() {
        debian::install("no `buildah` to make an image with", &["buildah"])?;
    }
    let folder = tree::target().join("image");
    let root = folder.join("root");
    let _ = fs::remove_dir_all(&root);
    for name in FOLDERS {
        fs::create_dir_all(root.join(name)).with_context(|| format!("cannot make `{name}`"))?;
    }
    fs::copy(&agent, root.join("holdfast")).context("cannot copy the agent")?;
    let archive = folder.join("holdfast.oci.tar");
    make(&root, &archive, &args.name)?;
    let bytes = fs::metadata(&archive).context("buildah left no archive")?.len();
    let size = bytes as f64 / f64::from(1 << 20);
    step::done("image", &format!("{} in {} ({size:.1} MiB)", args.name, tree::shown(&archive)));
    Ok(ExitCode::SUCCESS)
}

/// Builds the agent with the C library inside.
///
/// The target is named although it is the host: the flag then holds for the agent alone, not for build scripts and
/// procedural macros, which cannot be static.
fn static_agent() -> Result<PathBuf> {
    setup::toolchain()?;
    let rustc = Path::new(&tree::cargo_path()).with_file_name("rustc");
    let version = step::output(&rustc, &["-vV"]).or_else(|| step::output("rustc", &["-vV"]));
    let version = version.context("cannot ask rustc for its version")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say which host it is for")?;
    let mut command = tree::cargo();
    command.args(["build", "--package", "holdfast", "--release", "--target", host]);
    step::command(command.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    Ok(tree::target().join(host).join("release/holdfast"))
}

/// Whether a file asks for no loader: an image from nothing has none.
fn is_static(agent: &Path) -> Result<()> {
    let output = Command::new("ldd").arg(agent).output().context("cannot run `ldd`")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // A static executable at a fixed address is "not a dynamic executable", one at any address "statically linked".
    if !said.contains("statically linked") && !said.contains("not a dynamic executable") {
        bail!("`{}` is not static:\n{}", agent.display(), said.trim());
    }
    step::done("static", &tree::shown(agent));
    Ok(())
}

/// `FROM scratch`, the tree, the entry point; committed as an archive.
fn make(root: &Path, archive: &Path, name: &str) -> Result<()> {
    // A store of its own: nothing of this stays in the machine's, and `vfs` works on every file system.
    let store = tree::target().join("image/store");
    let buildah = || {
        let mut command = Command::new(tree::which("buildah").unwrap_or_else(|| "buildah".into()));
        command.args(["--storage-driver", "vfs"]).arg("--root").arg(&store);
        command.arg("--runroot").arg(tree::target().join("image/run"));
        command
    };
    let from = buildah().args(["from", "scratch"]).output().context("cannot run buildah")?;
    let container = String::from_utf8_lossy(&from.stdout).trim().to_owned();
    if !from.status.success() || container.is_empty() {
        bail!("`buildah from scratch` failed:\n{}", String::from_utf8_lossy(&from.stderr).trim());
    }
    let result = (|| {
        step::command(buildah().args(["copy", "--quiet", &container]).arg(root).arg("/"))?;
        step::command(buildah().args(["config", "--entrypoint", "[\"/holdfast\"]", "--cmd", "run"]).args([
            "--label",
            "org.opencontainers.image.title=holdfast",
            "--label",
            &format!("org.opencontainers.image.version={}", tree::VERSION),
            "--label",
            "org.opencontainers.image.licenses=(MIT OR Apache-2.0) AND (GPL-2.0-only OR MIT)",
            &container,
        ]))?;
        let _ = fs::remove_file(archive);
        let target = format!("oci-archive:{}:{name}", archive.display());
        step::command(buildah().args(["commit", "--quiet", "--format", "oci", &container, &target]))
    })();
    let _ = buildah().args(["rm", &container]).output();
    result
}
