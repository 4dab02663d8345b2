//! What searches find when full codes are hot, warm, cool or cold, and 40,000 vectors in 16 MiB.
//!
//!     cargo run --release -p clawft-benches --bin tiers-recall [-- --large]
//!
//! recall@10 over the held-out queries of the sample. Each image is made hot and its codes moved
//! down by a tick, as an idle memory's are. `--large` takes 40,000 mixtures of the sample instead
//! (see `mixture`), at most 2,000 of them hot, in the 16 MiB that a module has.

#![forbid(unsafe_code)]

use std::{io, process::ExitCode, time::Instant};

use clawft_benches::{
    aligned::Aligned,
    exact,
    mixture::mixture,
    sample::{self, Rows},
};
use clawft_vectors::{
    Hit, Image, Layout, Mode, Params, Scratch, SearchOptions, scratch_words,
    tier_policy::{Policy, Tier},
    tiers::Limits,
};

const K: usize = 10;
const EFS: [u32; 3] = [50, 100, 200];
const LARGE: u32 = 40_000;
/// 5 % of them.
const HOT: u32 = LARGE / 20;
/// A module's memory, and its stack.
const MEMORY: usize = 16 << 20;
const STACK: usize = 64 << 10;
/// Some time after 1970, in ms.
const NOW: u64 = 1 << 40;
const ALL: Limits = Limits { records: u32::MAX, bytes: u64::MAX };

fn main() -> ExitCode {
    let large = std::env::args().nth(1).is_some_and(|argument| argument == "--large");
    match if large { measure_large() } else { measure_sample() } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tiers-recall: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure_sample() -> io::Result<()> {
    let (base, queries) = (sample::base()?, sample::queries()?);
    let params = Params { hot: Some(base.len() as u32), ..params(&base) };
    let mut store = Store::new(&params);
    store.fill(&base);
    let truth = truth(&base, &queries);
    println!(
        "| tier | hot, warm, cool, cold | exact | {} |",
        EFS.map(|ef| format!("ef {ef}, us")).join(" | ")
    );
    for tier in Tier::ALL {
        let moved = store.tick(&all_in(tier));
        assert!(moved == base.len() as u32 || tier == Tier::Hot, "all move");
        store.report(&format!("{tier:?}"), &queries, &truth);
    }
    // As a memory is built anew from its file: cold from the first record on.
    let mut store = Store::new(&params);
    store.image.set_arrival(Tier::Cold);
    store.fill(&base);
    store.report("built cold", &queries, &truth);
    for (id, row) in (0..).zip(base.iter()) {
        store.restore(id, row);
    }
    store.report("and then restored", &queries, &truth);
    Ok(())
}

fn measure_large() -> io::Result<()> {
    let sample = sample::base()?;
    let (base, queries) = (mixture(&sample, LARGE as usize, 1), mixture(&sample, 1000, 2));
    let params = Params { hot: Some(HOT), ..params(&base) };
    let mut store = Store::new(&params);
    let scratch = store.words.len() * 8;
    let hits = EFS[2] as usize * size_of::<Hit>() + 4 * base.dim;
    let used = store.image.bytes().len() + scratch + hits + STACK;
    println!(
        "image {} + scratch {scratch} + a query {hits} + stack {STACK} = {used} bytes of {MEMORY}, {} are left",
        store.image.bytes().len(),
        MEMORY - used
    );
    let start = Instant::now();
    store.fill(&base);
    println!("{LARGE} inserts in {:.0} s", start.elapsed().as_secs_f64());
    let truth = truth(&base, &queries);
    println!(
        "| | hot, warm, cool, cold | exact | {} |",
        EFS.map(|ef| format!("ef {ef}, us")).join(" | ")
    );
    store.report("as inserted", &queries, &truth);
    // The first to come were hot: others take their places.
    store.tick(&all_in(Tier::Cold));
    for id in 0..u64::from(HOT) {
        let id = (id * 20) % u64::from(LARGE);
        store.restore(id, base.row(id as usize));
    }
    store.report("every 20th restored", &queries, &truth);
    Ok(())
}

fn params(rows: &Rows) -> Params {
    Params::new(rows.dim as u32, rows.len() as u32)
}

fn truth(base: &Rows, queries: &Rows) -> Vec<Vec<(f32, u32)>> {
    queries.iter().map(|query| exact::nearest(base, query, K)).collect()
}

/// A policy that wants every record in `tier`, at once.
fn all_in(tier: Tier) -> Policy {
    let mut thresholds = [u32::MAX; 3];
    thresholds[tier as usize..].fill(0);
    Policy { thresholds, residency_down: 0, residency_up: 0, slack: 0, ..Policy::default() }
}

/// An image of some rows, ids by their number, with its scratch.
struct Store {
    image: Image<Aligned>,
    layout: Layout,
    words: Vec<u64>,
}

impl Store {
    fn new(params: &Params) -> Self {
        let layout = Layout::new(params).expect("parameters in their ranges");
        let image = Image::create(params, Aligned::new(layout.bytes)).expect("a buffer that fits");
        Store { image, layout, words: vec![0; scratch_words(&layout, EFS[EFS.len() - 1])] }
    }

    /// The image with its scratch.
    fn parts(&mut self) -> (&mut Image<Aligned>, Scratch<'_>) {
        let Store { image, layout, words } = self;
        (image, Scratch::new(layout, words, EFS[EFS.len() - 1]).expect("so many words are enough"))
    }

    /// Inserts all rows, and lets their time begin.
    fn fill(&mut self, rows: &Rows) {
        let (image, mut scratch) = self.parts();
        for (id, row) in (0..).zip(rows.iter()) {
            image.insert(id, row, &mut scratch).expect("there is room");
        }
        self.tick(&Policy::default());
    }

    fn tick(&mut self, policy: &Policy) -> u32 {
        let (image, mut scratch) = self.parts();
        image.tick(policy, NOW, ALL, &mut [], &mut scratch).expect("the scratch fits").moved
    }

    fn restore(&mut self, id: u64, row: &[f32]) {
        let (image, mut scratch) = self.parts();
        image.restore(id, row, Tier::Hot, NOW, &mut scratch).expect("there is room");
    }

    fn report(&mut self, name: &str, queries: &Rows, truth: &[Vec<(f32, u32)>]) {
        let counts = self.image.tier_counts();
        let (exact, _) = self.recall(
            queries,
            truth,
            SearchOptions { mode: Mode::Exact, ..SearchOptions::new(K) },
        );
        print!("| {name} | {counts:?} | {exact:.4} |");
        for ef in EFS {
            let options =
                SearchOptions { ef: ef as usize, mode: Mode::Walk, ..SearchOptions::new(K) };
            let (recall, micros) = self.recall(queries, truth, options);
            print!(" {recall:.4}, {micros:.0} |");
        }
        println!();
    }

    /// The recall, and the time of a query.
    fn recall(
        &mut self,
        queries: &Rows,
        truth: &[Vec<(f32, u32)>],
        options: SearchOptions<'_>,
    ) -> (f64, f64) {
        let (image, mut scratch) = self.parts();
        let (mut sum, mut seconds) = (0.0, 0.0);
        for (query, truth) in queries.iter().zip(truth) {
            let mut hits = [Hit::default(); K];
            let start = Instant::now();
            let found =
                image.search(query, &options, &mut scratch, &mut hits).expect("a good query");
            seconds += start.elapsed().as_secs_f64();
            sum += exact::recall(truth, hits[..found].iter().map(|hit| hit.id));
        }
        let asked = queries.len() as f64;
        (sum / asked, seconds * 1e6 / asked)
    }
}
