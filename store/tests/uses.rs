//! Uses and tiers of a memory: idle records go to the coldest tier, used ones come back with all
//! that they were, within the budget of each tick, and after every way to end and begin again.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use clawft_store::memory::{Budget, Derived, Memory, MemoryOptions, Recall, Work};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{Options, Record};
use clawft_vectors::Mode;
use clawft_vectors::tier_policy::{MOST_IMPORTANT, Policy, Tier, Use};
use support::{NAME, Random, options};

/// Above what a search takes short codes from.
const DIM: usize = 160;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Half a century after 1970.
const NOW: u64 = 50 * 365 * DAY;
const ALL: Budget = Budget { records: u32::MAX, bytes: u64::MAX };
/// What 8 bits lose at most of a vector's length.
const EIGHT_BITS: f32 = 0.012;

fn row(random: &mut Random) -> Vec<f32> {
    (0..DIM).map(|_| random.float() + 0.3).collect()
}

fn memory_options(capacity: u32, image: Option<usize>) -> MemoryOptions {
    let file = Options { dim: Some(DIM as u16), ..options() };
    MemoryOptions { file, capacity, image, words: 1 << 20, ..MemoryOptions::default() }
}

fn open(disk: &SimulatedDisk, capacity: u32, image: usize) -> Memory {
    let options = memory_options(capacity, Some(image));
    Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap()
}

struct Given {
    vector: Vec<f32>,
    last_used: u64,
    uses: u32,
    importance: f32,
    pinned: bool,
}

impl Given {
    fn new(random: &mut Random, last_used: u64) -> Self {
        Given { vector: row(random), last_used, uses: 0, importance: 0.0, pinned: false }
    }
}

fn remember(memory: &mut Memory, id: u64, given: &Given) {
    let text = format!("note {id}");
    let record = Record {
        id,
        vector: &given.vector,
        text: &text,
        kind: "",
        session: "",
        created: given.last_used,
        last_used: given.last_used,
        uses: given.uses,
        importance: given.importance,
        pinned: given.pinned,
        metadata: &[],
    };
    memory.remember(&record).unwrap();
}

/// What is lost of a record in what recalls compare, as a part of its length.
fn lost(memory: &mut Memory, id: u64) -> f32 {
    let (mut file, mut image) = (vec![0.0; DIM], vec![0.0; DIM]);
    memory.vector(id, &mut file).unwrap();
    memory.compared(id, &mut image).unwrap();
    let length = file.iter().map(|x| x * x).sum::<f32>().sqrt();
    file.iter().zip(&image).map(|(a, b)| (a / length - b).powi(2)).sum::<f32>().sqrt()
}

/// A committed memory of `count` records, used just now.
fn filled(disk: &SimulatedDisk, count: u64, image: usize) -> (Memory, Vec<Given>) {
    let mut random = Random(1);
    let given: Vec<Given> = (0..count).map(|_| Given::new(&mut random, NOW)).collect();
    let mut memory = open(disk, count as u32, image);
    for (id, given) in (0..).zip(&given) {
        remember(&mut memory, id, given);
    }
    memory.commit(NOW).unwrap();
    (memory, given)
}

const COUNT: u64 = if cfg!(miri) { 12 } else { 200 };

#[test]
fn idle_records_go_cold_and_used_ones_come_back_whole() {
    let disk = SimulatedDisk::new(1);
    let (mut memory, given) = filled(&disk, COUNT, usize::MAX);
    assert_eq!(memory.tick(NOW, ALL).unwrap().cooled, 0);
    assert_eq!(memory.tier_counts(), [COUNT as u32, 0, 0, 0]);
    let work = memory.tick(NOW + 30 * DAY, ALL).unwrap();
    assert_eq!((work.cooled, work.restored), (COUNT as u32, 0));
    assert_eq!(memory.tier_counts(), [0, 0, 0, COUNT as u32]);
    for id in 0..COUNT {
        assert!(memory.is_lossy(id).unwrap() && memory.tier(id).unwrap() == Tier::Cold);
        assert!(lost(&mut memory, id) > 3.0 * EIGHT_BITS);
        let mut vector = vec![0.0; DIM];
        memory.vector(id, &mut vector).unwrap();
        assert_eq!(vector, given[id as usize].vector, "the file is the truth");
    }
    let now = NOW + 31 * DAY;
    for _ in 0..3 {
        memory.touch(&[3, 5, 1_000_000], now);
    }
    let work = memory.tick(now, ALL).unwrap();
    assert_eq!((work.cooled, work.restored, work.unreadable), (0, 2, 0));
    for id in [3, 5] {
        assert_eq!((memory.tier(id).unwrap(), memory.is_lossy(id).unwrap()), (Tier::Hot, false));
        assert!(lost(&mut memory, id) < EIGHT_BITS);
        assert_eq!(memory.uses(id), Some((3, now)));
    }
    // Nothing moves twice for one reason.
    for hours in 0..5 {
        let work = memory.tick(now + hours * HOUR / 10, ALL).unwrap();
        assert_eq!((work.cooled, work.restored), (0, 0));
    }
    // All are found, whatever their tier: k results, each its own nearest.
    for id in 0..COUNT {
        let vector = Some(&given[id as usize].vector[..]);
        let found = memory.recall(&Recall { vector, k: 9, ..Recall::default() }).unwrap();
        assert_eq!((found.len(), found[0].id), (9, id));
    }
}

