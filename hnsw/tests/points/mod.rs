//! Points with squared Euclidean distance, their exact neighbours, and inputs that are hard
//! on a graph. Everything is drawn from one seeded generator, the same on every machine.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use clawft_hnsw::{Graph, Layout, Mode, Params, Probe, Request, Scratch, Slot, Space};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }
}

pub struct Points {
    pub dim: usize,
    pub values: Vec<f32>,
}

impl Points {
    pub fn uniform(n: usize, dim: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        Points { dim, values: (0..n * dim).map(|_| random.unit()).collect() }
    }

    /// `clusters` tight heaps, one after the other: also what topic-ordered input looks like.
    pub fn clustered(n: usize, dim: usize, clusters: usize, spread: f32, seed: u64) -> Self {
        let mut random = Random(seed);
        let centres = Points::uniform(clusters, dim, seed ^ 1);
        let mut values = Vec::with_capacity(n * dim);
        for i in 0..n {
            let centre = centres.row((i * clusters / n) as Slot);
            values.extend(centre.iter().map(|c| c + spread * (random.unit() - 0.5)));
        }
        Points { dim, values }
    }

    /// Each point stands `copies` times in a row.
    pub fn duplicated(n: usize, dim: usize, copies: usize, seed: u64) -> Self {
        let few = Points::uniform(n.div_ceil(copies), dim, seed);
        let values = (0..n).flat_map(|i| few.row((i / copies) as Slot).to_vec()).collect();
        Points { dim, values }
    }

    pub fn shuffled(&self, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut order: Vec<usize> = (0..self.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
        let values = order.iter().flat_map(|&i| self.row(i as Slot).to_vec()).collect();
        Points { dim: self.dim, values }
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    pub fn row(&self, slot: Slot) -> &[f32] {
        &self.values[slot as usize * self.dim..][..self.dim]
    }

    pub fn to(&self, query: &[f32], slots: &[Slot], out: &mut [f32]) {
        for (&slot, out) in slots.iter().zip(out) {
            *out = squared(query, self.row(slot));
        }
    }

    /// Distance of the `k`-th nearest of `among` to `query`, and how many there are up to k.
    pub fn kth(&self, query: &[f32], among: impl Iterator<Item = Slot>, k: usize) -> (f32, usize) {
        let mut all: Vec<f32> = among.map(|s| squared(query, self.row(s))).collect();
        all.sort_unstable_by(f32::total_cmp);
        let k = k.min(all.len());
        (if k == 0 { f32::NEG_INFINITY } else { all[k - 1] }, k)
    }
}

pub fn squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// The points as a space, and a query to them as a probe.
pub struct Stored<'a>(pub &'a Points);

impl Space for Stored<'_> {
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]) {
        self.0.to(self.0.row(slot), others, out);
    }
}

pub struct Query<'a>(pub &'a Points, pub &'a [f32]);

impl Probe for Query<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        self.0.to(self.1, slots, out);
    }
}

/// A buffer aligned to 64 bytes, found inside a plain one.
pub struct Aligned {
    bytes: Vec<u8>,
    from: usize,
    len: usize,
}

impl Aligned {
    pub fn new(len: usize) -> Self {
        let bytes = vec![0u8; len + 64];
        let from = bytes.as_ptr().addr().next_multiple_of(64) - bytes.as_ptr().addr();
        Aligned { bytes, from, len }
    }

    pub fn get(&mut self) -> &mut [u8] {
        &mut self.bytes[self.from..self.from + self.len]
    }

    pub fn read(&self) -> &[u8] {
        &self.bytes[self.from..self.from + self.len]
    }
}

/// A graph in a buffer of its own, with a scratch.
pub struct Index {
    pub buffer: Aligned,
    pub layout: Layout,
    pub words: Vec<u64>,
}

impl Index {
    pub fn new(params: &Params) -> Self {
        let layout = Layout::new(params).expect("parameters in range");
        let mut buffer = Aligned::new(layout.bytes);
        Graph::init(params, buffer.get()).expect("a buffer that fits");
        let words = vec![0; Scratch::words(&layout, 512)];
        Index { buffer, layout, words }
    }

    pub fn of(points: &Points, params: &Params) -> Self {
        let mut index = Index::new(params);
        for slot in 0..points.len() as Slot {
            index.insert(points, slot);
        }
        index
    }

    pub fn graph(&self) -> Graph<&[u8]> {
        Graph::over(&self.layout, self.buffer.read()).expect("the buffer it was made in")
    }

    pub fn insert(&mut self, points: &Points, slot: Slot) {
        let mut scratch = Scratch::new(&self.layout, &mut self.words).expect("enough words");
        let mut graph = Graph::over(&self.layout, self.buffer.get()).expect("its buffer");
        graph
            .insert(slot, &mut Query(points, points.row(slot)), &mut Stored(points), &mut scratch)
            .expect("a free slot");
    }

    pub fn remove(&mut self, points: &Points, slot: Slot) {
        let mut graph = Graph::over(&self.layout, self.buffer.get()).expect("its buffer");
        graph.remove(slot, &mut Stored(points)).expect("a live slot");
    }

    pub fn search(
        &mut self,
        points: &Points,
        query: &[f32],
        k: usize,
        ef: usize,
        mode: Mode,
        filter: Option<&[u64]>,
    ) -> Vec<(Slot, f32)> {
        let mut scratch = Scratch::new(&self.layout, &mut self.words).expect("enough words");
        let graph = Graph::over(&self.layout, self.buffer.read()).expect("its buffer");
        let request = Request { k, ef, mode, scan_limit: 0, filter };
        let n = graph.search(&mut Query(points, query), &request, &mut scratch);
        scratch.candidates(n).collect()
    }

    /// Share of the true `k` nearest that a walk of width `ef` finds, ties counted as found.
    pub fn recall(&mut self, points: &Points, queries: &Points, k: usize, ef: usize) -> f64 {
        let live: Vec<Slot> =
            (0..self.layout.params().capacity).filter(|&s| self.graph().is_live(s)).collect();
        let (mut hits, mut all) = (0, 0);
        for q in 0..queries.len() as Slot {
            let query = queries.row(q);
            let (kth, n) = points.kth(query, live.iter().copied(), k);
            let found = self.search(points, query, k, ef, Mode::Walk, None);
            hits += found.iter().take(k).filter(|&&(_, d)| d <= kth).count();
            all += n;
        }
        hits as f64 / all as f64
    }

    pub fn verify(&mut self) -> clawft_hnsw::Report {
        let mut scratch = Scratch::new(&self.layout, &mut self.words).expect("enough words");
        Graph::over(&self.layout, self.buffer.read()).expect("its buffer").verify(&mut scratch)
    }

    #[track_caller]
    pub fn assert_sound(&mut self) {
        let report = self.verify();
        assert!(report.is_sound(), "{report:?}");
    }
}

/// A bitmap of the slots that `matches` accepts.
pub fn bitmap(capacity: u32, matches: impl Fn(Slot) -> bool) -> Vec<u64> {
    let mut words = vec![0u64; capacity.div_ceil(64) as usize];
    for slot in (0..capacity).filter(|&s| matches(s)) {
        words[slot as usize / 64] |= 1 << (slot % 64);
    }
    words
}
