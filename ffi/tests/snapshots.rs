//! Save and load: a whole snapshot comes back as the same store, a damaged or cut
//! one is refused, and nothing is lost on the way.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use support::*;

fn sample(dim: u32) -> u32 {
    let handle = create(&ClawftParams { encoding: 2, ..params(dim, 60) });
    for id in 0..50 {
        ok(insert(handle, 1000 + id, &vector(id, dim as usize)));
    }
    ok(clawft_remove(handle, 1007));
    ok(clawft_mark_deleted(handle, 1008));
    handle
}

/// One test at a time: they count the blocks of memory that all of them share.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What is written hangs on what was stored, and not on what was asked for in between.
#[test]
fn searches_change_nothing_that_is_written_later() {
    let _alone = alone();
    let of = |searches: bool| {
        let store = create(&params(8, 3000));
        for id in 0..3000 {
            // Many copies of few points: ties.
            ok(insert(store, id, &vector(id % 20, 8)));
            if searches && id == 1500 {
                search(store, &vector(3, 8), &ClawftQuery { ef: 1000, ..query(900) });
            }
        }
        snapshot(store)
    };
    assert!(of(false) == of(true));
}

#[test]
fn what_was_saved_comes_back() {
    let _alone = alone();
    for dim in [5, 200] {
        let store = sample(dim);
        let bytes = snapshot(store);
        // At any address: the bytes of a host need no alignment.
        let mut shifted = vec![0; bytes.len() + 1];
        shifted[1..].copy_from_slice(&bytes);
        let copy = open(&shifted[1..]).unwrap();
        assert!(snapshot(copy) == bytes);
        assert_eq!(ClawftStats { ef: 0, ..stats(copy) }, ClawftStats { ef: 0, ..stats(store) });
        for probe in 0..20 {
            let v = vector(probe, dim as usize);
            assert_eq!(search(copy, &v, &query(10)), search(store, &v, &query(10)));
        }
        // Both go on, on their own.
        ok(insert(copy, 1, &vector(90, dim as usize)));
        assert_eq!(clawft_contains(store, 1), 0);
        assert!(snapshot(store) == bytes);
        ok(clawft_destroy(store));
        ok(clawft_destroy(copy));
    }
}

#[test]
fn a_cut_snapshot_is_refused_at_every_length() {
    let _alone = alone();
    let store = sample(5);
    let bytes = snapshot(store);
    for len in (0..512).chain((512..bytes.len()).step_by(61)) {
        let code = open(&bytes[..len]).unwrap_err();
        assert!([S::TooShort as i32, S::Corrupt as i32].contains(&code), "{len}: {code}");
        assert!(!sentence().is_empty());
    }
    assert!(open(&bytes).is_ok());
}

#[test]
fn a_damaged_snapshot_is_refused_whichever_byte_it_is() {
    let _alone = alone();
    let store = sample(5);
    let bytes = snapshot(store);
    let blocks = memory().blocks;
    let mut damaged = bytes.clone();
    for at in (0..512).chain((512..bytes.len()).step_by(37)) {
        damaged[at] ^= 1 << (at % 8);
        let code = open(&damaged).unwrap_err();
        let expected = [S::Corrupt, S::WrongVersion, S::TooShort].map(|status| status as i32);
        assert!(expected.contains(&code), "byte {at}: {code}");
        damaged[at] = bytes[at];
    }
    assert_eq!(memory().blocks, blocks, "a refused snapshot keeps no memory");
    assert!(open(&damaged).is_ok());
}

#[test]
fn an_unsealed_copy_is_refused() {
    let _alone = alone();
    let store = sample(5);
    let (mut address, mut len) = (std::ptr::null(), 0);
    ok(unsafe { clawft_snapshot_view(store, &mut address, &mut len) });
    // Changed after it was sealed: no snapshot any more.
    ok(clawft_mark_deleted(store, 1001));
    let copy = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), len) }.to_vec();
    assert_eq!(open(&copy), Err(S::Corrupt as i32));
}

#[test]
fn a_block_becomes_a_store_without_a_copy() {
    let _alone = alone();
    let store = sample(200);
    let bytes = snapshot(store);
    let block = clawft_alloc(bytes.len() + 100);
    let target = unsafe { std::slice::from_raw_parts_mut(block.cast::<u8>(), bytes.len()) };
    target.copy_from_slice(&bytes);
    // Damaged: refused, and the block is still the caller's.
    target[300] ^= 1;
    let mut handle = 7;
    assert_eq!(unsafe { clawft_adopt(block, &mut handle) }, S::Corrupt as i32);
    assert_eq!(handle, 7);
    target[300] ^= 1;
    // The handle would be written over what becomes the store.
    for at in [0, bytes.len() - 4] {
        let inside = unsafe { block.cast::<u8>().add(at) }.cast();
        assert_eq!(unsafe { clawft_adopt(block, inside) }, S::OutOfRange as i32);
    }
    assert_eq!(target, bytes);
    ok(unsafe { clawft_adopt(block, &mut handle) });
    assert_eq!(clawft_free(block), S::NotAllocated as i32, "it is the store's now");
    let (mut address, mut len) = (std::ptr::null(), 0);
    ok(unsafe { clawft_snapshot_view(handle, &mut address, &mut len) });
    assert_eq!((address, len), (block.cast_const(), bytes.len()));
    let v = vector(3, 200);
    assert_eq!(search(handle, &v, &query(10)), search(store, &v, &query(10)));
    ok(clawft_destroy(handle));
    ok(clawft_destroy(store));
}