#[test]
fn important_and_pinned_records_stay_and_come_back() {
    let disk = SimulatedDisk::new(2);
    let mut random = Random(2);
    let mut memory = open(&disk, 20, usize::MAX);
    for id in 0..20 {
        let (importance, pinned) = [(0.0, false), (1.0, true), (0.0, true), (1.0, false)][id % 4];
        let given = Given { importance, pinned, ..Given::new(&mut random, NOW) };
        remember(&mut memory, id as u64, &given);
    }
    memory.commit(0).unwrap();
    memory.tick(NOW + 3 * DAY, ALL).unwrap();
    let tiers = [0, 1, 2, 3].map(|id| memory.tier(id).unwrap());
    assert_eq!(tiers, [Tier::Cold, Tier::Hot, Tier::Cold, Tier::Cool]);
    // Without what is derived, everything begins cold, and what deserves better comes back.
    drop(memory);
    let mut memory = open(&disk, 20, usize::MAX);
    assert_eq!(memory.tier_counts(), [0, 0, 0, 20]);
    memory.tick(NOW + 3 * DAY, ALL).unwrap();
    assert_eq!([0, 1, 2, 3].map(|id| memory.tier(id).unwrap()), tiers);
    assert!(lost(&mut memory, 1) < EIGHT_BITS);
}

#[test]
fn a_tick_keeps_to_its_budget_and_comes_round() {
    let disk = SimulatedDisk::new(3);
    let (mut memory, _) = filled(&disk, COUNT, usize::MAX);
    let (mut now, few) = (NOW + 30 * DAY, Budget { records: 7, bytes: u64::MAX });
    let mut done = Work::default();
    for _ in 0..COUNT.div_ceil(7) {
        let work = memory.tick(now, few).unwrap();
        assert!(work.looked == 7 && work.cooled <= 7);
        done.cooled += work.cooled;
    }
    assert_eq!(done.cooled, COUNT as u32);
    now += DAY;
    for _ in 0..3 {
        memory.touch(&(0..COUNT).collect::<Vec<_>>(), now);
    }
    // A vector of the file and its hot code, of the next power of two.
    let each = 4 * DIM as u64 + 192.max(DIM as u64);
    let short = Budget { records: u32::MAX, bytes: each / 2 };
    assert_eq!(memory.tick(now, short).unwrap(), Work::default());
    let some = Budget { records: u32::MAX, bytes: 3 * each };
    let mut restored = 0;
    for _ in 0..COUNT {
        let work = memory.tick(now, some).unwrap();
        assert!(work.bytes <= some.bytes && (1..=3).contains(&work.restored), "{work:?}");
        restored += work.restored;
        if restored == COUNT as u32 {
            break;
        }
    }
    assert_eq!(memory.tier_counts(), [COUNT as u32, 0, 0, 0]);
}

#[test]
fn what_cannot_be_read_stays_lossy() {
    let disk = SimulatedDisk::new(4);
    let (mut memory, given) = filled(&disk, 10, usize::MAX);
    memory.tick(NOW + 30 * DAY, ALL).unwrap();
    memory.close(NOW).unwrap();
    let mut bytes = disk.bytes(NAME).unwrap();
    let wanted: Vec<u8> = given[4].vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    let at = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    bytes[at] ^= 1;
    disk.take(NAME);
    disk.put(NAME, bytes);
    let mut memory = open(&disk, 10, usize::MAX);
    assert_eq!(memory.derived(), Derived::Read);
    let now = NOW + 31 * DAY;
    for _ in 0..3 {
        memory.touch(&[4, 5], now);
    }
    let work = memory.tick(now, ALL).unwrap();
    assert_eq!((work.restored, work.unreadable), (1, 1));
    assert_eq!((memory.is_lossy(4).unwrap(), memory.is_lossy(5).unwrap()), (true, false));
    let vector = Some(&given[4].vector[..]);
    assert_eq!(memory.recall(&Recall { vector, ..Recall::default() }).unwrap()[0].id, 4);
}

