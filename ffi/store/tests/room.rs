//! Handles under a cap: where the memory for one is missing, the call says so. In a process of its own,
//! whose allocator refuses whatever goes beyond the cap.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

#[path = "../../../store/tests/support/capped.rs"]
mod capped;
mod support;

use std::sync::atomic::Ordering::Relaxed;

use capped::{CAP, IN_USE};
use clawft_ffi_store::*;
use support::*;

#[test]
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
