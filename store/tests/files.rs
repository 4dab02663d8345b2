//! Storage over `std::fs`, natively and as a WASI guest: what the trait says, and the durable file
//! over it. Miri has no such files.
#![cfg(not(miri))]

#[path = "support/folder.rs"]
mod folder;
mod support;

use clawft_store::memory::{Derived, Memory, MemoryOptions, Recall};
use clawft_store::storage::native::NativeFolder;
use clawft_store::storage::{Storage, StorageError};
use clawft_store::{DurableFile, Error, Lease, Options};
use folder::Folder;
use support::{DIM, Model, NAME, Owned, Random, all, options};

impl Folder {
    fn storage(&self) -> NativeFolder {
        NativeFolder::new(&self.0).unwrap()
    }

    fn open(&self, options: &Options) -> Result<DurableFile, Error> {
        DurableFile::open(Box::new(self.storage()), NAME, options)
    }
}

#[test]
fn files_do_what_the_trait_says() {
    let folder = Folder::new("trait");
    let storage = folder.storage();
    let file = storage.create("a").unwrap();
    assert_eq!(storage.create("a"), Err(StorageError::Exists));
    assert_eq!(storage.open("b"), Err(StorageError::NotFound));
    for outside in ["../a", "/etc/passwd", "..", "", "a/b"] {
        assert_eq!(storage.open(outside), Err(StorageError::BadHandle), "{outside}");
    }
    storage.append(file, b"hello ").unwrap();
    storage.append(file, b"world").unwrap();
    storage.sync(file).unwrap();
    storage.sync_folder().unwrap();
    let mut bytes = [0; 20];
    assert_eq!(storage.read_at(file, 6, &mut bytes), Ok(5));
    assert_eq!(&bytes[..5], b"world");
    assert_eq!(storage.read_at(file, 99, &mut bytes), Ok(0));
    // To the end, wherever the last read was, and behind what another handle wrote.
    assert_eq!(storage.read_at(file, 1, &mut bytes[..2]), Ok(2));
    let other = storage.open("a").unwrap();
    storage.append(other, b",").unwrap();
    storage.append(file, b" again").unwrap();
    assert_eq!(std::fs::read(folder.0.join("a")).unwrap(), b"hello world, again");
    storage.close(other);
    storage.truncate(file, 5).unwrap();
    storage.append(file, b"!").unwrap();
    assert_eq!(std::fs::read(folder.0.join("a")).unwrap(), b"hello!");
    // In place of a file that is open: its handle keeps what it had.
    let old = storage.create("c").unwrap();
    storage.append(old, b"old").unwrap();
    storage.rename("a", "c").unwrap();
    storage.sync_folder().unwrap();
    assert_eq!((storage.len(file), storage.len(old)), (Ok(6), Ok(3)), "the handles stay");
    assert_eq!(storage.list("").unwrap(), ["c"]);
    storage.close(file);
    assert_eq!(storage.len(file), Err(StorageError::BadHandle));
    storage.remove("c").unwrap();
    assert_eq!(storage.remove("c"), Err(StorageError::NotFound));
    assert_eq!(storage.read_at(old, 0, &mut bytes), Ok(3), "removed, and still open");
    assert!(NativeFolder::new(&folder.0.join("none")).is_err());
}

#[test]
fn a_durable_file_lives_through_folds_compactions_and_reopening() {
    let folder = Folder::new("durable");
    let mut random = Random(11);
    let mut model = Model::new();
    for round in 0..12 {
        let mut file = folder.open(&options()).unwrap();
        assert_eq!(all(&file).unwrap(), model, "round {round}");
        for _ in 0..40 {
            let id = random.id(30);
            if random.below(4) == 0 && model.contains_key(&id) {
                file.remove(id).unwrap();
                model.remove(&id);
            } else {
                let record = Owned::random(&mut random, DIM, 80);
                record.put(&mut file, id).unwrap();
                model.insert(id, record);
            }
            file.commit(0).unwrap();
        }
        if round % 4 == 1 {
            file.compact(0).unwrap();
        }
        // Dropped, as by a guest that ends without a word, or closed.
        if round % 2 == 0 {
            file.close(0).unwrap();
        }
    }
    // A commit that was torn.
    let storage = folder.storage();
    let journal = storage.open(&format!("{NAME}.journal")).unwrap();
    storage.append(journal, b"half a batch").unwrap();
    let file = folder.open(&options()).unwrap();
    assert_eq!(file.report().torn_journal.map(|(_, len)| len), Some(12));
    assert_eq!(all(&file).unwrap(), model);
    assert_eq!(file.verify(1).unwrap(), []);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let folder = Folder::new("second");
    let storage = folder.storage();
    let mut file = folder.open(&options()).unwrap();
    file.set_lease(Lease::take(&storage, NAME, 1, 1000, 100).unwrap());
    let record = Owned::random(&mut Random(1), DIM, 80);
    record.put(&mut file, 1).unwrap();
    file.commit(1010).unwrap();
    assert_eq!(
        Lease::take(&storage, NAME, 2, 1020, 100).unwrap_err().to_string(),
        "no other writer expected, found one with a lease until 1100"
    );
    let reading = Options { read_only: true, ..options() };
    assert_eq!(all(&folder.open(&reading).unwrap()).unwrap(), Model::from([(1, record.clone())]));
    // The first sleeps through its lease; the second takes over, and the first finds out.
    let lease = Lease::take(&storage, NAME, 2, 1100, 100).unwrap();
    let mut second = folder.open(&options()).unwrap();
    second.set_lease(lease);
    record.put(&mut second, 2).unwrap();
    second.commit(1110).unwrap();
    record.put(&mut file, 3).unwrap();
    assert_eq!(file.commit(1120), Err(Error::Conflict));
    drop(file);
    second.close(1130).unwrap();
    assert_eq!(all(&folder.open(&reading).unwrap()).unwrap().len(), 2);
    assert_eq!(storage.list(&format!("{NAME}.lease")).unwrap(), [""; 0]);
}

#[test]
fn a_memory_is_saved_and_read_again() {
    let folder = Folder::new("memory");
    let open = || {
        let options = MemoryOptions { file: options(), capacity: 50, ..MemoryOptions::default() };
        Memory::open(Box::new(folder.storage()), NAME, &options, &mut |_, _| {}).unwrap()
    };
    let mut memory = open();
    let tea = clawft_store::Record {
        id: 7,
        vector: &[1.0, 0.0, 0.5],
        text: "tea at five",
        kind: "fact",
        session: "",
        created: 1,
        last_used: 1,
        uses: 0,
        importance: 0.5,
        pinned: false,
        metadata: &[],
    };
    memory.remember(&tea).unwrap();
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    let mut memory = open();
    assert_eq!(memory.derived(), Derived::Read);
    let asked = Recall { text: Some("tea"), ..Recall::default() };
    assert_eq!(memory.recall(&asked).unwrap()[0].id, 7);
    drop(memory);
    std::fs::write(folder.0.join(format!("{NAME}.image")), b"no image").unwrap();
    assert_eq!(open().derived(), Derived::Damaged);
}
