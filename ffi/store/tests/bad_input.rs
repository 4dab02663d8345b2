//! What a host can get wrong, and what its storage can: each has its code and its sentence, writes
//! no output, and loses nothing.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

mod support;

use clawft_ffi_store::kernel::ClawftStatus as S;
use clawft_ffi_store::{ClawftMemoryStatus as M, *};
use std::ptr::{null, null_mut};
use support::*;

/// All that was committed can be read and found.
fn whole(handle: u32) {
    for id in 0..20 {
        assert_eq!(string(handle, id, CLAWFT_TEXT), format!("record number {id}, committed"));
        let v = vector(id);
        let near = ClawftRecall { vector: v.as_ptr(), dim: DIM as u32, ..recall(1) };
        assert_eq!(found(handle, &near)[0].id, id);
    }
    let words = ClawftRecall { text: text("committed"), ..recall(50) };
    assert_eq!(found(handle, &words).len(), 20);
}

/// What a listing gives that is none.
unsafe extern "C" fn lists<const LIE: usize>(
    _: *mut std::ffi::c_void,
    prefix: *const std::ffi::c_char,
    len: usize,
    into: *mut std::ffi::c_char,
    cap: usize,
) -> i32 {
    let prefix = unsafe { std::slice::from_raw_parts(prefix.cast::<u8>(), len) };
    let names = match LIE {
        0 => prefix.to_vec(),
        1 => b"of another kind\0".to_vec(),
        2 => [prefix, &[0xFF, 0]].concat(),
        _ => return [cap as i32 + 1, i32::MAX, i32::MIN][LIE - 3],
    };
    unsafe { into.cast::<u8>().copy_from(names.as_ptr(), names.len()) };
    names.len() as i32
}

#[test]
fn a_storage_that_cannot_list_gives_no_lease() {
    let disk = Disk::default();
    let leased = ClawftMemoryOptions { lease: 1000, ..options(CLAWFT_CREATE) };
    let open = |list, given: &ClawftMemoryOptions| {
        let storage = ClawftStorage { list, ..disk.storage() };
        let mut handle = 77;
        unsafe { clawft_memory_open(b"m".as_ptr().cast(), 1, given, &storage, &mut handle) }
    };
    for list in [
        None,
        Some(lists::<0> as _),
        Some(lists::<1> as _),
        Some(lists::<2> as _),
        Some(lists::<3> as _),
        Some(lists::<4> as _),
        Some(lists::<5> as _),
    ] {
        refused(open(list, &leased), -206, &["device"]);
        assert!(disk.0.lock().unwrap().named.is_empty());
    }
    ok(open(None, &options(CLAWFT_CREATE)));
}

#[test]
fn every_code_is_that_of_the_store() {
    use clawft_store::{Damage, DamageKind, Error as F, Part, memory::Error as E, storage::*};
    for (status, error) in [
        (M::NotFound, E::File(F::Storage(StorageError::NotFound))),
        (M::Exists, E::File(F::Storage(StorageError::Exists))),
        (M::NoSpace, E::File(F::Storage(StorageError::NoSpace))),
        (M::StorageReadOnly, E::File(F::Storage(StorageError::ReadOnly))),
        (M::BadFile, E::File(F::Storage(StorageError::BadHandle))),
        (M::StorageFailed, E::File(F::Storage(StorageError::Failed))),
        (M::Limit, E::File(F::Limit { part: Part::Text, limit: 1, found: 2 })),
        (M::BadRecord, E::File(F::Record(""))),
        (M::BatchFull, E::File(F::BatchFull { limit: 1, found: 2 })),
        (M::NoFile, E::File(F::NoFile)),
        (M::NotRvf, E::File(F::NotRvf)),
        (M::UnknownVersion, E::File(F::Version { expected: 1, found: 2 })),
        (M::Unsupported, E::File(F::Unsupported(""))),
        (M::Damaged, E::File(F::Damaged(Damage { kind: DamageKind::Vector, offset: 0 }))),
        (M::ReadOnly, E::File(F::ReadOnly)),
        (M::Conflict, E::File(F::Conflict)),
        (M::LeaseHeld, E::File(F::LeaseHeld { until: 0 })),
        (M::Stopped, E::File(F::Stopped)),
        (M::WordsFull, E::WordsFull { limit: 0 }),
        (M::NoMemory, E::Memory),
        (M::NothingAsked, E::NothingAsked),
    ] {
        assert_eq!(status as i32, error.code(), "{status:?}");
    }
}

