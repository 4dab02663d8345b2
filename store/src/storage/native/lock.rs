//! The writer's lock: rvf-runtime's protocol, and the operating system's lock besides.
//!
//! ```text
//!   0 magic 0x52564C46   4 process u32   8 host[64], ended by a zero
//!  72 time u64, ns      80 writer id[16]   96 version u32: 1   100 CRC-32 of bytes 0 to 99
//! 104 ours: "CLAWFT\0\1"
//! ```
//!
//! rvf-runtime respects the file while its process lives. Ours holds the system's lock on it,
//! which ends with the process however that ends: so a killed writer blocks nobody. A file of
//! rvf-runtime, which takes no such lock, is respected while its process lives, or for five
//! minutes where that cannot be known.
//!
//! A guest under the lock takes leases with the nonce that stands in it, the first half of the
//! writer id. Of a file of ours that stays without the system's lock the writer has been killed:
//! whoever takes the lock next takes its lease away, and no other one.
//!
//! What it must never do: wait for another writer, or take away a lock or a lease that another
//! living one has.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::vec::Vec;

use super::NativeFolder;
use crate::Lease;
use crate::crc::crc32;
use crate::wire::{Put, u32_at, u64_at};

const MAGIC: u32 = 0x5256_4C46;
const LEN: usize = 104;
const OURS: &[u8; 8] = b"CLAWFT\0\x01";
/// rvf-runtime's patience with a writer on another host.
const ELSEWHERE: Duration = Duration::from_secs(300);
/// How often a file that vanishes under us is looked for again.
const TRIES: usize = 100;

/// Why the lock was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// Another writer has it: its process, as the lock file says.
    Held(u32),
    /// The system refused.
    System(std::io::Error),
}

impl core::fmt::Display for LockError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Held(process) => {
                write!(f, "no other writer expected, found process {process} writing")
            }
            Self::System(error) => write!(f, "the lock file: {error}"),
        }
    }
}

impl core::error::Error for LockError {}

impl From<std::io::Error> for LockError {
    fn from(error: std::io::Error) -> Self {
        Self::System(error)
    }
}

/// The right to write a durable file, until it is dropped or the process ends.
#[derive(Debug)]
pub struct WriterLock {
    path: PathBuf,
    file: File,
    id: [u8; 16],
}

impl WriterLock {
    /// Takes the lock of the durable file at `path`.
    ///
    /// # Errors
    /// [`LockError::Held`] at once when another writer lives.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let mut name = path.as_os_str().to_os_string();
        name.push(".lock");
        let path = PathBuf::from(name);
        for _ in 0..TRIES {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held(u32_at(&content(&file)?, 4)));
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // Its last owner may have removed it between the two calls.
            if !is_at(&file, &path) {
                continue;
            }
            let found = content(&file)?;
            if let Some(process) = owner(&found) {
                return Err(LockError::Held(process));
            }
            if found.len() > LEN && found.get(LEN..) == Some(OURS) {
                forget_lease(&path, u64_at(&found, 80));
            }
            let id = random_id();
            let bytes = bytes(&id);
            // In place and longer than what rvf-runtime asks for at every moment: it takes a
            // shorter file for a broken one.
            (&file).seek(SeekFrom::Start(0))?;
            (&file).write_all(&bytes)?;
            file.set_len(bytes.len() as u64)?;
            if is_at(&file, &path) {
                return Ok(Self { path, file, id });
            }
        }
        Err(LockError::Held(0))
    }

    /// The nonce of leases that are taken under this lock, and by nobody else.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        u64_at(&self.id, 0)
    }
}

/// Takes away the lease that a killed writer has left. `lock` is the path of the lock file.
fn forget_lease(lock: &Path, nonce: u64) {
    let folder = lock.parent().filter(|folder| !folder.as_os_str().is_empty());
    let storage = NativeFolder::new(folder.unwrap_or(Path::new(".")));
    if let (Ok(storage), Some(file)) = (storage, lock.file_stem().and_then(|name| name.to_str())) {
        // One that stays all the same runs out.
        let _ = Lease::discard(&storage, file, nonce);
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        let ours = content(&self.file).is_ok_and(|found| found.get(80..96) == Some(&self.id));
        if ours && is_at(&self.file, &self.path) {
            // Of one that was ended under its lease: without this file nobody knows that it was ours.
            forget_lease(&self.path, self.nonce());
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn content(mut file: &File) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(1024).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the file is still the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ids = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), path.metadata()), (Ok(a), Ok(b)) if ids(&a) == ids(&b))
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// The living process that a lock file without the system's lock names.
fn owner(found: &[u8]) -> Option<u32> {
    if found.len() < LEN || u32_at(found, 0) != MAGIC || found.get(LEN..) == Some(OURS) {
        return None;
    }
    let process = u32_at(found, 4);
    let host = &found[8..72];
    let host = &host[..host.iter().position(|&byte| byte == 0).unwrap_or(64)];
    let here = host == &host_name()[..];
    let since = u64_at(found, 72);
    let lives = match (here, cfg!(unix)) {
        (true, true) => is_alive(process),
        _ => now().saturating_sub(since) <= ELSEWHERE.as_nanos() as u64,
    };
    lives.then_some(process)
}

/// Whether a process of this host lives: by /proc, otherwise by the `kill` command's signal 0.
fn is_alive(process: u32) -> bool {
    if Path::new("/proc/self").exists() {
        return Path::new("/proc").join(process.to_string()).exists();
    }
    let kill = std::process::Command::new("kill").args(["-0", &process.to_string()]).output();
    kill.map_or(true, |output| output.status.success())
}

/// As rvf-runtime has it, at most 62 bytes.
fn host_name() -> Vec<u8> {
    let name = std::env::var("HOSTNAME").unwrap_or_else(|_| {
        let file = std::fs::read_to_string("/etc/hostname");
        file.map_or_else(|_| String::from("unknown"), |name| name.trim().to_string())
    });
    name.bytes().take(62).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}

/// Sixteen bytes that no other writer has: the standard library's per-process random keys, over
/// the time and the process.
fn random_id() -> [u8; 16] {
    use core::hash::{BuildHasher, Hasher};
    let state = std::collections::hash_map::RandomState::new();
    let mut id = [0; 16];
    for (i, half) in id.chunks_mut(8).enumerate() {
        let mut hasher = state.build_hasher();
        hasher.write_u64(now() ^ i as u64);
        hasher.write_u32(std::process::id());
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    id
}

fn bytes(id: &[u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(LEN + OURS.len());
    out.u32(MAGIC);
    out.u32(std::process::id());
    out.bytes(&host_name());
    out.resize(72, 0);
    out.u64(now());
    out.bytes(id);
    out.u32(1);
    let crc = crc32(&out);
    out.u32(crc);
    out.bytes(OURS);
    out
}
