//! What a memory derives from its file is never taken for the truth: where it is stale, damaged or
//! made up, or the file itself is damaged, what is found is what the records say.

#[path = "support/naive.rs"]
mod naive;
mod support;

use clawft_store::memory::{Derived, Error, Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DamageKind, Options};
use clawft_vectors::{Encoding, Mode};
use naive::{COUNT, Model, check, closed, memory_options, open};
use support::{DIM, NAME, Owned, Random, copy, options, remember};

#[test]
fn what_is_derived_is_never_taken_for_the_truth() {
    let (disk, model) = closed(1);
    let image = format!("{NAME}.image");
    let bytes = disk.bytes(&image).unwrap();
    let mut random = Random(5);

    let missing = copy(&disk);
    missing.take(&image);
    let mut done = Vec::new();
    let mut memory = Memory::open(Box::new(missing), NAME, &memory_options(60), &mut |n, all| {
        done.push((n, all))
    })
    .unwrap();
    assert_eq!(memory.derived(), Derived::Missing);
    assert_eq!((done.len() as u64, done.last()), (COUNT, Some(&(COUNT as usize, COUNT as usize))));
    check(&mut memory, &model, &mut random);

    // Whatever bit flips and wherever it is cut, the records are right.
    for at in (0..bytes.len()).step_by(bytes.len() / if cfg!(miri) { 2 } else { 150 }) {
        let (flipped, cut) = (copy(&disk), copy(&disk));
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        flipped.take(&image);
        flipped.put(&image, changed);
        cut.take(&image);
        cut.put(&image, bytes[..at].to_vec());
        for disk in [flipped, cut] {
            let mut memory = open(&disk, 60);
            assert_ne!(memory.derived(), Derived::Read, "byte {at}");
            check(&mut memory, &model, &mut random);
        }
    }

    // Made under a larger limit: all of it is found, and no more is taken in.
    let tight = MemoryOptions { words: 100, ..memory_options(60) };
    let storage = Box::new(copy(&disk));
    let mut memory = Memory::open(storage, NAME, &tight, &mut |_, _| {}).unwrap();
    assert_eq!(memory.derived(), Derived::Read);
    let text = (0..500).map(|i| format!("w{i} ")).collect();
    let long = Owned { text, ..Owned::random(&mut random, DIM, 30) };
    for id in [3, 5000] {
        let refused = remember(&mut memory, id, &long);
        assert_eq!(refused, Err(Error::WordsFull { limit: 100 }));
        check(&mut memory, &model, &mut random);
    }
    drop(memory);

    // Made for another capacity, or of another version of the records.
    assert_eq!(open(&copy(&disk), 61).derived(), Derived::Stale);
    let mut memory = open(&disk, 60);
    assert_eq!(memory.derived(), Derived::Read);
    memory.forget(3).unwrap();
    memory.commit(1).unwrap();
    drop(memory);
    let mut memory = open(&disk, 60);
    assert_eq!(memory.derived(), Derived::Stale);
    let mut model = model;
    model.remove(&3);
    check(&mut memory, &model, &mut random);
}

#[test]
fn a_record_that_is_forgotten_beyond_the_capacity_has_nothing_built_anew() {
    let (disk, mut model) = closed(1);
    disk.take(&format!("{NAME}.image"));
    let limit = MemoryOptions { image: Some(20_000), ..memory_options(1) };
    let tiers = MemoryOptions { encoding: Some(Encoding::I8), ..limit };
    for options in [memory_options(1), tiers] {
        let open = || Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
        let mut memory = open();
        assert_ne!(memory.derived(), Derived::Read);
        let capacity = memory.capacity();
        assert_eq!(capacity as usize, model.len());
        for _ in 0..3 {
            let (id, _) = model.pop_first().unwrap();
            memory.forget(id).unwrap();
            memory.commit(1).unwrap();
            memory.close(1).unwrap();
            memory = open();
            assert_eq!((memory.derived(), memory.capacity()), (Derived::Read, capacity));
        }
        // The room of twice as many is too much.
        while 2 * model.len() >= capacity as usize {
            let (id, _) = model.pop_first().unwrap();
            memory.forget(id).unwrap();
        }
        memory.commit(1).unwrap();
        memory.close(1).unwrap();
        assert_eq!(open().derived(), Derived::Stale);
    }
}

/// Words of a topic, and records in a row that are all of one.
const WORDS: usize = 20;
const BURST: usize = 30;

/// A record that was remembered.
struct Known {
    id: u64,
    topic: usize,
    vector: Vec<f32>,
}

