//! `rvf-runtime` reads our files, and we read its, also after it appended, deleted and
//! compacted. Native files, as it knows no others.
// Neither WebAssembly nor Miri have what rvf-runtime asks of its machine.
#![cfg(not(any(target_family = "wasm", miri)))]

#[path = "support/folder.rs"]
mod folder;
mod support;

use std::path::PathBuf;

use clawft_store::memory::{Memory, MemoryOptions};
use clawft_store::storage::native::NativeFolder;
use clawft_store::{DamageKind, DurableFile, Error, Options};
use folder::Folder;
use rvf_runtime::options::{
    DistanceMetric, MetadataEntry, MetadataValue, QueryOptions, RvfOptions, VectorMetadata,
};
use rvf_runtime::{FilterExpr, RvfStore};
use support::{Model, Owned, Random, all, ids};

const DIM: usize = 8;
/// What the payload of our records begins with.
const RECORDS: &[u8] = b"CFRECS\0\x01";

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.join(support::NAME)
    }

    fn open(&self) -> DurableFile {
        let options = Options { dim: Some(DIM as u16), metric: 0, ..support::options() };
        let storage = Box::new(NativeFolder::new(&self.0).unwrap());
        DurableFile::open(storage, support::NAME, &options).unwrap()
    }
}

/// A file of ours after some churn, and what is in it.
fn ours(folder: &Folder, seed: u64, steps: u64) -> Model {
    let mut random = Random(seed);
    let mut model = Model::new();
    let mut file = folder.open();
    for step in 0..steps {
        let id = random.id(60);
        if random.below(4) == 0 && model.contains_key(&id) {
            file.remove(id).unwrap();
            model.remove(&id);
        } else {
            let record = Owned::random(&mut random, DIM, 60);
            record.put(&mut file, id).unwrap();
            model.insert(id, record);
        }
        if step % 3 == 0 {
            file.commit(0).unwrap();
            assert_eq!(file.deferred(), None);
        }
    }
    file.commit(0).unwrap();
    file.close(0).unwrap();
    model
}