#[test]
fn text_that_is_no_utf_8() {
    let disk = Disk::default();
    let handle = filled(&disk);
    let v = vector(1);
    let bytes = b"caf\xE9 au lait";
    let bad = ClawftText { bytes: bytes.as_ptr().cast(), len: bytes.len() };
    let pair = [ClawftPair { key: text("k"), value: bad }];
    let good = record(1, &v, "fine");
    let code = M::InvalidText as i32;
    for (word, record) in [
        ("text", ClawftRecord { text: bad, ..good }),
        ("kind", ClawftRecord { kind: bad, ..good }),
        ("session", ClawftRecord { session: bad, ..good }),
        ("metadata", ClawftRecord { metadata: pair.as_ptr(), metadata_len: 1, ..good }),
    ] {
        let given = unsafe { clawft_remember(handle, &record) };
        refused(given, code, &[word, "UTF-8", "byte 3"]);
    }
    let (mut out, mut count) = ([ClawftFound::default(); 3], 77);
    let asked = ClawftRecall { text: bad, ..recall(3) };
    let given = unsafe { clawft_recall(handle, &asked, out.as_mut_ptr(), &mut count) };
    refused(given, code, &["text", "UTF-8"]);
    assert_eq!((out, count), ([ClawftFound::default(); 3], 77));
    let (options, storage) = (options(CLAWFT_CREATE), disk.storage());
    let mut other = 77;
    let given = unsafe {
        clawft_memory_open(bytes.as_ptr().cast(), bytes.len(), &options, &storage, &mut other)
    };
    refused(given, code, &["name"]);
    assert_eq!(other, 77);
    whole(handle);
}

#[test]
fn parts_beyond_their_limits() {
    let disk = Disk::default();
    let handle = filled(&disk);
    let (v, long) = (vector(1), "y".repeat((1 << 20) + 1));
    let good = record(1, &v, "fine");
    let limit = M::Limit as i32;
    let put = |record: ClawftRecord| unsafe { clawft_remember(handle, &record) };
    refused(put(ClawftRecord { text: text(&long), ..good }), limit, &["1048576", "text"]);
    refused(put(ClawftRecord { kind: text(&long[..256]), ..good }), limit, &["255", "kind"]);
    refused(put(ClawftRecord { session: text(&long[..1025]), ..good }), limit, &["1024"]);
    refused(put(ClawftRecord { dim: 7, ..good }), -1, &["8", "7"]);
    refused(put(ClawftRecord { importance: 1.5, ..good }), M::BadRecord as i32, &["0 to 1"]);
    refused(put(ClawftRecord { importance: f32::NAN, ..good }), M::BadRecord as i32, &[]);
    let twice = [ClawftPair { key: text("k"), value: text("1") }; 2];
    let given = ClawftRecord { metadata: twice.as_ptr(), metadata_len: 2, ..good };
    refused(put(given), M::BadRecord as i32, &["twice"]);
    let wrong = [f32::INFINITY; DIM];
    refused(put(ClawftRecord { vector: wrong.as_ptr(), ..good }), -2, &["0"]);
    let zero = [0.0; DIM];
    refused(put(ClawftRecord { vector: zero.as_ptr(), ..good }), -3, &["cosine"]);
    whole(handle);
    // Full: the 101st.
    for id in 20..100 {
        ok(remember(handle, id, ""));
    }
    refused(remember(handle, 100, ""), S::Full as i32, &["100"]);
    ok(clawft_rollback(handle));
    whole(handle);
    // A text of one byte more than the limit is refused, one of the limit goes in.
    ok(put(ClawftRecord { id: 99, text: text(&long[1..]), ..good }));
}

