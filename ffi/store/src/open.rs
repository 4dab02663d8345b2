//! The exports that open and close a memory.
//!
//! Why: the handle is claimed first. So nothing is written for a memory that could get
//! none, and the storage, which is asked all along, cannot call back. Then comes the lease, as
//! opening already writes: it cuts off what was torn and removes what a killed writer left. What is
//! small, names and lists, is allocated without a question, so the first one is whether there is room.
//!
//! What it must never do: write before the lease that was asked for is held; keep a lease
//! where opening failed; take one, or write, for a reader.

use alloc::boxed::Box;
use core::ffi::c_char;
use core::mem::size_of;

use clawft::parts;
use clawft_store::memory::{Memory, MemoryOptions, Refusal};
use clawft_store::{Limits, Options};
use clawft_vectors::Encoding;
use clawft_vectors::tier_policy::Policy;

use crate::error::{ClawftMemoryStatus, Failed, Outcome, status};
use crate::handle::{Held, Table};
use crate::input::{self, Output};
use crate::storage::{ClawftStorage, HostStorage};
use crate::text::{self, ClawftText};

/// `flags` of `ClawftMemoryOptions`: creates the memory where there is none.
pub const CLAWFT_CREATE: u32 = 1;
/// `flags`: opens for reading; nothing is written, not even to repair.
pub const CLAWFT_READ_ONLY: u32 = 2;
/// `flags`: opens a damaged memory for reading, without what cannot be read.
pub const CLAWFT_SALVAGE: u32 = 4;
const ALL_FLAGS: u32 = 7;
/// Bytes of a name: its copies are within [`SMALL`].
const LONGEST_NAME: usize = 255;
/// Bytes that must be there for all that is small.
const SMALL: usize = 64 << 10;

/// How a memory is opened. `clawft_memory_options_init` fills in the defaults.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftMemoryOptions {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `CLAWFT_CREATE`, `CLAWFT_READ_ONLY`, `CLAWFT_SALVAGE`, added up; 0.
    pub flags: u32,
    /// Components of a vector, 1 to 8,192; 0: those that the file has.
    pub dim: u32,
    /// Records that are to fit; 10,000. A file that has more already fits those.
    pub capacity: u32,
    /// For a new file: 0 cosine, 1 inner product, 2 L2.
    pub metric: u32,
    /// How vectors are kept in memory: 0 f32, 1 f16, 2 i8, 3 by the dimension. The file has them as
    /// they were given.
    pub encoding: u32,
    /// For a new file: sixteen bytes that no other file has. Random ones.
    pub file_id: [u8; 16],
    /// Bytes that the image of the vectors may take; 0: as many as they need. With a limit they have
    /// tiers (see `clawft_tick`): as many of them are hot at a time as have room beside the others,
    /// cold. 8-bit encoding only.
    pub image_bytes: u64,
    /// Bytes that the index of words may take; 4 MiB.
    pub words_bytes: u64,
    /// Bytes of the journal beyond which it is folded into the file; 1 MiB.
    pub fold_bytes: u64,
    /// The file is compacted beyond this many times its live bytes; 2...
    pub compact_times: u64,
    /// ...and this many bytes more; 1 MiB.
    pub compact_slack: u64,
    /// For the lease: a number that no other writer uses. A random one.
    pub nonce: u64,
    /// The time, in ms.
    pub now: u64,
    /// For how long, in ms, the memory holds a lease against other writers, which a commit with
    /// changes renews; 0: none, for storages that have locks.
    pub lease: u64,
}

/// The open memories.
pub(crate) static MEMORIES: Table<Opened> = Table::new(128);

/// A memory behind a handle.
pub(crate) struct Opened(pub(crate) Memory);

// SAFETY: the memory owns all of itself but its storage, and that is the host's functions with their
// context, which the header says may be called from every thread that calls the memory.
unsafe impl Send for Opened {}

/// The memory that a handle names, for one call.
#[inline(always)]
pub(crate) fn memory(handle: u32) -> Outcome<Held<'static, Opened>> {
    MEMORIES.hold(handle)
}

/// Writes the defaults to `out`: nothing is created, cosine, room for 10,000 records, encoding by
/// the dimension, no lease.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_memory_options_init(out: *mut ClawftMemoryOptions) -> i32 {
    let init = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let defaults = MemoryOptions::default();
        let limits = defaults.file.limits;
        out.set(
            0,
            ClawftMemoryOptions {
                size: size_of::<ClawftMemoryOptions>() as u32,
                flags: 0,
                dim: 0,
                capacity: defaults.capacity,
                metric: 0,
                encoding: 3,
                file_id: [0; 16],
                image_bytes: 0,
                words_bytes: defaults.words as u64,
                fold_bytes: limits.fold,
                compact_times: limits.compact_times,
                compact_slack: limits.compact_slack,
                nonce: 0,
                now: 0,
                lease: 0,
            },
        );
        Ok(())
    };
    status(init())
}

