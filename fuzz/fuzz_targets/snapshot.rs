//! Opening arbitrary bytes, and valid snapshots with some bytes changed: refused
//! or sound, never a panic. What opens must serve every call without one.
#![no_main]

mod common;

use arbitrary::Arbitrary;
use clawft_vectors::{Hit, Image, Mode, SearchOptions};
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh64::xxh64;

#[derive(Arbitrary, Debug)]
enum Case {
    /// Any bytes.
    Raw(Vec<u8>),
    /// A snapshot with bytes changed.
    Changed {
        kind: u8,
        capacity: u8,
        seeds: Vec<u16>,
        changes: Vec<(u32, u8)>,
        /// The checksum is made right again: the checks behind it are on their own.
        resealed: bool,
        cut: Option<u32>,
    },
}

/// XXH64 of all bytes but the eight of the seal at 40: as the format says.
fn reseal(bytes: &mut [u8]) {
    if bytes.len() >= 48 {
        let seal = xxh64(&bytes[48..], xxh64(&bytes[..40], 0)).max(1);
        bytes[40..48].copy_from_slice(&seal.to_le_bytes());
    }
}

fuzz_target!(|case: Case| {
    let bytes = match case {
        Case::Raw(bytes) => bytes,
        Case::Changed { kind, capacity, seeds, changes, resealed, cut } => {
            let params = common::params(kind, capacity % 40);
            let mut image = common::create(&params);
            let layout = *image.layout();
            common::with_scratch(&layout, params.capacity, |scratch| {
                for (id, &seed) in seeds.iter().take(params.capacity as usize).enumerate() {
                    let vector = common::vector(seed, params.dim);
                    image.insert(id as u64 * 7, &vector, scratch).expect("there is room");
                }
            });
            image.seal();
            let mut bytes = image.bytes().to_vec();
            for (at, value) in changes.iter().take(8) {
                let len = bytes.len();
                bytes[*at as usize % len] ^= value;
            }
            if resealed {
                reseal(&mut bytes);
            }
            if let Some(cut) = cut {
                bytes.truncate(cut as usize % (bytes.len() + 1));
            }
            bytes
        }
    };
    let mut buffer = common::Buffer::new(bytes.len());
    buffer.copy_from_slice(&bytes);
    let _ = Image::<&[u8]>::snapshot_bytes(&bytes);
    let Ok(mut image) = Image::open(buffer) else { return };
    let (layout, dim, capacity) = (*image.layout(), image.params().dim, image.capacity());
    if capacity > 10_000 {
        return; // sound, and slow
    }
    common::with_scratch(&layout, capacity, |scratch| {
        let ids: Vec<u64> = image.ids().collect();
        let mut hits = vec![Hit::default(); capacity as usize];
        for mode in [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact] {
            let options = SearchOptions {
                ef: 30,
                mode,
                filter: Some(&ids),
                ..SearchOptions::new(10.min(capacity as usize))
            };
            let options = SearchOptions { ef: options.ef.min(capacity as usize), ..options };
            let _ = image.search(&common::vector(3, dim), &options, scratch, &mut hits);
            let all = SearchOptions { filter: None, ..options };
            let _ = image.search(&common::vector(3, dim), &all, scratch, &mut hits);
        }
        let _ = image.verify(scratch);
        for (i, &id) in ids.iter().enumerate() {
            let _ = image.get(id, &mut vec![0.0; dim as usize], scratch);
            let _ = image.mark(id, i % 2 == 0);
            if i % 3 == 0 {
                let _ = image.remove(id, scratch);
            }
        }
        for id in 0..20 {
            let _ = image.insert(1 << 40 | id, &common::vector(id as u16, dim), scratch);
        }
        let _ = image.verify(scratch);
    });
});
