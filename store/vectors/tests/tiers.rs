//! Tiers in the image: what a colder code loses and what it must not, and the work of a tick.

mod store_of_bytes;

use std::collections::BTreeMap;

use clawft_vectors::tier_policy::{Policy, Tier, Use};
use clawft_vectors::tiers::{Limits, Work};
use clawft_vectors::{Encoding, Error, Image, Metric, Mode, Params, required_bytes};
use proptest::prelude::*;
use store_of_bytes::{Buffer, Random, Store, row};

const ALL: Limits = Limits { records: u32::MAX, bytes: u64::MAX };
const HOUR: u64 = 3_600_000;
/// Half a century after 1970.
const NOW: u64 = 50 * 365 * 24 * HOUR;
/// What a code of each tier loses at most of a vector's length, seen on random vectors.
const LOST: [f32; 4] = [0.012, 0.024, 0.09, 0.3];

fn params(dim: u32, capacity: u32, hot: u32) -> Params {
    Params {
        hot: Some(hot),
        encoding: Encoding::I8,
        ef_construction: 40,
        ..Params::new(dim, capacity)
    }
}

/// A policy that wants every record in `tier`, at once.
fn all_in(tier: Tier) -> Policy {
    let mut thresholds = [u32::MAX; 3];
    thresholds[tier as usize..].fill(0);
    let at_once = Policy { residency_down: 0, residency_up: 0, slack: 0, ..Policy::default() };
    Policy { thresholds, ..at_once }
}

fn tick(store: &mut Store, policy: &Policy, now: u64) -> (Work, Vec<(u64, Tier)>) {
    let mut wanting = vec![(0, Tier::Cold); 1000];
    let work = store
        .image
        .tick(policy, now, ALL, &mut wanting, &mut store.scratch.get())
        .expect("the scratch is this image's");
    wanting.truncate(work.wanting);
    (work, wanting)
}

fn restore(store: &mut Store, id: u64, vector: &[f32], tier: Tier) -> Result<(), Error> {
    store.image.restore(id, vector, tier, NOW, &mut store.scratch.get())
}

/// What is lost of `vector`, as a part of its length.
fn lost(vector: &[f32], found: &[f32]) -> f32 {
    let length = |v: &mut dyn Iterator<Item = f32>| v.map(|x| x * x).sum::<f32>().sqrt();
    length(&mut vector.iter().zip(found).map(|(a, b)| a - b)) / length(&mut vector.iter().copied())
}

/// A store of `count` rows, all of them in their time.
fn filled(params: &Params, count: u64) -> (Store, Vec<Vec<f32>>) {
    let (mut store, mut random) = (Store::new(params), Random(3));
    let rows: Vec<Vec<f32>> = (0..count).map(|_| row(params.dim, &mut random)).collect();
    for (id, row) in (0..).zip(&rows) {
        store.insert(id, row).unwrap();
    }
    assert_eq!(tick(&mut store, &Policy::default(), NOW).0.moved, 0, "their time begins");
    (store, rows)
}

fn opens(store: &mut Store) -> Store {
    store.image.seal();
    Store::over(Image::open(Buffer::copy(store.image.bytes())).expect("a sound image"))
}

#[test]
fn each_tier_loses_no_more_than_it_may_and_a_vector_brings_it_back() {
    let count = if cfg!(miri) { 6 } else { 90 };
    let all = count as u32;
    for dim in [64, 200] {
        let metric = Metric::L2;
        let (mut store, rows) = filled(&Params { metric, ..params(dim, all, all) }, count);
        for tier in [Tier::Warm, Tier::Cool, Tier::Cold] {
            assert_eq!(tick(&mut store, &all_in(tier), NOW).0.moved, all);
            for (id, row) in (0..).zip(&rows) {
                assert_eq!(store.image.tier(id), Ok(tier));
                assert!(store.image.is_lossy(id).unwrap());
                let lost = lost(row, &store.get(id).unwrap());
                assert!(lost < LOST[tier as usize], "{dim} {tier:?}: {lost}");
                assert!(lost > LOST[tier as usize - 1] / 4.0, "{dim} {tier:?}: only {lost}");
            }
            assert!(store.image.verify(&mut store.scratch.get()).unwrap().is_sound());
        }
        // The policy wants them hot, but what is lost is lost.
        let (work, wanting) = tick(&mut store, &all_in(Tier::Hot), NOW);
        assert_eq!((work.moved, wanting.len()), (0, count as usize));
        assert!(store.image.is_lossy(5).unwrap());
        for (id, tier) in wanting {
            assert_eq!(tier, Tier::Hot);
            restore(&mut store, id, &rows[id as usize], tier).unwrap();
            assert!(!store.image.is_lossy(id).unwrap());
            assert!(lost(&rows[id as usize], &store.get(id).unwrap()) < LOST[0]);
        }
        assert_eq!(store.image.tier_counts(), [all, 0, 0, 0]);
        opens(&mut store);
    }
}

