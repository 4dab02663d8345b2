//! The index beside a model: what is live is found, what is not is not, the order is
//! that of brute force nearly always, and nothing becomes unreachable.

use clawft_hnsw::Params;
use clawft_hnsw_module::{Fault, Index, Shape};

const DIM: usize = 12;
const CAPACITY: u32 = 400;

/// A buffer with room to begin at a multiple of 64.
struct Buffer(Vec<u64>);

impl Buffer {
    fn new(bytes: usize) -> Self {
        Self(vec![0; bytes / 8 + 8])
    }

    fn aligned(&mut self) -> &mut [u8] {
        let start = self.0.as_ptr().addr().wrapping_neg() % 64;
        let words = &mut self.0[start / 8..];
        bytemuck::cast_slice_mut(words)
    }
}

fn shape() -> Shape {
    Shape::new(&Params { m: 8, ef_construction: 60, ..Params::new(CAPACITY) }, DIM as u32).unwrap()
}

/// Components from -1 to 1, a function of the seed.
fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..DIM).map(|_| draw()).collect()
}

fn nearest(live: &[Option<u64>], to: &[f32], k: usize) -> Vec<u32> {
    let mut ranked: Vec<(f32, u32)> = (0..CAPACITY)
        .filter_map(|slot| {
            let row = vector(live[slot as usize]?);
            Some((row.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum(), slot))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.iter().take(k).map(|&(_, slot)| slot).collect()
}

/// The share of the true 10 nearest that 40 queries find.
fn recall(index: &mut Index<'_>, live: &[Option<u64>]) -> f64 {
    let (mut hits, mut wanted) = (0, 0);
    for probe in 0..40 {
        let query = vector(1_000_000 + probe);
        let truth = nearest(live, &query, 10);
        let (mut slots, mut distances) = ([0; 10], [0.0; 10]);
        let found = index.search(&query, 80, &mut slots, &mut distances).unwrap();
        assert_eq!(found, truth.len());
        assert!(distances[..found].is_sorted());
        assert!(slots[..found].iter().all(|&slot| live[slot as usize].is_some()));
        hits += slots[..found].iter().filter(|slot| truth.contains(slot)).count();
        wanted += found;
    }
    hits as f64 / wanted.max(1) as f64
}

#[test]
fn churn_keeps_everything_reachable_and_found() {
    let shape = shape();
    let mut buffer = Buffer::new(shape.bytes);
    let mut index = Index::new(&shape, buffer.aligned(), false).unwrap();
    let mut live = vec![None; CAPACITY as usize];
    assert_eq!(recall(&mut index, &live), 0.0, "an empty index finds nothing");
    for step in 0..20 * u64::from(CAPACITY) {
        let slot = (vector(step)[0].abs() * 1e6) as usize % CAPACITY as usize;
        match live[slot].take() {
            Some(_) => index.remove(slot as u32).unwrap(),
            None => {
                index.insert(slot as u32, &vector(step)).unwrap();
                live[slot] = Some(step);
            }
        }
    }
    let report = index.verify();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.live as usize, live.iter().flatten().count());
    let seen = recall(&mut index, &live);
    assert!(seen > 0.97, "{seen}");
    // Each live slot is its own nearest.
    for (slot, seed) in live.iter().enumerate().filter_map(|(i, s)| s.map(|s| (i, s))) {
        let (mut slots, mut distances) = ([0], [1.0]);
        index.search(&vector(seed), 80, &mut slots, &mut distances).unwrap();
        assert_eq!((slots[0], distances[0]), (slot as u32, 0.0));
    }
}

#[test]
fn a_byte_copy_is_a_snapshot_and_a_damaged_one_is_refused() {
    let shape = shape();
    let mut buffer = Buffer::new(shape.bytes);
    let mut index = Index::new(&shape, buffer.aligned(), false).unwrap();
    let mut live = vec![None; CAPACITY as usize];
    for slot in 0..CAPACITY {
        index.insert(slot, &vector(slot.into())).unwrap();
        live[slot as usize] = Some(u64::from(slot));
    }
    let before = recall(&mut index, &live);
    let mut copy = Buffer::new(shape.bytes);
    copy.aligned()[..shape.bytes].copy_from_slice(&buffer.aligned()[..shape.bytes]);
    let mut opened = Index::new(&shape, copy.aligned(), true).unwrap();
    assert_eq!(recall(&mut opened, &live), before);

    // A link to a slot that is not there.
    copy.aligned()[64..66].copy_from_slice(&[0xF0, 0xF0]);
    assert_eq!(Index::new(&shape, copy.aligned(), true).err(), Some(Fault::Corrupt));
    copy.aligned()[..4].fill(0);
    assert_eq!(Index::new(&shape, copy.aligned(), true).err(), Some(Fault::Corrupt));
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let shape = shape();
    let mut buffer = Buffer::new(shape.bytes);
    let mut index = Index::new(&shape, buffer.aligned(), false).unwrap();
    index.insert(3, &vector(3)).unwrap();
    assert_eq!(index.insert(3, &vector(4)), Err(Fault::InUse));
    assert_eq!(index.insert(CAPACITY, &vector(4)), Err(Fault::Slot));
    assert_eq!(index.insert(4, &vector(4)[1..]), Err(Fault::Params));
    assert_eq!(index.remove(4), Err(Fault::Free));
    assert_eq!(index.remove(CAPACITY), Err(Fault::Slot));
    assert_eq!(index.search(&[], 10, &mut [0], &mut [0.0]), Err(Fault::Params));
    let (mut slots, mut distances) = ([9; 5], [9.0; 5]);
    assert_eq!(index.search(&vector(3), 0, &mut slots, &mut distances), Ok(1));
    assert_eq!((slots, distances), ([3, 9, 9, 9, 9], [0.0, 9.0, 9.0, 9.0, 9.0]));
    assert_eq!(index.verify().live, 1);
    let small = shape.bytes - 1;
    assert_eq!(
        Index::new(&shape, &mut buffer.aligned()[..small], false).err(),
        Some(Fault::Params)
    );
    assert_eq!(Index::new(&shape, &mut buffer.aligned()[1..], false).err(), Some(Fault::Params));
    assert_eq!(Shape::new(&Params::new(CAPACITY), 0), Err(Fault::Params));
    assert_eq!(Shape::new(&Params { m: 2, ..Params::new(CAPACITY) }, 4), Err(Fault::Params));
}
