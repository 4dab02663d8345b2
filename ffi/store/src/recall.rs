//! The exports that find records: by vector, by words, or by both.
//!
//! Why: null and empty are two things. Ids, kinds or sessions that are null are no
//! condition; a list of them that is there and empty lets nothing through: a host whose own
//! search came back empty must not get everything. Results are written when all are found, as
//! they may lie over what was asked.
//!
//! What it must never do: take an empty list of these for a missing one; count a use.

use core::mem::size_of;
use core::ptr;

use clawft_store::lexical::Fusion;
use clawft_store::memory::{Filter, Recall};
use clawft_vectors::Mode;

use crate::error::{Failed, Outcome, status};
use crate::input::{self, Output};
use crate::kernel::ClawftStatus;
use crate::open::memory;
use crate::text::{self, ClawftPair, ClawftText};

/// What is asked of a memory. `clawft_recall_init` fills in the defaults: everything may be found.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct ClawftRecall {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Results wanted, from 1.
    pub k: u32,
    /// What is near to this vector of `dim` floats; null: only words are asked for.
    pub vector: *const f32,
    /// What has these words; null `bytes`: only the vector is asked for.
    pub text: ClawftText,
    /// Components of the vector.
    pub dim: u32,
    /// Candidates that the search by vector keeps; 200. Counts as at least the results that it brings,
    /// from 128 dimensions on twice as many: 0 is as few as may be, and no default.
    pub ef: u32,
    /// How it looks: 0 whatever is faster, 1 the graph, 2 a scan of the short codes, 3 exact.
    pub mode: u32,
    /// How two parts become one: 0 weighted, 1 by reciprocal ranks.
    pub fusion: u32,
    /// Weighted: the weight of the similarity, 0.6. By ranks: the constant; set it, 60 is usual
    /// (the default is that weight).
    pub vector_weight: f32,
    /// Weighted: the weight of the words' score, divided by the highest and squared; 0.4.
    pub words_weight: f32,
    /// Only records of one of these kinds; null: all.
    pub kinds: *const ClawftText,
    /// Only records of one of these sessions; null: all.
    pub sessions: *const ClawftText,
    /// Only records with all of these pairs.
    pub metadata: *const ClawftPair,
    /// Only these ids; null: all.
    pub ids: *const u64,
    /// Number of `kinds`.
    pub kinds_len: u32,
    /// Number of `sessions`.
    pub sessions_len: u32,
    /// Number of `metadata`.
    pub metadata_len: u32,
    /// Number of `ids`.
    pub ids_len: u32,
    /// Only records made from this time on, in ms; 0...
    pub created_from: u64,
    /// ...and before this one; `UINT64_MAX`: without an end.
    pub created_to: u64,
    /// Only records last used from this time on, in ms; 0...
    pub used_from: u64,
    /// ...and before this one; `UINT64_MAX`: without an end.
    pub used_to: u64,
}

/// A record that was found.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct ClawftFound {
    /// Its id.
    pub id: u64,
    /// What the order goes by: the fused score, or that of the part that was asked for.
    pub score: f32,
    /// Similarity by vector, higher is nearer: the cosine or the inner product; under L2
    /// `1 / (1 + d)` of the squared distance. 0 where no vector was asked for.
    pub similarity: f32,
    /// The BM25 score; 0 where no words were asked for, or none is in the text.
    pub words: f32,
    /// Nothing; 0.
    pub reserved: u32,
}

/// Writes the defaults of a recall with `k` results to `out`.
///
/// Errors: those of pointers.
///
/// # Safety
/// Natively `out` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_recall_init(out: *mut ClawftRecall, k: u32) -> i32 {
    let init = || {
        // SAFETY: the caller's promise.
        let out = unsafe { Output::one("out", out) }?;
        out.set(
            0,
            ClawftRecall {
                size: size_of::<ClawftRecall>() as u32,
                k,
                vector: ptr::null(),
                text: ClawftText::EMPTY,
                dim: 0,
                ef: Recall::default().ef as u32,
                mode: 0,
                fusion: 0,
                vector_weight: Fusion::VECTOR,
                words_weight: Fusion::WORDS,
                kinds: ptr::null(),
                sessions: ptr::null(),
                metadata: ptr::null(),
                ids: ptr::null(),
                kinds_len: 0,
                sessions_len: 0,
                metadata_len: 0,
                ids_len: 0,
                created_from: 0,
                created_to: u64::MAX,
                used_from: 0,
                used_to: u64::MAX,
            },
        );
        Ok(())
    };
    status(init())
}

