//! Does one deed, named by its argument, for an agent to see. Its exit code says whether the deed worked.

use std::{
    ffi::CString,
    fs::File,
    io::{Error, Result, Write as _},
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    process::Command,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["read", path] => File::open(path).map(drop),
        ["read-many", path, times] => {
            for _ in 0..times.parse().map_err(Error::other)? {
                File::open(path)?;
            }
            Ok(())
        }
        ["fail-to-read", path] => match File::open(path) {
            Ok(_) => Err(Error::other("it worked")),
            Err(_) => Ok(()),
        },
        ["read-in", folder, name] => {
            std::env::set_current_dir(folder)?;
            File::open(name).map(drop)
        }
        ["open", path] => open(path),
        ["read-by-int80", path] => read_by_int80(path),
        ["openat2", path] => openat2(path),
        ["creat", path] => creat(path),
        ["write", path] => File::create(path).map(drop),
        ["spawn-shell"] => Command::new("/bin/sh").args(["-c", "true"]).status().map(drop),
        ["exec", path] => Err(Command::new(path).arg("nothing").exec()),
        ["exec-from-memory", path] => exec_from_memory(path),
        ["nothing"] => Ok(()),
        _ => Err(Error::other(format!("no such deed: {arguments:?}"))),
    }
}

/// `open(2)` itself: the C library makes `openat` of it.
fn open(path: &str) -> Result<()> {
    let path = CString::new(path)?;
    // SAFETY: the path is a C string that outlives the call.
    check(unsafe { libc::syscall(libc::SYS_open, path.as_ptr(), libc::O_RDONLY) })
}

/// `open` as a 32-bit program calls it. Its pointers have 32 bits, so the path has to lie low in memory.
fn read_by_int80(path: &str) -> Result<()> {
    let path = CString::new(path)?;
    let bytes = path.as_bytes_with_nul();
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT);
    // SAFETY: a mapping of its own, at an address that nobody else has.
    let low = unsafe { libc::mmap(std::ptr::null_mut(), bytes.len(), protection, flags, -1, 0) };
    if low == libc::MAP_FAILED {
        return Err(Error::last_os_error());
    }
    // SAFETY: the mapping has that many bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), low.cast(), bytes.len()) };
    // `open` in `arch/x86/entry/syscalls/syscall_32.tbl`.
    let mut result: i32 = 5;
    // SAFETY: a system call that reads the path, which outlives it. `rbx` belongs to the compiler and is put back; the
    // 32-bit entry clears r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {path}", "int 0x80", "xchg rbx, {path}",
            path = inout(reg) low => _, inout("eax") result, in("ecx") libc::O_RDONLY, in("edx") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result < 0 { Err(Error::from_raw_os_error(-result)) } else { Ok(()) }
}

fn openat2(path: &str) -> Result<()> {
    let path = CString::new(path)?;
    // struct open_how: flags, mode, resolve.
    let how = [libc::O_RDONLY as u64, 0, 0];
    // SAFETY: path and struct outlive the call, and its size is given.
    check(unsafe {
        libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size_of_val(&how))
    })
}

fn creat(path: &str) -> Result<()> {
    let path = CString::new(path)?;
    // SAFETY: the path is a C string that outlives the call.
    check(unsafe { libc::syscall(libc::SYS_creat, path.as_ptr(), 0o600) })
}

fn check(result: libc::c_long) -> Result<()> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Runs a program that no folder holds.
fn exec_from_memory(path: &str) -> Result<()> {
    let memory = rustix::fs::memfd_create("deed", rustix::fs::MemfdFlags::empty())?;
    let mut memory = File::from(memory);
    memory.write_all(&std::fs::read(path)?)?;
    Err(Command::new(format!("/proc/self/fd/{}", memory.as_raw_fd())).arg("nothing").exec())
}
