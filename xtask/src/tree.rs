//! Where things are: the source tree, the target folder, the cargo that runs us.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// The root of the source tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Cargo's target folder: this program lies in `<target>/<profile>/`, whatever has set it.
pub(crate) fn target() -> PathBuf {
    let own = env::current_exe().ok();
    let found = own.as_deref().and_then(Path::parent).and_then(Path::parent);
    found.map_or_else(|| root().join("target"), Path::to_owned)
}

/// A path for people: relative to the folder they stand in where it is below that.
pub(crate) fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// The cargo that runs this program.
pub(crate) fn cargo_path() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A command of the cargo that runs this program, at the root of the tree.
///
/// The compiler of the kernel half may be `/usr/bin/rustc`, and a `PATH` may find that one first. So the compiler is
/// the one beside this cargo. What cargo has set for this program is not for the build it starts.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(cargo_path());
    cargo_environment(&mut command);
    command
}

/// The same environment for a tool that calls cargo itself.
pub(crate) fn cargo_environment(command: &mut Command) -> &mut Command {
    command.current_dir(root());
    let rustc = Path::new(&cargo_path()).with_file_name("rustc");
    if env::var_os("RUSTC").is_none() && rustc.is_file() {
        command.env("RUSTC", rustc);
    }
    for (key, _) in env::vars_os() {
        let text = key.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&key);
        }
    }
    command
}

/// The agent's binary in a profile's folder.
pub(crate) fn agent(release: bool) -> PathBuf {
    target().join(if release { "release" } else { "debug" }).join("holdfast")
}

/// The version of the workspace.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether we are root: what loading BPF and installing packages take.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A program's path in `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Where root's programs are; not in everybody's PATH.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
