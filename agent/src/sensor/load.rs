//! Loads the kernel half, attaches it, and lets it go.

use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel,
    maps::{Array, MapData, MapError, PerCpuArray, RingBuf},
    programs::{BtfTracePoint, ProgramError},
};
use holdfast_common::{CALL_SLOTS, Call, CallSlot};
use tracing::debug;

use super::{
    Config, Counters, NotPossible, OpenPlan, Reader,
    arch::NUMBERS,
    btf::{self, Btf},
    filter, preflight,
};

/// The kernel half, as `build.rs` has built it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("HOLDFAST_BPF_OBJECT"));

/// Each program and the tracepoint that it is for.
const PROGRAMS: [(&str, &str); 4] = [
    ("hf_fork", "sched_process_fork"),
    ("hf_exec", "sched_process_exec"),
    ("hf_exit", "sched_process_exit"),
    ("hf_sys_exit", "sys_exit"),
];

/// Why the sensor does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This machine or this process cannot.
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    /// The kernel's types cannot be read, or lack something.
    #[error(transparent)]
    Btf(#[from] btf::Error),
    /// The kernel's types, read a second time by the loader, are not what it expects.
    #[error("cannot use the kernel's BTF")]
    LoaderBtf(#[from] aya::BtfError),
    /// The object cannot be loaded.
    #[error("cannot create the maps of the kernel half")]
    Object(#[from] aya::EbpfError),
    /// A program is refused.
    #[error(
        "cannot load `{program}` for the tracepoint `{tracepoint}`{verdict}; HOLDFAST_LOG=debug shows all of it"
    )]
    Load {
        /// The program.
        program: &'static str,
        /// The tracepoint.
        tracepoint: &'static str,
        /// The last words of the verifier, where it is the one that refuses.
        verdict: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A program cannot be attached.
    #[error("cannot attach `{program}` to the tracepoint `{tracepoint}`")]
    Attach {
        /// The program.
        program: &'static str,
        /// The tracepoint.
        tracepoint: &'static str,
        /// Why.
        #[source]
        source: ProgramError,
    },
    /// A map cannot be used.
    #[error("cannot use the map `{map}`")]
    Map {
        /// The map.
        map: &'static str,
        /// Why.
        #[source]
        source: MapError,
    },
}

/// The kernel half, attached. Dropping it takes everything out of the kernel again.
pub struct Sensor {
    /// Holds the programs and their links, until it is detached.
    ebpf: Option<Ebpf>,
    reader: Option<Reader>,
    counters: Counters,
}

impl Sensor {
    /// Loads the kernel half and attaches it. From the return on, nothing that `calls` name goes unseen, except what
    /// `plan` says that nobody asks for.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn start(config: &Config, calls: &[Call], plan: &OpenPlan) -> Result<Self, Error> {
        preflight::check()?;
        let offsets = Btf::of_kernel()?.offsets()?;
        let btf = aya::Btf::from_sys_fs()?;
        let own_pid = std::process::id();
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .verifier_log_level(VerifierLogLevel::DEBUG)
            .override_global("OFFSETS", &offsets, true)
            .override_global("SELF_PID", &own_pid, true)
            .map_max_entries("HF_PROCESS", Config::ring_bytes(config.process_ring_bytes))
            .map_max_entries("HF_EVENTS", Config::ring_bytes(config.event_ring_bytes))
            .load(OBJECT)?;
        if cfg!(debug_assertions)
            && let Err(error) = aya_log::EbpfLogger::init(&mut ebpf)
        {
            // The kernel half logs only when it is built with its feature `log`.
            debug!(%error, "No log of the kernel half");
        }

        let map_error = |map| move |source| Error::Map { map, source };
        let reader = Reader::new(
            RingBuf::try_from(take(&mut ebpf, "HF_PROCESS")?).map_err(map_error("HF_PROCESS"))?,
            RingBuf::try_from(take(&mut ebpf, "HF_EVENTS")?).map_err(map_error("HF_EVENTS"))?,
        );
        let counts = PerCpuArray::try_from(take(&mut ebpf, "HF_COUNTS")?).map_err(map_error("HF_COUNTS"))?;
        let mut table = Array::try_from(take(&mut ebpf, "HF_CALLS")?).map_err(map_error("HF_CALLS"))?;
        fill(&mut table, calls).map_err(map_error("HF_CALLS"))?;
        filter::install(&mut ebpf, plan)?;

        for (program, tracepoint) in PROGRAMS {
            let loaded: &mut BtfTracePoint = ebpf
                .program_mut(program)
                .expect("the object embedded in this binary has every program that is named here")
                .try_into()
                .map_err(|error| refused(program, tracepoint, error))?;
            loaded.load(tracepoint, &btf).map_err(|error| refused(program, tracepoint, error))?;
            debug!(program, verified = ?loaded.info().ok().and_then(|info| info.verified_instruction_count()), "Loaded");
        }
        // Attached only when all are loaded, and the calls last, so that no call comes from a process unheard of.
        for (program, tracepoint) in PROGRAMS {
            let loaded: &mut BtfTracePoint = ebpf
                .program_mut(program)
                .expect("loaded above")
                .try_into()
                .map_err(|source| Error::Attach { program, tracepoint, source })?;
            loaded.attach().map_err(|source| Error::Attach { program, tracepoint, source })?;
        }
        Ok(Self { ebpf: Some(ebpf), reader: Some(reader), counters: Counters::new(counts) })
    }

    /// The reader of the rings. There is one.
    pub fn take_reader(&mut self) -> Option<Reader> {
        self.reader.take()
    }

    /// Takes the programs out of the kernel. The rings and the counters stay, so that they can be read to the end.
    pub fn detach(&mut self) {
        self.ebpf = None;
    }

    /// What the kernel half has counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// A program that is refused: what the verifier says is hundreds of lines, of which the last before its statistics
/// tells.
fn refused(program: &'static str, tracepoint: &'static str, error: ProgramError) -> Error {
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return Error::Load { program, tracepoint, verdict: String::new(), source: Box::new(error) };
    };
    let log = verifier_log.to_string();
    debug!(program, log, "The verifier's log");
    let statistics = ["verification time", "stack depth", "processed"];
    let last =
        log.lines().rfind(|line| !line.is_empty() && !statistics.iter().any(|start| line.starts_with(start)));
    let verdict = last.map(|line| format!(" (the verifier: {line})")).unwrap_or_default();
    Error::Load { program, tracepoint, verdict, source: Box::new(io_error) }
}