/// Remembers until the index of words is full, and gives what was refused.
fn fill(memory: &mut Memory, random: &mut Random, known: &mut Vec<Known>) -> (u64, Owned) {
    loop {
        let (id, topic) = (random.next(), known.len() / BURST);
        let text = (topic * WORDS..(topic + 1) * WORDS).map(|i| format!("w{i} ")).collect();
        let owned = Owned { text, ..Owned::random(random, DIM, 0) };
        if let Err(error) = remember(memory, id, &owned) {
            assert_eq!(error.code(), -231, "{error}");
            return (id, owned);
        }
        known.push(Known { id, topic, vector: owned.vector });
    }
}

/// Each is found by a word of its topic, and by its vector.
fn all_are_found(memory: &mut Memory, known: &[Known]) {
    assert_eq!(memory.len(), known.len());
    for burst in known.chunk_by(|one, next| one.topic == next.topic) {
        let word = format!("w{}", burst[0].topic * WORDS + 7);
        let recall = Recall { text: Some(&word), k: 99, ..Recall::default() };
        let found = memory.recall(&recall).unwrap();
        let mut found: Vec<u64> = found.iter().map(|one| one.id).collect();
        let mut ids: Vec<u64> = burst.iter().map(|one| one.id).collect();
        found.sort_unstable();
        ids.sort_unstable();
        assert_eq!(found, ids, "{word}");
    }
    for Known { id, vector, .. } in known {
        // Others may be as near, by what is rounded.
        let (vector, mode) = (Some(&vector[..]), Mode::Exact);
        let recall = Recall { vector, mode, k: 3, ..Recall::default() };
        assert!(memory.recall(&recall).unwrap().iter().any(|found| found.id == *id), "{id}");
    }
}

/// Slots are given by arrival, and built anew by rising ids: where ids say nothing of arrival, the
/// same words take more room then.
#[test]
#[cfg_attr(miri, ignore = "as few records as an interpreter bears take as much in any order")]
fn what_was_accepted_is_opened_whatever_its_words_take_then() {
    let options = MemoryOptions { words: 100_000, ..memory_options(4096) };
    let disk = SimulatedDisk::new(14);
    let open = || Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap();
    let (mut random, mut known) = (Random(14), Vec::new());
    let mut memory = open();
    memory.save().unwrap();
    fill(&mut memory, &mut random, &mut known);
    all_are_found(&mut memory, &known);
    memory.commit(0).unwrap();
    // Killed.
    drop(memory);
    let mut memory = open();
    assert_eq!(memory.derived(), Derived::Stale);
    all_are_found(&mut memory, &known);

    // It accepts what fits into the room that it has, and no more.
    let before = known.len();
    let (id, owned) = fill(&mut memory, &mut random, &mut known);
    assert!(known.len() < before * 2 && !memory.contains(id), "{before} and {}", known.len());
    all_are_found(&mut memory, &known);
    let topic = known.len() / BURST;
    let mut gone = 0;
    loop {
        for one in known.drain(..BURST) {
            memory.forget(one.id).unwrap();
        }
        gone += BURST;
        let Err(error) = remember(&mut memory, id, &owned) else { break };
        assert_eq!(error, Error::WordsFull { limit: 100_000 });
    }
    assert!(gone <= before / 2, "{gone} of {before}");
    known.push(Known { id, topic, vector: owned.vector });
    all_are_found(&mut memory, &known);
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    let mut memory = open();
    assert_eq!(memory.derived(), Derived::Read);
    all_are_found(&mut memory, &known);
}

#[test]
fn what_is_derived_is_of_these_records_and_not_of_as_many_commits() {
    // In the journal, and long enough to be folded into the base by the commit.
    for len in [3, 300] {
        let (disk, mut model) = closed(11);
        let change = |disk: &SimulatedDisk, word: &str, x: f32| {
            let mut memory = open(disk, 60);
            let owned =
                Owned { text: word.repeat(len), vector: vec![x, 1.0, 0.5], ..model[&3].clone() };
            remember(&mut memory, 3, &owned).unwrap();
            memory.commit(1).unwrap();
            (memory, owned)
        };
        let backup = copy(&disk);
        let (mut memory, _) = change(&disk, "five ", 1.0);
        memory.save().unwrap();
        let version = memory.file().version();
        assert_eq!(memory.file().sizes().journal > 64, len == 3);
        // Killed; file and journal come from the backup, the image stays.
        drop(memory);
        for name in [NAME.to_string(), format!("{NAME}.journal")] {
            disk.take(&name);
            disk.put(&name, backup.bytes(&name).unwrap());
        }
        let (memory, owned) = change(&disk, "rain ", -1.0);
        assert_eq!((memory.derived(), memory.file().version()), (Derived::Stale, version));
        drop(memory);
        let mut memory = open(&disk, 60);
        assert_eq!(memory.derived(), Derived::Stale);
        model.insert(3, owned);
        check(&mut memory, &model, &mut Random(12));
        let recall = Recall { text: Some("rain"), k: 99, ..Recall::default() };
        assert!(memory.recall(&recall).unwrap().iter().any(|found| found.id == 3));
    }
}

