//! Recall: by vector, by words, or by both.
//!
//! Both parts bring their best candidates; each candidate of the one gets its score from the
//! other, and [`fuse`] puts them in order. A part that is not asked for counts nothing.

use alloc::vec::Vec;

use clawft_vectors::{Hit, Metric, Mode, SearchOptions};

use super::filter::Sieve;
use super::{Error, Filter, Memory};
use crate::lexical::{Bm25, Fused, Fusion, fuse};

/// How many times the results wanted each part brings as candidates, where both are asked…
const CANDIDATES: usize = 4;
/// …and the least that it brings.
const LEAST: usize = 50;

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
        if recall.k == 0 {
            return Err(Error::Vectors(clawft_vectors::Error::ZeroK));
        }
        let sieve = Sieve::new(&recall.filter);
        let both = recall.vector.is_some() && recall.text.is_some();
        let each = if both { recall.k.saturating_mul(CANDIDATES).max(LEAST) } else { recall.k };
        let mut found: Vec<Fused> = Vec::new();
        if let Some(vector) = recall.vector {
            let ids = sieve.as_ref().map(|sieve| self.passing(sieve));
            let near = self.near(vector, each, recall.ef, recall.mode, ids.as_deref())?;
            self.keep(&near, &mut found);
        }
        if let Some(text) = recall.text {
            self.score_words(text, each, sieve.as_ref(), &mut found)?;
        } else if recall.vector.is_none() {
            return Err(Error::NothingAsked);
        }
        if let (Some(vector), true) = (recall.vector, both) {
            // Those that only the words brought.
            let rest: Vec<u64> = found
                .iter()
                .filter(|one| one.similarity == f32::NEG_INFINITY)
                .filter_map(|one| self.catalog.at(one.slot).map(|entry| entry.id))
                .collect();
            if !rest.is_empty() {
                let near = self.near(vector, rest.len(), rest.len(), Mode::Exact, Some(&rest))?;
                let mut scored = Vec::new();
                self.keep(&near, &mut scored);
                for one in &scored {
                    if let Some(place) = found.iter_mut().find(|place| place.slot == one.slot) {
                        place.similarity = one.similarity;
                    }
                }
            }
            fuse(&mut found, recall.fusion);
        } else if both || recall.text.is_some() {
            for one in &mut found {
                (one.similarity, one.score) = (0.0, one.words);
            }
        } else {
            for one in &mut found {
                one.score = one.similarity;
            }
        }
        found.truncate(recall.k);
        let result = found.iter().filter_map(|one| {
            let id = self.catalog.at(one.slot)?.id;
            Some(Found { id, score: one.score, similarity: one.similarity, words: one.words })
        });
        Ok(result.collect())
    }

    /// The ids that pass.
    fn passing(&self, sieve: &Sieve) -> Vec<u64> {
        let passing = self.catalog.iter().filter(|(_, entry)| sieve.passes(entry));
        passing.map(|(_, entry)| entry.id).collect()
    }

    /// The nearest by vector.
    fn near(
        &mut self,
        vector: &[f32],
        k: usize,
        ef: usize,
        mode: Mode,
        ids: Option<&[u64]>,
    ) -> Result<Vec<Hit>, Error> {
        let len = (self.image.len() as usize).max(1);
        let (k, ef) = (k.min(len), ef.min(len));
        let mut hits = Vec::new();
        hits.try_reserve_exact(k).map_err(|_| Error::Memory)?;
        hits.resize(k, Hit::default());
        let options = SearchOptions { k, ef, mode, filter: ids };
        let n = self.with_scratch(k.max(ef) as u32, |image, scratch| {
            Ok(image.search(vector, &options, scratch, &mut hits)?)
        })?;
        hits.truncate(n);
        Ok(hits)
    }

    /// Takes hits in as candidates.
    fn keep(&self, hits: &[Hit], found: &mut Vec<Fused>) {
        let metric = self.image.params().metric;
        for hit in hits {
            if let Some(slot) = self.catalog.slot(hit.id) {
                let similarity = similarity(metric, hit.distance);
                found.push(Fused { slot, similarity, words: 0.0, score: 0.0 });
            }
        }
    }

    /// Gives the candidates their scores by words, and takes in the best by words.
    fn score_words(
        &mut self,
        text: &str,
        k: usize,
        sieve: Option<&Sieve>,
        found: &mut Vec<Fused>,
    ) -> Result<(), Error> {
        let Memory { words, catalog, word_scratch, .. } = self;
        let bm25 = Bm25::default();
        let slots: Vec<u32> = found.iter().map(|one| one.slot).collect();
        let mut scores = alloc::vec![0.0; slots.len()];
        words.scores(text, &bm25, &slots, &mut scores, word_scratch)?;
        for (one, score) in found.iter_mut().zip(scores) {
            one.words = score;
        }
        let mut may = |slot: u32| {
            catalog.at(slot).is_some_and(|entry| sieve.is_none_or(|sieve| sieve.passes(entry)))
        };
        for hit in words.search(text, k, &bm25, &mut may, word_scratch)? {
            if !slots.contains(&hit.slot) {
                let similarity = f32::NEG_INFINITY;
                found.push(Fused { slot: hit.slot, similarity, words: hit.score, score: 0.0 });
            }
        }
        Ok(())
    }
}
