//! Sizes and offsets of the structs, as `docs/abi-memory.md` and, of tensors, `docs/abi.md` have
//! them for 64 bits.
#![cfg(target_pointer_width = "64")]

use clawft_ffi_store::*;
use core::mem::offset_of;

macro_rules! laid_out {
    ($type:ident, $size:literal: $($field:ident @ $at:literal),+) => {
        assert_eq!(size_of::<$type>(), $size, stringify!($type));
        $(assert_eq!(offset_of!($type, $field), $at, stringify!($type::$field));)+
    };
}

#[test]
fn structs_are_as_the_page_says() {
    laid_out!(ClawftMemoryOptions, 104: size @ 0, flags @ 4, dim @ 8, capacity @ 12, metric @ 16,
        encoding @ 20, file_id @ 24, image_bytes @ 40, words_bytes @ 48, fold_bytes @ 56,
        compact_times @ 64, compact_slack @ 72, nonce @ 80, now @ 88, lease @ 96);
    laid_out!(ClawftText, 16: bytes @ 0, len @ 8);
    laid_out!(ClawftPair, 32: key @ 0, value @ 16);
    laid_out!(ClawftRecord, 112: size @ 0, dim @ 4, id @ 8, vector @ 16, text @ 24, kind @ 40,
        session @ 56, metadata @ 72, metadata_len @ 80, uses @ 84, created @ 88, last_used @ 96,
        importance @ 104, pinned @ 108);
    laid_out!(ClawftRecall, 136: size @ 0, k @ 4, vector @ 8, text @ 16, dim @ 32, ef @ 36,
        mode @ 40, fusion @ 44, vector_weight @ 48, words_weight @ 52, kinds @ 56, sessions @ 64,
        metadata @ 72, ids @ 80, kinds_len @ 88, sessions_len @ 92, metadata_len @ 96,
        ids_len @ 100, created_from @ 104, created_to @ 112, used_from @ 120, used_to @ 128);
    laid_out!(ClawftFound, 24: id @ 0, score @ 8, similarity @ 12, words @ 16);
    laid_out!(ClawftFields, 56: size @ 0, uses @ 4, created @ 8, last_used @ 16, importance @ 24,
        pinned @ 28, text_len @ 32, kind_len @ 36, session_len @ 40, metadata_len @ 44,
        tier @ 48, lossy @ 52);
    laid_out!(ClawftTick, 32: size @ 0, looked @ 4, cooled @ 8, restored @ 12, unreadable @ 16,
        bytes @ 24);
    laid_out!(ClawftMemoryReport, 104: size @ 0, dim @ 4, records @ 8, capacity @ 12,
        live_bytes @ 16, file_bytes @ 24, journal_bytes @ 32, pending_bytes @ 40, commits @ 48,
        epoch @ 56, derived @ 60, deferred @ 64, replayed @ 68, torn_journal @ 72, torn_file @ 80,
        repaired @ 88, foreign @ 92, damages @ 96);
    laid_out!(ClawftTensorParams, 32: size @ 0, dim @ 4, bits @ 8, headroom @ 12, coarse @ 16,
        limit @ 24);
    laid_out!(ClawftTensorStats, 32: size @ 0, dim @ 4, bits @ 8, frames @ 12, segments @ 16,
        bytes @ 24);
    laid_out!(ClawftStorage, 120: size @ 0, context @ 8, open @ 16, progress @ 104, list @ 112);
}
