//! What a host's block held is gone when it is freed. One test, because a process has one region.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

mod support;

use clawft_ffi_store::kernel::{clawft_alloc, clawft_free, clawft_init_memory};
use std::alloc::{Layout, alloc_zeroed};
use support::ok;

const SIZE: usize = 1 << 20;
const SECRET: &[u8] = b"The key is under the third pot.";

#[test]
fn a_block_that_was_freed_is_cleared() {
    let region = unsafe { alloc_zeroed(Layout::from_size_align(SIZE, 64).unwrap()) };
    assert!(!region.is_null());
    ok(unsafe { clawft_init_memory(region.cast(), SIZE) });
    // A copy, as the arena writes there too.
    let holds = || {
        let mut bytes = vec![0; SIZE];
        unsafe { region.copy_to(bytes.as_mut_ptr(), SIZE) };
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    };
    let block = clawft_alloc(4096).cast::<u8>();
    assert!(!block.is_null());
    for at in [0, 1000, 4096 - SECRET.len()] {
        unsafe { block.add(at).copy_from(SECRET.as_ptr(), SECRET.len()) };
    }
    assert!(holds());
    ok(clawft_free(block.cast()));
    assert!(!holds());
}