/// Writes the records that answer best, best first, to `out`, which has room for `k`, and their
/// number to `out_count`: `k`, or as many as match. By words alone only those match that have one of
/// them. Counts no use: `clawft_touch` does.
///
/// Errors: `BadHandle`, `StructSize`, `UnknownChoice`, `InvalidText`; `ZeroK`, `NothingAsked`,
/// `WrongDimension`, `NotFinite` (a weight too), `ZeroVector`; `NoMemory`; those of pointers.
///
/// # Safety
/// Natively the pointers are valid for reads, and for writes of `k` results and a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_recall(
    handle: u32,
    recall: *const ClawftRecall,
    out: *mut ClawftFound,
    out_count: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise.
    status(unsafe { find(handle, recall, out, out_count) })
}

unsafe fn find(
    handle: u32,
    recall: *const ClawftRecall,
    out: *mut ClawftFound,
    out_count: *mut u32,
) -> Outcome<()> {
    // SAFETY: the caller's promise.
    let given = unsafe { input::sized("recall", recall) }?;
    // SAFETY: the caller's promise.
    let (out, out_count) = unsafe {
        (Output::new("out", out, given.k as usize)?, Output::one("out_count", out_count)?)
    };
    // SAFETY: the caller's promise.
    let (vector, text) = unsafe {
        (
            input::input("vector", given.vector, given.dim as usize)?,
            text::text("text", &given.text)?,
        )
    };
    // SAFETY: the caller's promise.
    let (kinds, sessions, metadata, ids) = unsafe {
        (
            text::texts("kinds", given.kinds, given.kinds_len as usize)?,
            text::texts("sessions", given.sessions, given.sessions_len as usize)?,
            text::pairs("metadata", given.metadata, given.metadata_len as usize)?,
            input::input("ids", given.ids, given.ids_len as usize)?,
        )
    };
    let mode = match given.mode {
        0 => Mode::Auto,
        1 => Mode::Walk,
        2 => Mode::Scan,
        3 => Mode::Exact,
        found => return Err(Failed::unknown_choice("mode", 3, found)),
    };
    for (name, weight) in
        [("vector_weight", given.vector_weight), ("words_weight", given.words_weight)]
    {
        if !weight.is_finite() {
            let code = ClawftStatus::NotFinite as i32;
            return Err(Failed::new(code, name, "a finite number", 0, 0));
        }
    }
    let fusion = match given.fusion {
        0 => Fusion::Weighted { vector: given.vector_weight, words: given.words_weight },
        1 => Fusion::ReciprocalRank { constant: given.vector_weight },
        found => return Err(Failed::unknown_choice("fusion", 1, found)),
    };
    let mut held = memory(handle)?;
    let recall = Recall {
        vector: (!given.vector.is_null()).then_some(vector),
        text: (!given.text.bytes.is_null()).then_some(text),
        k: given.k as usize,
        ef: given.ef as usize,
        mode,
        fusion,
        filter: Filter {
            kinds: (!given.kinds.is_null()).then_some(&kinds),
            sessions: (!given.sessions.is_null()).then_some(&sessions),
            created: times(given.created_from, given.created_to),
            last_used: times(given.used_from, given.used_to),
            metadata: &metadata,
            ids: (!given.ids.is_null()).then_some(ids),
        },
    };
    let found = held.0.try_recall(&recall)?;
    for (at, one) in found.iter().enumerate() {
        let (id, score) = (one.id, one.score);
        let (similarity, words) = (one.similarity, one.words);
        out.set(at, ClawftFound { id, score, similarity, words, reserved: 0 });
    }
    out_count.set(0, found.len() as u32);
    Ok(())
}

/// A range of times; none where every time passes.
fn times(from: u64, to: u64) -> Option<(u64, u64)> {
    (from != 0 || to != u64::MAX).then_some((from, to))
}
