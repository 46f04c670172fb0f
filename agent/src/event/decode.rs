//! Bytes of a record -> [`Event`].

use bytes::Bytes;
use holdfast_common::{
    Call, ExecRecord, ExitRecord, ForkRecord, Header, Kind, OpenRecord, SECTION_BYTES, Section, SectionFlags,
};
use zerocopy::FromBytes;

use super::{Body, Comm, Event, EventType, Exec, Exit, Fork, Open, Path, Task};

/// Why a record is not an event. Counted, never fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than its fixed part, or than it says it is.
    #[error("the record is cut short")]
    Short,
    /// Its length is not the sum of its parts.
    #[error("the record's length is not the sum of its parts")]
    Length,
    /// A kind that this version does not know.
    #[error("the record is of an unknown kind")]
    Kind,
    /// A call that this version does not know.
    #[error("the record is of an unknown call")]
    Call,
}

/// Decodes one record. The event's names, paths and arguments share the record's memory where they can.
///
/// # Errors
/// Anything that is not exactly a record of this layout.
pub fn decode(record: &Bytes) -> Result<Event, DecodeError> {
    let (header, _) = Header::read_from_prefix(record).map_err(|_| DecodeError::Short)?;
    if header.len as usize != record.len() {
        return Err(DecodeError::Length);
    }
    let (event_type, body) = match header.kind {
        Kind::FORK => (EventType::CLONE, fork(record)?),
        Kind::EXEC => (EventType::EXECVE, exec(record)?),
        Kind::EXIT => (EventType::PROCEXIT, exit(record)?),
        Kind::OPEN => (open_type(header.call)?, open(record)?),
        _ => return Err(DecodeError::Kind),
    };
    let task = Task {
        tid: header.tid,
        pid: header.pid,
        start_ns: header.start_ns,
        parent_pid: header.parent_pid,
        parent_start_ns: header.parent_start_ns,
        uid: header.uid,
        gid: header.gid,
        cgroup_id: header.cgroup_id,
        comm: Comm::new(&header.comm),
    };
    Ok(Event { time_ns: header.time_ns, cpu: header.cpu, event_type, task, body })
}

fn open_type(call: u16) -> Result<EventType, DecodeError> {
    match Call(call) {
        Call::OPEN => Ok(EventType::OPEN),
        Call::OPENAT => Ok(EventType::OPENAT),
        Call::OPENAT2 => Ok(EventType::OPENAT2),
        Call::CREAT => Ok(EventType::CREAT),
        _ => Err(DecodeError::Call),
    }
}

fn fork(record: &Bytes) -> Result<Body, DecodeError> {
    let (fixed, sections) = split::<ForkRecord>(record)?;
    sections.end()?;
    Ok(Body::Fork(Fork { child_pid: fixed.child_pid, child_start_ns: fixed.child_start_ns }))
}

fn exit(record: &Bytes) -> Result<Body, DecodeError> {
    let (fixed, sections) = split::<ExitRecord>(record)?;
    sections.end()?;
    Ok(Body::Exit(Exit { status: fixed.status }))
}

fn exec(record: &Bytes) -> Result<Body, DecodeError> {
    let (fixed, mut sections) = split::<ExecRecord>(record)?;
    let filename = sections.take(fixed.filename)?;
    let argv = sections.take(fixed.argv)?;
    let exe = path(&sections.take(fixed.exe)?, fixed.exe).unwrap_or_default();
    let cwd = path(&sections.take(fixed.cwd)?, fixed.cwd).unwrap_or_default();
    let cgroup = path(&sections.take(fixed.cgroup)?, fixed.cgroup).unwrap_or_default();
    sections.end()?;
    // `memfd_create` is the one way to an object of this name that no folder holds (`mm/memfd.c`).
    let memfd = exe.detached && exe.bytes.starts_with(b"memfd:");
    Ok(Body::Exec(Box::new(Exec {
        filename,
        exe,
        argv,
        argv_cut: fixed.argv.flags & SectionFlags::CUT != 0,
        cwd,
        cgroup,
        loginuid: fixed.loginuid,
        session: fixed.session,
        tty: user_device(fixed.tty),
        vpid: fixed.vpid,
        dev: user_device(fixed.dev),
        ino: fixed.ino,
        memfd,
        unlinked: fixed.links == 0,
    })))
}

