//! One flipped bit in a record: all others are read and found, and the damage is named.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

mod support;

use clawft_ffi_store::{ClawftMemoryStatus as M, *};
use std::ptr::null_mut;
use support::*;

#[test]
fn a_damaged_text_is_named() {
    let disk = Disk::default();
    ok(clawft_memory_close(filled(&disk), 0));
    let mut hurt = disk.bytes("memory.rvf");
    let at = hurt.windows(9).position(|nine| nine == b"number 7,").unwrap();
    hurt[at] ^= 1;
    disk.set("memory.rvf", hurt);
    // With what is derived beside it, and without: then it is built anew, and the damage met.
    for anew in [false, true] {
        if anew {
            disk.files().named.remove("memory.rvf.image").unwrap();
            let handle = try_open(&disk, &options(CLAWFT_READ_ONLY)).unwrap();
            refused(clawft_memory_damage(handle, 0), M::Damaged as i32, &["text"]);
            ok(clawft_memory_close(handle, 0));
        }
        let handle = try_open(&disk, &options(CLAWFT_SALVAGE)).unwrap();
        let mut len = 0;
        let code = unsafe { clawft_record_string(handle, 7, 0, null_mut(), 0, &mut len) };
        refused(code, M::Damaged as i32, &["text"]);
        assert_eq!(string(handle, 8, 0), "record number 8, committed");
        assert_eq!(clawft_memory_damage(handle, 0) == M::Damaged as i32, anew);
        refused(clawft_memory_verify(handle), M::Damaged as i32, &[]);
        assert_eq!(clawft_memory_damage(handle, 999), 0);
        for id in 0..20 {
            let v = vector(id);
            let near = ClawftRecall { vector: v.as_ptr(), dim: DIM as u32, ..recall(1) };
            assert_eq!(found(handle, &near)[0].id, id);
        }
        let words = ClawftRecall { text: text("committed"), ..recall(50) };
        assert_eq!(found(handle, &words).len(), if anew { 19 } else { 20 });
        ok(clawft_memory_close(handle, 0));
    }
}

#[test]
fn a_record_whose_vector_is_damaged_is_not_found_and_can_be_taken_out() {
    let disk = Disk::default();
    ok(clawft_memory_close(filled(&disk), 0));
    let mut hurt = disk.bytes("memory.rvf");
    let bytes: Vec<u8> = vector(7).iter().flat_map(|x| x.to_le_bytes()).collect();
    let at = hurt.windows(bytes.len()).position(|window| window == bytes).unwrap();
    hurt[at] ^= 1;
    disk.set("memory.rvf", hurt);
    disk.files().named.remove("memory.rvf.image").unwrap();
    let handle = try_open(&disk, &options(CLAWFT_SALVAGE)).unwrap();
    assert_eq!(string(handle, 7, 0), "record number 7, committed");
    let mut fields = ClawftFields::default();
    ok(unsafe { clawft_record_fields(handle, 7, &mut fields) });
    assert_eq!((fields.tier, fields.lossy), (3, 1));
    refused(clawft_memory_damage(handle, 0), M::Damaged as i32, &["vector"]);
    let words = ClawftRecall { text: text("committed"), ..recall(50) };
    assert_eq!(found(handle, &words).len(), 19);
    ok(clawft_memory_close(handle, 0));
    // Whoever writes hears of it as well, and can take it out.
    for damages in [1, 0] {
        let handle = try_open(&disk, &options(0)).unwrap();
        assert_eq!(report(handle).damages, damages);
        if damages == 1 {
            refused(clawft_memory_damage(handle, 0), M::Damaged as i32, &["vector"]);
            ok(clawft_forget(handle, 7));
            ok(clawft_commit(handle, 0));
            ok(clawft_compact(handle, 0));
        }
        ok(clawft_memory_verify(handle));
        ok(clawft_memory_close(handle, 0));
    }
}
