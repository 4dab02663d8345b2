//! Is there memory for what a call will need? Asked before it begins.
//!
//! Why so: Rust's collections end the process, in WebAssembly the instance, when memory runs out.
//! What is durable survives that as it survives a power cut, but a host that has a limit wants to
//! hear of it while it can still read and commit. So calls ask for as much as they will
//! allocate in all; nothing is written there. Natively the system's allocator is not asked. The
//! figures are bounds of what was measured with `clawft_memory_stats`, not exact ones.
//!
//! What it must never do: keep a block.

use clawft_store::memory::Memory;

use crate::error::{Failed, Outcome};
use crate::kernel;

/// What any call may need.
const LEAST: u64 = 64 << 10;
/// Folding and compaction need at most this, however large the file is...
const MOST_TO_FOLD: u64 = 3 << 20;
/// ...and at most this many times the journal.
const TIMES_JOURNAL: u64 = 3;
/// What is written is put together in segments of 1 MiB.
const PIECE: usize = 1 << 20;
const PIECES: u32 = 5;
/// Bytes of a recall's lists for each record.
const FOUND: u64 = 32;

/// There must be `bytes` more than any call may need, in pieces of at most `PIECE`, but for the
/// last one.
#[inline(never)]
fn ask(bytes: u64) -> Outcome<()> {
    let all = usize::try_from(bytes.saturating_add(LEAST)).unwrap_or(usize::MAX);
    if kernel::parts::has_room(all, PIECE, PIECES) { Ok(()) } else { Err(Failed::no_memory(bytes)) }
}

/// For a record of `bytes`: its entry, its words, and the batch of changes, which may double.
pub(crate) fn to_remember(memory: &Memory, bytes: usize) -> Outcome<()> {
    ask(4 * bytes as u64 + 2 * memory.file().pending() as u64)
}

/// For folding the journal once the changes are in it.
pub(crate) fn to_fold(memory: &Memory) -> Outcome<()> {
    let file = memory.file();
    let journal = file.sizes().journal + file.pending() as u64;
    ask((TIMES_JOURNAL * journal).min(MOST_TO_FOLD))
}

/// For writing the file anew.
pub(crate) fn to_compact(memory: &Memory) -> Outcome<()> {
    let sizes = memory.file().sizes();
    ask((TIMES_JOURNAL * (sizes.live + sizes.journal)).min(MOST_TO_FOLD))
}

/// For a recall.
pub(crate) fn to_recall(memory: &Memory) -> Outcome<()> {
    ask(FOUND * memory.len() as u64)
}
