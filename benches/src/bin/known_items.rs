//! Known items: how often the one right text is found by its vector, by its words, by both.
//!
//!     cargo run --release -p clawft-benches --bin known-items -- [FOLDER]
//!
//! The folder holds `texts.jsonl.gz`, `base.f16.npy`, `known_item.jsonl` and
//! `known_item_queries.f16.npy`; `data/` if none is named. Nothing is fitted to them: every
//! constant is the product's default. `benches/peers/words.py` does the same with rank_bm25.

#![forbid(unsafe_code)]

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clawft_benches::sample::{self, Rows};
use clawft_store::lexical::{Bm25, Fused, Fusion, Index, Scratch, fuse};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// How deep each list is that goes into a fused one, and how deep a rank counts.
const DEPTH: usize = 100;
/// Up to this share of a question's words in the answer, words hardly help.
const FEW: f64 = 0.34;
/// Plenty: what the index took is printed.
const LIMIT: usize = 64 << 20;

/// A question and the text that answers it.
struct Question {
    text: String,
    relevant: u32,
    overlap: f64,
}

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(sample::folder, PathBuf::from);
    match measure(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("known-items: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path) -> io::Result<()> {
    let file = |name: &str| File::open(folder.join(name));
    let texts = lines(BufReader::new(MultiGzDecoder::new(file("texts.jsonl.gz")?)), |line| {
        Some(line.get("text")?.as_str()?.to_owned())
    })?;
    let questions = lines(BufReader::new(file("known_item.jsonl")?), |line| {
        Some(Question {
            text: line.get("query")?.as_str()?.to_owned(),
            relevant: line.get("relevant")?.as_u64()? as u32,
            overlap: line.get("overlap")?.as_f64()?,
        })
    })?;
    let base = sample::read(&folder.join("base.f16.npy"))?;
    let queries = sample::read(&folder.join("known_item_queries.f16.npy"))?;
    if base.len() != texts.len() || queries.len() != questions.len() {
        return Err(io::Error::other("expected as many vectors as texts"));
    }

    let start = Instant::now();
    let mut index = Index::new(LIMIT, 0);
    for (slot, text) in (0..).zip(&texts) {
        index.add(slot, text).map_err(|error| io::Error::other(format!("{error:?}")))?;
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "{} texts, {bytes} bytes: the index takes {} bytes, {} saved, built in {:.0} ms",
        texts.len(),
        index.bytes(),
        index.saved_bytes(),
        start.elapsed().as_secs_f64() * 1e3,
    );

    let mut ranks: [Vec<Option<usize>>; 4] = Default::default();
    let (mut scratch, mut seconds) = (Scratch::default(), 0.0);
    for (question, query) in questions.iter().zip(queries.iter()) {
        let start = Instant::now();
        let hits = index
            .search(&question.text, DEPTH, &Bm25::default(), &mut |_| true, &mut scratch)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        seconds += start.elapsed().as_secs_f64();
        let by_words: Vec<u32> = hits.iter().map(|hit| hit.slot).collect();
        let similarity = similarities(&base, query);
        let mut by_vector: Vec<u32> = (0..base.len() as u32).collect();
        by_vector.sort_by(|&a, &b| similarity[b as usize].total_cmp(&similarity[a as usize]));
        by_vector.truncate(DEPTH);

        let mut slots: Vec<u32> = by_words.iter().chain(&by_vector).copied().collect();
        slots.sort_unstable();
        slots.dedup();
        let mut words = vec![0.0; slots.len()];
        index
            .scores(&question.text, &Bm25::default(), &slots, &mut words, &mut scratch)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        let candidates: Vec<Fused> = slots
            .iter()
            .zip(words)
            .map(|(&slot, words)| Fused {
                slot,
                similarity: similarity[slot as usize],
                words,
                score: 0.0,
            })
            .collect();
        let fused = [Fusion::DEFAULT, Fusion::RECIPROCAL].map(|how| {
            let mut candidates = candidates.clone();
            fuse(&mut candidates, how, index.enough());
            candidates.iter().map(|c| c.slot).collect()
        });
        let [weighted, reciprocal] = fused;
        for (ranks, found) in ranks.iter_mut().zip([by_vector, by_words, weighted, reciprocal]) {
            let rank = found.iter().take(DEPTH).position(|&slot| slot == question.relevant);
            ranks.push(rank.map(|rank| rank + 1));
        }
    }
    println!("search by words: {:.0} us a question", seconds * 1e6 / questions.len() as f64);
    print(&questions, &ranks);
    Ok(())
}

/// A table: each way, over all questions and over those with few and with many shared words.
fn print(questions: &[Question], ranks: &[Vec<Option<usize>>; 4]) {
    let few = questions.iter().filter(|question| question.overlap <= FEW).count();
    println!(
        "hit@1, hit@10, MRR@{DEPTH} of all {}, of the {few} with overlap <= {FEW}, of the others",
        questions.len()
    );
    let ways = ["vector", "words", "fused, 0.6 and 0.4", "fused, reciprocal ranks"];
    for (way, ranks) in ways.into_iter().zip(ranks) {
        let mut line = format!("| {way:<23} |");
        for part in [|_: f64| true, |overlap| overlap <= FEW, |overlap| overlap > FEW] {
            let of: Vec<Option<usize>> = questions
                .iter()
                .zip(ranks)
                .filter(|(question, _)| part(question.overlap))
                .map(|(_, rank)| *rank)
                .collect();
            let mean = |value: &dyn Fn(usize) -> f64| {
                of.iter().map(|rank| rank.map_or(0.0, value)).sum::<f64>() / of.len() as f64
            };
            let hit = |k: usize| mean(&|rank| f64::from(rank <= k));
            let mrr = mean(&|rank| 1.0 / rank as f64);
            line += &format!(" {:.3} | {:.3} | {mrr:.3} |", hit(1), hit(10));
        }
        println!("{line}");
    }
}

/// The cosine of the query with every row.
fn similarities(base: &Rows, query: &[f32]) -> Vec<f32> {
    base.iter().map(|row| row.iter().zip(query).map(|(a, b)| a * b).sum()).collect()
}

/// What `read` finds in each line of JSON.
fn lines<T>(source: impl BufRead, read: impl Fn(&Value) -> Option<T>) -> io::Result<Vec<T>> {
    source
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(&line?)?;
            read(&value).ok_or_else(|| io::Error::other(format!("a field is missing in {value}")))
        })
        .collect()
}
