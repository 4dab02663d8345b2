//! Memory in one region that the host gave: what the allocator takes of it, and
//! what happens when it is used up. One test, because a process has one region.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use std::alloc::{Layout, alloc_zeroed};
use support::*;

const INSERTS: u64 = 10_000;
const DIM: u32 = 64;

#[test]
fn a_region_holds_everything_and_the_allocator_takes_less_than_a_kibibyte() {
    let params = params(DIM, INSERTS as u32);
    let mut needed = 0;
    ok(unsafe { clawft_required_bytes(&params, &mut needed) });
    // Room for one store, its scratch, and little more.
    let size = needed as usize + 64 * 1024;
    let region = unsafe { alloc_zeroed(Layout::from_size_align(size, 16).unwrap()) };
    assert!(!region.is_null());

    // Too small a region, or one past the end of memory, is refused and changes nothing.
    let init = |base: *mut u8, size| unsafe { clawft_init_memory(base.cast(), size) };
    assert_eq!(init(region, 100), S::RegionTooSmall as i32);
    assert!(sentence().contains("100"));
    assert_eq!(init(region, usize::MAX), S::OutOfRange as i32);
    ok(init(region, size));
    assert_eq!(init(region, size), S::MemoryInUse as i32);

    let store = create(&params);
    let created = memory();
    assert_eq!((created.limit, created.blocks), (size as u64, 2));
    for id in 0..INSERTS {
        ok(insert(store, id, &vector(id, DIM as usize)));
    }
    let full = memory();
    assert_eq!(full, created, "inserting allocates nothing");
    assert_eq!(full.overhead, full.claimed - full.asked - full.free);
    println!("allocator overhead after {INSERTS} inserts: {} bytes", full.overhead);
    assert!(full.overhead < 1024, "{} bytes of overhead", full.overhead);
    assert!(full.claimed <= size as u64 && full.claimed + 64 > size as u64);
    let (start, end) = (region as u64, region as u64 + size as u64);
    let (mut address, mut len) = (std::ptr::null(), 0);
    ok(unsafe { clawft_snapshot_view(store, &mut address, &mut len) });
    assert!(start <= address.addr() as u64 && address.addr() as u64 + len as u64 <= end);
    assert_eq!((len as u64, address.addr() % 64), (needed, 0));

    // No room for a second store, for a copy, for a larger buffer, or for the
    // scratch of a huge query: the error, and everything as it was.
    let before = snapshot(store);
    let mut other = 7;
    assert_eq!(unsafe { clawft_create(&params, &mut other) }, S::OutOfMemory as i32);
    assert!(sentence().contains(&needed.to_string()), "{}", sentence());
    assert_eq!(open(&before), Err(S::OutOfMemory as i32));
    assert_eq!(clawft_resize(store, 2 * INSERTS as u32), S::OutOfMemory as i32);
    assert!(clawft_alloc(needed as usize).is_null());
    let huge = ClawftQuery { ef: u32::MAX, ..query(10) };
    let (code, found) = try_search(store, &vector(5, DIM as usize), &huge);
    assert_eq!((code, found.len()), (S::OutOfMemory as i32, 0));
    assert_eq!(other, 7);
    assert_eq!(memory(), full);
    assert!(snapshot(store) == before);
    // A query of the usual size still has its scratch, and a larger one may grow it.
    let found = search(store, &vector(5, DIM as usize), &query(10));
    assert_eq!((found[0].0, found.len()), (5, 10));
    let found = search(store, &vector(5, DIM as usize), &ClawftQuery { ef: 400, ..query(200) });
    assert_eq!((found[0].0, found.len()), (5, 200));
    let grown = memory();
    assert!(grown.asked > full.asked && grown.overhead < 1024);

    // Everything comes back, and the region serves again.
    ok(clawft_destroy(store));
    let empty = memory();
    assert_eq!((empty.asked, empty.blocks), (0, 0));
    for round in 0..50 {
        let block = clawft_alloc(needed as usize / 50 * (round + 1));
        assert!(!block.is_null(), "round {round}");
        ok(clawft_free(block));
    }
    assert_eq!(memory(), empty);
    let again = create(&params);
    ok(insert(again, 1, &vector(1, DIM as usize)));
    ok(clawft_destroy(again));
}
