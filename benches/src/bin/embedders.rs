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
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clawft_agent::embed::{Embedder, Hashed, Table};
use clawft_benches::{
    json_lines,
    ranks::{self, DEPTH, FEW, Question, Ranks},
    sample::{self, Rows},
};
use clawft_store::lexical::Fusion;

/// Texts, and questions that one of them answers.
struct Set {
    name: &'static str,
    texts: Vec<String>,
    questions: Vec<Question>,
    /// Names of MiniLM's vectors.
    files: [&'static str; 2],
}

/// Makes the vector of a text.
type Vector<'a> = &'a dyn Fn(&str, &mut [f32]);

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
            let texts = embed(dim, vector, set.texts.iter());
            let each = start.elapsed().as_secs_f64() * 1e6 / set.texts.len() as f64;
            println!("{name}: {each:.1} us a text");
            let asked = set.questions.iter().map(|question| &question.text);
            all.push((name, texts, embed(dim, vector, asked)));
        }
        let [texts, questions] = set.files.map(|name| folder.join(name));
        match (texts.exists(), questions.exists()) {
            (true, true) => {
                all.push(("MiniLM", sample::read(&texts)?, sample::read(&questions)?));
            }
            _ => println!("no vectors of MiniLM: run models/evaluate.py for them"),
        }
        let index = ranks::index(&set.texts)?;
        for (n, (name, texts, questions)) in all.iter().enumerate() {
            if texts.len() != set.texts.len() || questions.len() != set.questions.len() {
                return Err(io::Error::other("expected as many vectors as texts"));
            }
            let found = ranks::search(&index, texts, &set.questions, questions, [Fusion::DEFAULT])?;
            let [fused] = found.fused;
            if n == 0 {
                lists.push(("words".into(), found.by_words));
            }
            lists.push(((*name).into(), found.by_vector));
            lists.push((format!("{name}, fused"), fused));
        }
        print(&set, &lists);
    }
    Ok(())
}

fn embed<'a>(
    dim: usize,
    vector: Vector<'_>,
    texts: impl ExactSizeIterator<Item = &'a String>,
) -> Rows {
    let mut flat = vec![0.0; texts.len() * dim];
    for (text, row) in texts.zip(flat.chunks_exact_mut(dim)) {
        vector(text, row);
    }
    Rows { dim, flat }
}

/// A table: each way, over all questions and over those with few and with many shared words.
fn print(set: &Set, lists: &[(String, Ranks)]) {
    println!("hit@1, hit@10, MRR@{DEPTH} of all; of those with overlap <= {FEW}; of the others");
    for (way, ranks) in lists {
        println!("| {way:<14} |{}", ranks::row(&set.questions, ranks));
    }
}

fn known_items() -> io::Result<Set> {
    Ok(Set {
        name: "known items",
        texts: sample::texts()?,
        questions: Question::read(data("known_item.jsonl")?)?,
        files: ["minilm-texts.f16.npy", "minilm-queries.f16.npy"],
    })
}

fn paraphrases() -> io::Result<Set> {
    let mut set = Set {
        name: "paraphrases",
        texts: Vec::new(),
        questions: Vec::new(),
        files: ["minilm-facts.f16.npy", "minilm-questions.f16.npy"],
    };
    let pairs = json_lines::lines(data("paraphrases.jsonl")?, |line| {
        let question = line.get("question").and_then(|question| question.as_str());
        Some((line.get("fact")?.as_str()?.to_owned(), question.map(str::to_owned)))
    })?;
    for (fact, question) in pairs {
        if let Some(text) = question {
            let relevant = set.texts.len() as u32;
            set.questions.push(Question { text, relevant, overlap: 0.0 });
        }
        set.texts.push(fact);
    }
    Ok(set)
}

/// A file in `data/`.
fn data(name: &str) -> io::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(sample::folder().join(name))?))
}
