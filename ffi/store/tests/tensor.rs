//! Tensors through the C ABI: frames over time, and what can be wrong with them.
#![allow(clippy::undocumented_unsafe_blocks, reason = "pointers lead to live locals")]

mod support;

use clawft_ffi_store::kernel::ClawftStatus as S;
use clawft_ffi_store::{ClawftMemoryStatus as M, *};
use std::ptr::null;
use support::{ok, refused};

const DIM: usize = 130;

/// Slowly changing, with a jump in the middle.
fn frame(at: u32) -> Vec<f32> {
    let size = if at < 30 { 1.0 } else { 9.0 };
    (0..DIM).map(|i| size * (i as f32 + at as f32 * 0.01).sin()).collect()
}

fn params(bits: u32) -> ClawftTensorParams {
    let mut params = std::mem::MaybeUninit::uninit();
    ok(unsafe { clawft_tensor_params_init(params.as_mut_ptr(), DIM as u32) });
    ClawftTensorParams { bits, ..unsafe { params.assume_init() } }
}

fn create(params: &ClawftTensorParams) -> Result<u32, i32> {
    let mut handle = 77;
    match unsafe { clawft_tensor_create(params, &mut handle) } {
        0 => Ok(handle),
        code => {
            assert_eq!(handle, 77);
            Err(code)
        }
    }
}

fn append(handle: u32, frame: &[f32]) -> Result<u32, i32> {
    let mut number = u32::MAX;
    match unsafe { clawft_tensor_append(handle, frame.as_ptr(), frame.len() as u32, &mut number) } {
        0 => Ok(number),
        code => {
            assert_eq!(number, u32::MAX);
            Err(code)
        }
    }
}

fn get(handle: u32, number: u32) -> Vec<f32> {
    let mut out = vec![0.0; DIM];
    ok(unsafe { clawft_tensor_get(handle, number, out.as_mut_ptr(), DIM as u32) });
    out
}

fn stats(handle: u32) -> ClawftTensorStats {
    let mut stats = ClawftTensorStats::default();
    ok(unsafe { clawft_tensor_stats(handle, &mut stats) });
    stats
}

fn bytes(handle: u32) -> Vec<u8> {
    let (mut out, mut len) = (vec![0u8; stats(handle).bytes as usize], 0);
    ok(unsafe { clawft_tensor_bytes(handle, out.as_mut_ptr().cast(), out.len(), &mut len) });
    assert_eq!(len, out.len());
    out
}

fn open(bytes: &[u8]) -> Result<u32, i32> {
    let mut handle = 77;
    match unsafe { clawft_tensor_open(bytes.as_ptr().cast(), bytes.len(), &mut handle) } {
        0 => Ok(handle),
        code => {
            assert_eq!(handle, 77);
            Err(code)
        }
    }
}

/// Frames `from` to `to` are as they were appended, within their bounds.
fn holds(handle: u32, to: u32) {
    for number in 0..to {
        let mut bound = 0.0;
        ok(unsafe { clawft_tensor_error_bound(handle, number, &mut bound) });
        let apart: f32 =
            frame(number).iter().zip(get(handle, number)).map(|(a, b)| (a - b) * (a - b)).sum();
        assert!(apart.sqrt() <= bound, "{number}: {apart} {bound}");
    }
}

#[test]
fn frames_grow_and_are_read_kept_and_opened() {
    for bits in [3, 5, 7, 8] {
        let handle = create(&params(bits)).unwrap();
        for number in 0..100 {
            assert_eq!(append(handle, &frame(number)), Ok(number));
        }
        holds(handle, 100);
        let kept = bytes(handle);
        let stats = stats(handle);
        assert_eq!((stats.frames, stats.bits, stats.dim), (100, bits, DIM as u32));
        assert!(stats.segments >= 2, "the jump begins a segment");
        assert!(kept.len() < 100 * DIM * 4 * bits as usize / 20, "{}", kept.len());
        // It goes on after its bytes were taken, and so does a copy, from any address.
        let mut shifted = vec![0u8];
        shifted.extend(&kept);
        let copy = open(&shifted[1..]).unwrap();
        for handle in [handle, copy] {
            assert_eq!(append(handle, &frame(100)), Ok(100));
            holds(handle, 101);
        }
        assert_eq!(bytes(handle), bytes(copy));
        ok(clawft_tensor_close(handle));
        ok(clawft_tensor_close(copy));
    }
}