#[test]
#[cfg_attr(miri, ignore = "as few records as an interpreter bears fit the least image in full")]
fn an_image_keeps_to_its_limit() {
    let disk = SimulatedDisk::new(5);
    let whole = open(&disk, COUNT as u32, usize::MAX).image_bytes();
    let least = {
        let options = memory_options(COUNT as u32, Some(100));
        let refused = Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {});
        let sentence = refused.err().expect("it is too small").to_string();
        let least: usize = sentence.split(' ').next().unwrap().parse().expect(&sentence);
        least
    };
    assert!(least < whole);
    let middle = least.midpoint(whole);
    let (mut memory, given) = filled(&disk, COUNT, middle);
    assert!(memory.image_bytes() <= middle);
    let counts = memory.tier_counts();
    assert!(counts[0] > 0 && counts[3] > 0, "{counts:?}");
    // All deserve to be hot, and as many are as have room; more ticks move nothing.
    let everyone: Vec<u64> = (0..COUNT).collect();
    for _ in 0..3 {
        memory.touch(&everyone, NOW);
    }
    let soon = NOW + HOUR / 2;
    memory.tick(soon, ALL).unwrap();
    let counts = memory.tier_counts();
    assert_eq!(memory.tick(soon, ALL).unwrap().restored, 0);
    assert_eq!(memory.tier_counts(), counts);
    // A day later only some are used: they take the room of the others.
    let (now, chosen) = (NOW + 10 * DAY, [1, 8, 9]);
    for _ in 0..3 {
        memory.touch(&chosen, now);
    }
    memory.tick(now, ALL).unwrap();
    memory.tick(now, ALL).unwrap();
    for id in chosen {
        assert_eq!(memory.tier(id).unwrap(), Tier::Hot);
        assert!(lost(&mut memory, id) < EIGHT_BITS);
    }
    // The same after a clean close, and, from the file alone, in as little room.
    memory.commit(now).unwrap();
    memory.close(now).unwrap();
    let mut memory = open(&disk, COUNT as u32, middle);
    assert_eq!((memory.derived(), memory.tier(8).unwrap()), (Derived::Read, Tier::Hot));
    assert_eq!(memory.uses(8), Some((6, now)));
    let found = memory.recall(&Recall {
        vector: Some(&given[77 % COUNT as usize].vector),
        k: 20,
        mode: Mode::Walk,
        ..Recall::default()
    });
    assert_eq!(found.unwrap().len(), 20.min(COUNT as usize));
    drop(memory);
    disk.take(&format!("{NAME}.image"));
    // What is built anew needs no more room than the least.
    let memory = open(&disk, COUNT as u32, least);
    assert_eq!(memory.tier_counts(), [0, 0, 0, COUNT as u32]);
    assert_eq!(memory.uses(8), Some((0, NOW)), "what the record says");
}

#[test]
fn counts_that_were_saved_outlive_a_crash() {
    let disk = SimulatedDisk::new(6);
    let (mut memory, _) = filled(&disk, 10, usize::MAX);
    memory.touch(&[7, 7, 7, 8], NOW + HOUR);
    memory.save().unwrap();
    memory.touch(&[9], NOW + HOUR);
    remember(&mut memory, 8, &Given::new(&mut Random(9), NOW + 2 * HOUR));
    memory.commit(NOW).unwrap();
    drop(memory);
    disk.crash(1);
    let mut memory = open(&disk, 10, usize::MAX);
    assert_eq!((memory.derived(), memory.tier(7).unwrap()), (Derived::Stale, Tier::Cold));
    assert_eq!(memory.uses(7), Some((3, NOW + HOUR)));
    // Another record under the same id, and what was not saved.
    assert_eq!((memory.uses(8).unwrap().0, memory.uses(9).unwrap().0), (0, 0));
    memory.tick(NOW + 2 * HOUR, ALL).unwrap();
    assert_eq!(memory.tier(7).unwrap(), Tier::Hot);
}