#[test]
fn mixed_tiers_are_searched_as_one() {
    let (count, hot) = if cfg!(miri) { (10, 3) } else { (300, 80) };
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        for dim in [64, if cfg!(miri) { 65 } else { 200 }] {
            let (mut store, rows) =
                filled(&Params { metric, ..params(dim, count, hot) }, count.into());
            for tier in [Tier::Warm, Tier::Cool, Tier::Cold] {
                let limits = Limits { records: count / 10, ..ALL };
                let mut scratch = store.scratch.get();
                store.image.tick(&all_in(tier), NOW, limits, &mut [], &mut scratch).unwrap();
            }
            let counts = store.image.tier_counts();
            assert!(counts.iter().all(|&some| some >= count.div_ceil(30)), "{counts:?}");
            // The nearest to a stored vector is itself, but by inner product a longer one may be.
            if metric != Metric::InnerProduct {
                for mode in [Mode::Walk, Mode::Scan, Mode::Exact] {
                    let found = |id: &u64| store.search(&rows[*id as usize], 1, mode)[0].id == *id;
                    let found = (0..count.into()).filter(found).count() as u32;
                    assert!(found >= count - count / 100, "{metric:?} {dim} {mode:?}: {found}");
                }
            }
            // Distances are those of the vectors, cold or hot, up to what their codes lose.
            for query in rows.iter().step_by(37) {
                for hit in store.search(query, count as usize, Mode::Exact) {
                    let vector = &rows[hit.id as usize];
                    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let product: f32 = dot(query, vector);
                    let (a, b): (f32, f32) = (dot(query, query), dot(vector, vector));
                    let expected = match metric {
                        Metric::Cosine => 1.0 - product / (a * b).sqrt(),
                        Metric::InnerProduct => 1.0 - product,
                        Metric::L2 => a + b - 2.0 * product,
                    };
                    let scale = if metric == Metric::Cosine { 1.0 } else { (a * b).sqrt() };
                    // A squared distance has the product twice.
                    let times = if metric == Metric::L2 { 2.0 } else { 1.0 };
                    let off = (hit.distance - expected).abs() / (scale * times);
                    let tier = store.image.tier(hit.id).unwrap();
                    // Most of what is lost lies across a query.
                    let most = LOST[tier as usize] / 2.0;
                    assert!(
                        off < most,
                        "{metric:?} {dim} {tier:?}: {} for {expected}",
                        hit.distance
                    );
                }
            }
        }
    }
}

#[test]
fn what_moves_leaves_nothing_behind() {
    let mut store = Store::new(&params(256, 100, 100));
    let vector = row(256, &mut Random(1));
    store.insert(1, &vector).unwrap();
    // Of the first one, which is the centre, a code says nothing, until one comes that lies elsewhere.
    store.insert(2, &vector.iter().map(|x| -x).collect::<Vec<f32>>()).unwrap();
    store.remove(2).unwrap();
    tick(&mut store, &all_in(Tier::Hot), NOW);
    for tier in [Tier::Warm, Tier::Cool, Tier::Cold, Tier::Hot] {
        let pool = |store: &Store| {
            let bytes = store.image.bytes();
            bytes[bytes.len() - store.image.stats().pool_bytes as usize..].to_vec()
        };
        // Windows are long enough that none of a code recurs in another.
        let before = pool(&store);
        let pieces: Vec<&[u8]> =
            before.chunks(10).filter(|piece| piece.iter().all(|&b| b != 0)).collect();
        assert!(pieces.len() >= 5);
        if tier == Tier::Hot {
            restore(&mut store, 1, &vector, tier).unwrap();
        } else {
            assert_eq!(tick(&mut store, &all_in(tier), NOW).0.moved, 1);
        }
        let after = pool(&store);
        assert!(after.windows(10).all(|window| !pieces.contains(&window)), "to {tier:?}");
    }
}

#[test]
fn a_tick_does_no_more_than_it_may_and_comes_round() {
    // One more than can be divided by three.
    let count = if cfg!(miri) { 10 } else { 100 };
    let (mut store, _) = filled(&params(200, count, count), count.into());
    let limits = Limits { records: 7, bytes: u64::MAX };
    let mut scratch = store.scratch.get();
    let mut moved = 0;
    for _ in 0..count.div_ceil(7) {
        let work =
            store.image.tick(&all_in(Tier::Warm), NOW, limits, &mut [], &mut scratch).unwrap();
        assert!(work.looked <= 7 && work.moved <= 7);
        moved += work.moved;
    }
    assert_eq!(moved, count);
    // 256 components of five bits, four scales of two bytes, a factor.
    let limits = Limits { records: u32::MAX, bytes: 3 * 170 + 169 };
    for _ in 0..count / 3 {
        let work =
            store.image.tick(&all_in(Tier::Cool), NOW, limits, &mut [], &mut scratch).unwrap();
        assert_eq!((work.moved, work.bytes), (3, 3 * 170));
    }
    let nothing = Limits { bytes: 0, ..limits };
    let work = store.image.tick(&all_in(Tier::Cool), NOW, nothing, &mut [], &mut scratch).unwrap();
    assert_eq!((work.moved, store.image.tier_counts()), (0, [0, 1, count - 1, 0]));
}

