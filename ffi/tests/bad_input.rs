//! The table of bad input: each mistake of a host has its code and its sentence,
//! and leaves the store, and the host's outputs, as they were.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use std::ptr::null;
use support::*;

const DIM: u32 = 8;

/// A store with `count` vectors, ids from 0, room for `capacity`.
fn store(capacity: u32, count: u64) -> u32 {
    let handle = create(&params(DIM, capacity));
    for id in 0..count {
        ok(insert(handle, id, &vector(id, DIM as usize)));
    }
    handle
}

/// Calls `mistake`: it must give `status` and a sentence with each of `words`,
/// and the store's bytes must not change.
fn refused(handle: u32, status: S, words: &[&str], mistake: impl FnOnce(u32) -> i32) {
    let before = snapshot(handle);
    let code = mistake(handle);
    assert_eq!(code, status as i32, "{status:?}: {}", sentence());
    let sentence = sentence();
    for word in words {
        assert!(sentence.contains(word), "{word:?} in {sentence:?}");
    }
    assert!(snapshot(handle) == before, "{status:?} changed the store");
}

/// Places for the outputs of a search, to see that nothing is written.
struct Places {
    ids: [u64; 16],
    distances: [f32; 16],
    count: u32,
}

impl Places {
    const NEW: Self = Self { ids: [7; 16], distances: [7.0; 16], count: 7 };

    fn search(&mut self, handle: u32, vector: &[f32], query: &ClawftQuery) -> i32 {
        let dim = vector.len() as u32;
        unsafe {
            clawft_search(
                handle,
                vector.as_ptr(),
                dim,
                query,
                self.ids.as_mut_ptr(),
                self.distances.as_mut_ptr(),
                &mut self.count,
            )
        }
    }

    fn untouched(&self) -> bool {
        self.ids == [7; 16] && self.distances == [7.0; 16] && self.count == 7
    }
}

/// Calls a search that must be refused and write nothing.
fn search_refused(handle: u32, status: S, words: &[&str], vector: &[f32], query: ClawftQuery) {
    let mut places = Places::NEW;
    refused(handle, status, words, |handle| places.search(handle, vector, &query));
    assert!(places.untouched(), "{status:?} wrote an output");
}

#[test]
fn a_vector_of_another_dimension() {
    let handle = store(10, 3);
    for dim in [0, 7, 9] {
        let wrong = vector(1, dim);
        let words = ["8", &dim.to_string()];
        refused(handle, S::WrongDimension, &words, |h| insert(h, 9, &wrong));
        refused(handle, S::WrongDimension, &words, |h| unsafe {
            clawft_upsert(h, 0, wrong.as_ptr(), dim as u32)
        });
        search_refused(handle, S::WrongDimension, &words, &wrong, query(3));
        let mut out = vec![7.0; dim];
        refused(handle, S::WrongDimension, &words, |h| unsafe {
            clawft_get(h, 0, out.as_mut_ptr(), dim as u32)
        });
        assert!(out.iter().all(|&x| x == 7.0));
    }
}

#[test]
fn a_component_that_is_no_number() {
    for metric in 0..3 {
        let handle = create(&ClawftParams { metric, ..params(DIM, 10) });
        ok(insert(handle, 0, &vector(0, DIM as usize)));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut wrong = vector(1, DIM as usize);
            wrong[5] = bad;
            refused(handle, S::NotFinite, &["5"], |h| insert(h, 9, &wrong));
            refused(handle, S::NotFinite, &["5"], |h| unsafe {
                clawft_upsert(h, 0, wrong.as_ptr(), DIM)
            });
            search_refused(handle, S::NotFinite, &["5"], &wrong, query(3));
        }
        ok(clawft_destroy(handle));
    }
}

#[test]
fn a_zero_vector_under_cosine_only() {
    let zero = [0.0; DIM as usize];
    let handle = store(10, 3);
    refused(handle, S::ZeroVector, &["cosine"], |h| insert(h, 9, &zero));
    search_refused(handle, S::ZeroVector, &["cosine"], &zero, query(3));
    for metric in [1, 2] {
        let handle = create(&ClawftParams { metric, ..params(DIM, 10) });
        ok(insert(handle, 0, &zero));
        assert_eq!(ids_of(&search(handle, &zero, &query(3))), [0]);
    }
}

#[test]
fn k_of_zero_and_k_above_the_count() {
    let handle = store(10, 3);
    search_refused(handle, S::ZeroK, &["0"], &vector(1, 8), query(0));
    // More results than vectors: all of them, and the count says how many.
    let before = snapshot(handle);
    for mode in 0..4 {
        for k in [4, 10, 11, 5000] {
            let found = search(handle, &vector(1, 8), &ClawftQuery { mode, ..query(k) });
            let mut ids = ids_of(&found);
            assert_eq!(ids[0], 1);
            ids.sort_unstable();
            assert_eq!(ids, [0, 1, 2]);
        }
    }
    assert!(snapshot(handle) == before);
}