/// Opens the memory `name` in `storage`, or creates it where the flags say so. What is derived from
/// the file (vectors, words) is read from beside it, or built anew where that is missing, stale or
/// damaged; `progress` is told how far that is. The handle is valid until `clawft_memory_close`. At
/// most 16 can be open at a time. In WebAssembly `storage` is any number: the context of the
/// imports.
///
/// Errors: `StructSize`, `UnknownChoice`, `InvalidText`, `BadFile` for a name of more than 255 bytes;
/// those of the storage; `NoFile`, `NotRvf`, `UnknownVersion`, `Unsupported`, `WrongDimension`,
/// `Damaged`; `LeaseHeld`, and `Conflict` where the lease ran out meanwhile and another writer took
/// it; `Limit` for a dimension out of bounds, `BadRecord` for a new file without one, `BadParams`,
/// `TooShort` for `image_bytes` below what all records need, cold; `NoMemory`, `TooManyStores`; those
/// of pointers. Options that are refused create no file.
///
/// # Safety
/// Natively the pointers are valid for reads and writes, and the functions of `storage` are what its
/// description says, until the memory is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_memory_open(
    name: *const c_char,
    name_len: usize,
    options: *const ClawftMemoryOptions,
    storage: *const ClawftStorage,
    out_handle: *mut u32,
) -> i32 {
    let open = || {
        // SAFETY: the caller's promise.
        let (name, given, storage, out) = unsafe {
            (
                text::text("name", &ClawftText { bytes: name, len: name_len })?,
                input::sized("options", options)?,
                HostStorage::new(storage)?,
                Output::one("out_handle", out_handle)?,
            )
        };
        if name.len() > LONGEST_NAME {
            let (code, found) = (ClawftMemoryStatus::BadFile as i32, name.len() as u64);
            let text = "at most # bytes, found #";
            return Err(Failed::new(code, "name", text, LONGEST_NAME as u64, found));
        }
        let options = check(&given)?;
        let claim = MEMORIES.claim()?;
        if !parts::has_room(SMALL, SMALL, 1) {
            return Err(Failed::no_memory(SMALL as u64));
        }
        let mut memory = Memory::blank(Box::new(storage), name, &options);
        if let Err(refusal) = open(&mut memory, &storage, &given, &options) {
            memory.give_up();
            return Err(refusal.into());
        }
        out.set(0, claim.fill(Opened(memory)));
        Ok(())
    };
    status(open())
}

/// The options, checked.
fn check(given: &ClawftMemoryOptions) -> Outcome<MemoryOptions> {
    if given.flags > ALL_FLAGS {
        return Err(Failed::unknown_choice("flags", ALL_FLAGS.into(), given.flags));
    }
    // RVF counts the other way round.
    let metric = match given.metric {
        known @ 0..=2 => 2 - known as u8,
        found => return Err(Failed::unknown_choice("metric", 2, found)),
    };
    let encoding = match given.encoding {
        0 => Some(Encoding::F32),
        1 => Some(Encoding::F16),
        2 => Some(Encoding::I8),
        3 => None,
        found => return Err(Failed::unknown_choice("encoding", 3, found)),
    };
    let file = Options {
        // One that does not fit is too large for the store, which says so.
        dim: (given.dim != 0).then(|| u16::try_from(given.dim).unwrap_or(u16::MAX)),
        metric,
        file_id: given.file_id,
        create: given.flags & CLAWFT_CREATE != 0,
        read_only: given.flags & CLAWFT_READ_ONLY != 0,
        salvage: given.flags & CLAWFT_SALVAGE != 0,
        limits: Limits {
            fold: given.fold_bytes,
            compact_times: given.compact_times,
            compact_slack: given.compact_slack,
        },
    };
    let words = usize::try_from(given.words_bytes).unwrap_or(usize::MAX);
    let image = usize::try_from(given.image_bytes).unwrap_or(usize::MAX);
    let image = (image != 0).then_some(image);
    let policy = Policy::default();
    Ok(MemoryOptions { file, capacity: given.capacity, encoding, image, policy, words })
}

/// Takes the lease and opens.
fn open(
    memory: &mut Memory,
    host: &HostStorage,
    given: &ClawftMemoryOptions,
    options: &MemoryOptions,
) -> Result<(), Refusal> {
    let writes = !(options.file.read_only || options.file.salvage);
    if writes && given.lease != 0 {
        memory.take_lease(given.nonce, given.now, given.lease)?;
    }
    memory.open_here(options, &mut |done, all| host.progress(done, all))
}

/// Closes a memory: what was committed is made whole in the file, what is derived is saved beside
/// it, the lease is given back. Changes that were not committed are dropped. `now` is the time in
/// ms.
///
/// The handle is dead afterwards in any case but `Busy`. On an error nothing that was committed is
/// lost: the next opening finds it.
///
/// Errors: `BadHandle`; `Busy` from inside a call of the storage: the memory stays open; those of
/// the storage, `NoMemory`, `Conflict`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_memory_close(handle: u32, now: u64) -> i32 {
    let close = || {
        let (_inside, mut opened) = MEMORIES.take(handle)?;
        Ok(opened.0.try_close(now)?)
    };
    status(close())
}
