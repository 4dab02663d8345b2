//! What the tests of the C ABI share: calls that must succeed, vectors, the sentence.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses its part of this"
)]

mod vector;

use clawft::*;
use std::ffi::c_char;
use std::ptr;
pub use vector::vector;

/// The sentence of the last error.
pub fn sentence() -> String {
    let mut text = vec![0u8; 256];
    let len = unsafe { clawft_last_error(text.as_mut_ptr().cast::<c_char>(), text.len()) };
    assert_eq!(text[len], 0, "the sentence ends in a zero byte");
    String::from_utf8(text[..len].to_vec()).unwrap()
}

pub fn ok(code: i32) {
    assert!(code >= 0, "{code}: {}", sentence());
}

pub fn params(dim: u32, capacity: u32) -> ClawftParams {
    let mut params = ClawftParams {
        size: 0,
        dim: 0,
        capacity: 0,
        metric: 9,
        encoding: 9,
        m: 9,
        ef_construction: 9,
        scan_limit: 9,
        seed: 9,
    };
    ok(unsafe { clawft_params_init(&mut params, dim, capacity) });
    params
}

pub fn create(params: &ClawftParams) -> u32 {
    let mut handle = 0;
    ok(unsafe { clawft_create(params, &mut handle) });
    handle
}

pub fn insert(handle: u32, id: u64, vector: &[f32]) -> i32 {
    unsafe { clawft_insert(handle, id, vector.as_ptr(), vector.len() as u32) }
}

pub fn query(k: u32) -> ClawftQuery {
    let mut query =
        ClawftQuery { size: 0, k: 0, ef: 9, mode: 9, filter_ids: ptr::null(), filter_len: 9 };
    ok(unsafe { clawft_query_init(&mut query, k) });
    query
}

/// The code, and what was found.
pub fn try_search(handle: u32, vector: &[f32], query: &ClawftQuery) -> (i32, Vec<(u64, f32)>) {
    let room = query.k.min(10_000) as usize;
    let (mut ids, mut distances, mut count) = (vec![0; room], vec![0.0; room], 0u32);
    let dim = vector.len() as u32;
    let (to_ids, to_distances) = (ids.as_mut_ptr(), distances.as_mut_ptr());
    let code = unsafe {
        clawft_search(handle, vector.as_ptr(), dim, query, to_ids, to_distances, &mut count)
    };
    let found = ids.into_iter().zip(distances).take(count as usize).collect();
    (code, found)
}

pub fn search(handle: u32, vector: &[f32], query: &ClawftQuery) -> Vec<(u64, f32)> {
    let (code, found) = try_search(handle, vector, query);
    ok(code);
    found
}

pub fn ids_of(found: &[(u64, f32)]) -> Vec<u64> {
    found.iter().map(|&(id, _)| id).collect()
}

/// The bytes of a snapshot: equal bytes, equal stores.
pub fn snapshot(handle: u32) -> Vec<u8> {
    let mut len = 0u64;
    ok(unsafe { clawft_snapshot_bytes(handle, &mut len) });
    let mut bytes = vec![0u8; len as usize];
    let mut written = 0;
    ok(unsafe { clawft_snapshot(handle, bytes.as_mut_ptr().cast(), bytes.len(), &mut written) });
    assert_eq!(written, bytes.len());
    bytes
}

pub fn open(bytes: &[u8]) -> Result<u32, i32> {
    let mut handle = 0;
    match unsafe { clawft_open(bytes.as_ptr().cast(), bytes.len(), &mut handle) } {
        0 => Ok(handle),
        code => Err(code),
    }
}

pub fn stats(handle: u32) -> ClawftStats {
    let mut stats = ClawftStats::default();
    ok(unsafe { clawft_stats(handle, &mut stats) });
    stats
}

pub fn report(handle: u32) -> ClawftReport {
    let mut report = ClawftReport::default();
    ok(unsafe { clawft_verify(handle, &mut report) });
    report
}

pub fn memory() -> ClawftMemory {
    let mut memory = ClawftMemory::default();
    ok(unsafe { clawft_memory_stats(&mut memory) });
    memory
}
