//! Handles: dead ones are refused by every function, numbers are not reused,
//! places are.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use std::collections::BTreeSet;
use std::ptr::null_mut;
use support::*;

/// Every function that takes a handle, with arguments that are sound otherwise.
fn every_call(handle: u32) -> Vec<(&'static str, i32)> {
    let v = vector(1, 8);
    let rows = v.as_ptr();
    let (mut ids, mut floats) = ([0u64; 16], [0f32; 16]);
    let (i, f) = (ids.as_mut_ptr(), floats.as_mut_ptr());
    let (mut n32, mut n64, mut len) = (0u32, 0u64, 0usize);
    let (mut stats, mut report) = (ClawftStats::default(), ClawftReport::default());
    let mut address = std::ptr::null();
    let mut bytes = vec![0u8; 1 << 20];
    let q = query(2);
    let one = [1u64];
    unsafe {
        vec![
            ("insert", clawft_insert(handle, 1, rows, 8)),
            ("upsert", clawft_upsert(handle, 1, rows, 8)),
            ("insert_batch", clawft_insert_batch(handle, [2u64].as_ptr(), rows, 1, 8, &mut n32)),
            ("upsert_batch", clawft_upsert_batch(handle, one.as_ptr(), rows, 1, 8, &mut n32)),
            ("contains", clawft_contains(handle, 1)),
            ("get", clawft_get(handle, 1, f, 8)),
            ("get_batch", clawft_get_batch(handle, one.as_ptr(), 1, f, 8)),
            ("mark_deleted", clawft_mark_deleted(handle, 1)),
            ("unmark_deleted", clawft_unmark_deleted(handle, 1)),
            ("set_replace_deleted", clawft_set_replace_deleted(handle, 0)),
            ("search", clawft_search(handle, rows, 8, &q, i, f, &mut n32)),
            ("search_batch", clawft_search_batch(handle, rows, 1, 8, &q, i, f, &mut n32)),
            ("search_range", clawft_search_range(handle, rows, 8, 1.0, &q, i, f, &mut n32)),
            ("set_ef", clawft_set_ef(handle, 50)),
            ("set_scan_limit", clawft_set_scan_limit(handle, 0)),
            ("resize", clawft_resize(handle, 20)),
            ("stats", clawft_stats(handle, &mut stats)),
            ("verify", clawft_verify(handle, &mut report)),
            ("ids", clawft_ids(handle, i, 16, &mut n32)),
            ("snapshot_bytes", clawft_snapshot_bytes(handle, &mut n64)),
            ("snapshot", clawft_snapshot(handle, bytes.as_mut_ptr().cast(), bytes.len(), &mut len)),
            ("snapshot_view", clawft_snapshot_view(handle, &mut address, &mut len)),
            ("remove", clawft_remove(handle, 1)),
            ("destroy", clawft_destroy(handle)),
        ]
    }
}

#[test]
fn a_dead_or_invented_handle_is_refused_everywhere() {
    let handle = create(&params(8, 10));
    for (name, code) in every_call(handle) {
        assert!(code >= 0, "{name}: {}", sentence());
    }
    for dead in [handle, 0, 1, u32::MAX, handle ^ 0xFF, handle + 0x200] {
        for (name, code) in every_call(dead) {
            assert_eq!(code, S::BadHandle as i32, "{name} of {dead}");
            assert!(sentence().contains(&dead.to_string()), "{name}: {}", sentence());
        }
    }
    // The place is used again, under another number; the old one stays dead.
    let again = create(&params(8, 10));
    assert_ne!(again, handle);
    assert_eq!(clawft_contains(handle, 1), S::BadHandle as i32);
    assert_eq!(clawft_contains(again, 1), 0);
    ok(clawft_destroy(again));

    numbers_are_never_reused();
    places_run_out_and_come_back();
}

fn numbers_are_never_reused() {
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let handle = create(&params(2, 1));
        assert!(seen.insert(handle));
        ok(clawft_destroy(handle));
    }
}

fn places_run_out_and_come_back() {
    let mut handles = Vec::new();
    let mut last = 0;
    let code = loop {
        match unsafe { clawft_create(&params(2, 1), &mut last) } {
            0 => handles.push(last),
            code => break code,
        }
    };
    assert_eq!((code, handles.len()), (S::TooManyStores as i32, 64));
    assert!(sentence().contains("64"));
    assert_eq!(last, handles[63], "nothing was written");
    ok(clawft_destroy(handles.swap_remove(10)));
    handles.push(create(&params(2, 1)));
    for handle in handles {
        ok(clawft_destroy(handle));
    }
    assert_eq!(memory().blocks, 0, "all memory came back");
    assert_eq!(clawft_free(null_mut()), 0);
}