#[test]
fn capacity_holds_whatever_is_hot() {
    let count: u32 = if cfg!(miri) { 6 } else { 300 };
    for hot in [0, count.div_ceil(30), count / 2, count] {
        let (mut store, rows) = filled(&params(200, count, hot), count.into());
        let counts = store.image.tier_counts();
        assert_eq!(counts.iter().sum::<u32>(), count);
        assert!(counts[0] >= hot, "{counts:?} for {hot}");
        let full = Error::Full { len: count, capacity: count };
        assert_eq!(store.insert(count.into(), &rows[0]), Err(full));
        opens(&mut store);
        // Of few vectors, a page has room for one more that is hot.
        if hot == 0 && !cfg!(miri) {
            let before = store.image.bytes().to_vec();
            let last = rows.len() - 1;
            assert_eq!(restore(&mut store, last as u64, &rows[last], Tier::Hot), Err(full));
            assert!(store.image.bytes() == before);
        }
        // Through holes that removals leave, too.
        let mut random = Random(8);
        for id in count.into()..3 * u64::from(count) {
            let mut gone = random.below(count as usize) as u64;
            while !store.image.contains(gone) {
                gone = random.below(id as usize) as u64;
            }
            store.remove(gone).unwrap();
            store.insert(id, &row(200, &mut random)).unwrap();
        }
        opens(&mut store);
    }
}

#[test]
fn snapshots_and_larger_images_keep_tiers_and_uses() {
    let (count, hot) = if cfg!(miri) { (12, 5) } else { (200, 80) };
    let (mut store, rows) = filled(&params(200, count, hot), count.into());
    store.image.touch(&[3, 4, 1000], NOW + HOUR);
    store.image.touch(&[4], NOW);
    let known = Use { count: 1, last: NOW, importance: 200, pinned: true, since: NOW };
    store.image.set_use(9, &known).unwrap();
    let notes = store.image.use_of(4).unwrap();
    assert_eq!((notes.count, notes.last), (3, (NOW + HOUR) >> 10 << 10));
    let bytes = required_bytes(&params(200, 2 * count, hot)).unwrap();
    let grown = Store::over(store.image.grow_into(2 * count, Buffer::new(bytes)).unwrap());
    let opened = opens(&mut store);
    for mut other in [grown, opened] {
        assert_eq!(store.image.tier_counts(), other.image.tier_counts());
        for (id, row) in (0..).zip(&rows) {
            assert_eq!(store.image.tier(id), other.image.tier(id));
            assert_eq!(store.image.use_of(id), other.image.use_of(id));
            assert_eq!(store.get(id), other.get(id));
            assert_eq!(store.search(row, 5, Mode::Walk), other.search(row, 5, Mode::Walk));
        }
        assert!(other.image.use_of(9).unwrap().pinned);
        opens(&mut other);
    }
}

/// A clock that was wrong, and is put right.
#[test]
fn time_that_lies_ahead_holds_no_record() {
    let (mut store, _) = filled(&params(64, 4, 4), 4);
    let ahead = Use { count: 9, last: 2 * NOW, importance: 0, pinned: false, since: NOW };
    store.image.touch(&[0], 2 * NOW);
    store.image.set_use(1, &ahead).unwrap();
    store.image.set_use(2, &Use { last: NOW, since: 2 * NOW, ..ahead }).unwrap();
    assert_eq!(tick(&mut store, &Policy::default(), NOW).0.begun, 3);
    for id in 0..3 {
        let known = store.image.use_of(id).unwrap();
        assert!(known.last <= NOW && known.since <= NOW, "{known:?}");
    }
    let (work, _) = tick(&mut store, &Policy::default(), NOW + 30 * 24 * HOUR);
    assert_eq!((work.begun, work.moved), (0, 4));
    assert_eq!(store.image.tier_counts(), [0, 0, 0, 4]);
}