#[test]
fn no_string_passes_for_another() {
    // XXH64 takes the first two for the same, and the other two under every seed.
    let forged = [
        ("alice", "00000008\r\x12H\x18{k\u{506}"),
        ("d>(|%*15:sH%#!E|", "DK)\x14#\u{7e8}\x14:sH%t\u{577}e"),
    ];
    for seed in [0, 1, 0x9E37_79B9_7F4A_7C15] {
        let hash = |text: &str| xxhash_rust::xxh64::xxh64(text.as_bytes(), seed);
        for (name, other) in &forged[usize::from(seed != 0)..] {
            assert_eq!(hash(name), hash(other), "{seed}");
        }
    }
    let mut random = Random(13);
    let mut memory = open(&SimulatedDisk::new(13), 60);
    let texts = forged.iter().flat_map(|&(name, other)| [name, other]);
    for (id, text) in (0..).zip(texts) {
        let metadata = vec![("key".into(), text.into())];
        let (kind, session) = (text.into(), text.into());
        let owned = Owned { kind, session, metadata, ..Owned::random(&mut random, DIM, 30) };
        remember(&mut memory, id, &owned).unwrap();
    }
    for (id, (name, _)) in (0..).step_by(2).zip(forged) {
        let (names, pairs) = ([name], [("key", name)]);
        let filters = [
            Filter { kinds: Some(&names), ..Filter::default() },
            Filter { sessions: Some(&names), ..Filter::default() },
            Filter { metadata: &pairs, ..Filter::default() },
        ];
        for filter in filters {
            let vector = Some(&[1.0, 0.0, 0.0][..]);
            let found = memory.recall(&Recall { vector, filter, ..Recall::default() }).unwrap();
            assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [id], "{filter:?}");
        }
    }
}

/// An index by the rules of before has words that nobody asks for any more.
#[test]
fn words_by_other_rules_are_made_anew() {
    use clawft_store::lexical::RULES;
    use xxhash_rust::xxh64::xxh64;
    let (disk, model) = closed(14);
    let image = format!("{NAME}.image");
    let mut bytes = disk.bytes(&image).unwrap();
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..][..8].try_into().unwrap());
    let parts = 80 + number(&bytes, 56) as usize;
    let rules = &mut bytes[parts + 12..][..4];
    assert_eq!(rules, RULES.to_le_bytes());
    rules.copy_from_slice(&(RULES - 1).to_le_bytes());
    let end = parts + number(&bytes, 64) as usize;
    let first = xxh64(&bytes[..72], 0);
    let check = bytes[80..end].chunks(64 << 10).fold(first, |check, piece| xxh64(piece, check));
    bytes[72..80].copy_from_slice(&check.to_le_bytes());
    disk.take(&image);
    disk.put(&image, bytes);
    for derived in [Derived::Damaged, Derived::Read] {
        let mut memory = open(&disk, 60);
        assert_eq!(memory.derived(), derived);
        naive::check(&mut memory, &model, &mut Random(14));
        memory.close(0).unwrap();
    }
}

/// A memory in which a bit of record 50 is flipped: of its text, or of its vector.
fn damaged(in_text: bool) -> (SimulatedDisk, Model) {
    let (disk, model) = closed(10);
    let mut memory = open(&disk, 60);
    let mut owned = Owned::random(&mut Random(12), DIM, 30);
    owned.text = "a xylophone in the attic".into();
    remember(&mut memory, 50, &owned).unwrap();
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    let mut part: Vec<u8> = owned.vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    if in_text {
        part = owned.text.into();
    }
    let mut bytes = disk.bytes(NAME).unwrap();
    let at = bytes.windows(part.len()).position(|window| window == part).unwrap();
    bytes[at + 3] ^= 1;
    disk.put(NAME, bytes);
    (disk, model)
}