#[test]
fn pointers_and_structs_and_choices() {
    let disk = Disk::default();
    let handle = filled(&disk);
    let v = vector(1);
    let good = record(1, &v, "fine");
    let put = |record: *const ClawftRecord| unsafe { clawft_remember(handle, record) };
    refused(put(null()), S::NullPointer as i32, &["record"]);
    refused(put(&ClawftRecord { size: 4, ..good }), S::StructSize as i32, &["record", "4"]);
    refused(put(&ClawftRecord { vector: null(), ..good }), S::NullPointer as i32, &["vector"]);
    let odd = v.as_ptr().wrapping_byte_add(2);
    refused(put(&ClawftRecord { vector: odd, ..good }), S::Misaligned as i32, &["vector"]);
    let endless = ClawftText { bytes: v.as_ptr().cast(), len: usize::MAX };
    refused(put(&ClawftRecord { text: endless, ..good }), S::OutOfRange as i32, &["text"]);
    let none = ClawftText { bytes: null(), len: 3 };
    refused(put(&ClawftRecord { kind: none, ..good }), S::NullPointer as i32, &["kind"]);
    let lost = [ClawftPair { key: none, value: none }];
    let given = ClawftRecord { metadata: lost.as_ptr(), metadata_len: 1, ..good };
    refused(put(&given), S::NullPointer as i32, &["metadata"]);
    let given = ClawftRecord { metadata: lost.as_ptr(), metadata_len: u32::MAX, ..good };
    assert!(put(&given) < 0);

    let near = ClawftRecall { vector: v.as_ptr(), dim: DIM as u32, ..recall(3) };
    let (mut out, mut count) = ([ClawftFound::default(); 3], 77);
    let mut ask = |recall: &ClawftRecall| {
        let code = unsafe { clawft_recall(handle, recall, out.as_mut_ptr(), &mut count) };
        assert_eq!((out, count), ([ClawftFound::default(); 3], 77));
        code
    };
    refused(ask(&recall(3)), M::NothingAsked as i32, &["vector or a text"]);
    refused(ask(&ClawftRecall { k: 0, ..near }), S::ZeroK as i32, &[]);
    refused(ask(&ClawftRecall { dim: 3, ..near }), -1, &["8", "3"]);
    refused(ask(&ClawftRecall { mode: 4, ..near }), S::UnknownChoice as i32, &["mode", "4"]);
    refused(ask(&ClawftRecall { fusion: 2, ..near }), S::UnknownChoice as i32, &["fusion"]);
    for weight in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for fusion in [0, 1] {
            let code = ask(&ClawftRecall { fusion, vector_weight: weight, ..near });
            refused(code, S::NotFinite as i32, &["vector_weight"]);
        }
        let code = ask(&ClawftRecall { words_weight: weight, ..near });
        refused(code, S::NotFinite as i32, &["words_weight"]);
    }
    refused(ask(&ClawftRecall { ids_len: 2, ..near }), S::NullPointer as i32, &["ids"]);
    let code = unsafe { clawft_recall(handle, &near, null_mut(), &mut count) };
    refused(code, S::NullPointer as i32, &["out"]);
    let huge = ClawftRecall { k: u32::MAX, ..near };
    let code = unsafe { clawft_recall(handle, &huge, (usize::MAX - 7) as *mut _, &mut count) };
    refused(code, S::OutOfRange as i32, &["out"]);

    for (word, wrong) in [
        ("options", ClawftMemoryOptions { size: 1, ..options(0) }),
        ("flags", ClawftMemoryOptions { flags: 8, ..options(0) }),
        ("metric", ClawftMemoryOptions { metric: 3, ..options(0) }),
        ("encoding", ClawftMemoryOptions { encoding: 4, ..options(0) }),
    ] {
        let code = try_open(&disk, &wrong).unwrap_err();
        assert!([S::StructSize as i32, S::UnknownChoice as i32].contains(&code));
        assert!(sentence().contains(word), "{}", sentence());
    }
    let storage = ClawftStorage { sync: None, ..disk.storage() };
    let (mut other, given) = (77, options(0));
    let code = unsafe { clawft_memory_open(b"m".as_ptr().cast(), 1, &given, &storage, &mut other) };
    refused(code, S::NullPointer as i32, &["storage"]);

    let mut len = 77;
    // The last one took the time of two thousand million steps.
    for which in [9, u32::MAX] {
        let code = unsafe { clawft_record_string(handle, 1, which, null_mut(), 0, &mut len) };
        refused(code, S::UnknownChoice as i32, &["which", &which.to_string()]);
    }
    let mut short = [7u8; 3];
    let at = short.as_mut_ptr().cast();
    let code = unsafe { clawft_record_string(handle, 1, CLAWFT_TEXT, at, 3, &mut len) };
    refused(code, S::OutputTooSmall as i32, &["3"]);
    assert_eq!((short, len), ([7; 3], 77));
    let mut few = [7.0; 3];
    // No memory is asked for what is refused.
    let code = unsafe { clawft_record_vector(handle, 1, few.as_mut_ptr(), 1 << 29) };
    refused(code, S::WrongDimension as i32, &["536870912"]);
    let code = unsafe { clawft_record_vector(handle, 1, few.as_mut_ptr(), 3) };
    refused(code, -1, &["8", "3"]);
    assert_eq!(few, [7.0; 3]);
    whole(handle);
}

