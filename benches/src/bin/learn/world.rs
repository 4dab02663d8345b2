//! Texts, questions and topics, and the default retrieval over them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use clawft_agent::embed::{Embedder, Table};
use clawft_benches::random::Random;
use clawft_benches::sample::{self, Rows, normalise};
use clawft_store::lexical::{Bm25, Index, Scratch};
use serde_json::Value;

/// Candidates that each part brings, as in the product's recall of ten.
const EACH: usize = 50;
/// Hits by words that are kept to look scores up in: all that the nearest could have.
const HITS: usize = 2000;
/// Bytes for the index of words: plenty.
const LIMIT: usize = 64 << 20;
/// The topic of a text that nobody asks for, where the questions name the topics.
const NONE: usize = usize::MAX;
/// Rounds of k-means.
const ROUNDS: usize = 20;

/// A question, and the text that answers it.
pub(crate) struct Question {
    pub(crate) vector: Vec<f32>,
    pub(crate) relevant: u32,
    pub(crate) topic: usize,
    near: Vec<(f32, u32)>,
    hits: Hits,
}

/// What a question's words find.
struct Hits {
    /// The best, best first.
    best: Vec<(u32, f32)>,
    /// All, by slot.
    all: Vec<(u32, f32)>,
}

impl Hits {
    fn of(&self, slot: u32) -> f32 {
        self.all.binary_search_by_key(&slot, |hit| hit.0).map_or(0.0, |i| self.all[i].1)
    }
}

/// What is searched, and what is asked.
pub(crate) struct World {
    pub(crate) vectors: Rows,
    pub(crate) questions: Vec<Question>,
    pub(crate) topics: usize,
    /// The topic of each text.
    topic_of: Vec<usize>,
    index: Index,
}

/// What a learner makes of a question.
pub(crate) struct Asked {
    pub(crate) vector: Vec<f32>,
    /// Weight of the words; that of the vector is what remains to 1.
    pub(crate) words: f32,
    /// Whether the vector is the question's own.
    pub(crate) own: bool,
    /// What a text of these topics gains: for the oracle only.
    pub(crate) bonus: (Vec<usize>, f32),
}

/// A text that was found.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) slot: u32,
    /// What its words add to its score.
    pub(crate) words: f32,
    score: f32,
}

fn lines(path: &Path) -> io::Result<Vec<Value>> {
    let named = |error| io::Error::other(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(named)?;
    BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

impl World {
    /// Reads `NAME-texts.jsonl` and `NAME-questions.jsonl`. Topics are `clusters` of the texts, or
    /// with 0 those that the questions name.
    pub(crate) fn read(folder: &Path, name: &str, clusters: usize) -> io::Result<Self> {
        let missing = || io::Error::other(format!("a field is missing in {name}"));
        let model = std::fs::read(sample::folder().join("../models/clawft-static.bin"))?;
        let table = Table::open(model).map_err(io::Error::other)?;
        let mut index = Index::new(LIMIT, 0);
        let mut vectors = Rows { dim: table.dim(), flat: Vec::new() };
        let embed = |text: &str| {
            let mut vector = vec![0.0; table.dim()];
            table.vector(text, &mut vector);
            vector
        };
        for (slot, line) in (0..).zip(lines(&folder.join(format!("{name}-texts.jsonl")))?) {
            let text = line["text"].as_str().ok_or_else(missing)?;
            index.add(slot, text).map_err(|error| io::Error::other(format!("{error:?}")))?;
            vectors.flat.extend_from_slice(&embed(text));
        }
        let count = vectors.len();
        let topic_of = if clusters > 0 { k_means(&vectors, clusters) } else { vec![NONE; count] };
        let mut world = World { vectors, questions: Vec::new(), topics: clusters, topic_of, index };
        let mut scratch = Scratch::default();
        for line in lines(&folder.join(format!("{name}-questions.jsonl")))? {
            let text = line["query"].as_str().ok_or_else(missing)?;
            let relevant = line["relevant"].as_u64().ok_or_else(missing)? as u32;
            let topic = match clusters {
                0 => line["topic"].as_u64().ok_or_else(missing)? as usize,
                _ => world.topic_of[relevant as usize],
            };
            world.topics = world.topics.max(topic + 1);
            world.topic_of[relevant as usize] = topic;
            let vector = embed(text);
            let (near, hits) = (world.near(&vector), world.hits(text, &mut scratch));
            world.questions.push(Question { vector, relevant, topic, near, hits });
        }
        Ok(world)
    }

    /// The nearest by vector.
    fn near(&self, vector: &[f32]) -> Vec<(f32, u32)> {
        let mut all: Vec<(f32, u32)> =
            self.vectors.iter().zip(0..).map(|(row, slot)| (dot(row, vector), slot)).collect();
        if all.len() > EACH {
            all.select_nth_unstable_by(EACH, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            all.truncate(EACH);
        }
        all
    }

    fn hits(&self, text: &str, scratch: &mut Scratch) -> Hits {
        let found = self.index.search(text, HITS, &Bm25::default(), &mut |_| true, scratch);
        let mut all: Vec<(u32, f32)> =
            found.expect("there is memory").iter().map(|hit| (hit.slot, hit.score)).collect();
        let best = all[..all.len().min(EACH)].to_vec();
        all.sort_unstable_by_key(|hit| hit.0);
        Hits { best, all }
    }

    /// What the store's recall finds (`store/src/memory/recall.rs`), best first.
    pub(crate) fn recall(&self, question: &Question, asked: &Asked) -> Vec<Found> {
        let moved;
        let near = match asked.own {
            true => &question.near,
            false => {
                moved = self.near(&asked.vector);
                &moved
            }
        };
        let hits = &question.hits;
        let most = hits.best.first().map_or(0.0, |hit| hit.1).max(self.index.enough());
        let found = |slot: u32, cosine: f32, words: f32| {
            let words = asked.words * (words / most).powi(2);
            let taught = asked.bonus.0.contains(&self.topic_of[slot as usize]);
            let bonus = if taught { asked.bonus.1 } else { 0.0 };
            let score = (1.0 - asked.words) * cosine + words + bonus;
            Found { slot, words, score }
        };
        let mut all: Vec<Found> =
            near.iter().map(|&(cosine, slot)| found(slot, cosine, hits.of(slot))).collect();
        for &(slot, words) in &hits.best {
            if near.iter().all(|one| one.1 != slot) {
                let cosine = dot(self.vectors.row(slot as usize), &asked.vector);
                all.push(found(slot, cosine, words));
            }
        }
        all.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.slot.cmp(&b.slot)));
        all
    }
}

/// The dot product, in eight sums side by side, so that the compiler takes whole registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

/// Spherical k-means from rows drawn by a seed; the cluster of each row.
fn k_means(rows: &Rows, count: usize) -> Vec<usize> {
    let mut drawn: Vec<usize> = (0..rows.len()).collect();
    Random::new(1).shuffle(&mut drawn);
    let mut centres: Vec<Vec<f32>> = drawn[..count].iter().map(|&i| rows.row(i).to_vec()).collect();
    let mut of = vec![0; rows.len()];
    for _ in 0..ROUNDS {
        let mut sums = vec![vec![0.0; rows.dim]; count];
        for (row, of) in rows.iter().zip(&mut of) {
            let near = |i: usize| dot(row, &centres[i]);
            *of = (0..count).max_by(|&a, &b| near(a).total_cmp(&near(b))).unwrap_or(0);
            sums[*of].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        for (centre, mut sum) in centres.iter_mut().zip(sums) {
            normalise(&mut sum);
            *centre = sum;
        }
    }
    of
}