/// What the model of a record knows.
#[derive(Clone)]
struct Kept {
    vector: Vec<f32>,
    uses: u32,
    last: u64,
    importance: f32,
    pinned: bool,
    /// Since when it is in its tier; none where it was built anew.
    since: Option<u64>,
}

impl Kept {
    /// The tier that it should be in, as far as that is known.
    fn wanted(&self, now: u64, tier: Tier) -> Option<Tier> {
        let known = Use {
            count: self.uses + 1,
            last: self.last,
            importance: (self.importance * f32::from(MOST_IMPORTANT)) as u8,
            pinned: self.pinned,
            since: self.since?,
        };
        Some(Policy::default().wanted(&known, now, tier))
    }

    /// Takes over what is counted of a record, whose tier it may have left.
    fn again(&mut self, memory: &Memory, id: u64) {
        (self.uses, self.last) = memory.uses(id).unwrap();
        self.since = None;
    }
}

/// A model of uses and tiers beside the memory, through everything that may happen to both.
#[test]
fn tiers_follow_the_policy_through_everything() {
    let (mut compared, mut moved) = (0, 0);
    for seed in 0..if cfg!(miri) { 1 } else { 6 } {
        let mut random = Random(seed);
        let disk = SimulatedDisk::new(seed);
        let mut memory = open(&disk, 40, usize::MAX);
        let (mut model, mut committed) = (BTreeMap::<u64, Kept>::new(), BTreeMap::new());
        let (mut now, mut touches) = (NOW, [0; 30]);
        for step in 0..if cfg!(miri) { 25 } else { 150 } {
            // The image counts in steps of 1,024 ms.
            now += random.below(8 * HOUR) & !1023;
            let id = random.below(30);
            match random.below(12) {
                0..3 => {
                    let importance = random.below(3) as f32 / 2.0;
                    let pinned = random.below(4) == 0;
                    let given = Given { importance, pinned, ..Given::new(&mut random, now) };
                    remember(&mut memory, id, &given);
                    let (vector, since) = (given.vector, Some(now));
                    let kept = Kept { vector, uses: 0, last: now, importance, pinned, since };
                    model.insert(id, kept);
                }
                3 => assert_eq!(memory.forget(id).is_ok(), model.remove(&id).is_some()),
                4..7 => {
                    memory.touch(&[id], now);
                    touches[id as usize] += 1;
                    model.entry(id).and_modify(|kept| {
                        kept.uses += 1;
                        kept.last = now;
                    });
                }
                7 => {
                    memory.commit(now).unwrap();
                    committed = model.clone();
                }
                8 => {
                    memory.rollback().unwrap();
                    // Uses of what was not changed stay.
                    model = committed.clone();
                    model.iter_mut().for_each(|(id, kept)| kept.again(&memory, *id));
                    committed = model.clone();
                }
                9 => {
                    memory.commit(now).unwrap();
                    memory.compact(now).unwrap();
                    committed = model.clone();
                }
                10 => {
                    memory.commit(now).unwrap();
                    memory.close(now).unwrap();
                    memory = open(&disk, 40, usize::MAX);
                    assert!(model.is_empty() || memory.derived() == Derived::Read);
                    committed = model.clone();
                }
                _ => {
                    drop(memory);
                    disk.crash(seed + step);
                    memory = open(&disk, 40, usize::MAX);
                    model = committed.clone();
                    // Hints: no fewer than the record says, and no more than were counted.
                    for (id, kept) in &mut model {
                        kept.again(&memory, *id);
                        assert!(kept.uses <= touches[*id as usize]);
                    }
                    committed = model.clone();
                }
            }
            let few = Budget { records: random.below(50) as u32, bytes: random.below(20_000) };
            let budget = if step % 3 == 0 { ALL } else { few };
            let before: Vec<Tier> = model.keys().map(|id| memory.tier(*id).unwrap()).collect();
            let work = memory.tick(now, budget).unwrap();
            assert!(work.looked <= budget.records && work.bytes <= budget.bytes, "{work:?}");
            assert_eq!((memory.len(), work.unreadable), (model.len(), 0));
            for ((id, kept), before) in model.iter_mut().zip(before) {
                assert_eq!(memory.uses(*id).unwrap(), (kept.uses, kept.last));
                let tier = memory.tier(*id).unwrap();
                // Where the budget ends before its turn, it stays.
                if let Some(wanted) = kept.wanted(now, before)
                    && (budget == ALL || tier != before)
                {
                    assert_eq!(tier, wanted, "{id}, before in {before:?}");
                    compared += 1;
                    moved += u32::from(tier != before);
                }
                if tier != before {
                    kept.since = Some(now);
                }
                assert_eq!(memory.is_lossy(*id).unwrap(), tier != Tier::Hot);
                let bound = [EIGHT_BITS, 0.024, 0.09, 0.35][tier as usize];
                let found = lost(&mut memory, *id);
                assert!(found < bound, "{tier:?} {found}");
                let mut file = vec![0.0; DIM];
                memory.vector(*id, &mut file).unwrap();
                assert_eq!(file, kept.vector);
            }
            if let Some(kept) = model.get(&id) {
                let vector = Some(&kept.vector[..]);
                let found = memory.recall(&Recall { vector, k: 7, ..Recall::default() }).unwrap();
                assert_eq!((found.len(), found[0].id), (model.len().min(7), id));
            }
        }
        // In the end all rest.
        let late = now + 400 * DAY;
        memory.tick(late, ALL).unwrap();
        let pinned = |id: &u64| {
            let fields = memory.fields(*id).unwrap();
            fields.pinned() && fields.importance() > 0.0
        };
        let cold = model.keys().filter(|id| !pinned(id));
        assert!(cold.clone().all(|id| memory.tier(*id).unwrap() == Tier::Cold));
        assert_eq!(memory.tick(late, ALL).unwrap().cooled, 0);
    }
    println!("{compared} tiers are those of the policy, after {moved} moves");
    assert!(cfg!(miri) || (compared > 500 && moved > 100), "{compared} {moved}");
}

