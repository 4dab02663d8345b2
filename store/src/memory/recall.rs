//! Recall: by vector, by words, or by both.
//!
//! Both parts bring their best candidates; each candidate of the one gets its score from the
//! other, and [`fuse`] puts them in order. A part that is not asked for counts nothing.
//!
//! Why: the filter becomes a bit for each slot before anything is searched. So `k` are
//! found where `k` match, not what is left of `k` that were found.
//!
//! What it must never do: find a record that does not pass the filter, or count a use, as what
//! is only looked at stays as it was.

use alloc::vec::Vec;

use clawft_vectors::{Hit, Metric, Mode, SearchOptions};

use super::catalog::Entry;
use super::error::{Refusal, kept};
use super::filter::Sieve;
use super::{Error, Filter, Memory};
use crate::lexical::{Bm25, Fused, Fusion, by_slot, fuse};
use crate::room;

/// How many times the results wanted each part brings as candidates, where both are asked…
const CANDIDATES: usize = 4;
/// …and the least that it brings.
const LEAST: usize = 50;
/// So many lists of candidates are there at a time.
const LISTS: usize = 4;

/// What is asked of a memory.
#[derive(Clone, Copy, Debug)]
pub struct Recall<'a> {
    /// What is near to this vector…
    pub vector: Option<&'a [f32]>,
    /// …and has these words. At least one of the two.
    pub text: Option<&'a str>,
    /// Results wanted. As many are found, if so many match; by words alone only those that have
    /// one of them.
    pub k: usize,
    /// Candidates that the search by vector keeps.
    pub ef: usize,
    /// How the search by vector looks.
    pub mode: Mode,
    /// How two parts become one.
    pub fusion: Fusion,
    /// What may be found.
    pub filter: Filter<'a>,
}

impl Default for Recall<'_> {
    fn default() -> Self {
        Recall {
            vector: None,
            text: None,
            k: 10,
            ef: 200,
            mode: Mode::Auto,
            fusion: Fusion::DEFAULT,
            filter: Filter::default(),
        }
    }
}

/// A record that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found {
    /// Its id.
    pub id: u64,
    /// What the order goes by: the fused score, or the part that was asked for.
    pub score: f32,
    /// Similarity by vector, higher is nearer: the cosine or the inner product, under L2
    /// `1 / (1 + d)` of the squared distance `d`. 0 where no vector was asked for.
    pub similarity: f32,
    /// The BM25 score; 0 where no words were asked for, or none is in the text.
    pub words: f32,
}

/// Similarity of a distance.
fn similarity(metric: Metric, distance: f32) -> f32 {
    match metric {
        Metric::Cosine | Metric::InnerProduct => 1.0 - distance,
        Metric::L2 => 1.0 / (1.0 + distance),
    }
}

impl Memory {
    /// The records that answer best, best first; equal ones in an order that is always the same.
    ///
    /// Recalling counts no use: [`touch`](Memory::touch) does.
    ///
    /// # Errors
    /// [`Error::NothingAsked`]; [`Error::Vectors`] for a vector that cannot be searched by, or a
    /// `k` of 0; [`Error::Memory`].
    pub fn recall(&mut self, recall: &Recall<'_>) -> Result<Vec<Found>, Error> {
        Ok(self.try_recall(recall)?)
    }

    /// As [`recall`](Self::recall).
    ///
    /// # Errors
    /// Those of [`recall`](Self::recall).
    pub fn try_recall(&mut self, recall: &Recall<'_>) -> Result<Vec<Found>, Refusal> {
        if recall.k == 0 {
            return Err(clawft_vectors::Error::ZeroK.into());
        }
        if recall.vector.is_none() && recall.text.is_none() {
            return Err(Error::NothingAsked.into());
        }
        let slots = self.passing(&recall.filter)?;
        let both = recall.vector.is_some() && recall.text.is_some();
        let each = if both { recall.k.saturating_mul(CANDIDATES).max(LEAST) } else { recall.k };
        // Lists of what each part found, and of its distances, which grow by doubling.
        room::ask(self.file.storage(), 2 * LISTS * each.min(self.len()) * size_of::<Fused>())?;
        let mut found: Vec<Fused> = Vec::new();
        if let Some(vector) = recall.vector {
            self.near(vector, each, recall, slots.as_deref(), &mut found)?;
        }
        let by_vector = found.len();
        if let Some(text) = recall.text {
            self.score_words(text, each, slots.as_deref(), &mut found)?;
        }
        if let (Some(vector), true) = (recall.vector, both) {
            self.score_vectors(vector, &mut found[by_vector..])?;
            fuse(&mut found, recall.fusion, self.words.enough());
        } else {
            for one in &mut found {
                one.score = one.similarity + one.words;
            }
        }
        found.truncate(recall.k);
        let mut result = Vec::new();
        result.try_reserve_exact(found.len()).map_err(|_| Refusal::memory())?;
        for one in found {
            if let Some(&Entry { id, .. }) = self.catalog.at(one.slot) {
                let Fused { score, similarity, words, .. } = one;
                result.push(Found { id, score, similarity, words });
            }
        }
        Ok(result)
    }

