//! The store natively: insert, search over ef, filtered search, and all that over the count.
//!
//!     cargo bench -p clawft-benches --bench store
//!     CLAWFT_BENCH_LARGE=1 cargo bench -p clawft-benches --bench store -- count
//!
//! One vector or query at a time, one thread, 8-bit codes, cosine. `sample/*` is on the 10,000
//! real embeddings; `count/*` on mixtures of them ([`clawft_benches::mixture`]) of 1,000 and
//! 10,000 vectors, and 100,000 where `CLAWFT_BENCH_LARGE` is set, which takes minutes. Speed
//! says nothing without recall, so each set's build and the recall of each operating point are
//! printed before its times.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use clawft_benches::{
    aligned::Aligned, dimension, exact, mixture::mixture, random::Random, sample, sample::Rows,
};
use clawft_vectors::{
    Hit, Image, Mode, Params, Scratch, SearchOptions, required_bytes, scratch_words,
};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};

const K: usize = 10;
const EFS: [usize; 5] = [16, 32, 64, 128, 256];
/// Operating points, the same as the demo's and the peers'.
const TARGETS: [f64; 2] = [0.97, 0.99];
const MAX_EF: u32 = 512;

/// An image of some rows, ids by their number, with room for one more.
struct Store {
    image: Image<Aligned>,
    words: Vec<u64>,
}

impl Store {
    fn new(rows: &Rows) -> Self {
        let params = Params::new(rows.dim as u32, rows.len() as u32 + 1);
        let bytes = required_bytes(&params).expect("sound parameters");
        let image = Image::create(&params, Aligned::new(bytes)).expect("a buffer of that size");
        let words = vec![0; scratch_words(image.layout(), MAX_EF)];
        let mut store = Store { image, words };
        let start = Instant::now();
        rows.iter().zip(0..).for_each(|(row, id)| {
            store.insert(id, row);
        });
        let (count, seconds) = (rows.len(), start.elapsed().as_secs_f64());
        println!("{count} x {}: built in {seconds:.2} s, {bytes} bytes", rows.dim);
        store
    }

    /// The time that the insert took.
    fn insert(&mut self, id: u64, row: &[f32]) -> Duration {
        let layout = *self.image.layout();
        let mut scratch = Scratch::new(&layout, &mut self.words, MAX_EF).expect("enough words");
        let start = Instant::now();
        self.image.insert(id, row, &mut scratch).expect("room for one more");
        start.elapsed()
    }

    fn remove(&mut self, id: u64) {
        let layout = *self.image.layout();
        let mut scratch = Scratch::new(&layout, &mut self.words, MAX_EF).expect("enough words");
        self.image.remove(id, &mut scratch).expect("a stored id");
    }

    /// Mean recall of the searches by the rows of `queries`.
    fn recall(
        &mut self,
        queries: &Rows,
        truth: &[Vec<(f32, u32)>],
        options: &SearchOptions<'_>,
    ) -> f64 {
        let mut scratch =
            Scratch::new(self.image.layout(), &mut self.words, MAX_EF).expect("enough words");
        let mut hits = [Hit::default(); K];
        let sum: f64 = queries
            .iter()
            .zip(truth)
            .map(|(query, truth)| {
                let n = self.image.search(query, options, &mut scratch, &mut hits).expect("hits");
                exact::recall(truth, hits[..n].iter().map(|hit| hit.id))
            })
            .sum();
        sum / truth.len() as f64
    }

    /// Searches by the rows of `queries`, one after another, and times them; prints the recall
    /// among the rows that the filter lets through.
    fn search(
        &mut self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &BenchmarkId,
        label: &str,
        queries: &Rows,
        truth: &[Vec<(f32, u32)>],
        options: &SearchOptions<'_>,
    ) {
        println!("{label}: recall@{K} {:.4}", self.recall(queries, truth, options));
        let mut scratch =
            Scratch::new(self.image.layout(), &mut self.words, MAX_EF).expect("enough words");
        let mut hits = [Hit::default(); K];
        let mut turn = queries.iter().cycle();
        group.bench_function(name.clone(), |bencher| {
            bencher.iter(|| {
                let query = turn.next().expect("a cycle");
                black_box(self.image.search(query, options, &mut scratch, &mut hits))
            });
        });
    }
}

/// The true nearest of each query.
fn truths(rows: &Rows, queries: &Rows) -> Vec<Vec<(f32, u32)>> {
    queries.iter().map(|query| exact::nearest(rows, query, K)).collect()
}

fn over_ef(
    criterion: &mut Criterion,
    name: &str,
    store: &mut Store,
    queries: &Rows,
    truth: &[Vec<(f32, u32)>],
) {
    for mode in [Mode::Walk, Mode::Auto, Mode::Scan] {
        let mut group = criterion.benchmark_group(format!("{name}/search {mode:?}"));
        for ef in EFS {
            let options = SearchOptions { ef, mode, ..SearchOptions::new(K) };
            let id = BenchmarkId::from_parameter(format!("ef {ef}"));
            let label = format!("{name}, {mode:?}, ef {ef}");
            store.search(&mut group, &id, &label, queries, truth, &options);
        }
        group.finish();
    }
}

