//! `/data` as the storage of a durable file.

use clawft_agent::platform::Platform;
use clawft_store::memory::{Memory, MemoryOptions, Recall};
use clawft_store::storage::{Storage, StorageError};
use clawft_store::{Error, Lease, Options, Record};

pub(crate) fn run(platform: &Platform<'_>) {
    let storage = platform.files.storage("/data").unwrap();
    alone(&*storage);
    two(&*storage, &*platform.files.storage("/data").unwrap());
    memory(platform);
}

fn alone(storage: &dyn Storage) {
    assert_eq!(storage.open("one").err(), Some(StorageError::NotFound));
    let one = storage.create("one").unwrap();
    assert_eq!(storage.create("one").err(), Some(StorageError::Exists));
    let long = vec![7; 1_500_000];
    storage.append(one, b"head").unwrap();
    storage.append(one, &long).unwrap();
    storage.append(one, b"").unwrap();
    assert_eq!(storage.len(one), Ok(1_500_004));
    let mut into = vec![0; 1_500_000];
    assert_eq!(storage.read_at(one, 2, &mut into), Ok(1_500_000));
    assert_eq!(into[..4], *b"ad\x07\x07");
    assert_eq!(storage.read_at(one, 1_500_000, &mut into), Ok(4));
    assert_eq!(storage.read_at(one, 9_000_000, &mut into), Ok(0));
    storage.truncate(one, 6).unwrap();
    storage.append(one, b"end").unwrap();
    storage.sync(one).unwrap();
    storage.sync_folder().unwrap();
    assert_eq!(storage.read_at(one, 0, &mut into), Ok(9));
    assert_eq!(into[..9], *b"head\x07\x07end");
    for name in ["", ".", "..", "a/b", "../x", "/x"] {
        assert_eq!(storage.create(name).err(), Some(StorageError::BadHandle), "{name}");
        assert_eq!(storage.remove(name), Err(StorageError::BadHandle), "{name}");
    }
    storage.rename("one", "two").unwrap();
    // Open handles stay.
    assert_eq!(storage.len(one), Ok(9));
    storage.close(one);
    storage.close(99);
    for gone in [one, 99] {
        assert_eq!(storage.len(gone), Err(StorageError::BadHandle));
        assert_eq!(storage.append(gone, b"x"), Err(StorageError::BadHandle));
    }
    let again = storage.open("two").unwrap();
    assert_eq!(again, one, "places of closed files are used again");
    storage.close(again);
    for name in ["other", "two.b", "two.a"] {
        storage.close(storage.create(name).unwrap());
    }
    assert_eq!(storage.list("two").unwrap(), ["two", "two.a", "two.b"]);
    for name in storage.list("").unwrap() {
        storage.remove(&name).unwrap();
    }
    assert_eq!(storage.remove("two"), Err(StorageError::NotFound));
    assert_eq!(storage.rename("two", "three"), Err(StorageError::NotFound));
}

/// What two append stands there one after the other.
fn two(first: &dyn Storage, second: &dyn Storage) {
    let one = first.create("shared").unwrap();
    let two = second.open("shared").unwrap();
    first.append(one, b"a").unwrap();
    second.append(two, b"b").unwrap();
    first.append(one, b"c").unwrap();
    let mut into = [0; 9];
    assert_eq!(first.read_at(two, 0, &mut into), Ok(3));
    assert_eq!(into[..3], *b"abc");
    first.close(one);
    second.close(two);
    first.remove("shared").unwrap();
}

fn options() -> MemoryOptions {
    let file = Options { dim: Some(2), file_id: [7; 16], create: true, ..Options::default() };
    MemoryOptions { file, ..MemoryOptions::default() }
}

fn record<'a>(id: u64, vector: &'a [f32], text: &'a str) -> Record<'a> {
    Record {
        id,
        vector,
        text,
        kind: "fact",
        session: "s",
        created: 1,
        last_used: 1,
        uses: 0,
        importance: 0.5,
        pinned: false,
        metadata: &[],
    }
}

/// A memory over it: kept, found again, leased.
fn memory(platform: &Platform<'_>) {
    let folder = || platform.files.storage("/data").unwrap();
    let now = platform.clock.now();
    let lease = Lease::take(&*folder(), "m.rvf", 1, now, 60_000).unwrap();
    let held = Lease::take(&*folder(), "m.rvf", 2, now, 60_000);
    assert!(matches!(held, Err(Error::LeaseHeld { .. })), "{held:?}");
    let mut memory = Memory::open(folder(), "m.rvf", &options(), &mut |_, _| {}).unwrap();
    memory.set_lease(lease);
    memory.remember(&record(1, &[1.0, 0.0], "the fox is red")).unwrap();
    memory.remember(&record(2, &[0.0, 1.0], "the sea is blue")).unwrap();
    memory.commit(now).unwrap();
    memory.close(now).unwrap();
    let mut memory = Memory::open(folder(), "m.rvf", &options(), &mut |_, _| {}).unwrap();
    let found = memory.recall(&Recall { text: Some("fox"), ..Recall::default() }).unwrap();
    assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [1]);
    memory.forget(1).unwrap();
    memory.commit(now).unwrap();
    memory.compact(now).unwrap();
    memory.close(now).unwrap();
}

/// A memory in a folder that may only be read, made by `storage` before.
pub(crate) fn locked(platform: &Platform<'_>) {
    let folder = || platform.files.storage("/data").unwrap();
    let mut options = options();
    options.file.create = false;
    options.file.read_only = true;
    let mut memory = Memory::open(folder(), "m.rvf", &options, &mut |_, _| {}).unwrap();
    assert_eq!(memory.text(2).unwrap(), "the sea is blue");
    let found = memory.recall(&Recall { text: Some("sea"), ..Recall::default() }).unwrap();
    assert_eq!(found.len(), 1);
    let lease = Lease::take(&*folder(), "m.rvf", 1, platform.clock.now(), 1000);
    assert_eq!(lease.err(), Some(Error::Storage(StorageError::ReadOnly)));
}