/// What rvf-runtime must find in a file of ours.
fn check_theirs(store: &RvfStore, model: &Model) {
    assert_eq!(usize::from(store.dimension()), DIM);
    let found: Model = store
        .read_all_vectors()
        .into_iter()
        .map(|(id, vector)| (id, Owned { vector, ..model[&id].clone() }))
        .collect();
    assert_eq!(found, *model);
    let recovery = store.metadata_recovery();
    assert_eq!((recovery.dropped_generations, recovery.dropped_records), (0, 0));
    for (id, record) in model {
        let entries = store.get_metadata(*id).unwrap_or_default();
        let text = |field| {
            let value = &entries.iter().find(|entry| entry.field_id == field)?.value;
            match value {
                MetadataValue::String(text) => Some(text.clone()),
                MetadataValue::Null => Some(String::new()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(text(1).unwrap_or_default(), record.kind, "{id}");
        assert_eq!(text(2).unwrap_or_default(), record.session, "{id}");
        let pairs: String =
            record.metadata.iter().map(|(k, v)| format!("{k}\u{1f}{v}\u{1e}")).collect();
        assert_eq!(text(3).unwrap_or_default(), pairs, "{id}");
    }
    // Nearest by an exact scan here, by a query there; with a filter too.
    let query = vec![0.1; DIM];
    let distance = |record: &Owned| -> f32 {
        record.vector.iter().zip(&query).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    for kind in [None, Some("fact")] {
        let mut nearest: Vec<(f32, u64)> = model
            .iter()
            .filter(|(_, record)| kind.is_none_or(|kind| record.kind == kind))
            .map(|(id, record)| (distance(record), *id))
            .collect();
        nearest.sort_by(|a, b| a.partial_cmp(b).unwrap());
        nearest.truncate(5);
        let filter = kind.map(|kind| {
            FilterExpr::Eq(1, rvf_runtime::filter::FilterValue::String(kind.to_string()))
        });
        let options = QueryOptions { filter, ..Default::default() };
        let hits = store.query(&query, 5, &options).unwrap();
        let hits: Vec<u64> = hits.iter().map(|hit| hit.id).collect();
        assert_eq!(hits, nearest.iter().map(|hit| hit.1).collect::<Vec<_>>(), "{kind:?}");
    }
}

#[test]
fn they_read_what_we_wrote() {
    for seed in 0..6 {
        let folder = Folder::new("ours");
        let model = ours(&folder, seed, 30 * seed);
        check_theirs(&RvfStore::open_readonly(&folder.path()).unwrap(), &model);
        // With what we did after that.
        let mut file = folder.open();
        file.compact(0).unwrap();
        file.close(0).unwrap();
        let store = RvfStore::open(&folder.path()).unwrap();
        check_theirs(&store, &model);
        assert_eq!(store.tail_recovery(), Default::default());
        store.close().unwrap();
        assert_eq!(*folder.open().report(), Default::default());
    }
}

#[test]
fn we_read_what_they_changed() {
    for (seed, compacts) in (0..4).flat_map(|seed| [(seed, false), (seed, true)]) {
        let folder = Folder::new("changed");
        let mut model = ours(&folder, seed, 80);
        let mut random = Random(seed);
        let mut store = RvfStore::open(&folder.path()).unwrap();
        for round in 0..3 {
            // New records, with metadata.
            let id = 1000 + round;
            let vector: Vec<f32> = (0..DIM).map(|_| random.float()).collect();
            let value = MetadataValue::String(format!("theirs {round}"));
            let metadata = [MetadataEntry { field_id: 9, value }];
            let taken = store.ingest_batch(&[&vector], &[id], Some(&metadata)).unwrap();
            assert_eq!(taken.accepted, 1);
            let metadata = vec![("field.9".into(), format!("theirs {round}"))];
            model.insert(id, Owned { metadata, ..theirs(vector) });
            // A new vector for one of ours keeps the rest.
            let id = *model.keys().nth(random.below(20) as usize).unwrap();
            let vector: Vec<f32> = (0..DIM).map(|_| random.float()).collect();
            store.ingest_batch(&[&vector], &[id], None).unwrap();
            model.get_mut(&id).unwrap().vector = vector;
            // Deletions, of ours and of theirs.
            let gone: Vec<u64> =
                model.keys().copied().filter(|_| random.below(8) == 0).take(4).collect();
            store.delete(&gone).unwrap();
            model.retain(|id, _| !gone.contains(id));
            if compacts && round == 1 {
                store.compact().unwrap();
            }
        }
        store.close().unwrap();

        // Reading it changes nothing; writing it makes it ours.
        let before = std::fs::read(folder.path()).unwrap();
        let options = Options { read_only: true, ..Options::default() };
        let storage = Box::new(NativeFolder::new(&folder.0).unwrap());
        let file = DurableFile::open(storage, support::NAME, &options).unwrap();
        check_ours(&file, &model);
        assert!(file.report().foreign);
        drop(file);
        assert_eq!(std::fs::read(folder.path()).unwrap(), before);
        // No bit of what says which records were replaced makes others of them.
        let heads = before.windows(8).enumerate().filter(|(_, bytes)| *bytes == RECORDS);
        let heads: Vec<usize> = heads.map(|(at, _)| at).collect();
        assert!(!heads.is_empty());
        for byte in heads.iter().flat_map(|head| *head..head + 24) {
            let mut flipped = before.clone();
            flipped[byte] ^= 1 << (byte % 8);
            std::fs::write(folder.path(), flipped).unwrap();
            let storage = Box::new(NativeFolder::new(&folder.0).unwrap());
            match DurableFile::open(storage, support::NAME, &options) {
                Ok(file) => check_ours(&file, &model),
                Err(error) => assert!(matches!(error, Error::Damaged(_)), "byte {byte}: {error}"),
            }
        }
        std::fs::write(folder.path(), &before).unwrap();
        stays(&folder, &model);
        let size = std::fs::metadata(folder.path()).unwrap().len();
        let live: u64 = model.values().map(Owned::bytes).sum();
        assert!(size < 3 * live + 2000, "what they kept of removed records is gone: {size} {live}");
        check_vectors(&RvfStore::open_readonly(&folder.path()).unwrap(), &model);
    }
}

/// Their deletion takes all of a record, though our entry is still there when its id comes back.
#[test]
fn what_they_deleted_and_stored_again_has_nothing_of_ours() {
    for removes_first in [false, true] {
        let folder = Folder::new("again");
        let mut model = ours(&folder, 7, 80);
        let mut random = Random(8);
        let ids: Vec<u64> = model.keys().copied().take(6).collect();
        if removes_first {
            // One that we have removed and put again is ours.
            let mut file = folder.open();
            file.remove(ids[5]).unwrap();
            file.commit(0).unwrap();
            file.settle(0).unwrap();
            model[&ids[5]].put(&mut file, ids[5]).unwrap();
            file.commit(0).unwrap();
            file.close(0).unwrap();
        }
        let mut store = RvfStore::open(&folder.path()).unwrap();
        store.delete(&ids[..4]).unwrap();
        model.remove(&ids[3]);
        for &id in &ids[..3] {
            let vector: Vec<f32> = (0..DIM).map(|_| random.float()).collect();
            store.ingest_batch(&[&vector], &[id], None).unwrap();
            model.insert(id, theirs(vector));
        }
        store.close().unwrap();
        stays(&folder, &model);
    }
}

/// Our entry and its vector are as they were: what META had was a mirror.
#[test]
fn what_lost_only_its_metadata_there_is_whole() {
    for compacts in [false, true] {
        let folder = Folder::new("metadata");
        let mut model = ours(&folder, 7, 80);
        let id = *model.iter().find(|(_, record)| !record.text.is_empty()).unwrap().0;
        let mut store = RvfStore::open(&folder.path()).unwrap();
        let gone = VectorMetadata { vector_id: id, fields: Vec::new(), delete_record: true };
        let vector = vec![0.5; DIM];
        store.ingest_batch_with_metadata(&[&vector], &[1000], &[gone]).unwrap();
        model.insert(1000, theirs(vector));
        assert!(store.get_metadata(id).is_none());
        if compacts {
            store.compact().unwrap();
        }
        store.close().unwrap();
        stays(&folder, &model);
    }
}

/// Their store takes it, and a memory is not to be closed for good by it.
#[test]
fn a_vector_of_theirs_without_a_direction_is_kept() {
    let folder = Folder::new("zero");
    let options = RvfOptions {
        dimension: DIM as u16,
        metric: DistanceMetric::Cosine,
        ..RvfOptions::default()
    };
    let mut store = RvfStore::create(&folder.path(), options).unwrap();
    store.ingest_batch(&[&[0.0; DIM], &[1.0; DIM]], &[1, 2], None).unwrap();
    store.close().unwrap();
    for _ in 0..2 {
        let storage = Box::new(NativeFolder::new(&folder.0).unwrap());
        let options = MemoryOptions::default();
        let memory = Memory::open(storage, support::NAME, &options, &mut |_, _| {}).unwrap();
        assert_eq!(memory.len(), 2);
        let damaged = &memory.file().report().damaged;
        assert_eq!((damaged.len(), damaged[0].kind), (1, DamageKind::Incomparable));
        memory.close(0).unwrap();
    }
}

fn check_vectors(store: &RvfStore, model: &Model) {
    let mut found = store.read_all_vectors();
    found.sort_by_key(|(id, _)| *id);
    let expected: Vec<_> = model.iter().map(|(id, r)| (*id, r.vector.clone())).collect();
    assert_eq!(found, expected);
}

/// A record of a vector that they alone stored: nothing else is known of it.
fn theirs(vector: Vec<f32>) -> Owned {
    Owned {
        vector,
        text: String::new(),
        kind: String::new(),
        session: String::new(),
        created: 0,
        uses: 0,
        pinned: false,
        metadata: Vec::new(),
    }
}

/// Opened for writing, which makes the file ours, and once more.
fn stays(folder: &Folder, model: &Model) {
    for _ in 0..2 {
        let file = folder.open();
        check_ours(&file, model);
        assert_eq!(file.verify(1).unwrap(), []);
        file.close(0).unwrap();
    }
}

/// As [`all`], but for importance and last use, which their records do not have.
fn check_ours(file: &DurableFile, model: &Model) {
    assert_eq!(file.len(), model.len());
    for found in ids(file) {
        let record = &model[&found];
        let fields = file.fields(found).unwrap();
        let mut vector = vec![0.0; DIM];
        file.vector(found, &mut vector).unwrap();
        assert_eq!(vector, record.vector);
        assert_eq!(file.text(found).unwrap(), record.text);
        assert_eq!((fields.kind(), fields.session()), (&record.kind[..], &record.session[..]));
        let pairs: Vec<(String, String)> =
            fields.metadata().map(|(k, v)| (k.into(), v.into())).collect();
        assert_eq!(pairs, record.metadata);
    }
}

#[test]
fn we_read_what_they_wrote_from_the_start() {
    let folder = Folder::new("theirs");
    let options = RvfOptions {
        dimension: DIM as u16,
        metric: DistanceMetric::Cosine,
        ..RvfOptions::default()
    };
    let mut store = RvfStore::create(&folder.path(), options).unwrap();
    let mut random = Random(4);
    let mut model = std::collections::BTreeMap::new();
    for batch in 0..5_u64 {
        let ids: Vec<u64> = (batch * 40..batch * 40 + 50).collect();
        let vectors: Vec<Vec<f32>> =
            ids.iter().map(|_| (0..DIM).map(|_| random.float()).collect()).collect();
        let refs: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        store.ingest_batch(&refs, &ids, None).unwrap();
        model.extend(ids.into_iter().zip(vectors));
    }
    store.delete(&[3, 77]).unwrap();
    model.retain(|id, _| ![3, 77].contains(id));
    // Enough for an index to be written on close.
    store.query(&[0.5; DIM], 3, &QueryOptions::default()).unwrap();
    store.close().unwrap();
    let file = folder.open();
    assert_eq!(file.metric(), 2);
    assert_eq!(file.len(), model.len());
    for (id, expected) in model {
        let mut vector = [0.0; DIM];
        file.vector(id, &mut vector).unwrap();
        assert_eq!(vector[..], expected);
    }
}

#[test]
fn many_records_of_theirs_are_read() {
    const COUNT: u64 = 150_000;
    let folder = Folder::new("many");
    let options = RvfOptions {
        dimension: DIM as u16,
        metric: DistanceMetric::Cosine,
        ..RvfOptions::default()
    };
    let mut store = RvfStore::create(&folder.path(), options).unwrap();
    let vector: Vec<f32> = (0..DIM).map(|i| i as f32).collect();
    let vectors = vec![&vector[..]; COUNT as usize];
    let ids: Vec<u64> = (0..COUNT).collect();
    let metadata: Vec<MetadataEntry> = ids
        .iter()
        .map(|&id| MetadataEntry { field_id: 9, value: MetadataValue::U64(id) })
        .collect();
    store.ingest_batch(&vectors, &ids, Some(&metadata)).unwrap();
    store.close().unwrap();
    let options = Options { read_only: true, ..Options::default() };
    let storage = Box::new(NativeFolder::new(&folder.0).unwrap());
    // Were all that are left moved for each one, it would take many times as long.
    let file = DurableFile::open(storage, support::NAME, &options).unwrap();
    let last = file.fields(COUNT - 1).unwrap();
    assert_eq!(last.metadata().collect::<Vec<_>>(), [("field.9", "149999")]);
}

#[test]
fn a_journal_that_was_not_folded_outlives_their_changes() {
    let folder = Folder::new("crashed");
    let mut model = ours(&folder, 5, 60);
    let mut file = folder.open();
    let mut random = Random(6);
    let record = Owned::random(&mut random, DIM, 60);
    record.put(&mut file, 500).unwrap();
    file.commit(0).unwrap();
    model.insert(500, record);
    drop(file); // Not closed: the record is in the journal alone.
    let mut store = RvfStore::open(&folder.path()).unwrap();
    let gone = *model.keys().next().unwrap();
    store.delete(&[gone]).unwrap();
    model.remove(&gone);
    store.close().unwrap();
    let file = folder.open();
    assert_eq!(file.report().replayed, 1);
    assert_eq!(all(&file).unwrap(), model);
}
