//! The host's storage: imports in WebAssembly, function pointers natively.
//!
//! What: the calls of [`Storage`], with the same arguments and results both ways. Each begins with
//! the `context` that came with `clawft_memory_open`. A result from 0 on is success; below, it is
//! one of the storage's numbers (-201 to -206), and any other is a failed device.
//!
//! Why: a host has files, a browser's store or a flash chip; all that is asked is to read
//! anywhere and to write at the end. Names and bytes are lent for the call.
//!
//! What it must never do: trust a host's number: one that says that more was read than asked for is
//! a failed device.

use alloc::string::String;
use alloc::vec::Vec;
#[cfg(not(target_family = "wasm"))]
use core::ffi::c_char;
use core::ffi::c_void;

use crate::kernel;
use clawft_store::storage::{Handle, Outcome, Storage, StorageError};

/// A storage, natively. Every function but `progress` and `list` must be there; they are called from the
/// threads that call the memory. In WebAssembly they are the imports of the module
/// `clawft_storage`, with these names and arguments.
///
/// All return 0 or more when they succeed, else one of the storage's numbers of
/// `ClawftMemoryStatus` (-201 to -206).
#[cfg(not(target_family = "wasm"))]
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftStorage {
    /// Size of this struct in bytes.
    pub size: u32,
    /// The first argument of every call.
    pub context: *mut c_void,
    /// Opens a file that is there, to read it and to append to it (on a read-only medium to read
    /// it): the number of the open file. `NotFound`.
    pub open:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char, len: usize) -> i32>,
    /// Creates a file that is not there: the number of the open file. `Exists`.
    pub create:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char, len: usize) -> i32>,
    /// Closes a file. What was not synced stays so.
    pub close: Option<unsafe extern "C" fn(context: *mut c_void, file: u32) -> i32>,
    /// Bytes of a file.
    pub len: Option<unsafe extern "C" fn(context: *mut c_void, file: u32) -> i64>,
    /// Reads from an offset on into `len` bytes: how many were read, fewer only at the end.
    pub read_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            file: u32,
            offset: u64,
            into: *mut c_void,
            len: usize,
        ) -> i32,
    >,
    /// Appends `len` bytes, all of them. On an error a part may be there.
    pub append: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            file: u32,
            bytes: *const c_void,
            len: usize,
        ) -> i32,
    >,
    /// Cuts a file to a length.
    pub truncate: Option<unsafe extern "C" fn(context: *mut c_void, file: u32, len: u64) -> i32>,
    /// Makes all bytes of a file durable. Must not return before they are.
    pub sync: Option<unsafe extern "C" fn(context: *mut c_void, file: u32) -> i32>,
    /// Makes creations, renames and removals durable.
    pub sync_folder: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
    /// Renames atomically, in the place of whatever has the new name. Open files stay open.
    pub rename: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            from: *const c_char,
            from_len: usize,
            to: *const c_char,
            to_len: usize,
        ) -> i32,
    >,
    /// Removes a file. `NotFound`.
    pub remove:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char, len: usize) -> i32>,
    /// May be null: told, while what is derived is built anew, after how many records of how many.
    pub progress: Option<unsafe extern "C" fn(context: *mut c_void, done: u32, all: u32)>,
    /// May be null where no lease is taken. Writes the names of all files that begin so into `cap`
    /// bytes, a zero byte behind each, as far as they reach: how many bytes all of them take. A file
    /// that is there before the call and after it is among them.
    pub list: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            prefix: *const c_char,
            len: usize,
            into: *mut c_char,
            cap: usize,
        ) -> i32,
    >,
}

/// A storage: in WebAssembly a number that every import gets, for a host that has several.
#[cfg(target_family = "wasm")]
pub type ClawftStorage = c_void;

