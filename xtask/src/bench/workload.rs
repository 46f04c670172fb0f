//! What is measured: small loops around system calls, each in a process of its own, on a CPU of its own.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use rustix::{
    fs::{Mode, OFlags},
    thread::CpuSet,
};

use crate::step;

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A system call that costs next to nothing and that no rule needs.
    Getppid,
    /// Opens and closes a file.
    Open,
    /// Starts a program and waits for its end.
    Exec,
}

/// What a workload process is told.
#[derive(clap::Args)]
pub(crate) struct WorkloadArgs {
    kind: Kind,
    /// The file to open, or the program to start
    path: PathBuf,
    #[arg(long)]
    cpu: usize,
    /// Batches to time, as `batches x operations`
    #[arg(long, num_args = 2)]
    batches: Option<Vec<u32>>,
    /// Or: work until so many seconds are over, and print the number of operations
    #[arg(long)]
    seconds: Option<f64>,
}

/// The hidden command: prints nanoseconds per operation, a batch a line; or the number of operations.
pub(crate) fn run(args: &WorkloadArgs) -> Result<ExitCode> {
    let mut cpus = CpuSet::new();
    cpus.set(args.cpu);
    rustix::thread::sched_setaffinity(None, &cpus).context("cannot pin to a CPU")?;
    let (kind, path) = (args.kind, args.path.as_path());
    match (args.batches.as_deref(), args.seconds) {
        (Some(&[batches, operations]), None) => {
            // The first batch warms caches and is not told.
            batch(kind, path, operations)?;
            for _ in 0..batches {
                println!("{:.2}", batch(kind, path, operations)?);
            }
        }
        (None, Some(seconds)) => println!("{}", until(kind, path, seconds)?),
        _ => bail!("either --batches or --seconds"),
    }
    Ok(ExitCode::SUCCESS)
}

fn batch(kind: Kind, path: &Path, operations: u32) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..operations {
        once(kind, path)?;
    }
    Ok(start.elapsed().as_nanos() as f64 / f64::from(operations))
}

fn until(kind: Kind, path: &Path, seconds: f64) -> Result<u64> {
    /// Often enough to stop in time, seldom enough to cost nothing.
    const CLOCK_EVERY: u64 = 64;
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < seconds {
        for _ in 0..CLOCK_EVERY {
            once(kind, path)?;
        }
        done += CLOCK_EVERY;
    }
    Ok(done)
}

#[inline]
fn once(kind: Kind, path: &Path) -> Result<()> {
    match kind {
        Kind::Getppid => {
            std::hint::black_box(rustix::process::getppid());
        }
        // The descriptor is closed where it is dropped.
        Kind::Open => drop(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?),
        Kind::Exec => {
            let mut command = Command::new(path);
            command.stdin(Stdio::null()).stdout(Stdio::null()).arg0("tiny");
            let status = command.status().with_context(|| format!("cannot start `{}`", path.display()))?;
            anyhow::ensure!(status.success(), "the tiny program failed");
        }
    }
    Ok(())
}

/// Starts a workload process.
pub(crate) fn spawn(kind: Kind, path: &Path, cpu: usize, how: How) -> Result<Worker> {
    let name = kind.to_possible_value().context("every kind has a name")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["workload", name.get_name()]).arg(path).args(["--cpu", &cpu.to_string()]);
    match how {
        How::Batches(batches, operations) => {
            command.args(["--batches", &batches.to_string(), &operations.to_string()]);
        }
        How::For(time) => {
            command.args(["--seconds", &time.as_secs_f64().to_string()]);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let text = step::words(&command);
    Ok(Worker { child: command.spawn().with_context(|| format!("cannot run `{text}`"))? })
}

/// How long a workload works.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// So many batches of so many operations.
    Batches(u32, u32),
    /// Until so much time is over.
    For(Duration),
}

/// A workload process.
pub(crate) struct Worker {
    child: std::process::Child,
}

impl Worker {
    /// Waits for its end and returns the numbers it printed.
    pub(crate) fn numbers(self) -> Result<Vec<f64>> {
        let output = self.child.wait_with_output().context("cannot wait for a workload")?;
        anyhow::ensure!(output.status.success(), "a workload failed ({})", output.status);
        let text = String::from_utf8(output.stdout).context("a workload prints numbers")?;
        text.lines().map(|line| line.parse().with_context(|| format!("`{line}` is no number"))).collect()
    }
}

/// The smallest program there is: ELF headers and `exit(0)`, with no libc and no loader to measure.
#[cfg(target_arch = "x86_64")]
const TINY: [u8; 129] = {
    let mut elf = [0; 129];
    let headers: [(usize, &[u8]); 13] = [
        (0, b"\x7fELF\x02\x01\x01"), // 64 bits, little-endian, version 1
        (16, &[2, 0, 62, 0, 1]),     // an executable for x86-64, version 1
        (24, &[0x78, 0, 0x40]),      // entry: behind the headers
        (32, &[64]),                 // the program headers follow this one
        (52, &[64, 0, 56, 0, 1]),    // sizes of the headers; one program header
        (64, &[1, 0, 0, 0, 5]),      // load it, readable and executable
        (80, &[0, 0, 0x40]),         // at 4 MiB, virtual
        (88, &[0, 0, 0x40]),         // and physical
        (96, &[129]),                // the whole file
        (104, &[129]),
        (112, &[0, 0x10]),                       // alignment: a page
        (120, &[0xb8, 60, 0, 0, 0, 0x31, 0xff]), // mov eax, 60 (exit); xor edi, edi
        (127, &[0x0f, 0x05]),                    // syscall
    ];
    let mut i = 0;
    while i < headers.len() {
        let (offset, bytes) = headers[i];
        let mut j = 0;
        while j < bytes.len() {
            elf[offset + j] = bytes[j];
            j += 1;
        }
        i += 1;
    }
    elf
};

/// Leaves the tiny program in a folder; elsewhere than on x86-64 it is `/bin/true`.
pub(crate) fn tiny_program(folder: &Path) -> Result<PathBuf> {
    #[cfg(target_arch = "x86_64")]
    {
        let path = folder.join("tiny");
        fs::write(&path, TINY).context("cannot write the tiny program")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = folder;
        Ok(PathBuf::from("/bin/true"))
    }
}
