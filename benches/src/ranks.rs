//! Ranks: where the one text that answers a question is found, by vector, by words and by both.

use std::{
    io::{self, BufRead},
    time::Instant,
};

use clawft_store::lexical::{Bm25, Error, Fused, Fusion, Index, Scratch, fuse};

use crate::{json_lines, sample::Rows};

/// How deep each list is that goes into a fused one, and how deep a rank counts.
pub const DEPTH: usize = 100;
/// Up to this share of a question's words in the answer, words hardly help.
pub const FEW: f64 = 0.34;
/// Plenty: `known-items` prints what an index took.
const LIMIT: usize = 64 << 20;

/// A question and the text that answers it.
pub struct Question {
    /// What is asked.
    pub text: String,
    /// The place of the text that answers it.
    pub relevant: u32,
    /// The share of its words that are in the answer.
    pub overlap: f64,
}

impl Question {
    /// Those of a file like `known_item.jsonl`.
    pub fn read(source: impl BufRead) -> io::Result<Vec<Self>> {
        json_lines::lines(source, |line| {
            Some(Question {
                text: line.get("query")?.as_str()?.to_owned(),
                relevant: line.get("relevant")?.as_u64()? as u32,
                overlap: line.get("overlap")?.as_f64()?,
            })
        })
    }
}

/// One rank a question, from 1 on.
pub type Ranks = Vec<Option<usize>>;

/// The ranks of some questions.
pub struct Found<const N: usize> {
    /// By vector alone.
    pub by_vector: Ranks,
    /// By words alone.
    pub by_words: Ranks,
    /// By both, in each way to fuse them.
    pub fused: [Ranks; N],
    /// What the searches by words took.
    pub seconds: f64,
}

/// The words of the texts, each in the slot that is its place.
pub fn index(texts: &[String]) -> io::Result<Index> {
    let mut index = Index::new(LIMIT, 0);
    for (slot, text) in (0..).zip(texts) {
        index.add(slot, text).map_err(full)?;
    }
    Ok(index)
}

/// Searches for each question; `base` holds the vectors of the texts, `queries` those of the
/// questions.
pub fn search<const N: usize>(
    index: &Index,
    base: &Rows,
    questions: &[Question],
    queries: &Rows,
    ways: [Fusion; N],
) -> io::Result<Found<N>> {
    let mut ranks = Found {
        by_vector: Vec::new(),
        by_words: Vec::new(),
        fused: [const { Ranks::new() }; N],
        seconds: 0.0,
    };
    let mut scratch = Scratch::default();
    for (question, query) in questions.iter().zip(queries.iter()) {
        let start = Instant::now();
        let hits = index
            .search(&question.text, DEPTH, &Bm25::default(), &mut |_| true, &mut scratch)
            .map_err(full)?;
        ranks.seconds += start.elapsed().as_secs_f64();
        let by_words: Vec<u32> = hits.iter().map(|hit| hit.slot).collect();
        let similarity = similarities(base, query);
        let mut by_vector: Vec<u32> = (0..base.len() as u32).collect();
        by_vector.sort_by(|&a, &b| similarity[b as usize].total_cmp(&similarity[a as usize]));
        by_vector.truncate(DEPTH);

        let mut slots: Vec<u32> = by_words.iter().chain(&by_vector).copied().collect();
        slots.sort_unstable();
        slots.dedup();
        let mut words = vec![0.0; slots.len()];
        index
            .scores(&question.text, &Bm25::default(), &slots, &mut words, &mut scratch)
            .map_err(full)?;
        let candidate = |(&slot, words): (&u32, f32)| {
            let similarity = similarity[slot as usize];
            Fused { slot, similarity, words, score: 0.0 }
        };
        let candidates: Vec<Fused> = slots.iter().zip(words).map(candidate).collect();
        for (ranks, how) in ranks.fused.iter_mut().zip(ways) {
            let mut candidates = candidates.clone();
            fuse(&mut candidates, how, index.enough());
            ranks.push(rank(candidates.iter().map(|c| c.slot), question.relevant));
        }
        ranks.by_vector.push(rank(by_vector, question.relevant));
        ranks.by_words.push(rank(by_words, question.relevant));
    }
    Ok(ranks)
}

/// The cells of a table's row: hit@1, hit@10 and the mean reciprocal rank over all questions, over
/// those with few words in the answer, and over the others. Where there are none, no cells.
pub fn row(questions: &[Question], ranks: &[Option<usize>]) -> String {
    let mut cells = String::new();
    for part in [|_: f64| true, |overlap| overlap <= FEW, |overlap| overlap > FEW] {
        let of: Vec<Option<usize>> = questions
            .iter()
            .zip(ranks)
            .filter(|(question, _)| part(question.overlap))
            .map(|(_, rank)| *rank)
            .collect();
        if of.is_empty() {
            continue;
        }
        let mean = |value: &dyn Fn(usize) -> f64| {
            of.iter().map(|rank| rank.map_or(0.0, value)).sum::<f64>() / of.len() as f64
        };
        let hit = |k: usize| mean(&|rank| f64::from(rank <= k));
        let mrr = mean(&|rank| 1.0 / rank as f64);
        cells += &format!(" {:.3} | {:.3} | {mrr:.3} |", hit(1), hit(10));
    }
    cells
}

fn full(error: Error) -> io::Error {
    io::Error::other(format!("{error:?}"))
}

/// The cosine of the query with every row.
fn similarities(base: &Rows, query: &[f32]) -> Vec<f32> {
    base.iter().map(|row| row.iter().zip(query).map(|(a, b)| a * b).sum()).collect()
}

fn rank(found: impl IntoIterator<Item = u32>, relevant: u32) -> Option<usize> {
    found.into_iter().take(DEPTH).position(|slot| slot == relevant).map(|place| place + 1)
}