#[cfg(target_family = "wasm")]
mod imports {
    #[link(wasm_import_module = "clawft_storage")]
    unsafe extern "C" {
        pub(super) fn open(context: usize, name: *const u8, len: usize) -> i32;
        pub(super) fn create(context: usize, name: *const u8, len: usize) -> i32;
        pub(super) fn close(context: usize, file: u32) -> i32;
        pub(super) fn len(context: usize, file: u32) -> i64;
        pub(super) fn read_at(
            context: usize,
            file: u32,
            offset: u64,
            into: *mut u8,
            len: usize,
        ) -> i32;
        pub(super) fn append(context: usize, file: u32, bytes: *const u8, len: usize) -> i32;
        pub(super) fn truncate(context: usize, file: u32, len: u64) -> i32;
        pub(super) fn sync(context: usize, file: u32) -> i32;
        pub(super) fn sync_folder(context: usize) -> i32;
        pub(super) fn rename(
            context: usize,
            from: *const u8,
            from_len: usize,
            to: *const u8,
            to_len: usize,
        ) -> i32;
        pub(super) fn remove(context: usize, name: *const u8, len: usize) -> i32;
        pub(super) fn progress(context: usize, done: u32, all: u32);
        pub(super) fn list(
            context: usize,
            prefix: *const u8,
            len: usize,
            into: *mut u8,
            cap: usize,
        ) -> i32;
    }
}

/// Bytes that a host may list names into: first those of few, then as many as there may be.
const NAMES: [usize; 2] = [4 << 10, 64 << 10];

/// What the store gets.
#[derive(Copy, Clone)]
pub(crate) struct HostStorage {
    #[cfg(target_family = "wasm")]
    context: usize,
    #[cfg(not(target_family = "wasm"))]
    calls: ClawftStorage,
}

/// Calls the host.
macro_rules! host {
    ($host:expr, $name:ident($($argument:expr),*)) => {{
        #[cfg(target_family = "wasm")]
        // SAFETY: pointers lead to slices that live for the call.
        let result = unsafe { imports::$name($host.context, $($argument),*) };
        #[cfg(not(target_family = "wasm"))]
        let result = match $host.calls.$name {
            // SAFETY: pointers lead to slices that live for the call; the function is the one
            // that the header describes, by the host's word.
            Some(call) => unsafe { call($host.calls.context, $($argument),*) },
            None => -206,
        };
        result
    }};
}

impl HostStorage {
    /// The storage in WebAssembly: its number.
    ///
    /// # Safety
    /// None is needed.
    #[cfg(target_family = "wasm")]
    #[expect(clippy::unnecessary_wraps, reason = "natively it can fail")]
    pub(crate) unsafe fn new(storage: *const ClawftStorage) -> crate::error::Outcome<Self> {
        Ok(Self { context: storage as usize })
    }

    /// The storage of a host's struct, all of whose functions must be there.
    ///
    /// # Safety
    /// `storage` is valid for reads, and its functions are what the header says.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) unsafe fn new(storage: *const ClawftStorage) -> crate::error::Outcome<Self> {
        // SAFETY: the caller's promise; null is a value of each of its fields.
        let calls = unsafe { crate::input::sized("storage", storage) }?;
        let all = calls.open.is_some()
            && calls.create.is_some()
            && calls.close.is_some()
            && calls.len.is_some()
            && calls.read_at.is_some()
            && calls.append.is_some()
            && calls.truncate.is_some()
            && calls.sync.is_some()
            && calls.sync_folder.is_some()
            && calls.rename.is_some()
            && calls.remove.is_some();
        match all {
            true => Ok(Self { calls }),
            false => {
                let code = clawft::ClawftStatus::NullPointer as i32;
                let text = "every function but progress and list, found null";
                Err(crate::error::Failed::new(code, "storage", text, 0, 0))
            }
        }
    }

    /// Tells the host how far building anew has come.
    pub(crate) fn progress(&self, done: usize, all: usize) {
        #[cfg(target_family = "wasm")]
        // SAFETY: numbers only.
        unsafe {
            imports::progress(self.context, done as u32, all as u32);
        }
        #[cfg(not(target_family = "wasm"))]
        if let Some(progress) = self.calls.progress {
            // SAFETY: the host's word.
            unsafe { progress(self.calls.context, done as u32, all as u32) };
        }
    }
}