#[test]
fn a_limit_holds() {
    let handle = create(&ClawftTensorParams { limit: 4000, ..params(8) }).unwrap();
    let mut frames = 0;
    let code = loop {
        match append(handle, &frame(0)) {
            Ok(_) => frames += 1,
            Err(code) => break code,
        }
    };
    refused(code, S::Full as i32, &["4000"]);
    assert!(frames > 10 && stats(handle).bytes <= 4000);
    for number in 0..frames {
        assert_eq!(get(handle, number), get(handle, 0));
    }
    ok(clawft_tensor_close(handle));
    let tiny = create(&ClawftTensorParams { limit: 100, ..params(8) }).unwrap_err();
    refused(tiny, S::Full as i32, &["100"]);
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let handle = create(&params(7)).unwrap();
    append(handle, &frame(0)).unwrap();
    let before = bytes(handle);
    refused(append(handle, &[0.0; 3]).unwrap_err(), S::WrongDimension as i32, &["130", "3"]);
    let mut bad = frame(1);
    bad[9] = f32::NAN;
    refused(append(handle, &bad).unwrap_err(), S::NotFinite as i32, &["9"]);
    let mut number = 0;
    let code = unsafe { clawft_tensor_append(handle, null(), DIM as u32, &mut number) };
    refused(code, S::NullPointer as i32, &["frame"]);
    let mut out = [7.0; DIM];
    let code = unsafe { clawft_tensor_get(handle, 1, out.as_mut_ptr(), DIM as u32) };
    refused(code, M::NoFrame as i32, &["1"]);
    // A wrong one is refused before there is room for as much.
    for dim in [4, 131, u32::MAX] {
        let code = unsafe { clawft_tensor_get(handle, 0, out.as_mut_ptr(), dim) };
        refused(code, S::WrongDimension as i32, &["130"]);
    }
    assert_eq!(out, [7.0; DIM]);
    let mut len = 77;
    let code = unsafe { clawft_tensor_bytes(handle, out.as_mut_ptr().cast(), 10, &mut len) };
    refused(code, S::OutputTooSmall as i32, &["10"]);
    assert_eq!(len, 77);
    assert_eq!(bytes(handle), before);

    for (code, wrong) in [
        (S::StructSize, ClawftTensorParams { size: 3, ..params(8) }),
        (S::UnknownChoice, params(4)),
        (S::UnknownChoice, params(u32::MAX)),
        (S::WrongDimension, ClawftTensorParams { dim: 0, ..params(8) }),
        (S::WrongDimension, ClawftTensorParams { dim: (1 << 20) + 1, ..params(8) }),
    ] {
        refused(create(&wrong).unwrap_err(), code as i32, &[]);
    }
    for (headroom, coarse) in [(0.5, 2.0), (2.0, 1.5), (f32::NAN, 2.0), (1.0, f32::INFINITY)] {
        let wrong = ClawftTensorParams { headroom, coarse, ..params(8) };
        refused(create(&wrong).unwrap_err(), M::BadDrift as i32, &["headroom"]);
    }
    for cut in 0..before.len() {
        refused(open(&before[..cut]).unwrap_err(), S::Corrupt as i32, &[]);
    }
    ok(clawft_tensor_close(handle));
    refused(append(handle, &frame(0)).unwrap_err(), S::BadHandle as i32, &["handle"]);
    refused(clawft_commit(handle, 0), S::BadHandle as i32, &["handle"]);
}
