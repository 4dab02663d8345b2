//! Opening a durable file of arbitrary bytes, and sound ones with bytes changed, their
//! checksums made right again or not: refused, or read without a panic, in bounded time and
//! memory. What opens for writing must take a commit, and have it when it is opened again.
#![no_main]

use arbitrary::Arbitrary;
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Limits, Options, Record};
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_128;

const NAME: &str = "file";
const JOURNAL: &str = "file.journal";

#[derive(Arbitrary, Debug)]
struct Change {
    in_journal: bool,
    at: u32,
    bytes: [u8; 4],
    /// How many of them.
    len: u8,
}

#[derive(Arbitrary, Debug)]
enum Case {
    Raw {
        base: Vec<u8>,
        journal: Option<Vec<u8>>,
    },
    Changed {
        /// What was done before: records put, removed, committed, compacted.
        steps: Vec<(u8, u8)>,
        closed: bool,
        changes: Vec<Change>,
        /// The hashes of segments are made right again: the checks behind them are on their own.
        resealed: bool,
        cut: Option<(bool, u32)>,
        without_journal: bool,
    },
}

fn options(read_only: bool, salvage: bool) -> Options {
    Options {
        dim: Some(3),
        file_id: [1; 16],
        create: true,
        read_only,
        salvage,
        limits: Limits { fold: 700, compact_times: 2, compact_slack: 4000 },
        ..Options::default()
    }
}

fn record(id: u64, text: &str) -> Record<'_> {
    Record {
        id,
        vector: &[0.5, -1.0, 3.0],
        text,
        // The shortest strings too: what ends where the entry ends.
        kind: ["kind", "", "k"][id as usize % 3],
        session: ["", "s", "s1", "s"][id as usize % 4],
        created: 1,
        last_used: 2,
        uses: 3,
        importance: 0.5,
        pinned: false,
        metadata: if id % 5 < 2 { &[] } else { &[("key", "value")] },
    }
}

fn made(steps: &[(u8, u8)], closed: bool) -> SimulatedDisk {
    let disk = SimulatedDisk::new(0);
    let open = || DurableFile::open(Box::new(disk.clone()), NAME, &options(false, false));
    let mut file = open().expect("a new file");
    for &(what, id) in steps.iter().take(24) {
        let id = u64::from(id % 16);
        match what % 8 {
            0..=3 => file.put(&record(id, "some words of text")).expect("it fits"),
            4 => drop(file.remove(id)),
            5 | 6 => file.commit(0).expect("the disk is sound"),
            _ => file.compact(0).expect("the disk is sound"),
        }
    }
    file.commit(0).expect("the disk is sound");
    if closed {
        file.close(0).expect("the disk is sound");
    }
    disk
}

/// Makes the hash of each segment right, one after the other.
fn reseal(base: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = base.get(at..at + 64) {
        let len = u64::from_le_bytes(header[16..24].try_into().expect("eight bytes"));
        let end = (at as u64 + 64).saturating_add(len);
        let Some(payload) = usize::try_from(end).ok().and_then(|end| base.get(at + 64..end)) else {
            break;
        };
        let hash = xxh3_128(payload).to_le_bytes();
        base[at + 40..at + 56].copy_from_slice(&hash);
        at = (end as usize).next_multiple_of(64);
    }
}

fn read(file: &DurableFile) {
    let _ = file.verify(4);
    let mut from = 0;
    while let Some(id) = file.next(from) {
        let mut vector = vec![0.0; file.dim()];
        let _ = file.vector(id, &mut vector);
        if let Ok(fields) = file.fields(id) {
            assert_eq!(fields.id(), id);
            let _ = (fields.kind().len(), fields.metadata().count());
        }
        let _ = file.text(id);
        let Some(next) = id.checked_add(1) else { break };
        from = next;
    }
}

fuzz_target!(|case: Case| {
    let disk = match case {
        Case::Raw { base, journal } => {
            let disk = SimulatedDisk::new(0);
            disk.put(NAME, base);
            if let Some(journal) = journal {
                disk.put(JOURNAL, journal);
            }
            disk
        }
        Case::Changed { steps, closed, changes, resealed, cut, without_journal } => {
            let disk = made(&steps, closed);
            let mut base = disk.bytes(NAME).expect("it was made");
            let mut journal = disk.bytes(JOURNAL).expect("it was made");
            for change in changes.iter().take(8) {
                let bytes = if change.in_journal { &mut journal } else { &mut base };
                let at = change.at as usize % bytes.len();
                let len = usize::from(change.len % 4) + 1;
                for (to, from) in bytes[at..].iter_mut().zip(&change.bytes[..len]) {
                    *to = *from;
                }
            }
            if resealed {
                reseal(&mut base);
            }
            if let Some((in_journal, cut)) = cut {
                let bytes = if in_journal { &mut journal } else { &mut base };
                bytes.truncate(cut as usize % (bytes.len() + 1));
            }
            disk.put(NAME, base);
            disk.put(JOURNAL, journal);
            if without_journal {
                disk.take(JOURNAL);
            }
            disk
        }
    };
    for (read_only, salvage) in [(true, false), (false, true)] {
        let options = options(read_only, salvage);
        if let Ok(file) = DurableFile::open(Box::new(disk.fork()), NAME, &options) {
            read(&file);
        }
    }
    let open = || DurableFile::open(Box::new(disk.clone()), NAME, &options(false, false));
    let Ok(mut file) = open() else { return };
    read(&file);
    let new = record(1 << 40, "new");
    if file.put(&new).is_err() || file.commit(0).is_err() {
        return;
    }
    // A fold may find damage that opening had no reason to look at; the commit is safe.
    let _ = file.close(0);
    let file = open().expect("what was written can be opened");
    assert_eq!(file.text(1 << 40).as_deref(), Ok("new"));
});