fn take(ebpf: &mut Ebpf, map: &'static str) -> Result<aya::maps::Map, Error> {
    ebpf.take_map(map).ok_or(Error::Map { map, source: MapError::InvalidName { name: map.to_owned() } })
}

pub(super) fn map_mut<'a>(ebpf: &'a mut Ebpf, map: &'static str) -> Result<&'a mut aya::maps::Map, Error> {
    ebpf.map_mut(map).ok_or(Error::Map { map, source: MapError::InvalidName { name: map.to_owned() } })
}

/// Tells the kernel half which calls are wanted, by their numbers on this machine.
fn fill(table: &mut Array<MapData, u32>, calls: &[Call]) -> Result<(), MapError> {
    let mut slots = [CallSlot::default(); CALL_SLOTS as usize - 1];
    for numbers in NUMBERS.iter().filter(|numbers| calls.contains(&numbers.call)) {
        // The numbers are constants of this binary, well below the last slot.
        if let Some(slot) = numbers.native.and_then(|number| slots.get_mut(number as usize)) {
            *slot = slot.with_native(numbers.call);
        }
        if let Some(slot) = numbers.compat.and_then(|number| slots.get_mut(number as usize)) {
            *slot = slot.with_compat(numbers.call);
        }
    }
    (0..).zip(slots).try_for_each(|(number, slot)| table.set(number, slot.0, 0))
}
