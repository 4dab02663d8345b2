//! Several threads: searches of one store at a time, writers beside them, stores
//! that come and go.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use support::*;

#[test]
fn readers_run_beside_readers_and_a_writer() {
    let store = create(&params(16, 2000));
    for id in 0..500 {
        ok(insert(store, id, &vector(id, 16)));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..4u64 {
            let done = &done;
            scope.spawn(move || {
                let mut rounds = 0;
                while rounds < 200 || !done.load(Ordering::Relaxed) {
                    // What was there before the writer began is always found.
                    let id = (reader * 97 + rounds * 13) % 500;
                    let k = 1 + (rounds % 40) as u32;
                    let query = ClawftQuery { mode: 1, ef: 100 + k, ..query(k) };
                    let found = search(store, &vector(id, 16), &query);
                    assert_eq!((found[0].0, found.len()), (id, k as usize));
                    rounds += 1;
                }
            });
        }
        let writer = scope.spawn(|| {
            for id in 500..1500 {
                ok(insert(store, id, &vector(id, 16)));
                if id % 3 == 0 {
                    ok(clawft_remove(store, id));
                }
            }
        });
        // Other stores do not disturb this one.
        for _ in 0..50 {
            let other = create(&params(4, 20));
            ok(insert(other, 1, &vector(1, 4)));
            ok(clawft_destroy(other));
        }
        writer.join().unwrap();
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!((report(store).unreachable, report(store).broken), (0, 0));
    ok(clawft_destroy(store));
    assert_eq!(memory().blocks, 0, "all scratch came back");
}

#[test]
fn each_thread_has_its_own_last_error() {
    assert_eq!(clawft_contains(0xABCD, 1), ClawftStatus::BadHandle as i32);
    thread::spawn(|| assert_eq!(sentence(), "")).join().unwrap();
    assert!(sentence().contains(&0xABCD.to_string()));
}
