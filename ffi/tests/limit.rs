//! Memory that grows up to a limit. One test, because a process has one limit.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "pointers lead to live locals of the length that is passed, unless a test says otherwise"
)]

mod support;

use clawft::ClawftStatus as S;
use clawft::*;
use support::*;

#[test]
fn growth_stops_at_the_limit_and_all_comes_back() {
    let init = |limit| unsafe { clawft_init_memory(std::ptr::null_mut(), limit) };
    // In `clawft_memory_stats` a limit of 0 is none.
    assert_eq!(init(0), S::LimitTooSmall as i32);
    assert_eq!(sentence(), "size: expected 1 bytes or more, found 0");
    ok(init(1 << 20));
    assert_eq!(memory().limit, 1 << 20);
    let mut blocks = Vec::new();
    loop {
        let block = clawft_alloc(100_000);
        if block.is_null() {
            break;
        }
        blocks.push(block);
    }
    assert!(sentence().contains("100000"), "{}", sentence());
    assert_eq!(blocks.len(), 10, "ten of these and their headers fit into 1 MiB");
    let full = memory();
    assert!(full.claimed <= 1 << 20 && full.overhead < 1024);
    let mut handle = 7;
    let params = params(32, 100_000);
    assert_eq!(unsafe { clawft_create(&params, &mut handle) }, S::OutOfMemory as i32);
    assert_eq!((handle, memory()), (7, full));
    for block in blocks {
        ok(clawft_free(block));
    }
    assert_eq!(memory().claimed, 0);
}