#[test]
fn a_damaged_record_can_be_forgotten_and_replaced() {
    for (in_text, replaced) in [(true, false), (true, true), (false, false), (false, true)] {
        let (disk, mut model) = damaged(in_text);
        let mut memory = open(&disk, 60);
        assert_eq!(memory.derived(), Derived::Read);
        assert!(memory.compact(0).is_err(), "it would write what it cannot read");
        let owned = Owned::random(&mut Random(11), DIM, 30);
        if replaced {
            remember(&mut memory, 50, &owned).unwrap();
            model.insert(50, owned);
        } else {
            memory.forget(50).unwrap();
            // In the slot that was left.
            remember(&mut memory, 51, &owned).unwrap();
            model.insert(51, owned);
        }
        for _ in 0..2 {
            check(&mut memory, &model, &mut Random(1));
            let recall = Recall { text: Some("xylophone attic"), ..Recall::default() };
            assert_eq!(memory.recall(&recall).unwrap(), []);
            memory.commit(0).unwrap();
            memory.compact(0).unwrap();
            assert_eq!(memory.file().verify(1).unwrap(), []);
            memory.close(0).unwrap();
            memory = open(&disk, 60);
            assert_eq!(memory.derived(), Derived::Read);
        }
    }
}

#[test]
fn a_damaged_record_is_noted_and_all_others_are_found() {
    // To write, to read, and to salvage.
    let ways = [(false, false), (true, false), (false, true)];
    for (in_text, (read_only, salvage)) in
        [true, false].map(|part| ways.map(|way| (part, way))).concat()
    {
        let (disk, model) = damaged(in_text);
        let kind = if in_text { DamageKind::Text } else { DamageKind::Vector };
        disk.take(&format!("{NAME}.image"));
        let open = || {
            let file = Options { read_only, salvage, ..options() };
            let options = MemoryOptions { file, ..memory_options(60) };
            Memory::open(Box::new(disk.clone()), NAME, &options, &mut |_, _| {}).unwrap()
        };
        let noted = |memory: &Memory| -> Vec<_> {
            memory.file().report().damaged.iter().map(|damage| damage.kind).collect()
        };
        let mut memory = open();
        assert_eq!((memory.derived(), noted(&memory)), (Derived::Missing, vec![kind]));
        for (id, owned) in &model {
            let (vector, ids) = (Some(&owned.vector[..]), Some(&[*id][..]));
            let filter = Filter { ids, ..Filter::default() };
            let found = memory.recall(&Recall { vector, filter, ..Recall::default() }).unwrap();
            assert_eq!((found.len(), found[0].id), (1, *id));
            assert_eq!(&memory.text(*id).unwrap(), &owned.text);
        }
        // What of it can be read: its fields, and its text or its vector.
        assert_eq!(memory.fields(50).unwrap().id(), 50);
        let mut vector = vec![0.0; DIM];
        let read = (memory.text(50).is_ok(), memory.vector(50, &mut vector).is_ok());
        assert_eq!(read, (!in_text, in_text));
        let recall = Recall { vector: Some(&[1.0; DIM]), k: 99, ..Recall::default() };
        let found = memory.recall(&recall).unwrap();
        assert_eq!(found.iter().any(|one| one.id == 50), in_text);
        let recall = Recall { text: Some("xylophone"), ..Recall::default() };
        assert_eq!(memory.recall(&recall).unwrap(), []);
        if read_only || salvage {
            assert!(memory.forget(50).is_err());
            continue;
        }
        // What cannot be found for it is said each time, and not derived anew for it.
        memory.close(0).unwrap();
        let mut memory = open();
        let again = if in_text { vec![] } else { vec![kind] };
        assert_eq!((memory.derived(), noted(&memory)), (Derived::Read, again.clone()));
        memory.forget(50).unwrap();
        memory.rollback().unwrap();
        assert_eq!(noted(&memory), [kind], "once");
        memory.forget(50).unwrap();
        memory.commit(0).unwrap();
        memory.compact(0).unwrap();
        memory.close(0).unwrap();
        let mut memory = open();
        assert_eq!((memory.derived(), noted(&memory)), (Derived::Read, vec![]));
        assert_eq!(memory.file().verify(1).unwrap(), []);
        check(&mut memory, &model, &mut Random(1));
    }
}

/// An image that was not finished, of a writer that was killed, holds what was forgotten since.
#[test]
fn an_image_that_was_not_finished_goes_too() {
    let (disk, _) = closed(1);
    let unfinished = format!("{NAME}.image.new");
    let put = || disk.put(&unfinished, disk.bytes(&format!("{NAME}.image")).unwrap());
    put();
    let mut memory = open(&disk, COUNT as u32 + 10);
    assert!(disk.bytes(&unfinished).is_none(), "opening to write takes it away");
    put();
    memory.forget(3).unwrap();
    memory.commit(0).unwrap();
    remember(&mut memory, 5000, &Owned::random(&mut Random(3), DIM, 30)).unwrap();
    memory.compact(0).unwrap();
    assert!(disk.bytes(&unfinished).is_none());
}
