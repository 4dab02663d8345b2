//! The functions of `wasi_snapshot_preview1` that are used, and what they need to be safe to call.
//!
//! Two dozen of them are less than a crate of all of them. Layouts are those of the witx of
//! preview 1: numbers little-endian, structures as in C. All unsafe code of this folder is here and
//! in `wasi_p1/http.rs`.
//!
//! What it must never do: give the host an address with less room than the length beside it,
//! or believe it when it says that it read or wrote more than that.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::descriptor::ErrorCode;

/// A file descriptor.
pub(super) type Fd = u32;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn args_get(places: *mut u32, bytes: *mut u8) -> u32;
    fn args_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
    fn environ_get(places: *mut u32, bytes: *mut u8) -> u32;
    fn environ_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
    fn clock_time_get(clock: u32, precision: u64, out: *mut u64) -> u32;
    fn random_get(into: *mut u8, len: usize) -> u32;
    fn poll_oneoff(on: *const Wait, events: *mut [u64; 4], count: usize, done: *mut usize) -> u32;
    fn fd_close(fd: Fd) -> u32;
    fn fd_fdstat_get(fd: Fd, out: *mut FdStat) -> u32;
    fn fd_filestat_get(fd: Fd, out: *mut FileStat) -> u32;
    fn fd_filestat_set_size(fd: Fd, size: u64) -> u32;
    fn fd_pread(fd: Fd, parts: *const Part, count: usize, at: u64, done: *mut usize) -> u32;
    fn fd_prestat_dir_name(fd: Fd, into: *mut u8, len: usize) -> u32;
    fn fd_prestat_get(fd: Fd, out: *mut [u32; 2]) -> u32;
    fn fd_pwrite(fd: Fd, parts: *const Part, count: usize, at: u64, done: *mut usize) -> u32;
    fn fd_read(fd: Fd, parts: *const Part, count: usize, done: *mut usize) -> u32;
    fn fd_readdir(fd: Fd, into: *mut u8, len: usize, from: u64, done: *mut usize) -> u32;
    fn fd_sync(fd: Fd) -> u32;
    fn fd_write(fd: Fd, parts: *const Part, count: usize, done: *mut usize) -> u32;
    fn path_create_directory(fd: Fd, path: *const u8, len: usize) -> u32;
    fn path_filestat_get(fd: Fd, how: u32, path: *const u8, len: usize, out: *mut FileStat) -> u32;
    fn path_open(
        fd: Fd,
        how: u32,
        path: *const u8,
        len: usize,
        open: u32,
        rights: u64,
        inherited: u64,
        flags: u32,
        out: *mut Fd,
    ) -> u32;
    fn path_rename(
        fd: Fd,
        from: *const u8,
        from_len: usize,
        to_fd: Fd,
        to: *const u8,
        to_len: usize,
    ) -> u32;
    fn path_unlink_file(fd: Fd, path: *const u8, len: usize) -> u32;
}

/// Bytes of ours that the host reads or writes.
#[repr(C)]
struct Part {
    base: *const u8,
    len: usize,
}

/// `subscription`, of a clock.
#[repr(C)]
struct Wait {
    user: u64,
    tag: u64,
    clock: u64,
    timeout: u64,
    precision: u64,
    flags: u64,
}

/// `fdstat`.
#[repr(C)]
#[derive(Default)]
pub(super) struct FdStat {
    pub(super) kind: u8,
    pub(super) flags: u16,
    pub(super) rights: u64,
    pub(super) inherited: u64,
}

/// `filestat`.
#[repr(C)]
#[derive(Default)]
pub(super) struct FileStat {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) kind: u8,
    links: u64,
    pub(super) size: u64,
    times: [u64; 3],
}

fn done(code: u32) -> Result<(), ErrorCode> {
    if code == 0 { Ok(()) } else { Err(ErrorCode::of(code)) }
}

