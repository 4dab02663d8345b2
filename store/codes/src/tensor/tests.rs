//! Frames beside a list of them; damaged bytes.

use super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

fn error(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

/// A wave that moves a little from frame to frame.
fn wave(dim: usize, frame: u32) -> Vec<f32> {
    (0..dim).map(|i| (i as f32 * 0.7 + frame as f32 * 0.01).sin() * (1.0 + i as f32)).collect()
}

fn frame<B: AsRef<[u8]>>(tensor: &Tensor<B>, frame: u32) -> Vec<f32> {
    let mut out = vec![0.0; tensor.dim()];
    tensor.get(frame, &mut out).unwrap();
    out
}

#[test]
fn slow_frames_share_their_scales() {
    let bytes = vec![0; 100_000];
    let mut tensor = Tensor::create(bytes, 100, Width::Seven, Drift::default()).unwrap();
    for i in 0..200 {
        assert_eq!(tensor.push(&wave(100, i)), Ok(i));
    }
    assert!(tensor.segments() <= 2, "{} segments", tensor.segments());
    assert_eq!(tensor.used(), tensor_bytes(Width::Seven, 100, 200, tensor.segments()));
    tensor.push(&[1e6; 100]).unwrap();
    tensor.push(&[1.0; 100]).unwrap();
    assert_eq!(tensor.segment_of(201), Ok(tensor.segments() - 1));
    assert_eq!(tensor.segment_of(200), Ok(tensor.segments() - 2), "a jump up, a fall down");
}

#[test]
fn frames_of_zeros_between_others() {
    let mut tensor = Tensor::create(vec![0; 4096], 3, Width::Three, Drift::default()).unwrap();
    for v in [[0.0; 3], [0.0; 3], [1.0, -2.0, 3.0], [0.0; 3], [1e-31; 3]] {
        tensor.push(&v).unwrap();
    }
    assert_eq!(tensor.segments(), 3);
    for i in [0, 1, 3, 4] {
        assert_eq!(frame(&tensor, i), [0.0; 3]);
    }
    assert!(tensor.error_bound(2).unwrap() < 1.3);
}

/// Whatever was taken in is a tensor when it is opened again: a scale is the largest power of two
/// below, and the smallest of them is one too.
#[test]
fn the_smallest_frames_are_opened_again() {
    for exponent in [-98, -99, -100, -101, -140] {
        for times in [1.0, 1.5, 1.999] {
            let most = times * 2f64.powi(exponent);
            let v = [most as f32, -0.3 * most as f32, 0.0];
            let mut tensor =
                Tensor::create(vec![0; 4096], 3, Width::Seven, Drift::default()).unwrap();
            tensor.push(&v).unwrap();
            let bound = tensor.error_bound(0).unwrap();
            let again =
                Tensor::open(tensor.bytes()).unwrap_or_else(|e| panic!("2^{exponent}: {e:?}"));
            let error = frame(&again, 0).iter().zip(&v).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            assert!(error.sqrt() <= bound, "2^{exponent}: {error} above {bound}");
        }
    }
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let create = |len, dim, drift| Tensor::create(vec![0; len], dim, Width::Five, drift).err();
    let drift = Drift::default();
    assert_eq!(create(63, 4, drift), Some(TensorError::Full { needed: 64, capacity: 63 }));
    for dim in [0, MAX_FRAME + 1] {
        assert!(matches!(create(64, dim, drift), Some(TensorError::Dimension { .. })));
    }
    for (headroom, coarse) in [(0.9, 2.0), (1.5, 1.5), (f32::NAN, 2.0), (1.0, f32::INFINITY)] {
        assert_eq!(create(64, 4, Drift { headroom, coarse }), Some(TensorError::Drift));
    }

    let mut tensor = Tensor::create(vec![0; 64 + 10 + 40], 4, Width::Five, drift).unwrap();
    assert_eq!(tensor.get(0, &mut [0.0; 4]), Err(TensorError::NoFrame { frames: 0 }));
    tensor.push(&[1.0; 4]).unwrap();
    let before = tensor.bytes.clone();
    let full = TensorError::Full { needed: 64 + 10 + 80, capacity: 114 };
    assert_eq!(tensor.push(&[1.0; 4]), Err(full));
    assert_eq!(tensor.push(&[1.0; 3]), Err(TensorError::Dimension { expected: 4, found: 3 }));
    for x in [f32::NAN, f32::INFINITY, -2.0 * LARGEST] {
        assert_eq!(tensor.push(&[1.0, x, x, 1.0]), Err(TensorError::NotFinite { index: 1 }));
    }
    assert_eq!(tensor.get(0, &mut [0.0; 5]), Err(TensorError::Dimension { expected: 4, found: 5 }));
    assert_eq!(tensor.error_bound(1), Err(TensorError::NoFrame { frames: 1 }));
    assert!(tensor.fit(113).is_err() && tensor.fit(115).is_err());
    assert_eq!(tensor.bytes, before);
}

proptest! {
    #![proptest_config(crate::cases(400, 4))]

    #[test]
    fn every_frame_holds_its_bound(
        dim in 1usize..150,
        width in 0usize..4,
        moves in proptest::collection::vec((-1.0f32..1.0, -20i32..4, any::<u32>()), 1..40),
        power in -80i32..80,
        headroom in 1.0f32..3.0,
        more in 1.01f32..2.0,
    ) {
        let width = Width::ALL[width];
        let drift = Drift { headroom, coarse: headroom * more };
        let mut tensor = Tensor::create(vec![0; 1 << 18], dim, width, drift).unwrap();
        let mut state = vec![2f32.powi(power); dim];
        let mut frames = Vec::new();
        for (step, size, seed) in moves {
            for (i, x) in state.iter_mut().enumerate() {
                let noise = (seed.wrapping_mul(i as u32 | 1) % 256) as f32 / 256.0;
                *x += step * noise * 2f32.powi(power + size);
            }
            prop_assert_eq!(tensor.push(&state), Ok(frames.len() as u32));
            frames.push(state.clone());
        }
        // Moved together, opened, and moved apart again: the same.
        let used = tensor.used();
        tensor.fit(used).unwrap();
        let mut short = tensor.bytes.clone();
        short.truncate(used as usize);
        let short = Tensor::open(short).unwrap();
        let mut long = short.bytes.clone();
        long.resize(used as usize + 999, 0);
        let mut long = Tensor::open(long).unwrap();
        long.fit(used + 999).unwrap();
        prop_assert_eq!((short.len(), short.segments()), (long.len(), long.segments()));
        for (i, v) in frames.iter().enumerate().rev() {
            let got = frame(&short, i as u32);
            let bound = short.error_bound(i as u32).unwrap();
            prop_assert!(error(v, &got) <= f64::from(bound), "frame {i}");
            // Beside a code of its own.
            let own = v.chunks(GROUP).map(|g| (arith::max_abs(g) / width.most() as f32).powi(2) * g.len() as f32);
            let own = 0.5 * own.sum::<f32>().sqrt();
            prop_assert!(
                bound <= own * drift.coarse * 1.01 || own * own < 1e-30 || own * own > 1e30,
                "{bound} > {} * {own}", drift.coarse
            );
            prop_assert_eq!(frame(&long, i as u32), got);
        }
        let last = frames.last().unwrap();
        prop_assert_eq!(long.push(last), Ok(frames.len() as u32));
    }

    #[test]
    fn damaged_bytes_are_refused_or_serve(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut tensor = Tensor::create(vec![0; 1200], 70, Width::Three, Drift::default()).unwrap();
        for i in 0..12 {
            tensor.push(&wave(70, i * 30)).unwrap();
        }
        let mut bytes = tensor.bytes;
        let cut_off = bytes[..cut.index(bytes.len())].to_vec();
        prop_assert!(Tensor::open(cut_off).is_err());
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] ^= value;
        }
        if let Ok(mut tensor) = Tensor::open(bytes) {
            for i in 0..tensor.len().min(100) {
                let mut out = vec![0.0; tensor.dim()];
                tensor.get(i, &mut out).unwrap();
                let _ = tensor.error_bound(i);
            }
            let _ = tensor.push(&vec![1.0; tensor.dim()]);
            let _ = tensor.fit(tensor.used());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_serve(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Tensor::open(bytes.clone());
        if bytes.len() > 40 {
            bytes[..8].copy_from_slice(&MAGIC);
            bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
            let _ = Tensor::open(bytes);
        }
    }
}