#[test]
fn dead_handles_and_unknown_ids() {
    let disk = Disk::default();
    let handle = filled(&disk);
    refused(clawft_forget(handle, 500), -6, &["500"]);
    let mut fields = ClawftFields::default();
    refused(unsafe { clawft_record_fields(handle, 500, &mut fields) }, -6, &["500"]);
    assert_eq!(fields, ClawftFields::default());
    whole(handle);
    ok(clawft_memory_close(handle, 0));
    let kernel = {
        let mut params = std::mem::MaybeUninit::uninit();
        let mut store = 0;
        unsafe {
            ok(kernel::clawft_params_init(params.as_mut_ptr(), 8, 8));
            ok(kernel::clawft_create(params.as_ptr(), &mut store));
        }
        store
    };
    // Never one that another test holds just now.
    for dead in [handle, 0, u32::MAX, kernel, handle ^ (1 << 31)] {
        let bad = S::BadHandle as i32;
        refused(clawft_commit(dead, 0), bad, &["handle"]);
        refused(clawft_memory_close(dead, 0), bad, &["handle"]);
        refused(remember(dead, 1, ""), bad, &["handle"]);
        refused(clawft_record_contains(dead, 1), bad, &["handle"]);
        refused(clawft_tensor_close(dead), bad, &["handle"]);
    }
    assert_eq!(kernel::clawft_contains(handle, 1), S::BadHandle as i32);
    ok(kernel::clawft_destroy(kernel));
}

#[test]
fn a_storage_that_calls_back_is_refused() {
    let disk = Disk::default();
    let handle = filled(&disk);
    disk.files().call_back = Some(handle);
    assert_eq!(string(handle, 3, CLAWFT_TEXT), "record number 3, committed");
    let called_back = std::mem::take(&mut disk.files().called_back);
    assert!(!called_back.is_empty());
    assert!(called_back.iter().all(|&code| code == M::Busy as i32), "{called_back:?}");
    disk.files().call_back = None;
    whole(handle);

    // The last call that a memory makes closes its files: another memory is refused there as well.
    let (other_disk, mut seen) = (Disk::default(), 0);
    let other = filled(&other_disk);
    disk.files().call_back = Some(other);
    ok(clawft_memory_close(handle, 0));
    for code in std::mem::take(&mut disk.files().called_back) {
        assert_eq!(code, M::Busy as i32);
        seen += 1;
    }
    assert!(seen > 0);
    whole(other);
}