#[test]
fn an_image_without_tiers_has_none() {
    let mut store = Store::new(&Params { hot: None, ..params(200, 20, 0) });
    let vector = row(200, &mut Random(1));
    store.insert(1, &vector).unwrap();
    store.image.set_arrival(Tier::Cold);
    store.insert(2, &vector).unwrap();
    store.image.seal();
    let before = store.image.bytes().to_vec();
    store.image.touch(&[1], NOW);
    let (work, _) = tick(&mut store, &all_in(Tier::Cold), NOW);
    assert_eq!((work, store.image.tier_counts()), (Work::default(), [2, 0, 0, 0]));
    assert!(store.image.bytes() == before);
    let floats = Params { encoding: Encoding::F32, ..params(200, 20, 5) };
    assert_eq!(required_bytes(&floats), Err(Error::Params));
}

/// Records used at steady rates, a tick every half hour for a month, and all that deserve it
/// brought back: they settle.
#[test]
#[cfg_attr(miri, ignore = "a month of ticks; the other tests make the same calls")]
fn steady_use_moves_little_and_idleness_ends_cold() {
    let (mut store, rows) = filled(&params(200, 12, 12), 12);
    let policy = Policy::default();
    let (mut moves, mut restores) = (0, 0);
    for half_hours in 1..=2 * 24 * 30 {
        let now = NOW + half_hours * HOUR / 2;
        for id in 0..11 {
            // Every half hour, every hour, ... every 512 hours.
            if half_hours % (1 << id) == 0 {
                store.image.touch(&[id], now);
            }
        }
        let (work, wanting) = tick(&mut store, &policy, now);
        moves += work.moved;
        for (id, tier) in wanting {
            store
                .image
                .restore(id, &rows[id as usize], tier, now, &mut store.scratch.get())
                .unwrap();
            restores += 1;
        }
        // What has just moved stays.
        let (work, wanting) = tick(&mut store, &policy, now);
        assert_eq!((work.moved, wanting.len()), (0, 0), "after {half_hours} half hours");
    }
    assert!(moves <= 12 * 12 && restores <= 12 * 6, "{moves} down, {restores} up");
    for id in 0..5 {
        assert_eq!(store.image.tier(id), Ok(Tier::Hot));
    }
    assert_eq!(store.image.tier(11), Ok(Tier::Cold));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 40 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any calls: the ids are the model's, vectors come back within what their tier loses, and
    /// every section of the image stays sound.
    #[test]
    fn an_image_of_tiers_holds_what_the_model_holds(
        ops in prop::collection::vec((0u64..60, 0u8..9, 0usize..4), 1..if cfg!(miri) { 20 } else { 200 }),
        metric in prop::sample::select(vec![Metric::InnerProduct, Metric::L2]),
        dim in prop::sample::select(vec![64u32, 130]),
        hot in 0u32..60, seed: u64,
    ) {
        let mut store = Store::new(&Params { metric, ..params(dim, 50, hot) });
        let mut model: BTreeMap<u64, Vec<f32>> = BTreeMap::new();
        let mut random = Random(seed);
        for (id, op, tier) in ops {
            let (vector, tier) = (row(dim, &mut random), Tier::ALL[tier]);
            let (fits, known) = (model.len() < 50, model.contains_key(&id));
            match op {
                0 => {
                    prop_assert_eq!(store.remove(id).is_ok(), model.remove(&id).is_some());
                }
                1 => {
                    store.image.touch(&[id], NOW);
                    tick(&mut store, &all_in(tier), NOW);
                }
                2 if known => {
                    let done = restore(&mut store, id, &model[&id], tier);
                    let fits = done.is_ok() && store.image.tier(id) == Ok(tier);
                    let full = Error::Full { len: model.len() as u32, capacity: 50 };
                    prop_assert!(fits || done == Err(full), "{:?}", done);
                }
                3 => store.image.set_arrival(tier),
                4 => {
                    let done = store.upsert(id, &vector);
                    prop_assert_eq!(done.is_ok(), fits || known);
                    if done.is_ok() {
                        model.insert(id, vector);
                    }
                }
                _ => {
                    let done = store.insert(id, &vector);
                    prop_assert_eq!(done.is_ok(), fits && !known);
                    if done.is_ok() {
                        model.insert(id, vector);
                    }
                }
            }
        }
        prop_assert!(store.image.verify(&mut store.scratch.get()).unwrap().is_sound());
        prop_assert_eq!(store.image.tier_counts().iter().sum::<u32>() as usize, model.len());
        let mut store = opens(&mut store);
        for (id, vector) in &model {
            let (tier, found) = (store.image.tier(*id).unwrap(), store.get(*id).unwrap());
            // Twice, as codes may be made of codes.
            let lost = lost(vector, &found);
            prop_assert!(lost < 2.0 * LOST[tier as usize], "{tier:?}: {lost}");
        }
        for mode in [Mode::Walk, Mode::Exact] {
            let mut found: Vec<u64> =
                store.search(&row(dim, &mut random), 50, mode).iter().map(|hit| hit.id).collect();
            found.sort_unstable();
            prop_assert_eq!(found, model.keys().copied().collect::<Vec<_>>());
        }
    }
}
