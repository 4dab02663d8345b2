//! Texts, questions and topics.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use clawft_agent::embed::{Embedder, Table};
use clawft_benches::random::Random;
use clawft_benches::sample::{self, Rows, normalise};
use clawft_store::lexical::{Bm25, Index, Scratch, words};
use serde_json::Value;

/// Candidates that each part brings, as the product's recall of ten does.
pub const EACH: usize = 50;
/// Plenty.
const LIMIT: usize = 64 << 20;
/// Rounds of k-means.
const ROUNDS: usize = 20;

/// A question, and the text that answers it.
pub struct Question {
    pub text: String,
    pub vector: Vec<f32>,
    pub relevant: u32,
}

/// What is searched, and what is asked.
pub struct World {
    pub vectors: Rows,
    pub questions: Vec<Question>,
    /// Of each question: the topic of its text.
    pub topic: Vec<usize>,
    pub of: Vec<usize>,
    pub index: Index,
}

fn lines(path: &Path) -> io::Result<Vec<Value>> {
    let file = File::open(path).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
    BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

impl World {
    /// Reads `NAME-texts.jsonl` and `NAME-questions.jsonl`, and finds topics.
    pub fn read(folder: &Path, name: &str, topics: usize) -> io::Result<Self> {
        let missing = || io::Error::other(format!("a field is missing in {name}"));
        let table = Table::open(std::fs::read(sample::folder().join("../models/clawft-static.bin"))?)
            .map_err(io::Error::other)?;
        let mut index = Index::new(LIMIT, 0);
        let mut vectors = Rows { dim: table.dim(), flat: Vec::new() };
        for (slot, line) in (0..).zip(lines(&folder.join(format!("{name}-texts.jsonl")))?) {
            let text = line["text"].as_str().ok_or_else(missing)?;
            index.add(slot, text).map_err(|e| io::Error::other(format!("{e:?}")))?;
            let mut vector = vec![0.0; table.dim()];
            table.vector(text, &mut vector);
            vectors.flat.extend_from_slice(&vector);
        }
        let mut questions = Vec::new();
        for line in lines(&folder.join(format!("{name}-questions.jsonl")))? {
            let text = line["query"].as_str().ok_or_else(missing)?.to_owned();
            let relevant = line["relevant"].as_u64().ok_or_else(missing)? as u32;
            let mut vector = vec![0.0; table.dim()];
            table.vector(&text, &mut vector);
            questions.push(Question { text, vector, relevant });
        }
        let of = clusters(&vectors, topics, 1);
        let topic = questions.iter().map(|q| of[q.relevant as usize]).collect();
        Ok(World { vectors, questions, topic, of, index })
    }

    pub fn rank(&self, near: &[(f32, u32)], vector: &[f32], hits: &Hits, words: f32, right: u32) -> Option<usize> {
        let most = self.index.enough().max(hits.most);
        let score = |cos: f32, word: f32| (1.0 - words) * cos + words * (word / most).powi(2);
        let of = |slot: u32| hits.all.binary_search_by_key(&slot, |h| h.0).map_or(0.0, |i| hits.all[i].1);
        let listed = near.iter().any(|n| n.1 == right) || hits.best.iter().any(|h| h.0 == right);
        if !listed { return None; }
        let own = score(dot(self.vectors.row(right as usize), vector), of(right));
        let mut rank = 1;
        let mut beats = |slot: u32, s: f32| { if slot != right && (s > own || (s == own && slot < right)) { rank += 1; } };
        for &(cos, slot) in near { beats(slot, score(cos, of(slot))); }
        for &(slot, word) in &hits.best { if !near.iter().any(|n| n.1 == slot) { beats(slot, score(dot(self.vectors.row(slot as usize), vector), word)); } }
        Some(rank)
    }

    /// The nearest by vector.
    pub fn near(&self, vector: &[f32]) -> Vec<(f32, u32)> {
        let mut all: Vec<(f32, u32)> =
            self.vectors.iter().zip(0..).map(|(row, slot)| (dot(row, vector), slot)).collect();
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if all.len() > EACH {
            all.select_nth_unstable_by(EACH, order);
            all.truncate(EACH);
        }
        all
    }

    pub fn hits(&self, text: &str, scratch: &mut Scratch) -> Hits {
        let mut all: Vec<(u32, f32)> = self.index.search(text, 1000, &Bm25::default(), &mut |_| true, scratch).expect("memory").iter().map(|h| (h.slot, h.score)).collect();
        let best: Vec<(u32, f32)> = all.iter().take(EACH).copied().collect();
        all.sort_unstable_by_key(|h| h.0);
        Hits { most: best.first().map_or(0.0, |h| h.1), best, all }
    }
}

pub struct Hits { pub most: f32, pub best: Vec<(u32, f32)>, pub all: Vec<(u32, f32)> }

/// Different words of a text.
pub fn terms(text: &str) -> Vec<String> {
    let mut all: Vec<String> =
        words(text).map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The dot product, in eight sums side by side, so that the compiler takes whole registers.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

/// Spherical k-means from rows drawn by the seed; the cluster of each row.
pub fn clusters(rows: &Rows, count: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed);
    let mut drawn: Vec<usize> = (0..rows.len()).collect();
    random.shuffle(&mut drawn);
    let mut centres: Vec<Vec<f32>> =
        drawn[..count].iter().map(|&i| rows.row(i).to_vec()).collect();
    let mut of = vec![0; rows.len()];
    for _ in 0..ROUNDS {
        for (row, of) in rows.iter().zip(&mut of) {
            let best = (0..count).max_by(|&a, &b| dot(row, &centres[a]).total_cmp(&dot(row, &centres[b])));
            *of = best.unwrap_or(0);
        }
        for (number, centre) in centres.iter_mut().enumerate() {
            let mut sum = vec![0.0; rows.dim];
            for (row, _) in rows.iter().zip(&of).filter(|(_, of)| **of == number) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            }
            normalise(&mut sum);
            if sum.iter().any(|x| *x != 0.0) {
                *centre = sum;
            }
        }
    }
    of
}
