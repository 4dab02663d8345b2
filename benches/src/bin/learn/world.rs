//! Texts, questions and topics.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use clawft_agent::embed::{Embedder, Table};
use clawft_benches::random::Random;
use clawft_benches::sample::{self, Rows, normalise};
use clawft_store::lexical::{Bm25, Fused, Index, Scratch, by_slot, words};
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

    /// The candidates of a question whose vector is `vector`, with both parts of each.
    pub fn candidates(&self, vector: &[f32], text: &str, scratch: &mut Scratch) -> Vec<Fused> {
        let mut all: Vec<(f32, u32)> =
            self.vectors.iter().zip(0..).map(|(row, slot)| (dot(row, vector), slot)).collect();
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if all.len() > EACH {
            all.select_nth_unstable_by(EACH, order);
            all.truncate(EACH);
        }
        let mut found: Vec<Fused> = all
            .iter()
            .map(|&(similarity, slot)| Fused { slot, similarity, words: 0.0, score: 0.0 })
            .collect();
        by_slot(&mut found);
        let near = found.len();
        let hits = self
            .index
            .search_with(text, EACH, &Bm25::default(), &mut |_| true, &mut found, scratch)
            .expect("memory");
        for hit in hits {
            if found[..near].binary_search_by_key(&hit.slot, |one| one.slot).is_err() {
                let similarity = dot(self.vectors.row(hit.slot as usize), vector);
                found.push(Fused { slot: hit.slot, similarity, words: hit.score, score: 0.0 });
            }
        }
        found
    }
}

/// Different words of a text.
pub fn terms(text: &str) -> Vec<String> {
    let mut all: Vec<String> =
        words(text).map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Spherical k-means from rows drawn by the seed; the cluster of each row.
fn clusters(rows: &Rows, count: usize, seed: u64) -> Vec<usize> {
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