/// The smallest ef that reaches each recall, by bisection, and the time of a search there.
fn at_recall(
    criterion: &mut Criterion,
    name: &str,
    store: &mut Store,
    queries: &Rows,
    truth: &[Vec<(f32, u32)>],
) {
    let mut group = criterion.benchmark_group(format!("{name}/at a recall"));
    group.throughput(Throughput::Elements(1));
    for target in TARGETS {
        let (mut below, mut ef) = (K - 1, MAX_EF as usize);
        while ef - below > 1 {
            let middle = below.midpoint(ef);
            let options = SearchOptions { ef: middle, ..SearchOptions::new(K) };
            if store.recall(queries, truth, &options) < target {
                below = middle;
            } else {
                ef = middle;
            }
        }
        let options = SearchOptions { ef, ..SearchOptions::new(K) };
        let id = BenchmarkId::from_parameter(target);
        store.search(&mut group, &id, &format!("{name}, ef {ef}"), queries, truth, &options);
    }
    group.finish();
}

/// One vector more, then it is taken out again, which is not timed.
fn insert(criterion: &mut Criterion, name: &str, store: &mut Store, rows: &Rows) {
    let mut turn = rows.iter().cycle();
    criterion.benchmark_group(name).bench_function("insert", |bencher| {
        bencher.iter_custom(|times| {
            let one = |_| {
                let time = store.insert(u64::MAX - 1, turn.next().expect("a cycle"));
                store.remove(u64::MAX - 1);
                time
            };
            (0..times).map(one).sum()
        });
    });
}

/// Only a random part of the ids may be found.
fn filtered(criterion: &mut Criterion, store: &mut Store, rows: &Rows, queries: &Rows) {
    let mut order: Vec<u64> = (0..rows.len() as u64).collect();
    Random::new(11).shuffle(&mut order);
    let mut group = criterion.benchmark_group("sample/filtered, ef 64");
    for percent in [50.0, 10.0, 1.0, 0.1] {
        let mut ids = order[..(rows.len() as f64 * percent / 100.0) as usize].to_vec();
        ids.sort_unstable();
        let flat = ids.iter().flat_map(|&id| rows.row(id as usize)).copied().collect();
        let mut truth = truths(&Rows { dim: rows.dim, flat }, queries);
        // From places among the filtered rows to ids.
        truth.iter_mut().flatten().for_each(|hit| hit.1 = ids[hit.1 as usize] as u32);
        for mode in [Mode::Auto, Mode::Walk] {
            let options =
                SearchOptions { ef: 64, mode, filter: Some(&ids), ..SearchOptions::new(K) };
            let id = BenchmarkId::new(format!("{mode:?}"), format!("{percent} %"));
            let label = format!("sample, {mode:?}, {percent} % pass");
            store.search(&mut group, &id, &label, queries, &truth, &options);
        }
    }
    group.finish();
}

/// Does the command line ask for benches of this name? Building for nothing takes long.
fn is_wanted(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|word| word.contains(name) || name.contains(&word))
}

fn on_the_sample(criterion: &mut Criterion) {
    if !is_wanted("sample") {
        return;
    }
    let rows = sample::base().expect("the sample");
    let mut store = Store::new(&rows);
    for (name, queries) in [
        ("sample", sample::queries().expect("the queries")),
        ("sample, known items", sample::known_item_queries().expect("the harder queries")),
    ] {
        let truth = truths(&rows, &queries);
        at_recall(criterion, name, &mut store, &queries, &truth);
        over_ef(criterion, name, &mut store, &queries, &truth);
    }
    let queries = sample::queries().expect("the queries");
    filtered(criterion, &mut store, &rows, &queries);
    insert(criterion, "sample", &mut store, &queries);
}

fn over_the_count(criterion: &mut Criterion) {
    if !is_wanted("count") {
        return;
    }
    let sample = sample::base().expect("the sample");
    let queries = mixture(&sample, 200, 2);
    let large = std::env::var_os("CLAWFT_BENCH_LARGE").is_some();
    for count in [1_000, 10_000, 100_000] {
        if count == 100_000 && !large {
            println!("100000 vectors: left out; set CLAWFT_BENCH_LARGE to measure them");
            continue;
        }
        let rows = mixture(&sample, count, 1);
        let hardness = dimension::intrinsic(&rows, queries.iter()).expect("distinct rows");
        println!("{count} mixtures: intrinsic dimension {hardness:.1} (k = {})", dimension::K);
        let mut store = Store::new(&rows);
        let truth = truths(&rows, &queries);
        let name = format!("count/{count}");
        over_ef(criterion, &name, &mut store, &queries, &truth);
        insert(criterion, &name, &mut store, &queries);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = on_the_sample, over_the_count
}
criterion_main!(benches);