#[test]
fn an_empty_store() {
    let handle = store(10, 0);
    for mode in 0..4 {
        assert_eq!(search(handle, &vector(1, 8), &ClawftQuery { mode, ..query(5) }), []);
    }
    refused(handle, S::UnknownId, &["3"], |h| clawft_remove(h, 3));
    assert_eq!(clawft_contains(handle, 3), 0);
    let mut count = 7;
    ok(unsafe { clawft_ids(handle, std::ptr::null_mut(), 0, &mut count) });
    assert_eq!(count, 0);
    // Emptied again, it goes on.
    ok(insert(handle, 1, &vector(1, 8)));
    ok(clawft_remove(handle, 1));
    assert_eq!(search(handle, &vector(1, 8), &query(5)), []);
    ok(insert(handle, 2, &vector(2, 8)));
    assert_eq!(ids_of(&search(handle, &vector(1, 8), &query(5))), [2]);
}

#[test]
fn a_duplicate_id_and_an_unknown_id() {
    let handle = store(10, 3);
    refused(handle, S::DuplicateId, &["2"], |h| insert(h, 2, &vector(9, 8)));
    let big = 0xFFFF_FFFF_FFFF_FFFF;
    let word = big.to_string();
    refused(handle, S::UnknownId, &[&word], |h| clawft_remove(h, big));
    refused(handle, S::UnknownId, &[&word], |h| clawft_mark_deleted(h, big));
    refused(handle, S::UnknownId, &[&word], |h| clawft_unmark_deleted(h, big));
    let mut out = [7.0; 16];
    let ids = [0, big];
    refused(handle, S::UnknownId, &[&word], |h| unsafe {
        clawft_get_batch(h, ids.as_ptr(), 2, out.as_mut_ptr(), DIM)
    });
    assert_eq!(out, [7.0; 16], "a batch writes all or nothing");
    assert_eq!(clawft_contains(handle, big), 0);
}

#[test]
fn a_full_store() {
    let handle = store(10, 10);
    refused(handle, S::Full, &["10"], |h| insert(h, 10, &vector(10, 8)));
    // What is wrong with a vector comes before that, and an upsert needs no room.
    refused(handle, S::WrongDimension, &[], |h| insert(h, 10, &vector(10, 7)));
    ok(unsafe { clawft_upsert(handle, 3, vector(33, 8).as_ptr(), DIM) });
    refused(handle, S::Full, &[], |h| unsafe { clawft_upsert(h, 10, vector(10, 8).as_ptr(), DIM) });
    assert_eq!(ids_of(&search(handle, &vector(33, 8), &query(1))), [3]);
    ok(clawft_remove(handle, 5));
    ok(insert(handle, 10, &vector(10, 8)));
}

#[test]
fn a_batch_stops_at_the_first_mistake_and_says_where() {
    let handle = store(4, 1);
    let rows: Vec<f32> = (10..16).flat_map(|id| vector(id, 8)).collect();
    let batch = |ids: &[u64], dim| {
        let (mut done, n) = (77, ids.len() as u32);
        let code =
            unsafe { clawft_insert_batch(handle, ids.as_ptr(), rows.as_ptr(), n, dim, &mut done) };
        (code, done)
    };
    assert_eq!(batch(&[10, 0, 11], 8), (S::DuplicateId as i32, 1));
    assert_eq!(batch(&[20, 21, 22, 23], 8), (S::Full as i32, 2));
    assert_eq!(batch(&[30], 7), (S::WrongDimension as i32, 77), "the arguments were not sound");
    assert_eq!(batch(&[], 8), (0, 0));
    let mut ids = [0; 4];
    let mut count = 0;
    ok(unsafe { clawft_ids(handle, ids.as_mut_ptr(), 4, &mut count) });
    ids.sort_unstable();
    assert_eq!(ids, [0, 10, 20, 21]);
}

#[test]
fn a_batch_of_queries_is_checked_before_the_first_runs() {
    let handle = store(10, 5);
    let mut rows: Vec<f32> = (0..3).flat_map(|id| vector(id, 8)).collect();
    rows[20] = f32::NAN;
    let (mut ids, mut distances, mut counts) = ([7u64; 6], [7f32; 6], [7u32; 3]);
    let query = query(2);
    refused(handle, S::NotFinite, &["4"], |h| unsafe {
        let out = (ids.as_mut_ptr(), distances.as_mut_ptr(), counts.as_mut_ptr());
        clawft_search_batch(h, rows.as_ptr(), 3, 8, &query, out.0, out.1, out.2)
    });
    assert_eq!((ids, distances, counts), ([7; 6], [7.0; 6], [7; 3]));
}

