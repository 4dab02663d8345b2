//! Handles under a cap: where the memory for one is missing, the call says so, and what must work
//! without any does. In a process of its own, whose allocator refuses whatever goes beyond the cap: so
//! one test.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

#[path = "../../../store/tests/support/capped.rs"]
mod capped;
mod support;

use std::sync::atomic::Ordering::Relaxed;

use capped::{CAP, IN_USE};
use clawft_ffi_store::*;
use support::*;

#[test]
fn handles_where_memory_ends() {
    a_tensor_without_room_for_its_handle_is_refused();
    changes_are_dropped_without_memory();
}

fn changes_are_dropped_without_memory() {
    let disk = Disk::default();
    let memory = filled(&disk);
    // Of a change that is pending what is derived is made anew, which asks; of none it is all there.
    CAP.store(IN_USE.load(Relaxed), Relaxed);
    let code = clawft_rollback(memory);
    CAP.store(usize::MAX, Relaxed);
    ok(code);
    ok(remember(memory, 77, "what comes after"));
    ok(clawft_rollback(memory));
    assert_eq!(clawft_record_contains(memory, 77), 0);
    ok(clawft_memory_close(memory, 0));
}

fn a_tensor_without_room_for_its_handle_is_refused() {
    let mut params = std::mem::MaybeUninit::uninit();
    ok(unsafe { clawft_tensor_params_init(params.as_mut_ptr(), 8) });
    let params = unsafe { params.assume_init() };
    let mut seen = [0, 0];
    for room in (0..4000).step_by(8) {
        let mut handle = 77;
        CAP.store(IN_USE.load(Relaxed) + room, Relaxed);
        let code = unsafe { clawft_tensor_create(&params, &mut handle) };
        CAP.store(usize::MAX, Relaxed);
        seen[usize::from(code == 0)] += 1;
        if code == 0 {
            ok(clawft_tensor_close(handle));
        } else {
            refused(code, ClawftMemoryStatus::NoMemory as i32, &["memory"]);
            assert_eq!(handle, 77);
        }
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
}
