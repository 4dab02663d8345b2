//! The exports that tell how a memory is: its sizes, what opening found, and whether it is sound.
//!
//! Why: much that goes wrong is no error of the call that met it. A commit is safe though
//! folding was put off, and a memory opens without its torn end: a host hears of it here. A
//! damage is given as an error is, since only errors have sentences, and one is needed to say
//! where it is.
//!
//! What it must never do: repair what it finds.

use core::mem::size_of;

use clawft_store::memory::{Derived, Refusal};

use crate::error::{Failed, status};
use crate::input::Output;
use crate::open::memory;

/// A memory in numbers. Bytes, unless said otherwise.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct ClawftMemoryReport {
    /// Size of this struct; the library sets it.
    pub size: u32,
    /// Components of a vector.
    pub dim: u32,
    /// Records, those not yet committed too.
    pub records: u32,
    /// Records that fit.
    pub capacity: u32,
    /// Of the live records in the file.
    pub live_bytes: u64,
    /// Of the file.
    pub file_bytes: u64,
    /// Of the journal beside it.
    pub journal_bytes: u64,
    /// Of the changes since the last commit.
    pub pending_bytes: u64,
    /// Commits in the file's life.
    pub commits: u64,
    /// Grows with every folding of the journal and every compaction.
    pub epoch: u32,
    /// Where the derived parts came from when it was opened: 0 there was nothing to derive them
    /// from, 1 from the file beside, 2 built anew as that was missing, 3 as it was stale, 4 as it
    /// was damaged.
    pub derived: u32,
    /// Why a folding or compaction that is due has not happened by itself, a negative code; 0: none
    /// is. Commits are safe, and the next one tries again; with `NoSpace` once there is more to
    /// fold, as each try fills the disk; with `Damaged` once it is opened again.
    pub deferred: i32,
    /// What opening found: commits that were still in the journal.
    pub replayed: u32,
    /// Bytes of a commit that never was finished, cut off.
    pub torn_journal: u64,
    /// Bytes of a folding that never was finished, cut off.
    pub torn_file: u64,
    /// Batches of the journal in which a flipped bit was turned back.
    pub repaired: u32,
    /// 1 if another program wrote the file last.
    pub foreign: u32,
    /// Damages that opening found and was not refused for: of records that are derived anew, and
    /// with `CLAWFT_SALVAGE` all others; `clawft_memory_damage` says which. At most 1,024.
    pub damages: u32,
    /// Nothing; 0.
    pub reserved: u32,
}

/// Writes a memory in numbers to `out`.
///
/// Errors: `BadHandle`; those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_memory_report(handle: u32, out: *mut ClawftMemoryReport) -> i32 {
    let count = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        let held = memory(handle)?;
        let file = held.0.file();
        let (sizes, version, report) = (file.sizes(), file.version(), file.report());
        let derived = match held.0.derived() {
            Derived::New => 0,
            Derived::Read => 1,
            Derived::Missing => 2,
            Derived::Stale => 3,
            Derived::Damaged => 4,
        };
        out.set(
            0,
            ClawftMemoryReport {
                size: size_of::<ClawftMemoryReport>() as u32,
                dim: held.0.dim() as u32,
                records: held.0.len() as u32,
                capacity: held.0.capacity(),
                live_bytes: sizes.live,
                file_bytes: sizes.base,
                journal_bytes: sizes.journal,
                pending_bytes: file.pending() as u64,
                commits: version.commits,
                epoch: version.epoch,
                derived,
                deferred: file.deferred().map_or(0, |error| error.code()),
                replayed: u32::try_from(report.replayed).unwrap_or(u32::MAX),
                torn_journal: report.torn_journal.map_or(0, |(_, bytes)| bytes),
                torn_file: report.torn_base.map_or(0, |(_, bytes)| bytes),
                repaired: report.repaired,
                foreign: report.foreign.into(),
                damages: report.damaged.len() as u32,
                reserved: 0,
            },
        );
        Ok(())
    };
    status(count())
}

/// Returns the code of damage number `at`, from 0, that opening found and noted, and
/// `clawft_last_error` says what and where it is; 0 if there are not so many.
///
/// Errors: `BadHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_memory_damage(handle: u32, at: u32) -> i32 {
    let damage = || {
        let held = memory(handle)?;
        match held.0.file().report().damaged.get(at as usize) {
            Some(&damage) => Err(damaged(damage)),
            None => Ok(()),
        }
    };
    status(damage())
}

/// Reads everything that counts in the file: 0 if all of it is sound, else the code of the first
/// damage, which `clawft_last_error` names. Takes the time of reading the file.
///
/// Errors: `BadHandle`, `Damaged`, `NoMemory`; those of the storage.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_memory_verify(handle: u32) -> i32 {
    let verify = || {
        let held = memory(handle)?;
        let found = held.0.file().verify(1).map_err(Refusal::from)?;
        match found.first() {
            Some(&damage) => Err(damaged(damage)),
            None => Ok(()),
        }
    };
    status(verify())
}

fn damaged(damage: clawft_store::Damage) -> Failed {
    Refusal::from(clawft_store::Error::Damaged(damage)).into()
}
