//! Flipped bits, cuts, and files that are not ours: each one is repaired or reported with its
//! sentence, and never opened as if nothing were wrong.

mod support;

use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DamageKind, DurableFile, Error, Limits, Options};
use proptest::prelude::*;
use support::{DIM, Model, NAME, Owned, Random, all, copy, ids, open, options};

const JOURNAL: &str = "memory.rvf.journal";
/// From one place of damage to the next. Miri is a few hundred times slower.
const STRIDE: usize = if cfg!(miri) { 997 } else { 1 };

/// A file with four commits in its journal, and the model after each of them, the first before.
fn unclosed(seed: u64) -> (SimulatedDisk, Vec<Model>) {
    let disk = SimulatedDisk::new(seed);
    let mut random = Random(seed);
    let quiet = Limits { fold: 1 << 20, ..Limits::default() };
    let options = Options { limits: quiet, ..options() };
    let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &options).unwrap();
    let mut model = Model::new();
    let mut models = Vec::new();
    for id in 0..5 {
        let record = Owned::random(&mut random, DIM, 40);
        record.put(&mut file, id).unwrap();
        model.insert(id, record);
        if id == 3 {
            file.remove(1).unwrap();
            model.remove(&1);
        }
        file.commit(0).unwrap();
        if id == 0 {
            file.compact(0).unwrap();
        }
        models.push(model.clone());
    }
    (disk, models)
}

/// The same, closed and compacted: every byte counts.
fn closed(seed: u64) -> (SimulatedDisk, Model) {
    let (disk, mut models) = unclosed(seed);
    let mut file = open(&disk).unwrap();
    file.compact(0).unwrap();
    file.close(0).unwrap();
    (disk, models.pop().unwrap())
}