/// The number of a success, or what a negative one means.
#[inline(never)]
fn outcome(result: i64) -> Outcome<u64> {
    Err(match result {
        0.. => return Ok(result as u64),
        -201 => StorageError::NotFound,
        -202 => StorageError::Exists,
        -203 => StorageError::NoSpace,
        -204 => StorageError::ReadOnly,
        -205 => StorageError::BadHandle,
        _ => StorageError::Failed,
    })
}

fn done(result: i32) -> Outcome<()> {
    outcome(result.into()).map(drop)
}

fn number(result: i32) -> Outcome<u32> {
    outcome(result.into()).map(|number| number as u32)
}

impl Storage for HostStorage {
    /// The arena is asked directly: what goes through Rust's allocator is cleared when it is freed.
    fn has_memory(&self, bytes: usize, piece: usize, blocks: u32) -> bool {
        kernel::parts::has_room(bytes, piece, blocks)
    }

    fn open(&self, name: &str) -> Outcome<Handle> {
        number(host!(self, open(name.as_ptr().cast(), name.len())))
    }

    fn create(&self, name: &str) -> Outcome<Handle> {
        number(host!(self, create(name.as_ptr().cast(), name.len())))
    }

    fn close(&self, file: Handle) {
        host!(self, close(file));
    }

    fn len(&self, file: Handle) -> Outcome<u64> {
        outcome(host!(self, len(file)))
    }

    fn read_at(&self, file: Handle, offset: u64, into: &mut [u8]) -> Outcome<usize> {
        // What one call can count.
        let most = into.len().min(i32::MAX as usize);
        let read = number(host!(self, read_at(file, offset, into.as_mut_ptr().cast(), most)))?;
        if read as usize <= most { Ok(read as usize) } else { Err(StorageError::Failed) }
    }

    fn append(&self, file: Handle, bytes: &[u8]) -> Outcome<()> {
        done(host!(self, append(file, bytes.as_ptr().cast(), bytes.len())))
    }

    fn truncate(&self, file: Handle, len: u64) -> Outcome<()> {
        done(host!(self, truncate(file, len)))
    }

    fn sync(&self, file: Handle) -> Outcome<()> {
        done(host!(self, sync(file)))
    }

    fn sync_folder(&self) -> Outcome<()> {
        done(host!(self, sync_folder()))
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        let (from, from_len) = (from.as_ptr().cast(), from.len());
        done(host!(self, rename(from, from_len, to.as_ptr().cast(), to.len())))
    }

    fn remove(&self, name: &str) -> Outcome<()> {
        done(host!(self, remove(name.as_ptr().cast(), name.len())))
    }

    /// Leases alone are listed. Those that ran out are taken away, but a writer that was killed again and
    /// again may have left many; a host that speaks of more than [`NAMES`] has bytes is not believed.
    fn list(&self, prefix: &str) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        let mut len = usize::MAX;
        for cap in NAMES {
            if len > names.len() {
                // Names of few letters take most: each a block, and a place in a list that doubles.
                if !self.has_memory(9 * cap, NAMES[1], 9) {
                    return Err(StorageError::Failed);
                }
                names = alloc::vec![0; cap];
                let (into, start) = (names.as_mut_ptr(), prefix.as_ptr());
                len = number(host!(self, list(start.cast(), prefix.len(), into.cast(), cap)))?
                    as usize;
            }
        }
        let names = names.get(..len).ok_or(StorageError::Failed)?;
        let mut found = Vec::new();
        for name in names.split_inclusive(|&byte| byte == 0) {
            let name = name.strip_suffix(&[0]).and_then(|name| core::str::from_utf8(name).ok());
            let name = name.filter(|name| name.starts_with(prefix)).ok_or(StorageError::Failed)?;
            found.push(name.into());
        }
        Ok(found)
    }
}
