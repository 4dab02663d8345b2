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
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clawft_benches::{
    json_lines,
    ranks::{self, DEPTH, FEW, Question, Ranks},
    sample,
};
use clawft_store::lexical::Fusion;
use flate2::read::MultiGzDecoder;

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
    let texts = BufReader::new(MultiGzDecoder::new(file("texts.jsonl.gz")?));
    let texts = json_lines::lines(texts, |line| Some(line.get("text")?.as_str()?.to_owned()))?;
    let questions = Question::read(BufReader::new(file("known_item.jsonl")?))?;
    let base = sample::read(&folder.join("base.f16.npy"))?;
    let queries = sample::read(&folder.join("known_item_queries.f16.npy"))?;
    if base.len() != texts.len() || queries.len() != questions.len() {
        return Err(io::Error::other("expected as many vectors as texts"));
    }

    let start = Instant::now();
    let index = ranks::index(&texts)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "{} texts, {bytes} bytes: the index takes {} bytes, {} saved, built in {:.0} ms",
        texts.len(),
        index.bytes(),
        index.saved_bytes(),
        start.elapsed().as_secs_f64() * 1e3,
    );

    let ways = [Fusion::DEFAULT, Fusion::RECIPROCAL];
    let found = ranks::search(&index, &base, &questions, &queries, ways)?;
    let [weighted, reciprocal] = found.fused;
    println!("search by words: {:.0} us a question", found.seconds * 1e6 / questions.len() as f64);
    let lists = [
        ("vector", found.by_vector),
        ("words", found.by_words),
        ("fused, 0.6 and 0.4", weighted),
        ("fused, reciprocal ranks", reciprocal),
    ];
    print(&questions, &lists);
    Ok(())
}

/// A table: each way, over all questions and over those with few and with many shared words.
fn print(questions: &[Question], lists: &[(&str, Ranks)]) {
    let few = questions.iter().filter(|question| question.overlap <= FEW).count();
    println!(
        "hit@1, hit@10, MRR@{DEPTH} of all {}, of the {few} with overlap <= {FEW}, of the others",
        questions.len()
    );
    for (way, ranks) in lists {
        println!("| {way:<23} |{}", ranks::row(questions, ranks));
    }
}