fn open(record: &Bytes) -> Result<Body, DecodeError> {
    let (fixed, mut sections) = split::<OpenRecord>(record)?;
    let given = sections.take(fixed.path)?;
    let real = path(&sections.take(fixed.real)?, fixed.real);
    let base = path(&sections.take(fixed.base)?, fixed.base);
    sections.end()?;
    Ok(Body::Open(Open {
        result: fixed.result,
        flags: fixed.flags,
        mode: fixed.mode,
        dirfd: fixed.dirfd,
        path: given,
        path_cut: fixed.path.flags & SectionFlags::CUT != 0,
        base,
        real,
        dev: user_device(fixed.dev),
        ino: fixed.ino,
        file_mode: fixed.file_mode,
    }))
}

/// The fixed part and what follows it.
fn split<T: FromBytes>(record: &Bytes) -> Result<(T, Sections), DecodeError> {
    let (fixed, rest) = T::read_from_prefix(record).map_err(|_| DecodeError::Short)?;
    Ok((fixed, Sections(record.slice_ref(rest))))
}

/// The bytes behind the fixed part, taken from the front.
struct Sections(Bytes);

impl Sections {
    fn take(&mut self, section: Section) -> Result<Bytes, DecodeError> {
        let len = usize::from(section.len);
        if len > self.0.len() || len > SECTION_BYTES {
            return Err(DecodeError::Short);
        }
        Ok(self.0.split_to(len))
    }

    fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Length) }
    }
}