#[test]
fn pointers_that_are_null_or_misaligned_or_leave_the_address_space() {
    let handle = store(10, 3);
    let good = vector(1, 8);
    let at = good.as_ptr();
    let odd = at.wrapping_byte_add(1);
    let end = (usize::MAX - 3) as *const f32;
    refused(handle, S::NullPointer, &["vector"], |h| unsafe { clawft_insert(h, 9, null(), DIM) });
    refused(handle, S::Misaligned, &["vector", "4"], |h| unsafe { clawft_insert(h, 9, odd, DIM) });
    refused(handle, S::OutOfRange, &["vector", "32"], |h| unsafe { clawft_insert(h, 9, end, DIM) });
    refused(handle, S::NullPointer, &["out"], |h| unsafe {
        clawft_get(h, 1, std::ptr::null_mut(), DIM)
    });

    // Every pointer of a search, one after the other.
    let query = query(4);
    let filtered =
        ClawftQuery { filter_ids: std::ptr::without_provenance(4), filter_len: 3, ..query };
    let no_filter = ClawftQuery { filter_len: 3, ..query };
    let mut places = Places::NEW;
    let ids = places.ids.as_mut_ptr();
    let distances = places.distances.as_mut_ptr();
    let count = &raw mut places.count;
    let search = |at, query: *const _, ids, distances, count| {
        move |h| unsafe { clawft_search(h, at, DIM, query, ids, distances, count) }
    };
    let (q, none) = (&raw const query, std::ptr::null_mut());
    for (status, word, call) in [
        (S::NullPointer, "vector", search(null(), q, ids, distances, count)),
        (S::NullPointer, "query", search(at, null(), ids, distances, count)),
        (S::NullPointer, "out_ids", search(at, q, none, distances, count)),
        (S::NullPointer, "out_distances", search(at, q, ids, none.cast(), count)),
        (S::NullPointer, "out_count", search(at, q, ids, distances, none.cast())),
        (S::Misaligned, "out_ids", search(at, q, ids.wrapping_byte_add(4), distances, count)),
        (S::Misaligned, "filter_ids", search(at, &raw const filtered, ids, distances, count)),
        (S::NullPointer, "filter_ids", search(at, &raw const no_filter, ids, distances, count)),
    ] {
        refused(handle, status, &[word], call);
    }
    let huge = ClawftQuery { k: u32::MAX, ..query };
    let far = (usize::MAX - 7) as *mut u64;
    refused(
        handle,
        S::OutOfRange,
        &["out_ids"],
        search(at, &raw const huge, far, distances, count),
    );
    assert!(places.untouched());
}

#[test]
fn structs_of_another_size_and_numbers_that_name_nothing() {
    let handle = store(10, 3);
    let v = vector(1, 8);
    let wrong = ClawftQuery { size: 8, ..query(3) };
    search_refused(handle, S::StructSize, &["query", "8"], &v, wrong);
    search_refused(
        handle,
        S::UnknownChoice,
        &["mode", "4"],
        &v,
        ClawftQuery { mode: 4, ..query(3) },
    );

    let mut out = 7;
    let sound = params(DIM, 10);
    for (status, word, wrong) in [
        (S::StructSize, "params", ClawftParams { size: 0, ..sound }),
        (S::UnknownChoice, "metric", ClawftParams { metric: 3, ..sound }),
        (S::UnknownChoice, "encoding", ClawftParams { encoding: 4, ..sound }),
        (S::WrongDimension, "8192", ClawftParams { dim: 0, ..sound }),
        (S::WrongDimension, "8192", ClawftParams { dim: 8193, ..sound }),
        (S::BadParams, "capacity", ClawftParams { capacity: 0, ..sound }),
        (S::BadParams, "capacity", ClawftParams { capacity: u32::MAX, ..sound }),
        (S::BadParams, "m 4 to 64", ClawftParams { m: 1, ..sound }),
        (S::BadParams, "m 4 to 64", ClawftParams { m: 70_000, ..sound }),
    ] {
        assert_eq!(unsafe { clawft_create(&wrong, &mut out) }, status as i32, "{}", sentence());
        assert!(sentence().contains(word), "{word} in {}", sentence());
        let mut bytes = 7;
        assert_eq!(unsafe { clawft_required_bytes(&wrong, &mut bytes) }, status as i32);
        assert_eq!(bytes, 7);
    }
    assert_eq!(out, 7);
}