#[test]
fn a_host_that_lives_for_one_tick_looks_at_the_next_ones_each_time() {
    let disk = SimulatedDisk::new(8);
    let mut random = Random(8);
    let open = || open(&disk, COUNT as u32, usize::MAX);
    let mut memory = open();
    // Those of the first half never cool: a tick that sees only them moves nothing.
    for id in 0..COUNT {
        let (importance, pinned) = if id < COUNT / 2 { (1.0, true) } else { (0.0, false) };
        let given = Given { importance, pinned, ..Given::new(&mut random, NOW) };
        remember(&mut memory, id, &given);
    }
    memory.commit(NOW).unwrap();
    memory.close(NOW).unwrap();
    let (now, few) = (NOW + 30 * DAY, Budget { records: COUNT as u32 / 4, bytes: u64::MAX });
    for _ in 0..4 {
        let mut memory = open();
        assert_eq!(memory.derived(), Derived::Read);
        memory.tick(now, few).unwrap();
        memory.close(now).unwrap();
    }
    let mut memory = open();
    let half = COUNT as u32 / 2;
    assert_eq!(memory.tier_counts(), [half, 0, 0, half]);
    // Once round with nothing moved is nothing to save.
    let image = format!("{NAME}.image");
    disk.take(&image);
    assert_eq!(memory.tick(now, ALL).unwrap(), Work { looked: COUNT as u32, ..Work::default() });
    memory.close(now).unwrap();
    assert!(disk.bytes(&image).is_none());
}

#[test]
fn a_time_that_begins_with_a_tick_is_kept() {
    let disk = SimulatedDisk::new(9);
    let mut memory = open(&disk, 10, usize::MAX);
    remember(&mut memory, 1, &Given::new(&mut Random(9), 0));
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    for (now, cooled) in [(NOW, 0), (NOW + 30 * DAY, 1)] {
        let mut memory = open(&disk, 10, usize::MAX);
        assert_eq!(memory.tick(now, ALL).unwrap().cooled, cooled);
        memory.close(now).unwrap();
    }
}

#[test]
fn without_a_limit_there_are_no_tiers() {
    let options = memory_options(10, None);
    let disk = SimulatedDisk::new(7);
    let mut memory = Memory::open(Box::new(disk), NAME, &options, &mut |_, _| {}).unwrap();
    remember(&mut memory, 1, &Given::new(&mut Random(1), NOW));
    memory.touch(&[1], NOW);
    assert_eq!(memory.tick(NOW + 900 * DAY, ALL).unwrap(), Work::default());
    assert_eq!((memory.tier(1).unwrap(), memory.uses(1)), (Tier::Hot, Some((1, NOW))));
}
