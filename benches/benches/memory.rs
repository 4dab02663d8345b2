//! The durable memory natively: what a commit takes, an import with texts, opening against the
//! number of records, recall by vector, words and both, and compaction.
//!
//!     cargo bench -p clawft-benches --bench memory
//!
//! On the real embeddings and their texts, in a folder for temporary files: commits take as long
//! as its disk needs to sync, so the figures of two machines say little about each other.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{hint::black_box, path::PathBuf, time::Duration};

use clawft_benches::sample::{self, Rows};
use clawft_store::memory::{Derived, Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::native::NativeFolder;
use clawft_store::{Options, Record};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const NAME: &str = "bench.rvf";
const COUNTS: [usize; 2] = [1_000, 10_000];

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clawft-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Folder(path)
    }

    fn open(&self, capacity: usize) -> Memory {
        let storage = NativeFolder::new(&self.0).expect("it was made");
        let file = Options { dim: Some(512), create: true, ..Options::default() };
        let options = MemoryOptions { file, capacity: capacity as u32, ..MemoryOptions::default() };
        Memory::open(Box::new(storage), NAME, &options, &mut |_, _| {}).expect("it opens")
    }

    fn forget_derived(&self) {
        std::fs::remove_file(self.0.join(format!("{NAME}.image"))).expect("it was saved");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Sample {
    base: Rows,
    texts: Vec<String>,
}

impl Sample {
    fn read() -> Self {
        Sample {
            base: sample::base().expect("the sample"),
            texts: sample::texts().expect("its texts"),
        }
    }

    fn put(&self, memory: &mut Memory, id: usize) {
        let row = id % self.base.len();
        let record = Record {
            id: id as u64,
            vector: self.base.row(row),
            text: &self.texts[row],
            kind: if row.is_multiple_of(10) { "rare" } else { "usual" },
            created: id as u64,
            last_used: id as u64,
            importance: 0.5,
            ..Record::default()
        };
        memory.remember(&record).expect("it fits");
    }

    /// A memory of the first `count` rows, closed.
    fn filled(&self, name: &str, count: usize) -> Folder {
        let folder = Folder::new(name);
        let mut memory = folder.open(count);
        for id in 0..count {
            self.put(&mut memory, id);
            if id % 1000 == 999 {
                memory.commit(0).expect("it commits");
            }
        }
        memory.close(0).expect("it closes");
        folder
    }
}

fn memory(criterion: &mut Criterion) {
    let sample = Sample::read();
    let mut group = criterion.benchmark_group("memory");
    group.sample_size(10).measurement_time(Duration::from_secs(3));

    // One record, one commit: the text, the vector, the index, and a sync of the disk.
    let folder = Folder::new("commit");
    let mut open = folder.open(20_000);
    let mut id = 0;
    group.bench_function("commit/1", |bench| {
        bench.iter(|| {
            sample.put(&mut open, id % 10_000);
            open.commit(0).expect("it commits");
            id += 1;
        });
    });
    drop(open);

    group.throughput(Throughput::Elements(1000));
    group.bench_function("import/1000", |bench| {
        let mut turn = 0;
        bench.iter_batched(
            || {
                turn += 1;
                Folder::new(&format!("import-{turn}"))
            },
            |folder| {
                let mut memory = folder.open(1000);
                for id in 0..1000 {
                    sample.put(&mut memory, id);
                }
                memory.commit(0).expect("it commits");
                folder
            },
            BatchSize::PerIteration,
        );
    });

    for count in COUNTS {
        let folder = sample.filled(&format!("open-{count}"), count);
        assert_eq!(folder.open(count).derived(), Derived::Read);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("open", count), |bench| {
            bench.iter(|| black_box(folder.open(count).len()));
        });
        let mut memory = folder.open(count);
        group.bench_function(BenchmarkId::new("compact", count), |bench| {
            bench.iter(|| memory.compact(0).expect("it compacts"));
        });
        drop(memory);
        if count == COUNTS[0] {
            folder.forget_derived();
            group.bench_function(BenchmarkId::new("rebuild", count), |bench| {
                bench.iter(|| black_box(folder.open(count).derived()));
            });
        }
    }

    let folder = sample.filled("recall", 10_000);
    let mut memory = folder.open(10_000);
    let queries = sample::known_item_queries().expect("the known items");
    let questions: Vec<&str> = sample.texts.iter().map(|text| first_words(text)).collect();
    group.throughput(Throughput::Elements(1));
    let rare = Filter { kinds: Some(&["rare"]), ..Filter::default() };
    for (name, vector, words, filter) in [
        ("vector", true, false, Filter::default()),
        ("words", false, true, Filter::default()),
        ("both", true, true, Filter::default()),
        ("both of a tenth", true, true, rare),
    ] {
        let mut turn = 0;
        group.bench_function(BenchmarkId::new("recall", name), |bench| {
            bench.iter(|| {
                turn += 1;
                let recall = Recall {
                    vector: vector.then(|| queries.row(turn % queries.len())),
                    text: words.then(|| questions[turn * 7 % questions.len()]),
                    ef: 64,
                    filter,
                    ..Recall::default()
                };
                black_box(memory.recall(&recall).expect("it answers"))
            });
        });
    }
    group.finish();
}

/// About the length of a question.
fn first_words(text: &str) -> &str {
    let end = text.char_indices().filter(|(_, c)| c.is_whitespace()).nth(7);
    end.map_or(text, |(at, _)| &text[..at])
}

criterion_group!(benches, memory);
criterion_main!(benches);