#[test]
fn a_radius_that_is_no_number() {
    let handle = store(10, 3);
    let (v, query) = (vector(1, 8), query(4));
    let mut places = Places::NEW;
    refused(handle, S::BadRadius, &["NaN"], |h| unsafe {
        let (ids, distances) = (places.ids.as_mut_ptr(), places.distances.as_mut_ptr());
        let count = &mut places.count;
        clawft_search_range(h, v.as_ptr(), DIM, f32::NAN, &query, ids, distances, count)
    });
    assert!(places.untouched());
}

#[test]
fn outputs_that_are_too_small() {
    let handle = store(10, 3);
    let (mut ids, mut count) = ([7; 2], 7);
    refused(handle, S::OutputTooSmall, &["3", "2"], |h| unsafe {
        clawft_ids(h, ids.as_mut_ptr(), 2, &mut count)
    });
    assert_eq!((ids, count), ([7; 2], 7));
    let (mut bytes, mut len) = ([7u8; 100], 7);
    refused(handle, S::OutputTooSmall, &["100"], |h| unsafe {
        clawft_snapshot(h, bytes.as_mut_ptr().cast(), 100, &mut len)
    });
    assert_eq!((bytes, len), ([7; 100], 7));
}

#[test]
fn ids_that_would_be_written_into_the_store_itself() {
    let handle = store(4, 2);
    let (mut address, mut len, mut count) = (null(), 0, 77);
    ok(unsafe { clawft_snapshot_view(handle, &mut address, &mut len) });
    let inside = address.cast::<u64>().cast_mut();
    refused(handle, S::OutOfRange, &["out"], |h| unsafe {
        clawft_ids(h, inside.wrapping_add(8), 2, &mut count)
    });
    assert_eq!(count, 77);
}

#[test]
fn results_that_would_be_written_into_rows_still_to_be_read() {
    let handle = store(10, 5);
    let (mut ids, mut distances, mut counts) = ([7u64; 4], [7f32; 4], [7u32; 2]);
    let places = (ids.as_mut_ptr(), distances.as_mut_ptr(), counts.as_mut_ptr());
    let mut rows: Vec<f32> = (0..2).flat_map(|id| vector(id, 8)).collect();
    let row = rows.as_mut_ptr();
    let mut allowed = [0, 4];
    let filtered = ClawftQuery { filter_ids: allowed.as_ptr(), filter_len: 2, ..query(2) };
    for (ids, distances, counts) in [
        (row.wrapping_add(8).cast(), places.1, places.2),
        (places.0, row.wrapping_add(15), places.2),
        (places.0, places.1, row.wrapping_add(15).cast()),
        (allowed.as_mut_ptr(), places.1, places.2),
    ] {
        refused(handle, S::OutOfRange, &["out_"], |h| unsafe {
            clawft_search_batch(h, row, 2, 8, &filtered, ids, distances, counts)
        });
    }
    let asked = [1u64, 2, 3, 4];
    refused(handle, S::OutOfRange, &["out"], |h| unsafe {
        clawft_get_batch(h, asked.as_ptr(), 4, asked.as_ptr().cast_mut().cast(), 8)
    });
    assert_eq!((ids, distances, counts), ([7; 4], [7.0; 4], [7; 2]));
    assert_eq!((allowed, asked), ([0, 4], [1, 2, 3, 4]));

    // Behind the last row, and over the only one, they may be.
    rows.extend([0.0; 4]);
    let row = rows.as_mut_ptr();
    ok(unsafe {
        let behind = row.add(16);
        clawft_search_batch(handle, row, 2, 8, &query(2), places.0, behind, places.2)
    });
    assert_eq!((ids[0], ids[2]), (0, 1));
    ok(unsafe { clawft_search(handle, row, 8, &query(2), places.0, row, places.2) });
    assert_eq!(ids[0], 0);
    assert!(rows[0].abs() < 0.01 && rows[1] > 0.01, "{rows:?}");
}

#[test]
fn a_block_that_was_never_lent() {
    let block = clawft_alloc(100);
    assert!(!block.is_null() && block.addr().is_multiple_of(64));
    for wrong in [block.wrapping_byte_add(64), block.wrapping_byte_sub(64), 64 as *mut _] {
        assert_eq!(clawft_free(wrong), S::NotAllocated as i32);
        let mut handle = 7;
        assert_eq!(unsafe { clawft_adopt(wrong, &mut handle) }, S::NotAllocated as i32);
        assert_eq!(handle, 7);
    }
    ok(clawft_free(block));
    assert_eq!(clawft_free(block), S::NotAllocated as i32, "given back twice");
    ok(clawft_free(std::ptr::null_mut()));
}