/// Turns a walked path round: its components come last first, each ended by a NUL. `None` where there is no object.
fn path(walked: &[u8], section: Section) -> Option<Path> {
    if section.flags & SectionFlags::PRESENT == 0 {
        return None;
    }
    let cut = section.flags & SectionFlags::CUT != 0;
    let detached = section.flags & SectionFlags::DETACHED != 0;
    let mut bytes = Vec::with_capacity(walked.len() + 4);
    if cut {
        bytes.extend_from_slice(b"...");
    }
    let names = walked.strip_suffix(&[0]).unwrap_or(walked);
    for name in names.rsplit(|byte| *byte == 0) {
        // What no folder holds has a name and no path.
        if !(detached && bytes.is_empty()) {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
    }
    Some(Path { bytes: bytes.into(), cut, detached })
}

/// A device number as user space has it (`new_encode_dev`, `include/linux/kdev_t.h`), from the kernel's own.
fn user_device(kernel: u32) -> u32 {
    let (major, minor) = (kernel >> 20, kernel & 0xf_ffff);
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    use super::*;

    fn header(kind: Kind, call: u16) -> Header {
        Header {
            len: 0,
            kind,
            call,
            time_ns: 5,
            start_ns: 4,
            parent_start_ns: 3,
            cgroup_id: 2,
            tid: 11,
            pid: 10,
            parent_pid: 9,
            uid: 1000,
            gid: 1001,
            cpu: 1,
            comm: *b"cat\0garbage\0\0\0\0\0",
        }
    }

    fn section(bytes: &[u8], flags: u16) -> Section {
        Section { len: bytes.len() as u16, flags: flags | SectionFlags::PRESENT }
    }

    fn record(fixed: &[u8], sections: &[&[u8]]) -> Bytes {
        let mut bytes = [fixed, &sections.concat()].concat();
        let len = bytes.len() as u32;
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        bytes.into()
    }

    fn open_record(given: &[u8], real: &[u8], flags: u16) -> Bytes {
        let fixed = OpenRecord {
            header: header(Kind::OPEN, Call::OPENAT.0),
            result: 3,
            flags: 0o100,
            ino: 7,
            dev: 8 << 20 | 1,
            file_mode: 0o100_600,
            mode: 0o644,
            dirfd: -100,
            path: section(given, 0),
            real: section(real, flags),
            base: Section::default(),
            reserved: 0,
        };
        record(fixed.as_bytes(), &[given, real])
    }

    fn exec_record(exe: &[u8], flags: u16) -> Bytes {
        let fixed = ExecRecord {
            header: header(Kind::EXEC, 0),
            ino: 7,
            dev: 0,
            links: 0,
            loginuid: u32::MAX,
            session: 1,
            tty: 136 << 20 | 2,
            vpid: 1,
            filename: section(b"./x", 0),
            argv: section(b"x\0-a\0", SectionFlags::CUT),
            exe: section(exe, flags),
            cwd: section(b"", 0),
            cgroup: Section::default(),
            reserved: 0,
        };
        record(fixed.as_bytes(), &[b"./x", b"x\0-a\0", exe])
    }

    #[test]
    fn an_open_tells_the_path_as_given_and_the_file_that_was_opened() {
        let event = decode(&open_record(b"link", b"shadow\0etc\0", 0)).expect("whole");
        assert_eq!(event.event_type, EventType::OPENAT);
        assert_eq!((event.task.pid, event.task.comm.as_bytes()), (10, &b"cat"[..]));
        let Body::Open(open) = event.body else { panic!("not an open") };
        assert_eq!(&open.path[..], b"link");
        assert_eq!(&open.real.expect("opened").bytes[..], b"/etc/shadow");
        assert_eq!((open.base, open.dev, open.result), (None, 0x801, 3));
    }

    #[test]
    fn an_exec_of_a_memory_file_is_told_as_one() {
        let event = decode(&exec_record(b"memfd:tool\0", SectionFlags::DETACHED)).expect("whole");
        let Body::Exec(exec) = event.body else { panic!("not an exec") };
        assert!(exec.memfd && exec.unlinked && exec.argv_cut);
        assert_eq!(&exec.exe.bytes[..], b"memfd:tool");
        assert_eq!((&exec.cwd.bytes[..], exec.tty), (&b"/"[..], 0x8802));
        assert_eq!(exec.cgroup, Path::default());
    }

    #[test]
    fn a_file_that_is_named_like_a_memory_file_is_not_one() {
        let event = decode(&exec_record(b"memfd:tool\0tmp\0", 0)).expect("whole");
        let Body::Exec(exec) = event.body else { panic!("not an exec") };
        assert!(!exec.memfd);
    }

    #[test]
    fn a_path_that_was_cut_says_so() {
        let walked = path(b"c\0b\0", section(b"c\0b\0", SectionFlags::CUT)).expect("present");
        assert_eq!((&walked.bytes[..], walked.cut), (&b".../b/c"[..], true));
    }

    #[test]
    fn what_is_not_exactly_a_record_is_an_error() {
        let whole = open_record(b"/etc/shadow", b"shadow\0etc\0", 0);
        for len in 0..whole.len() {
            assert!(decode(&whole.slice(..len)).is_err(), "cut to {len} bytes");
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert_eq!(decode(&longer.into()), Err(DecodeError::Length));
        let mut unknown = whole.to_vec();
        unknown[4] = 99;
        assert_eq!(decode(&unknown.into()), Err(DecodeError::Kind));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes.into());
        }

        #[test]
        fn a_damaged_record_never_panics(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), exec: bool,
        ) {
            let whole = if exec { exec_record(b"a\0b\0", 0) } else { open_record(b"x", b"y\0z\0", 0) };
            let mut bytes = whole.to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                // The length stays right, so that the damage gets past the first check.
                if at >= 4 {
                    bytes[at] = byte;
                }
            }
            let _ = decode(&bytes.into());
        }
    }
}
