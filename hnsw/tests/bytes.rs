//! The buffer: the same calls give the same bytes everywhere, and a damaged one is refused
//! or at least never trusted.

mod points;

use clawft_hnsw::insert::SlotError;
use clawft_hnsw::{Graph, Layout, Mode, OpenError, Params, Scratch, Slot};
use points::{Aligned, Index, Points, Query, Random, Stored, bitmap};
use proptest::prelude::*;

/// Slots of the workload; an interpreter gets fewer.
const N: u32 = if cfg!(miri) { 12 } else { 400 };

fn workload() -> (Points, Index) {
    let points = Points::uniform(N as usize, 8, 77);
    let mut index = Index::of(&points, &Params::new(N));
    for slot in (0..N).step_by(3) {
        index.remove(&points, slot);
    }
    for slot in (0..N).step_by(6) {
        index.insert(&points, slot);
    }
    (points, index)
}

/// FNV-1a, so that a whole buffer fits into an assertion.
fn digest(bytes: &[u8], from: u64) -> u64 {
    bytes.iter().fold(from, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
}
const NOTHING: u64 = 0xCBF2_9CE4_8422_2325;

/// This test runs natively, on 32 bits and in each WebAssembly build: one constant for all.
#[test]
#[cfg_attr(miri, ignore = "the work is done by the other tests; this one compares machines")]
fn the_same_calls_give_the_same_bytes() {
    let (points, mut index) = workload();
    assert_eq!(digest(index.buffer.read(), NOTHING), DIGEST);
    // And the same results. More match than are scanned at once.
    let filter = bitmap(N, |slot| slot % 5 != 0);
    let mut all = NOTHING;
    for slot in (0..N).step_by(10) {
        for mode in [Mode::Walk, Mode::Scan] {
            for filter in [None, Some(&*filter)] {
                for (found, distance) in
                    index.search(&points, points.row(slot), 10, 20, mode, filter)
                {
                    all = digest(&found.to_le_bytes(), all);
                    all = digest(&distance.to_bits().to_le_bytes(), all);
                }
            }
        }
    }
    assert_eq!(all, RESULTS);
}
const DIGEST: u64 = 14_326_433_926_716_102_455;
const RESULTS: u64 = 16_666_791_819_530_638_033;

#[test]
fn a_copy_of_the_bytes_opens_and_goes_on() {
    let (points, mut index) = workload();
    let mut copy = Aligned::new(index.layout.bytes);
    copy.get().copy_from_slice(index.buffer.read());
    let graph = Graph::open(copy.read()).expect("a byte copy is a graph");
    assert_eq!(graph.len(), index.graph().len());
    let mut words = vec![0; Scratch::words(&index.layout, 64)];
    let mut scratch = Scratch::new(&index.layout, &mut words).unwrap();
    let mut graph = Graph::open(copy.get()).unwrap();
    graph
        .insert(3, &mut Query(&points, points.row(3)), &mut Stored(&points), &mut scratch)
        .unwrap();
    index.insert(&points, 3);
    assert_eq!(index.buffer.read(), copy.read());
}

#[test]
fn refusals_say_why() {
    let (_, index) = workload();
    let mut buffer = Aligned::new(index.layout.bytes + 64);
    let len = index.layout.bytes;
    buffer.get()[..len].copy_from_slice(index.buffer.read());
    let open = |bytes: &[u8]| Graph::open(bytes).map(|_| ()).unwrap_err();
    assert_eq!(open(&buffer.read()[1..]), OpenError::NotAGraph);
    assert_eq!(
        open(&buffer.read()[..len - 1]),
        OpenError::TooShort { needed: len, found: len - 1 }
    );
    assert_eq!(open(&[]), OpenError::TooShort { needed: 64, found: 0 });
    buffer.get().copy_within(0..len, 8);
    assert_eq!(open(&buffer.read()[8..8 + len]), OpenError::Misaligned);
    buffer.get().copy_within(8..8 + len, 0);
    buffer.get()[4] = 9;
    assert_eq!(open(buffer.read()), OpenError::Version(9));
    buffer.get()[4] = 1;
    buffer.get()[6] = 0;
    assert_eq!(open(buffer.read()), OpenError::BadParams);
    let params = Params { m: 2, ..Params::new(10) };
    assert_eq!(Graph::init(&params, buffer.get()).unwrap_err(), OpenError::BadParams);
}

#[test]
fn a_link_that_stands_twice_is_refused() {
    let (_, index) = workload();
    let mut buffer = Aligned::new(index.layout.bytes);
    buffer.get().copy_from_slice(index.buffer.read());
    let mut tried = 0;
    for slot in (0..400_u32).step_by(if cfg!(miri) { 97 } else { 1 }) {
        let mut links = [0; 128];
        let n = index.graph().neighbours(slot, 0, &mut links);
        // Lists of 32 slots of 16 bits each begin behind the header.
        let at = |i: usize| 64 + slot as usize * 64 + 2 * i;
        for (from, to) in [(0, 1), (0, n.wrapping_sub(1)), (n / 2, n.wrapping_sub(1))] {
            if from >= to || to >= n {
                continue;
            }
            let bytes = buffer.get();
            let (once, other) =
                ([bytes[at(from)], bytes[at(from) + 1]], [bytes[at(to)], bytes[at(to) + 1]]);
            assert_eq!(
                [u16::from_le_bytes(once), u16::from_le_bytes(other)].map(u32::from),
                [links[from], links[to]]
            );
            bytes[at(to)..at(to) + 2].copy_from_slice(&once);
            let refused = Graph::open(buffer.read()).map(|_| ()).unwrap_err().to_string();
            // A slot before it may miss its own link first.
            assert!(
                refused.contains("stands twice") || refused.contains("not neighbours"),
                "{refused}"
            );
            buffer.get()[at(to)..at(to) + 2].copy_from_slice(&other);
            tried += u32::from(refused.contains("stands twice"));
        }
    }
    assert!(tried > if cfg!(miri) { 1 } else { 300 }, "{tried}");
    assert!(Graph::open(buffer.read()).is_ok());
}

/// In a wide graph a link has a bit more than a slot.
#[test]
fn a_link_beyond_every_slot_is_refused() {
    let points = Points::uniform(6, 8, 5);
    let mut index = Index::of(&points, &Params { m: 4, ..Params::new(70_000) });
    assert!(Graph::open(index.buffer.read()).is_ok());
    for slot in 0..6 {
        let mut links = [0; 128];
        let n = index.graph().neighbours(slot, 0, &mut links);
        for (i, link) in links[..n].iter().enumerate() {
            // The highest byte; lists of 8 slots of 32 bits each begin behind the header.
            let at = 64 + slot as usize * 32 + 4 * i + 3;
            index.buffer.get()[at] ^= 0x80;
            assert!(Graph::open(index.buffer.read()).is_err(), "{link} of {slot}");
            index.buffer.get()[at] ^= 0x80;
        }
    }
}

#[test]
fn bad_slots_are_refused_and_nothing_changes() {
    let (points, index) = workload();
    let mut buffer = Aligned::new(index.layout.bytes);
    buffer.get().copy_from_slice(index.buffer.read());
    let mut words = vec![0; Scratch::words(&index.layout, 64)];
    let mut scratch = Scratch::new(&index.layout, &mut words).unwrap();
    let mut graph = Graph::open(buffer.get()).unwrap();
    let (mut probe, mut space) = (Query(&points, points.row(1)), Stored(&points));
    let beyond = Err(SlotError::OutOfRange { slot: N, capacity: N });
    let inserted = graph.insert(1, &mut probe, &mut space, &mut scratch);
    assert_eq!(inserted, Err(SlotError::InUse(1)));
    assert_eq!(graph.insert(N, &mut probe, &mut space, &mut scratch), beyond);
    assert_eq!(graph.remove(3, &mut space), Err(SlotError::Free(3)));
    assert_eq!(graph.remove(N, &mut space), beyond);
    assert_eq!(index.buffer.read(), buffer.read());
}

#[test]
fn a_scratch_of_a_smaller_graph_is_refused_and_nothing_changes() {
    let points = Points::uniform(2, 8, 5);
    let smaller = Layout::new(&Params::new(64)).unwrap();
    let mut words = vec![0; Scratch::words(&smaller, 64)];
    let mut scratch = Scratch::new(&smaller, &mut words).unwrap();
    let mut index = Index::of(&Points::uniform(1, 8, 5), &Params::new(65));
    let before = index.buffer.read().to_vec();
    let mut graph = Graph::open(index.buffer.get()).unwrap();
    let inserted =
        graph.insert(1, &mut Query(&points, points.row(1)), &mut Stored(&points), &mut scratch);
    assert_eq!(inserted, Err(SlotError::SmallScratch));
    assert_eq!(index.buffer.read(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 3 } else { 400 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever `open` lets pass can be worked on without a panic.
    #[test]
    fn damage_is_refused_or_harmless(flips in 1usize..4, seed: u64) {
        let points = Points::uniform(60, 3, 5);
        let index = Index::of(&points, &Params { m: 4, ef_construction: 16, ..Params::new(60) });
        let mut buffer = Aligned::new(index.layout.bytes);
        buffer.get().copy_from_slice(index.buffer.read());
        let mut random = Random(seed);
        for _ in 0..flips {
            let at = random.below(buffer.read().len());
            buffer.get()[at] ^= 1 << random.below(8);
        }
        let Ok(mut graph) = Graph::open(buffer.get()) else { return Ok(()) };
        let layout = *graph.layout();
        prop_assume!(layout.params().capacity == 60);
        let mut words = vec![0; Scratch::words(&layout, 60)];
        let mut scratch = Scratch::new(&layout, &mut words).unwrap();
        for slot in 0..60 as Slot {
            let _ = graph.remove(slot, &mut Stored(&points));
            let _ = graph.insert(slot, &mut Query(&points, points.row(slot)), &mut Stored(&points), &mut scratch);
        }
        graph.verify(&mut scratch);
    }
}