/// Texts that end in a zero byte each, as the host writes arguments and variables.
fn texts(
    sizes: unsafe extern "C" fn(*mut usize, *mut usize) -> u32,
    get: unsafe extern "C" fn(*mut u32, *mut u8) -> u32,
) -> Vec<String> {
    let (mut count, mut len) = (0, 0);
    // SAFETY: both are ours.
    if unsafe { sizes(&raw mut count, &raw mut len) } != 0 {
        return Vec::new();
    }
    let (mut places, mut bytes) = (vec![0; count], vec![0; len]);
    // SAFETY: they have the room that the host said it needs.
    if unsafe { get(places.as_mut_ptr(), bytes.as_mut_ptr()) } != 0 {
        return Vec::new();
    }
    let all = bytes.split(|&byte| byte == 0).take(count);
    all.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

pub(super) fn arguments() -> Vec<String> {
    texts(args_sizes_get, args_get)
}

/// `NAME=value` each.
pub(super) fn variables() -> Vec<String> {
    texts(environ_sizes_get, environ_get)
}

/// Nanoseconds of a clock: 0 the time of day, 1 one that never goes back.
pub(super) fn time(clock: u32) -> u64 {
    let mut time = 0;
    // SAFETY: the place is ours.
    unsafe { clock_time_get(clock, 1, &raw mut time) };
    time
}

/// Waits so many nanoseconds.
pub(super) fn wait(nanoseconds: u64) {
    let on = Wait { user: 0, tag: 0, clock: 1, timeout: nanoseconds, precision: 1, flags: 0 };
    let (mut event, mut count) = ([0; 4], 0);
    // SAFETY: one subscription, and room for its event.
    unsafe { poll_oneoff(&raw const on, &raw mut event, 1, &raw mut count) };
}

/// Bytes that nobody can foretell; false where the host has none.
pub(super) fn random(into: &mut [u8]) -> bool {
    // SAFETY: the place is ours and of that length.
    unsafe { random_get(into.as_mut_ptr(), into.len()) == 0 }
}

pub(super) fn close(fd: Fd) {
    // SAFETY: no memory goes over. Of a descriptor that is none the host says so.
    unsafe { fd_close(fd) };
}

pub(super) fn fd_stat(fd: Fd) -> Result<FdStat, ErrorCode> {
    let mut stat = FdStat::default();
    // SAFETY: the place is ours.
    done(unsafe { fd_fdstat_get(fd, &raw mut stat) })?;
    Ok(stat)
}

pub(super) fn stat(fd: Fd) -> Result<FileStat, ErrorCode> {
    let mut stat = FileStat::default();
    // SAFETY: the place is ours.
    done(unsafe { fd_filestat_get(fd, &raw mut stat) })?;
    Ok(stat)
}

pub(super) fn set_size(fd: Fd, size: u64) -> Result<(), ErrorCode> {
    // SAFETY: no memory goes over.
    done(unsafe { fd_filestat_set_size(fd, size) })
}

pub(super) fn sync(fd: Fd) -> Result<(), ErrorCode> {
    // SAFETY: no memory goes over.
    done(unsafe { fd_sync(fd) })
}

/// The name by which a folder was given; `None` where that descriptor is not there.
pub(super) fn given(fd: Fd) -> Option<String> {
    // The tag in one byte, the name's length.
    let mut stat = [0; 2];
    // SAFETY: the place is ours.
    done(unsafe { fd_prestat_get(fd, &raw mut stat) }).ok()?;
    let mut name = vec![0; stat[1] as usize];
    // SAFETY: the place is ours and of that length.
    done(unsafe { fd_prestat_dir_name(fd, name.as_mut_ptr(), name.len()) }).ok()?;
    // Some hosts count a zero byte at the end.
    while name.last() == Some(&0) {
        name.pop();
    }
    Some(String::from_utf8_lossy(&name).into_owned())
}

/// Reads what is there, from the place where the descriptor is; 0 at the end.
pub(super) fn read(fd: Fd, into: &mut [u8]) -> Result<usize, ErrorCode> {
    let part = Part { base: into.as_mut_ptr(), len: into.len() };
    let mut len = 0;
    // SAFETY: the place is ours and of that length.
    done(unsafe { fd_read(fd, &raw const part, 1, &raw mut len) })?;
    Ok(len.min(into.len()))
}

/// Reads from a place in the file; 0 at the end.
pub(super) fn read_at(fd: Fd, at: u64, into: &mut [u8]) -> Result<usize, ErrorCode> {
    let part = Part { base: into.as_mut_ptr(), len: into.len() };
    let mut len = 0;
    // SAFETY: the place is ours and of that length.
    done(unsafe { fd_pread(fd, &raw const part, 1, at, &raw mut len) })?;
    Ok(len.min(into.len()))
}

/// Writes at the place where the descriptor is; how much of it.
pub(super) fn write(fd: Fd, bytes: &[u8]) -> Result<usize, ErrorCode> {
    let part = Part { base: bytes.as_ptr(), len: bytes.len() };
    let mut len = 0;
    // SAFETY: the host only reads it.
    done(unsafe { fd_write(fd, &raw const part, 1, &raw mut len) })?;
    Ok(len.min(bytes.len()))
}

/// Writes at a place in the file; how much of it.
pub(super) fn write_at(fd: Fd, at: u64, bytes: &[u8]) -> Result<usize, ErrorCode> {
    let part = Part { base: bytes.as_ptr(), len: bytes.len() };
    let mut len = 0;
    // SAFETY: the host only reads it.
    done(unsafe { fd_pwrite(fd, &raw const part, 1, at, &raw mut len) })?;
    Ok(len.min(bytes.len()))
}

/// Entries of a folder, `dirent` and name each, from a cookie on; the last one may be cut.
pub(super) fn read_folder(fd: Fd, from: u64, into: &mut [u8]) -> Result<usize, ErrorCode> {
    let mut len = 0;
    // SAFETY: the place is ours and of that length.
    done(unsafe { fd_readdir(fd, into.as_mut_ptr(), into.len(), from, &raw mut len) })?;
    Ok(len.min(into.len()))
}

pub(super) fn create_folder(fd: Fd, path: &str) -> Result<(), ErrorCode> {
    // SAFETY: the host only reads it.
    done(unsafe { path_create_directory(fd, path.as_ptr(), path.len()) })
}

pub(super) fn stat_at(fd: Fd, how: u32, path: &str) -> Result<FileStat, ErrorCode> {
    let mut stat = FileStat::default();
    // SAFETY: the host reads the one and writes the other, which is ours.
    done(unsafe { path_filestat_get(fd, how, path.as_ptr(), path.len(), &raw mut stat) })?;
    Ok(stat)
}

/// What is opened, and how.
pub(super) struct Opening {
    /// `lookupflags`.
    pub(super) how: u32,
    /// `oflags`.
    pub(super) open: u32,
    pub(super) rights: u64,
    pub(super) inherited: u64,
    /// `fdflags`.
    pub(super) flags: u32,
}

pub(super) fn open(fd: Fd, path: &str, opening: &Opening) -> Result<Fd, ErrorCode> {
    let Opening { how, open, rights, inherited, flags } = *opening;
    let (path, len, mut out) = (path.as_ptr(), path.len(), 0);
    // SAFETY: the host reads the path and writes the place, which is ours.
    done(unsafe { path_open(fd, how, path, len, open, rights, inherited, flags, &raw mut out) })?;
    Ok(out)
}

pub(super) fn rename(fd: Fd, from: &str, to_fd: Fd, to: &str) -> Result<(), ErrorCode> {
    // SAFETY: the host only reads them.
    done(unsafe { path_rename(fd, from.as_ptr(), from.len(), to_fd, to.as_ptr(), to.len()) })
}

pub(super) fn remove(fd: Fd, path: &str) -> Result<(), ErrorCode> {
    // SAFETY: the host only reads it.
    done(unsafe { path_unlink_file(fd, path.as_ptr(), path.len()) })
}
