//! The structs as hosts see them: a change here is a change of the ABI.

use clawft::*;
use std::mem::{offset_of, size_of};

#[test]
fn structs_keep_their_sizes_and_offsets() {
    assert_eq!(size_of::<ClawftParams>(), 40);
    assert_eq!(offset_of!(ClawftParams, dim), 4);
    assert_eq!(offset_of!(ClawftParams, capacity), 8);
    assert_eq!(offset_of!(ClawftParams, metric), 12);
    assert_eq!(offset_of!(ClawftParams, encoding), 16);
    assert_eq!(offset_of!(ClawftParams, m), 20);
    assert_eq!(offset_of!(ClawftParams, ef_construction), 24);
    assert_eq!(offset_of!(ClawftParams, scan_limit), 28);
    assert_eq!(offset_of!(ClawftParams, seed), 32);

    // The pointer makes this one 24 bytes in wasm32 and 32 natively.
    assert_eq!(size_of::<ClawftQuery>(), if size_of::<usize>() == 4 { 24 } else { 32 });
    assert_eq!(offset_of!(ClawftQuery, k), 4);
    assert_eq!(offset_of!(ClawftQuery, ef), 8);
    assert_eq!(offset_of!(ClawftQuery, mode), 12);
    assert_eq!(offset_of!(ClawftQuery, filter_ids), 16);
    assert_eq!(offset_of!(ClawftQuery, filter_len), 16 + size_of::<usize>());

    assert_eq!(size_of::<ClawftMemory>(), 56);
    assert_eq!(offset_of!(ClawftMemory, overhead), 40);
    assert_eq!(offset_of!(ClawftMemory, linear_memory), 48);
    assert_eq!(size_of::<ClawftStats>(), 88);
    assert_eq!(offset_of!(ClawftStats, count), 12);
    assert_eq!(offset_of!(ClawftStats, seed), 48);
    assert_eq!(offset_of!(ClawftStats, bytes), 56);
    assert_eq!(size_of::<ClawftReport>(), 24);
    assert_eq!(offset_of!(ClawftReport, links), 16);
}

#[test]
fn the_store_s_error_codes_are_those_of_the_table() {
    use clawft_vectors::Error as E;
    let pairs = [
        (E::Dimension { expected: 0, found: 0 }, ClawftStatus::WrongDimension),
        (E::NotFinite { index: 0 }, ClawftStatus::NotFinite),
        (E::ZeroVector, ClawftStatus::ZeroVector),
        (E::ZeroK, ClawftStatus::ZeroK),
        (E::DuplicateId(0), ClawftStatus::DuplicateId),
        (E::UnknownId(0), ClawftStatus::UnknownId),
        (E::Full { len: 0, capacity: 0 }, ClawftStatus::Full),
        (E::Params, ClawftStatus::BadParams),
        (E::Misaligned, ClawftStatus::BufferMisaligned),
        (E::TooShort { expected: 0, found: 0 }, ClawftStatus::TooShort),
        (E::Corrupt(""), ClawftStatus::Corrupt),
        (E::Version(0), ClawftStatus::WrongVersion),
        (E::Scratch { expected: 0, found: 0 }, ClawftStatus::ScratchTooSmall),
        (E::Output { expected: 0, found: 0 }, ClawftStatus::ResultsTooSmall),
        (E::Shrink { expected: 0, found: 0 }, ClawftStatus::Shrink),
        (E::Radius, ClawftStatus::BadRadius),
    ];
    for (error, status) in pairs {
        assert_eq!(error.code(), status as i32, "{error}");
    }
}
