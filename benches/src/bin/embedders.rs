//! Embedders, one beside the other: how often the right text is found by vector and fused.
//!
//!     cargo run --release -p clawft-benches --bin embedders -- [FOLDER]
//!     cargo run --release -p clawft-benches --bin embedders -- vectors < TEXTS
//!
//! Two sets out of `data/`: the known items, and facts with a question in other words
//! (`paraphrases.jsonl`). FOLDER (`target/models`) may hold what `models/evaluate.py` writes: then
//! MiniLM stands in the table too. `vectors` prints the static vector of each line read, as the
//! bits of its components, for whoever wants to compare another implementation.

#![forbid(unsafe_code)]

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clawft_agent::embed::{Embedder, Hashed, Table};
use clawft_benches::sample::{self, Rows};
use clawft_store::lexical::{Bm25, Fused, Fusion, Index, Scratch, fuse};
use serde_json::Value;

/// How deep each list is that goes into a fused one, and how deep a rank counts.
const DEPTH: usize = 100;
/// Up to this share of a question's words in the answer, words hardly help.
const FEW: f64 = 0.34;
/// Plenty.
const LIMIT: usize = 64 << 20;

/// Texts, and questions that one of them answers.
struct Set {
    name: &'static str,
    texts: Vec<String>,
    questions: Vec<String>,
    relevant: Vec<u32>,
    overlap: Vec<f64>,
    /// Names of MiniLM's vectors.
    files: [&'static str; 2],
}

/// Makes the vector of a text.
type Vector<'a> = &'a dyn Fn(&str, &mut [f32]);
/// One rank a question.
type Ranks = Vec<Option<usize>>;

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let outcome = match argument.as_deref() {
        Some("vectors") => vectors(),
        other => {
            let folder = sample::folder().join("../target/models");
            measure(&other.map_or(folder, PathBuf::from))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embedders: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The model that the project ships.
fn table() -> io::Result<Table> {
    let path = sample::folder().join("../models/clawft-static.bin");
    Table::open(std::fs::read(path)?).map_err(io::Error::other)
}

fn vectors() -> io::Result<()> {
    let table = table()?;
    for line in io::stdin().lines() {
        let mut vector = vec![0.0; table.dim()];
        table.vector(&line?, &mut vector);
        let bits: Vec<String> = vector.iter().map(|x| format!("{:08x}", x.to_bits())).collect();
        println!("{}", bits.join(" "));
    }
    Ok(())
}

fn measure(folder: &Path) -> io::Result<()> {
    let table = table()?;
    let hashed = Hashed::new(512);
    println!("static: {} pieces, {} components", table.pieces(), table.dim());
    for set in [known_items()?, paraphrases()?] {
        println!("\n{}: {} texts, {} questions", set.name, set.texts.len(), set.questions.len());
        let mut lists: Vec<(String, Ranks)> = Vec::new();
        let embedders: [(&str, usize, Vector<'_>); 2] = [
            ("hashed", hashed.dim(), &|text, vector| hashed.vector(text, vector)),
            ("static", table.dim(), &|text, vector| table.vector(text, vector)),
        ];
        let mut all: Vec<(&str, Rows, Rows)> = Vec::new();
        for (name, dim, vector) in embedders {
            let start = Instant::now();
            let texts = embed(dim, vector, &set.texts);
            let each = start.elapsed().as_secs_f64() * 1e6 / set.texts.len() as f64;
            println!("{name}: {each:.1} us a text");
            all.push((name, texts, embed(dim, vector, &set.questions)));
        }
        let [texts, questions] = set.files.map(|name| folder.join(name));
        match (texts.exists(), questions.exists()) {
            (true, true) => {
                all.push(("MiniLM", sample::read(&texts)?, sample::read(&questions)?));
            }
            _ => println!("no vectors of MiniLM: run models/evaluate.py for them"),
        }
        for (n, (name, texts, questions)) in all.iter().enumerate() {
            let [by_vector, by_words, fused] = search(&set, texts, questions)?;
            if n == 0 {
                lists.push(("words".into(), by_words));
            }
            lists.push(((*name).into(), by_vector));
            lists.push((format!("{name}, fused"), fused));
        }
        print(&set, &lists);
    }
    Ok(())
}

fn embed(dim: usize, vector: Vector<'_>, texts: &[String]) -> Rows {
    let mut flat = vec![0.0; texts.len() * dim];
    for (text, row) in texts.iter().zip(flat.chunks_exact_mut(dim)) {
        vector(text, row);
    }
    Rows { dim, flat }
}

/// The ranks by vector, by words, and fused.
fn search(set: &Set, texts: &Rows, questions: &Rows) -> io::Result<[Ranks; 3]> {
    if texts.len() != set.texts.len() || questions.len() != set.questions.len() {
        return Err(io::Error::other("expected as many vectors as texts"));
    }
    let full = |error| io::Error::other(format!("{error:?}"));
    let mut index = Index::new(LIMIT, 0);
    for (slot, text) in (0..).zip(&set.texts) {
        index.add(slot, text).map_err(full)?;
    }
    let mut scratch = Scratch::default();
    let mut ranks: [Ranks; 3] = Default::default();
    for ((question, query), &relevant) in
        set.questions.iter().zip(questions.iter()).zip(&set.relevant)
    {
        let hits = index
            .search(question, DEPTH, &Bm25::default(), &mut |_| true, &mut scratch)
            .map_err(full)?;
        let by_words: Vec<u32> = hits.iter().map(|hit| hit.slot).collect();
        let similarity: Vec<f32> =
            texts.iter().map(|row| row.iter().zip(query).map(|(a, b)| a * b).sum()).collect();
        let mut by_vector: Vec<u32> = (0..texts.len() as u32).collect();
        by_vector.sort_by(|&a, &b| similarity[b as usize].total_cmp(&similarity[a as usize]));
        by_vector.truncate(DEPTH);
        let mut slots: Vec<u32> = by_words.iter().chain(&by_vector).copied().collect();
        slots.sort_unstable();
        slots.dedup();
        let mut words = vec![0.0; slots.len()];
        index.scores(question, &Bm25::default(), &slots, &mut words, &mut scratch).map_err(full)?;
        let part = |(&slot, words): (&u32, f32)| {
            let similarity = similarity[slot as usize];
            Fused { slot, similarity, words, score: 0.0 }
        };
        let mut candidates: Vec<Fused> = slots.iter().zip(words).map(part).collect();
        fuse(&mut candidates, Fusion::DEFAULT, index.enough());
        let fused = candidates.iter().map(|c| c.slot).collect();
        for (ranks, found) in ranks.iter_mut().zip([by_vector, by_words, fused]) {
            let rank = found.iter().take(DEPTH).position(|&slot| slot == relevant);
            ranks.push(rank.map(|rank| rank + 1));
        }
    }
    Ok(ranks)
}

/// A table: each way, over all questions and over those with few and with many shared words.
fn print(set: &Set, lists: &[(String, Ranks)]) {
    println!("hit@1, hit@10, MRR@{DEPTH} of all; of those with overlap <= {FEW}; of the others");
    for (way, ranks) in lists {
        let mut line = format!("| {way:<14} |");
        for part in [|_: f64| true, |overlap| overlap <= FEW, |overlap| overlap > FEW] {
            let pairs = set.overlap.iter().zip(ranks).filter(|(overlap, _)| part(**overlap));
            let of: Vec<Option<usize>> = pairs.map(|(_, rank)| *rank).collect();
            if of.is_empty() {
                continue;
            }
            let mean = |value: &dyn Fn(usize) -> f64| {
                of.iter().map(|rank| rank.map_or(0.0, value)).sum::<f64>() / of.len() as f64
            };
            let hit = |k: usize| mean(&|rank| f64::from(rank <= k));
            line += &format!(
                " {:.3} | {:.3} | {:.3} |",
                hit(1),
                hit(10),
                mean(&|rank| 1.0 / rank as f64)
            );
        }
        println!("{line}");
    }
}

fn known_items() -> io::Result<Set> {
    let mut set = Set {
        name: "known items",
        texts: sample::texts()?,
        questions: Vec::new(),
        relevant: Vec::new(),
        overlap: Vec::new(),
        files: ["minilm-texts.f16.npy", "minilm-queries.f16.npy"],
    };
    for line in lines("known_item.jsonl")? {
        let fields = (line["query"].as_str(), line["relevant"].as_u64(), line["overlap"].as_f64());
        let (Some(query), Some(relevant), Some(overlap)) = fields else {
            return Err(io::Error::other(format!("a field is missing in {line}")));
        };
        set.questions.push(query.to_owned());
        set.relevant.push(relevant as u32);
        set.overlap.push(overlap);
    }
    Ok(set)
}

fn paraphrases() -> io::Result<Set> {
    let mut set = Set {
        name: "paraphrases",
        texts: Vec::new(),
        questions: Vec::new(),
        relevant: Vec::new(),
        overlap: Vec::new(),
        files: ["minilm-facts.f16.npy", "minilm-questions.f16.npy"],
    };
    for line in lines("paraphrases.jsonl")? {
        let Some(fact) = line["fact"].as_str() else {
            return Err(io::Error::other(format!("a field is missing in {line}")));
        };
        if let Some(question) = line["question"].as_str() {
            set.questions.push(question.to_owned());
            set.relevant.push(set.texts.len() as u32);
            set.overlap.push(0.0);
        }
        set.texts.push(fact.to_owned());
    }
    Ok(set)
}

/// Each line of a file in `data/`.
fn lines(name: &str) -> io::Result<Vec<Value>> {
    let source = BufReader::new(File::open(sample::folder().join(name))?);
    source.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
