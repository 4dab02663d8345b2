//! The exports that change a memory.
//!
//! Why: a change is found at once and durable at the commit, so that many of them cost one
//! sync and a host can say which belong together.
//!
//! What it must never do: commit by itself, not even where the batch is full; keep a pointer
//! of a record after the call.

use core::mem::size_of;

use clawft_store::Record;

use crate::error::{Outcome, status};
use crate::input;
use crate::open::memory;
use crate::text::{self, ClawftPair, ClawftText};

/// A record as it goes in.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftRecord {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Components of the vector: those of the memory.
    pub dim: u32,
    /// The caller's id.
    pub id: u64,
    /// `dim` floats, finite.
    pub vector: *const f32,
    /// At most 1 MiB; may be empty.
    pub text: ClawftText,
    /// What sort of record it is, at most 255 bytes.
    pub kind: ClawftText,
    /// The session that it comes from, at most 1,024 bytes.
    pub session: ClawftText,
    /// Keys and values, each key once: at most 256 pairs, 255 bytes a key, 4,096 a value, 64 KiB in
    /// all.
    pub metadata: *const ClawftPair,
    /// Their number.
    pub metadata_len: u32,
    /// How many times it was used.
    pub uses: u32,
    /// When it was made, in ms.
    pub created: u64,
    /// When it was last used, in ms.
    pub last_used: u64,
    /// 0 to 1.
    pub importance: f32,
    /// 1: never forgotten or cooled below its importance by a policy.
    pub pinned: u32,
}

/// Stores a record, in the place of one of the same id. It is found at once, and durable after the
/// next `clawft_commit`.
///
/// Errors: `BadHandle`, `StructSize`, `InvalidText`; `Limit`, `BadRecord`, `WrongDimension`,
/// `NotFinite`, `ZeroVector`; `Full`, `WordsFull`, `BatchFull`, `NoMemory`; `ReadOnly`, `Stopped`,
/// those of the storage; those of pointers. The memory is then as it was.
///
/// # Safety
/// Natively the pointers are valid for reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_remember(handle: u32, record: *const ClawftRecord) -> i32 {
    // SAFETY: the caller's promise.
    status(unsafe { remember(handle, record) })
}

unsafe fn remember(handle: u32, record: *const ClawftRecord) -> Outcome<()> {
    // SAFETY: the caller's promise, for the struct and all that it leads to.
    let (given, vector, text, kind, session, metadata) = unsafe {
        let given = input::sized("record", record)?;
        (
            given,
            input::input("vector", given.vector, given.dim as usize)?,
            text::text("text", &given.text)?,
            text::text("kind", &given.kind)?,
            text::text("session", &given.session)?,
            text::pairs("metadata", given.metadata, given.metadata_len as usize)?,
        )
    };
    let record = Record {
        id: given.id,
        vector,
        text,
        kind,
        session,
        created: given.created,
        last_used: given.last_used,
        uses: given.uses,
        importance: given.importance,
        pinned: given.pinned != 0,
        metadata: &metadata,
    };
    Ok(memory(handle)?.0.try_remember(&record)?)
}

/// Takes a record out. It is not found any more; its bytes are gone from memory, and from all files
/// after the next `clawft_compact`.
///
/// Errors: `BadHandle`, `UnknownId`, `BatchFull`, `NoMemory`, `ReadOnly`, `Stopped`; those of the
/// storage.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_forget(handle: u32, id: u64) -> i32 {
    let forget = || Ok(memory(handle)?.0.try_forget(id)?);
    status(forget())
}

/// Makes the changes since the last commit durable, all of them or none: appended and synced. `now`
/// is the time in ms, for the lease.
///
/// Errors: `BadHandle`; those of the storage: the changes are then still pending, and a commit can
/// be tried again, as after `NoMemory`, but for one of `sync`, or of an `append` that cannot be cut
/// off: then each further one gives `Stopped`, and the next opening may find this one, also after a
/// rollback; `Conflict`, `ReadOnly`, `Stopped`. Without changes it does nothing: it then neither
/// looks at the lease nor renews it.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_commit(handle: u32, now: u64) -> i32 {
    let commit = || Ok(memory(handle)?.0.try_commit(now)?);
    status(commit())
}

/// Drops the changes since the last commit, and the uses counted of the records that were changed.
///
/// Errors: `BadHandle`; those of the storage, `Damaged`, `NoMemory`: then call it again, or close
/// the memory and open it again.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_rollback(handle: u32) -> i32 {
    let rollback = || Ok(memory(handle)?.0.try_rollback()?);
    status(rollback())
}

/// Writes the file anew with nothing but the live records, and what is derived as well: no byte of
/// what was forgotten is left in any file. Changes that were not committed stay pending, and what
/// they forget in the file; what is derived is then not beside it until the next `clawft_save`. `now`
/// is the time in ms.
///
/// Errors: `BadHandle`; those of the storage: no record is lost, and the file is the old one or the
/// new one, as the epoch of the report says: compact or save again; `NoMemory`, `Conflict`,
/// `ReadOnly`, `Stopped`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_compact(handle: u32, now: u64) -> i32 {
    let compact = || Ok(memory(handle)?.0.try_compact(now)?);
    status(compact())
}

/// Saves what is derived beside the file, so that opening is one read. With changes pending, and for
/// a memory that was opened with `CLAWFT_READ_ONLY` or `CLAWFT_SALVAGE`, it does nothing, and gives 0.
///
/// Errors: `BadHandle`; those of the storage, `Conflict`: the file itself is not touched.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_save(handle: u32) -> i32 {
    let save = || Ok(memory(handle)?.0.try_save()?);
    status(save())
}

const _: () = assert!(size_of::<ClawftRecord>().is_multiple_of(8));