    /// The slots that pass, a bit for each; `None` where all do.
    fn passing(&self, filter: &Filter<'_>) -> Result<Option<Vec<u64>>, Refusal> {
        if *filter == Filter::default() {
            return Ok(None);
        }
        let words = self.image.capacity().div_ceil(64) as usize;
        let texts = |list: Option<&[&str]>| list.map_or(0, <[&str]>::len);
        let hashes = texts(filter.kinds) + texts(filter.sessions) + filter.metadata.len();
        room::ask(self.file.storage(), (words + hashes) * size_of::<u64>())?;
        let sieve = Sieve::new(filter, self.words.seed)?;
        let mut slots = zeros(words)?;
        let mut look = |slot: u32, entry: &Entry| {
            if sieve.passes(entry) {
                slots[slot as usize / 64] |= 1 << (slot % 64);
            }
        };
        match filter.ids {
            Some(ids) => {
                for slot in ids.iter().filter_map(|&id| self.image.slot(id)) {
                    if let Some(entry) = self.catalog.at(slot) {
                        look(slot, entry);
                    }
                }
            }
            None => self.catalog.iter().for_each(|(slot, entry)| look(slot, entry)),
        }
        Ok(Some(slots))
    }

    /// Takes in the nearest by vector.
    fn near(
        &mut self,
        vector: &[f32],
        k: usize,
        recall: &Recall<'_>,
        slots: Option<&[u64]>,
        found: &mut Vec<Fused>,
    ) -> Result<(), Refusal> {
        let len = (self.image.len() as usize).max(1);
        let (k, ef) = (k.min(len), recall.ef.min(len));
        let mut hits: Vec<Hit> = zeros(k)?;
        let options = SearchOptions { k, ef, mode: recall.mode, filter: None, slots };
        let width = options.width(self.image.params()).min(len);
        let n = self.with_scratch(width as u32, |image, scratch| {
            kept(image.search(vector, &options, scratch, &mut hits))
        })?;
        let metric = self.image.params().metric;
        found.try_reserve(n).map_err(|_| Refusal::memory())?;
        for hit in &hits[..n] {
            if let Some(slot) = self.image.slot(hit.id) {
                let similarity = similarity(metric, hit.distance);
                found.push(Fused { slot, similarity, words: 0.0, score: 0.0 });
            }
        }
        Ok(())
    }

    /// Gives candidates their scores by vector.
    fn score_vectors(&mut self, vector: &[f32], found: &mut [Fused]) -> Result<(), Refusal> {
        let slots: Vec<u32> = found.iter().map(|one| one.slot).collect();
        let mut distances = zeros(slots.len())?;
        self.with_scratch(1, |image, scratch| {
            kept(image.distances(vector, &slots, scratch, &mut distances))
        })?;
        let metric = self.image.params().metric;
        for (one, distance) in found.iter_mut().zip(distances) {
            one.similarity = similarity(metric, distance);
        }
        Ok(())
    }

    /// Gives the candidates their scores by words, and takes in the best by words behind them.
    fn score_words(
        &mut self,
        text: &str,
        k: usize,
        slots: Option<&[u64]>,
        found: &mut Vec<Fused>,
    ) -> Result<(), Refusal> {
        let Memory { words, word_scratch, .. } = self;
        let mut may = |slot: u32| {
            let word = |slots: &[u64]| slots.get(slot as usize / 64).copied().unwrap_or(0);
            slots.is_none_or(|slots| word(slots) >> (slot % 64) & 1 == 1)
        };
        let by_vector = found.len();
        by_slot(found);
        let hits = words.search_with(text, k, &Bm25::default(), &mut may, found, word_scratch)?;
        found.try_reserve(hits.len()).map_err(|_| Refusal::memory())?;
        for hit in hits {
            if found[..by_vector].binary_search_by_key(&hit.slot, |one| one.slot).is_err() {
                found.push(Fused { slot: hit.slot, similarity: 0.0, words: hit.score, score: 0.0 });
            }
        }
        Ok(())
    }
}

/// So many of what is zero, if there is memory for them.
pub(super) fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, Refusal> {
    let mut all = Vec::new();
    all.try_reserve_exact(len).map_err(|_| Refusal::memory())?;
    all.resize(len, T::default());
    Ok(all)
}