#[test]
fn a_full_disk_loses_nothing() {
    let disk = Disk::default();
    let handle = filled(&disk);
    for space in [0, 1, 100] {
        disk.files().space = Some(space);
        ok(remember(handle, 40, "one more"));
        refused(clawft_commit(handle, 0), M::NoSpace as i32, &["no space"]);
        // The change is still there, and still not durable.
        assert_eq!(string(handle, 40, CLAWFT_TEXT), "one more");
        let other = try_open(&disk, &options(CLAWFT_READ_ONLY)).unwrap();
        assert_eq!(clawft_record_contains(other, 40), 0);
        whole(other);
        ok(clawft_memory_close(other, 0));
    }
    refused(clawft_compact(handle, 0), M::NoSpace as i32, &["no space"]);
    whole(handle);
    disk.files().space = None;
    ok(clawft_commit(handle, 0));
    ok(clawft_memory_close(handle, 0));
    let handle = open_memory(&disk);
    assert_eq!(string(handle, 40, CLAWFT_TEXT), "one more");
    ok(clawft_forget(handle, 40));
    whole(handle);
}

#[test]
fn what_was_torn_is_counted_in_bytes() {
    let disk = Disk::default();
    filled(&disk);
    for (name, torn) in [("memory.rvf.journal", 100), ("memory.rvf", 70)] {
        let mut bytes = disk.bytes(name);
        bytes.resize(bytes.len() + torn, 7);
        disk.set(name, bytes);
    }
    let handle = open_memory(&disk);
    let mut report = ClawftMemoryReport::default();
    ok(unsafe { clawft_memory_report(handle, &mut report) });
    assert_eq!((report.torn_journal, report.torn_file), (100, 70));
    whole(handle);
}

#[test]
fn a_read_only_disk_is_read() {
    let disk = Disk::default();
    ok(clawft_memory_close(filled(&disk), 0));
    disk.files().read_only = true;
    let handle = try_open(&disk, &options(CLAWFT_READ_ONLY)).unwrap();
    whole(handle);
    refused(remember(handle, 1, "no"), M::ReadOnly as i32, &["read-only"]);
    refused(clawft_forget(handle, 1), M::ReadOnly as i32, &["read-only"]);
    refused(clawft_compact(handle, 0), M::ReadOnly as i32, &["read-only"]);
    whole(handle);
    ok(clawft_memory_close(handle, 0));
    let code = try_open(&disk, &options(0)).unwrap_err();
    refused(code, M::StorageReadOnly as i32, &["read-only"]);
}

#[test]
fn a_device_that_fails_and_numbers_that_mean_nothing() {
    let disk = Disk::default();
    let handle = filled(&disk);
    for (given, code) in [(-206, -206), (-1, -206), (i32::MIN, -206), (-205, -205)] {
        disk.files().broken = Some(given);
        let mut len = 77;
        let result = unsafe { clawft_record_string(handle, 1, 0, null_mut(), 0, &mut len) };
        refused(result, code, &["storage refused"]);
        assert_eq!(len, 77);
        refused(try_open(&disk, &options(0)).unwrap_err(), code, &[]);
    }
    disk.files().broken = None;
    whole(handle);
    refused(try_open(&Disk::default(), &options(0)).unwrap_err(), M::NoFile as i32, &["none"]);
    let empty = Disk::default();
    let no_dim = ClawftMemoryOptions { dim: 0, ..options(CLAWFT_CREATE) };
    refused(try_open(&empty, &no_dim).unwrap_err(), M::BadRecord as i32, &["dimension"]);
    let too_many = ClawftMemoryOptions { dim: 8193, ..options(CLAWFT_CREATE) };
    refused(try_open(&empty, &too_many).unwrap_err(), M::Limit as i32, &["8192"]);
    // What there can be no image for.
    let large = ClawftMemoryOptions { dim: 384, ..options(CLAWFT_CREATE) };
    for (wrong, status) in [
        (ClawftMemoryOptions { metric: 2, capacity: 0, ..large }, S::BadParams),
        (ClawftMemoryOptions { encoding: 0, image_bytes: 1 << 20, ..large }, S::BadParams),
        (ClawftMemoryOptions { image_bytes: 1000, ..large }, S::TooShort),
    ] {
        refused(try_open(&empty, &wrong).unwrap_err(), status as i32, &[]);
    }
    assert!(empty.files().named.is_empty());
    ok(clawft_memory_close(open_memory(&empty), 0));
}