fn with(disk: &SimulatedDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> SimulatedDisk {
    let fresh = copy(disk);
    let mut bytes = fresh.bytes(name).unwrap();
    change(&mut bytes);
    fresh.put(name, bytes);
    fresh
}

fn sentence(result: Result<DurableFile, Error>) -> String {
    match result {
        Ok(file) => format!("opened: {:?}", file.report()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn one_flipped_bit_of_a_journal_is_turned_back() {
    let (disk, models) = unclosed(1);
    let bits = disk.bytes(JOURNAL).unwrap().len() * 8;
    let mut untouched = 0;
    for bit in (0..bits).step_by(STRIDE) {
        let flipped = with(&disk, JOURNAL, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let file = open(&flipped).unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        assert_eq!(all(&file).unwrap(), models[4], "bit {bit}");
        match file.report().repaired {
            1 => {}
            // Zeros between batches.
            0 => untouched += 1,
            many => panic!("bit {bit}: {many} repaired"),
        }
        drop(file);
        // It is right on the disk too from now on.
        let file = open(&flipped).unwrap();
        assert_eq!(file.report().repaired, 0, "bit {bit}");
        assert_eq!(all(&file).unwrap(), models[4], "bit {bit}");
    }
    println!("{bits} bits turned back, but for {untouched} of padding");
    assert!(untouched < 5 * 8 * 8);
}

#[test]
fn one_flipped_bit_of_a_base_is_found() {
    let (disk, model) = closed(2);
    let len = disk.bytes(NAME).unwrap().len();
    let bits = len * 8;
    let mut refused = 0;
    for bit in (0..bits).step_by(STRIDE) {
        let flipped = with(&disk, NAME, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        match open(&flipped) {
            Err(_) => refused += 1,
            Ok(file) => {
                if file.verify(1).unwrap().is_empty() {
                    // The last padding, on which nothing depends.
                    let at = bit / 64 * 8;
                    let bytes = disk.bytes(NAME).unwrap();
                    assert!(
                        bit / 8 >= len - 64,
                        "bit {bit} of {}: {:?} {:?}",
                        len * 8,
                        &bytes[at..at + 8],
                        file.report()
                    );
                    assert_eq!(all(&file).unwrap(), model, "bit {bit}");
                    continue;
                }
                // What is given out all the same is what was put in.
                for (id, record) in &model {
                    if let Ok(found) = Owned::get(&file, *id) {
                        assert_eq!(found, *record, "bit {bit}");
                    }
                }
            }
        }
    }
    println!("{bits} bits: {refused} refused by opening, the rest found by verify");
}

#[test]
fn a_base_that_was_cut_is_never_opened() {
    let (disk, model) = closed(3);
    let len = disk.bytes(NAME).unwrap().len();
    for cut in (0..len).step_by(STRIDE) {
        let short = with(&disk, NAME, |bytes| bytes.truncate(cut));
        match open(&short) {
            // Only zeros behind the manifest are missing.
            Ok(file) => assert!(cut + 64 > len && all(&file).unwrap() == model, "cut at {cut}"),
            Err(Error::Damaged(_) | Error::NotRvf) => {}
            Err(error) => panic!("cut at {cut}: {error}"),
        }
        // Without its journal too.
        short.take(JOURNAL);
        if let Ok(file) = open(&short) {
            assert!(cut + 64 > len && all(&file).unwrap() == model, "cut at {cut}, no journal");
        }
    }
}

#[test]
fn a_base_that_lost_whole_folds_is_never_opened() {
    // Several manifests: each of them ends a base that was whole once.
    let disk = SimulatedDisk::new(4);
    let mut ends = Vec::new();
    let quiet = Options { limits: Limits::default(), ..options() };
    for id in 0..4 {
        let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &quiet).unwrap();
        Owned::random(&mut Random(id), DIM, 20).put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        file.close(0).unwrap();
        ends.push(disk.bytes(NAME).unwrap().len());
    }
    for &end in &ends[..3] {
        let short = with(&disk, NAME, |bytes| bytes.truncate(end));
        let expected = format!("the file was cut: committed records behind byte {end} are missing");
        assert_eq!(sentence(open(&short)), expected);
        // To salvage is to ask for it.
        let options = Options { salvage: true, ..options() };
        let file = DurableFile::open(Box::new(short.clone()), NAME, &options).unwrap();
        assert_eq!(file.report().damaged[0].kind, DamageKind::BaseCut);
        assert!(!file.is_empty() && file.len() < 4);
    }
    // The newest manifest damaged, not missing: another sentence.
    let flipped = with(&disk, NAME, |bytes| *bytes.iter_mut().rev().nth(90).unwrap() ^= 1);
    let at = sentence(open(&flipped));
    assert!(at.starts_with("the newest manifest, at byte "), "{at}");
}

#[test]
fn no_flipped_bit_of_a_header_is_called_a_cut() {
    // Several folds: behind a manifest that is not recognised stands an older one.
    let disk = SimulatedDisk::new(4);
    let quiet = Options { limits: Limits::default(), ..options() };
    for id in 0..4 {
        let mut file = DurableFile::open(Box::new(disk.clone()), NAME, &quiet).unwrap();
        Owned::random(&mut Random(id), DIM, 20).put(&mut file, id).unwrap();
        file.commit(0).unwrap();
        file.close(0).unwrap();
    }
    let model = all(&open(&disk).unwrap()).unwrap();
    let bytes = disk.bytes(NAME).unwrap();
    let headers: Vec<usize> = (0..bytes.len())
        .step_by(64)
        .filter(|&at| bytes[at..at + 4] == 0x5256_4653_u32.to_le_bytes())
        .collect();
    let newest = *headers.last().unwrap();
    let mut called = 0;
    for bit in headers.iter().flat_map(|at| at * 8..(at + 64) * 8).step_by(STRIDE) {
        let flipped = with(&disk, NAME, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        match open(&flipped) {
            Ok(file) => {
                let sound = file.verify(1).unwrap().is_empty();
                assert!(!sound || all(&file).unwrap() == model, "bit {bit}");
                assert!(!sound || bit / 8 < newest, "bit {bit}");
            }
            Err(error) => {
                let found = error.to_string();
                assert!(!found.contains(" cut"), "bit {bit}: {found}");
                let is_newest = bit / 8 >= newest;
                assert_eq!(
                    found.starts_with("the newest manifest, at byte "),
                    is_newest,
                    "{found}"
                );
                if let Some(at) = found.strip_prefix("the newest manifest, at byte ") {
                    let at: usize = at.split(' ').next().unwrap().parse().unwrap();
                    assert!(at <= newest, "bit {bit}: {found}");
                }
                called += usize::from(is_newest);
            }
        }
    }
    println!("{} headers; {called} bits of the newest manifest's told", headers.len());
    assert!(cfg!(miri) || called > 200);
}

#[test]
fn a_journal_that_was_cut_shows_whole_commits_and_says_so() {
    let (disk, models) = unclosed(5);
    let len = disk.bytes(JOURNAL).unwrap().len();
    let (mut cuts, mut torn) = (0, 0);
    for cut in (0..len).step_by(STRIDE) {
        let short = with(&disk, JOURNAL, |bytes| bytes.truncate(cut));
        if cut < 64 {
            assert_eq!(sentence(open(&short)), "the journal's header is damaged");
            continue;
        }
        let file = open(&short).unwrap();
        let found = all(&file).unwrap();
        let report = file.report();
        let commits = report.replayed as usize;
        assert_eq!(found, models[commits], "cut at {cut}");
        cuts += 1;
        torn += usize::from(report.torn_journal.is_some());
    }
    println!("{torn} of {cuts} cuts are seen as a torn tail, the others fall between commits");
    assert!(torn + 5 * 8 > cuts, "but for those between commits and in padding");
}

#[test]
fn more_damage_in_the_middle_of_a_journal_is_refused() {
    let (disk, models) = unclosed(6);
    let broken = with(&disk, JOURNAL, |bytes| bytes[130..150].fill(0x55));
    assert_eq!(sentence(open(&broken)), "the journal is damaged at byte 64, and commits follow");
    let salvage = Options { salvage: true, ..options() };
    let file = DurableFile::open(Box::new(broken), NAME, &salvage).unwrap();
    assert_eq!(all(&file).unwrap(), models[0]);
    assert_eq!(file.report().damaged[0].kind, DamageKind::Journal);
    // The last commit: what a power cut leaves looks the same, and is opened.
    let len = disk.bytes(JOURNAL).unwrap().len();
    let torn = with(&disk, JOURNAL, |bytes| bytes[len - 40..].fill(0));
    let file = open(&torn).unwrap();
    assert_eq!(all(&file).unwrap(), models[3]);
    assert!(file.report().torn_journal.is_some());
}

#[test]
fn a_text_that_looks_like_batches_hides_no_commit() {
    let disk = SimulatedDisk::new(9);
    let quiet = Options { limits: Limits::default(), ..options() };
    let open = |disk: &SimulatedDisk| DurableFile::open(Box::new(disk.clone()), NAME, &quiet);
    let mut file = open(&disk).unwrap();
    let mut record = Owned::random(&mut Random(9), DIM, 0);
    // Each part stands one byte further from a multiple of 8: one of them stands at one.
    record.text = ("CFBATCH\x01".repeat(100) + "x").repeat(8);
    record.put(&mut file, 1).unwrap();
    file.commit(0).unwrap();
    record.put(&mut file, 9).unwrap();
    file.commit(0).unwrap();
    drop(file);
    let broken = with(&disk, JOURNAL, |bytes| bytes[200..220].fill(0x55));
    assert_eq!(sentence(open(&broken)), "the journal is damaged at byte 64, and commits follow");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let (disk, _) = closed(7);
    let lost = copy(&disk);
    lost.take(NAME);
    assert_eq!(sentence(open(&lost)), "the file is missing, and its journal is not");

    // Alone it is whole.
    let alone = copy(&disk);
    alone.take(JOURNAL);
    assert_eq!(open(&alone).unwrap().len(), 4);

    // A copy of an open file without its journal, in the middle of a fold.
    let cut = with(&alone, NAME, |bytes| bytes.extend_from_slice(&[1; 100]));
    cut.take(JOURNAL);
    let at = sentence(open(&cut));
    assert!(at.starts_with("the file was cut, or copied without its journal"), "{at}");

    let other = SimulatedDisk::new(0);
    let options = Options { file_id: [9; 16], ..options() };
    DurableFile::open(Box::new(other.clone()), NAME, &options).unwrap().close(0).unwrap();
    let mixed = copy(&disk);
    mixed.put(JOURNAL, other.bytes(JOURNAL).unwrap());
    assert_eq!(
        sentence(open(&mixed)),
        "the file is RVF, but not of the kind that is stored here: \
         the journal beside it is of another file"
    );
}

#[test]
fn a_journal_of_another_future_of_the_same_backup_is_refused() {
    let (backup, _) = closed(8);
    let quiet = Options { limits: Limits::default(), ..options() };
    let open = |disk: &SimulatedDisk| DurableFile::open(Box::new(disk.clone()), NAME, &quiet);
    // So many folds of so many commits of one record into the base, and another commit in the journal.
    let future = |folds: usize, commits: usize, text: u64| {
        let disk = copy(&backup);
        let record = Owned::random(&mut Random(text), DIM, text);
        for _ in 0..folds {
            let mut file = open(&disk).unwrap();
            for _ in 0..commits {
                record.put(&mut file, 7).unwrap();
                file.commit(0).unwrap();
            }
            file.close(0).unwrap();
        }
        let mut file = open(&disk).unwrap();
        record.put(&mut file, 8).unwrap();
        file.commit(0).unwrap();
        disk
    };
    let ours = future(1, 1, 40);
    open(&ours).unwrap();
    let len = |disk: &SimulatedDisk| disk.bytes(NAME).unwrap().len();
    let (later, longer) = (future(1, 2, 40), future(1, 1, 400));
    assert!(len(&later) == len(&ours) && len(&longer) > len(&ours));
    // Its journal is older than the base that was folded more often, and begins behind more commits.
    let (often, seldom) = (future(3, 1, 40), future(1, 9, 40));
    for (base, journal) in
        [(&ours, &later), (&later, &ours), (&ours, &longer), (&longer, &ours), (&often, &seldom)]
    {
        let mixed = copy(base);
        mixed.put(JOURNAL, journal.bytes(JOURNAL).unwrap());
        // Again: opening it must not have made it worse.
        for _ in 0..2 {
            assert_eq!(
                sentence(open(&mixed)),
                "the file is RVF, but not of the kind that is stored here: \
                 the journal beside it is of another file"
            );
        }
        for (name, kept) in [(NAME, base), (JOURNAL, journal)] {
            assert_eq!(mixed.bytes(name), kept.bytes(name), "left as it was");
        }
    }
}

#[test]
fn other_formats_versions_and_dimensions_are_refused() {
    let disk = SimulatedDisk::new(0);
    let none = Options { create: false, ..options() };
    let missing = DurableFile::open(Box::new(disk.clone()), NAME, &none);
    assert_eq!(sentence(missing), "an existing file expected, none found");
    for (bytes, expected) in [
        (&b"{\"a\": 1}"[..], "an RVF file expected, the file begins with other bytes"),
        (b"SFVR\x02\x05", "format version 1 expected, 2 found"),
        (b"SFVR\x01\x05", "the file was cut or damaged: it has no sound manifest"),
        (b"", "the file was cut or damaged: it has no sound manifest"),
    ] {
        disk.put(NAME, bytes.to_vec());
        assert_eq!(sentence(open(&disk)), expected, "{bytes:?}");
        assert_eq!(disk.bytes(NAME).unwrap(), bytes, "left as it was");
    }
    let (disk, _) = closed(8);
    let wide = Options { dim: Some(4), ..options() };
    let wide = DurableFile::open(Box::new(disk.clone()), NAME, &wide);
    assert_eq!(sentence(wide), "vectors of 4 components expected, 3 found");
    let version = with(&disk, JOURNAL, |bytes| {
        bytes[7] = 2;
        let crc = crc(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    });
    assert_eq!(sentence(open(&version)), "format version 1 expected, 2 found");
    for dim in [0, 8193] {
        let options = Options { dim: Some(dim), ..options() };
        let refused = DurableFile::open(Box::new(SimulatedDisk::new(0)), NAME, &options);
        assert_eq!(sentence(refused), format!("at most 8192 expected, {dim} found: components"));
    }
}

/// CRC-32 bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 400 }, failure_persistence: None, ..Default::default() })]

    /// Whatever is done to the files: no panic, and no record that was not put in.
    #[test]
    fn nothing_false_is_ever_given_out(
        seed in 0..4_u64,
        closes: bool,
        changes in prop::collection::vec((any::<bool>(), any::<u32>(), any::<u8>()), 0..8),
        cuts in (any::<Option<u32>>(), any::<Option<u32>>()),
        salvage: bool,
    ) {
        let (disk, model) = if closes {
            let (disk, model) = closed(seed);
            (disk, vec![model])
        } else {
            unclosed(seed)
        };
        let mut changed = copy(&disk);
        for (in_journal, at, byte) in changes {
            let name = if in_journal { JOURNAL } else { NAME };
            changed = with(&changed, name, |bytes| {
                let len = bytes.len();
                bytes[at as usize % len] ^= byte;
            });
        }
        for (name, cut) in [(NAME, cuts.0), (JOURNAL, cuts.1)] {
            if let Some(cut) = cut {
                changed = with(&changed, name, |bytes| bytes.truncate(cut as usize % bytes.len()));
            }
        }
        let options = Options { salvage, ..options() };
        if let Ok(file) = DurableFile::open(Box::new(changed), NAME, &options) {
            let _ = file.verify(10);
            for id in ids(&file) {
                if let Ok(record) = Owned::get(&file, id) {
                    let known = model.iter().any(|model| model.get(&id) == Some(&record));
                    prop_assert!(known, "{id}: {record:?}");
                }
            }
        }
    }
}
