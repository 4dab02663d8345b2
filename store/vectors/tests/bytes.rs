//! The image's bytes: the same on every machine and in every build, and never trusted.

mod store_of_bytes;

use clawft_vectors::tier_policy::{Policy, Tier};
use clawft_vectors::tiers::Limits;
use clawft_vectors::{Encoding, Error, Hit, Image, Kernels, Metric, Mode, Params, SearchOptions};
use proptest::prelude::*;
use store_of_bytes::{Buffer, Random, Store, row};

/// FNV-1a, so that a whole image fits into an assertion.
fn digest(bytes: &[u8], from: u64) -> u64 {
    bytes.iter().fold(from, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// Vectors of an image, and room for some more.
const COUNT: u64 = if cfg!(miri) { 15 } else { 290 };

fn params(dim: u32, metric: Metric, encoding: Encoding) -> Params {
    Params { metric, encoding, ef_construction: 40, ..Params::new(dim, COUNT as u32 + 10) }
}

/// Inserts past the points where the centres are renewed, removals and upserts.
fn worked(params: &Params, kernels: Kernels) -> Store {
    let mut store = Store::new(params);
    store.image.set_kernels(kernels);
    let mut random = Random(9);
    for id in 0..COUNT {
        store.insert(id, &row(params.dim, &mut random)).unwrap();
    }
    for id in (0..COUNT).step_by(7) {
        store.remove(id).unwrap();
        store.upsert(id + 1, &row(params.dim, &mut random)).unwrap();
    }
    store.image.mark(2, true).unwrap();
    // Where there are tiers: some of the records in each, and a vector that comes back.
    let policy = Policy { residency_down: 0, slack: 0, ..Policy::default() };
    let limits = Limits { records: 70, bytes: u64::MAX };
    for day in [0, 0, 0, 0, 0, 1, 1, 2, 2, 3] {
        let now = (20_000 + day) * 86_400_000;
        store.image.tick(&policy, now, limits, &mut [], &mut store.scratch.get()).unwrap();
    }
    let vector = row(params.dim, &mut random);
    store.image.restore(2, &vector, Tier::Cool, 1 << 41, &mut store.scratch.get()).unwrap();
    store.image.seal();
    store
}

/// One constant for scalar, AVX2, AVX-512, 32 bits and each WebAssembly build.
#[test]
#[cfg_attr(miri, ignore = "compares machines; the other tests do the same work")]
fn the_same_calls_give_the_same_bytes() {
    for kernels in Kernels::available() {
        let (mut all, mut results) = (0xCBF2_9CE4_8422_2325, 0xCBF2_9CE4_8422_2325);
        for dim in [24, 200] {
            for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
                for encoding in [Encoding::F32, Encoding::F16, Encoding::I8] {
                    let mut store = worked(&params(dim, metric, encoding), kernels);
                    all = digest(store.image.bytes(), all);
                    results = searched(&mut store, results);
                }
                let tiered = Params { hot: Some(100), ..params(dim, metric, Encoding::I8) };
                let mut store = worked(&tiered, kernels);
                all = digest(store.image.bytes(), all);
                results = searched(&mut store, results);
            }
        }
        assert_eq!((all, results), (DIGEST, RESULTS), "{}", kernels.name());
    }
}
const DIGEST: u64 = 7_513_038_036_500_256_565;
const RESULTS: u64 = 12_445_465_045_435_653_870;

/// Goes on from a digest with what every kind of search gives. More match than a walk scans at once.
fn searched(store: &mut Store, mut all: u64) -> u64 {
    let (dim, mut random) = (store.image.params().dim, Random(10));
    let ids: Vec<u64> = (0..COUNT).filter(|id| id % 4 != 0).collect();
    for _ in 0..5 {
        let query = row(dim, &mut random);
        for mode in [Mode::Walk, Mode::Scan, Mode::Exact] {
            for filter in [None, Some(&*ids)] {
                let options = SearchOptions { ef: 20, mode, filter, ..SearchOptions::new(10) };
                for hit in store.find(&query, &options).unwrap() {
                    all = digest(&hit.id.to_le_bytes(), all);
                    all = digest(&hit.distance.to_bits().to_le_bytes(), all);
                }
            }
        }
    }
    all
}

#[test]
fn a_snapshot_opens_elsewhere_and_finds_the_same() {
    let (dim, hot) = if cfg!(miri) { (24, 5) } else { (200, 90) };
    let params = Params { hot: Some(hot), ..params(dim, Metric::Cosine, Encoding::I8) };
    let mut store = worked(&params, Kernels::detect());
    let mut other = Store::over(Image::open(Buffer::copy(store.image.bytes())).unwrap());
    let mut random = Random(77);
    for mode in [Mode::Walk, Mode::Scan, Mode::Exact] {
        let query = row(dim, &mut random);
        assert_eq!(store.search(&query, 10, mode), other.search(&query, 10, mode));
    }
    // And both go on in the same way.
    let vector = row(dim, &mut random);
    store.insert(1000, &vector).unwrap();
    other.insert(1000, &vector).unwrap();
    assert_eq!(store.image.bytes(), other.image.bytes());
}

/// Its header has 0 where inserts are counted now; one that was made up may have any number there.
#[test]
#[cfg_attr(miri, ignore = "hundreds of inserts")]
fn an_image_that_did_not_count_inserts_goes_on() {
    let params = Params { ef_construction: 40, ..Params::new(130, 300) };
    let mut store = Store::new(&params);
    let mut random = Random(3);
    for id in 0..100 {
        store.insert(id, &row(130, &mut random)).unwrap();
    }
    // The first look was at 64 vectors; the next one comes after 64 inserts, or at once.
    for (count, inserts) in [(0, 65), (u32::MAX, 1)] {
        let mut bytes = store.image.bytes().to_vec();
        assert_eq!((bytes[36], bytes[108]), (64, 36));
        bytes[108..112].copy_from_slice(&count.to_le_bytes());
        store_of_bytes::seal(&mut bytes);
        let mut other = Store::over(Image::open(Buffer::copy(&bytes)).unwrap());
        for id in 0..inserts {
            assert_eq!(other.image.bytes()[36], 64);
            other.insert(1000 + id, &row(130, &mut random)).unwrap();
        }
        assert_eq!(u64::from(other.image.bytes()[36]), 99 + inserts);
    }
}

#[test]
fn refusals_say_why() {
    let params = params(24, Metric::L2, Encoding::F32);
    let mut store = worked(&params, Kernels::detect());
    let bytes = store.image.bytes().to_vec();
    let open = |bytes: &[u8]| Image::open(Buffer::copy(bytes)).map(|_| ()).unwrap_err();
    assert!(matches!(open(&bytes[..100]), Error::TooShort { .. }));
    assert!(matches!(open(&bytes[..bytes.len() - 1]), Error::TooShort { .. }));
    assert!(matches!(open(&bytes[1..]), Error::Corrupt(_)));
    let mut other = bytes.clone();
    other[4] = 77;
    assert_eq!(open(&other), Error::Version(77));
    for at in [8, 40, 300, bytes.len() / 2, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[at] ^= 0x10;
        assert!(matches!(open(&other), Error::Corrupt(_)), "byte {at}");
    }
    store.remove(1).unwrap();
    assert!(matches!(open(store.image.bytes()), Error::Corrupt(_)), "not sealed any more");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 200 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage under a seal that fits: what `open` lets pass can be worked on without a panic.
    #[test]
    fn sealed_damage_is_refused_or_harmless(flips in 1usize..4, seed: u64) {
        let hot = (seed % 2 == 0).then_some(10);
        let params = Params { hot, ef_construction: 16, m: 4, ..Params::new(130, 40) };
        let mut store = Store::new(&params);
        let mut random = Random(5);
        let count = if cfg!(miri) { 6 } else { 30 };
        for id in 0..count {
            store.insert(id, &row(130, &mut random)).unwrap();
        }
        let mut random = Random(seed);
        let mut bytes = store.image.bytes().to_vec();
        for _ in 0..flips {
            let at = random.below(bytes.len());
            // The header's parameters decide how large an image this claims to be.
            if !(4..40).contains(&at) && !(96..100).contains(&at) {
                bytes[at] ^= 1 << random.below(8);
            }
        }
        store_of_bytes::seal(&mut bytes);
        work_on(&bytes, count);
    }
}

/// Opens the bytes and, where that is let pass, calls everything; gives whether it was.
fn work_on(bytes: &[u8], ids: u64) -> bool {
    let Ok(image) = Image::open(Buffer::copy(bytes)) else { return false };
    let mut store = Store::over(image);
    let query = row(130, &mut Random(6));
    for mode in [Mode::Walk, Mode::Scan, Mode::Exact] {
        store.search(&query, 10, mode);
    }
    for id in 0..ids {
        let _ = store.remove(id);
        let _ = store.insert(id, &query);
        let limits = Limits { records: 7, bytes: 9999 };
        let now = id * 86_400_000 * 1000;
        let _ =
            store.image.tick(&Policy::default(), now, limits, &mut [], &mut store.scratch.get());
        let _ = store.image.restore(id, &query, Tier::Warm, now, &mut store.scratch.get());
    }
    let mut hits = [Hit::default(); 5];
    let options = SearchOptions { filter: Some(&[1, 2, 3]), ..SearchOptions::new(5) };
    let _ = store.image.search(&query, &options, &mut store.scratch.get(), &mut hits);
    true
}

/// Every word of a small image in turn made a large number, whose place in a table is past what 32
/// bits count.
#[test]
#[cfg_attr(miri, ignore = "hundreds of images; WebAssembly, which has 32 bits too, opens them all")]
fn large_numbers_anywhere_are_refused_or_harmless() {
    for hot in [None, Some(2)] {
        let mut store = Store::new(&Params { hot, m: 4, ..Params::new(130, 4) });
        for id in 0..3 {
            store.insert(id, &row(130, &mut Random(id))).unwrap();
        }
        let image = store.image.bytes().to_vec();
        let (mut passed, mut refused) = (0, 0);
        for at in (40..image.len()).step_by(4) {
            for bit in [7, 0] {
                let mut bytes = image.clone();
                bytes[at + 3] ^= 1 << bit;
                store_of_bytes::seal(&mut bytes);
                match work_on(&bytes, 3) {
                    true => passed += 1,
                    false => refused += 1,
                }
            }
        }
        assert!(passed > 0 && refused > 100, "{passed}, {refused}");
    }
}
