//! An image with its buffers, the exact answer, and recall between them.

use std::collections::BTreeSet;

use clawft_vectors::{
    Hit, Image, Layout, Metric, Mode, Params, Scratch, SearchOptions, required_bytes, scratch_words,
};

use crate::store_of_bytes::Buffer;

const K: usize = 10;
const MAX_EF: u32 = 2048;

/// An image beside the plain vectors that are in it, in the order in which they came.
pub(crate) struct Store {
    image: Image<Buffer>,
    words: Vec<u64>,
    rows: Vec<(u64, Vec<f32>)>,
    next_id: u64,
}

impl Store {
    pub(crate) fn new(params: Params) -> Self {
        let image = Image::create(&params, Buffer::new(required_bytes(&params).unwrap())).unwrap();
        let words = vec![0; scratch_words(image.layout(), MAX_EF)];
        // Ids are no slots: nothing may take the one for the other.
        Store { image, words, rows: Vec::new(), next_id: 1 << 40 }
    }

    pub(crate) fn built(params: Params, rows: &[Vec<f32>]) -> Self {
        let mut store = Store::new(params);
        rows.iter().for_each(|row| store.insert(row.clone()));
        store
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Vec<f32>> {
        self.rows.iter().map(|(_, row)| row)
    }

    pub(crate) fn insert(&mut self, row: Vec<f32>) {
        let layout = *self.image.layout();
        let mut scratch = scratch(&layout, &mut self.words);
        self.image.insert(self.next_id, &row, &mut scratch).unwrap();
        self.rows.push((self.next_id, row));
        self.next_id += 1;
    }

    /// Removes the vector that has this place in the order of insertion.
    pub(crate) fn remove_at(&mut self, place: usize) {
        let (id, _) = self.rows.remove(place);
        let layout = *self.image.layout();
        self.image.remove(id, &mut scratch(&layout, &mut self.words)).unwrap();
    }

    /// The ids, in the order of insertion.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.rows.iter().map(|&(id, _)| id).collect()
    }

    pub(crate) fn hide(&mut self, id: u64) {
        self.image.mark(id, true).unwrap();
    }

    /// The ids that a search finds, nearest first.
    pub(crate) fn find(&self, query: &[f32], options: &SearchOptions<'_>) -> Vec<u64> {
        let mut words = self.words.clone();
        let mut hits = vec![Hit::default(); options.k];
        let mut scratch = scratch(self.image.layout(), &mut words);
        let n = self.image.search(query, options, &mut scratch, &mut hits).unwrap();
        hits[..n].iter().map(|hit| hit.id).collect()
    }

    /// Share of those within the distance of the `k`th nearest that a search for this range finds, with
    /// room for some more.
    pub(crate) fn recall_of_range(&self, k: usize, queries: &[Vec<f32>]) -> f64 {
        let mut words = self.words.clone();
        let mut scratch = scratch(self.image.layout(), &mut words);
        let options = SearchOptions::new(k + k / 10);
        let mut hits = vec![Hit::default(); options.k];
        let mut found = 0;
        for query in queries {
            let exact = SearchOptions { mode: Mode::Exact, ..options };
            self.image.search(query, &exact, &mut scratch, &mut hits).unwrap();
            let radius = hits[k - 1].distance;
            let within: BTreeSet<u64> =
                hits.iter().filter(|hit| hit.distance <= radius).map(|hit| hit.id).collect();
            let n = self.image.search_range(query, radius, &options, &mut scratch, &mut hits);
            let hits = &hits[..n.unwrap()];
            assert!(hits.iter().all(|hit| hit.distance <= radius), "{hits:?}, not {radius}");
            let ids: BTreeSet<u64> = hits.iter().map(|hit| hit.id).collect();
            assert_eq!(ids.len(), hits.len(), "each result once");
            assert!(ids.is_subset(&within), "none but those that are there");
            found += ids.len();
        }
        found as f64 / (k * queries.len()) as f64
    }

    /// Every invariant holds, and a walk can reach every slot.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        let mut words = self.words.clone();
        let report =
            self.image.verify(&mut scratch(self.image.layout(), &mut words)).expect("a report");
        assert_eq!(report.live as usize, self.rows.len());
        assert!(report.is_sound(), "{report:?}");
    }

    /// Mean recall@10 over the queries.
    #[track_caller]
    pub(crate) fn recall(&self, queries: &[Vec<f32>], ef: usize, mode: Mode) -> f64 {
        self.recall_at(K, queries, ef, mode)
    }

    /// Mean recall@k over the queries. A result is right when it is as near as the `k`th
    /// nearest by the vectors as they came in: of equal ones, any will do.
    #[track_caller]
    pub(crate) fn recall_at(&self, k: usize, queries: &[Vec<f32>], ef: usize, mode: Mode) -> f64 {
        let mut words = self.words.clone();
        let mut scratch = scratch(self.image.layout(), &mut words);
        let options = SearchOptions { ef, mode, ..SearchOptions::new(k) };
        let metric = self.image.params().metric;
        let (mut right, mut wanted) = (0, 0);
        for query in queries {
            let mut true_distances: Vec<_> =
                self.rows.iter().map(|(_, row)| distance(metric, query, row)).collect();
            let mut hits = vec![Hit::default(); k];
            let found = self.image.search(query, &options, &mut scratch, &mut hits).unwrap();
            let k = k.min(self.rows.len());
            assert_eq!(found, k, "a search gives min(k, live) results");
            let mut ids: Vec<_> = hits[..k].iter().map(|hit| hit.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), k, "each result once");

            let of = |id| self.rows[self.rows.partition_point(|row| row.0 < id)].1.as_slice();
            true_distances.sort_by(f64::total_cmp);
            let farthest = true_distances[k - 1];
            let near = |id| distance(metric, query, of(id)) <= farthest + 1e-9 * farthest.abs();
            right += ids.into_iter().filter(|&id| near(id)).count();
            wanted += k;
        }
        right as f64 / wanted as f64
    }
}

fn scratch<'a>(layout: &Layout, words: &'a mut [u64]) -> Scratch<'a> {
    Scratch::new(layout, words, MAX_EF).unwrap()
}

/// The metric's distance in f64.
fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>()
    };
    match metric {
        Metric::InnerProduct => 1.0 - dot(a, b),
        Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::L2 => {
            a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>()
        }
    }
}