#[test]
fn a_name_has_at_most_255_bytes() {
    let disk = Disk::default();
    let open = |len: usize| {
        let (name, storage, mut handle) = ("n".repeat(len), disk.storage(), 77);
        let given = options(CLAWFT_CREATE);
        let name = name.as_ptr().cast();
        let code = unsafe { clawft_memory_open(name, len, &given, &storage, &mut handle) };
        (code, handle)
    };
    for len in [256, 2 << 20] {
        let (code, handle) = open(len);
        refused(code, M::BadFile as i32, &["name", "255", &len.to_string()]);
        assert_eq!(handle, 77);
    }
    assert!(disk.files().named.is_empty());
    let (code, handle) = open(255);
    ok(code);
    ok(clawft_memory_close(handle, 0));
}

#[test]
fn files_of_another_kind_cut_or_with_a_flipped_bit() {
    let disk = Disk::default();
    ok(clawft_memory_close(filled(&disk), 0));
    let sound = disk.bytes("memory.rvf");
    disk.set(
        "memory.rvf",
        b"PK\x03\x04 a zip, say, and long enough to be read as a header".repeat(9),
    );
    refused(try_open(&disk, &options(0)).unwrap_err(), M::NotRvf as i32, &["RVF"]);
    disk.set("memory.rvf", sound.clone());
    let other = ClawftMemoryOptions { dim: 9, ..options(0) };
    refused(try_open(&disk, &other).unwrap_err(), -1, &["9", "8"]);

    // Every cut and every flipped byte: refused with a sentence, or whole.
    let (mut refusals, mut damages) = (0, 0);
    let mut try_it = |bytes: Vec<u8>| {
        disk.set("memory.rvf", bytes);
        match try_open(&disk, &options(CLAWFT_READ_ONLY)) {
            Ok(handle) => {
                // What was damaged says so where it is read, and when asked.
                let mut hurt = false;
                for id in 0..20 {
                    let mut len = 0;
                    let read =
                        unsafe { clawft_record_string(handle, id, 0, null_mut(), 0, &mut len) };
                    assert!(read == 0 || read == M::Damaged as i32, "{read}: {}", sentence());
                    hurt |= read != 0;
                    if read == 0 {
                        let words = string(handle, id, 0);
                        assert_eq!(words, format!("record number {id}, committed"));
                    }
                }
                let sound = clawft_memory_verify(handle);
                assert!(!hurt || sound == M::Damaged as i32);
                damages += u32::from(sound != 0);
                ok(clawft_memory_close(handle, 0));
            }
            Err(code) => {
                assert!((-222..=-211).contains(&code), "{code}: {}", sentence());
                assert!(sentence().len() > 10);
                refusals += 1;
            }
        }
    };
    for cut in (0..sound.len()).step_by(61) {
        try_it(sound[..cut].to_vec());
    }
    for at in (0..sound.len()).step_by(37) {
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << (at % 8);
        try_it(flipped);
    }
    assert!(refusals > 10 && damages > 10, "{refusals} {damages}");

    disk.set("memory.rvf", sound);
    whole(open_memory(&disk));
}
