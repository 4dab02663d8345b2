//! What feedback is worth: how much better held-out questions of a topic are answered after others
//! of that topic were, what that costs elsewhere, and what is left after a second topic.
//!
//!     cargo xtask experiment learn [choose | SET...]
//!
//! Each split draws topics A and B. Half of A's questions, at most 150, are asked, and where the
//! right text is among the ten shown, that is told; then B's. No held-out question shares its right
//! text with one that was asked. Measured is MRR over the candidates of the default retrieval
//! (static vectors and words, fused), 50 by vector and 50 by words, relative to that retrieval.
//! `choose` tries strengths on the sets whose names begin with `other`, the only ones that anything
//! was chosen on.

#![forbid(unsafe_code)]

mod learners;
mod world;

use std::{io, process::ExitCode, time::Instant};

use clawft_benches::{random::Random, sample};
use learners::{Adapter, Bank, Both, Contrast, Default, Helped, Learner, Oracle, PATTERNS, Weight};
use world::World;

/// Splits, and the most questions of each part of one.
const SPLITS: u64 = 5;
const TAUGHT: usize = 150;
const HELD: usize = 200;
const ELSEWHERE: usize = 500;
/// Shown, and so within reach of a feedback.
const SHOWN: usize = 10;
/// Feedbacks of a long life, for which the set with fewer questions than this is taken.
const FEW: usize = 200;
const LONG: usize = 100_000;

/// Name of the files, clusters (0: topics of the file), and what it is.
const SETS: [(&str, usize, &str); 6] = [
    ("data", 20, "synopses of data/'s packages, clusters"),
    ("glosses", 20, "examples to WordNet's glosses, clusters"),
    ("glosses", 0, "the same, topics by WordNet's lexicographers"),
    ("known", 8, "data/known_item.jsonl, clusters"),
    ("facts", 5, "data/paraphrases.jsonl, clusters"),
    ("mixed", 0, "the facts among data/'s texts: they are A, synopses are elsewhere"),
];
const OTHER: [(&str, usize, &str); 3] = [
    ("other", 20, "synopses of other packages, clusters"),
    ("other-glosses", 20, "examples to other glosses, clusters"),
    ("other-glosses", 0, "the same, topics by WordNet's lexicographers"),
];

type Made = (String, Box<dyn Fn(usize) -> Box<dyn Learner>>);

/// What is reported on.
fn learners() -> Vec<Made> {
    fn made<L: Learner + 'static>(name: &str, make: impl Fn(usize) -> L + 'static) -> Made {
        (name.to_owned(), Box::new(move |dim| Box::new(make(dim))))
    }
    vec![
        made("oracle of the topics, +0.05", |_| Oracle::new(0.05)),
        made("oracle of the topics, +0.1", |_| Oracle::new(0.1)),
        made("adapter, whole matrix", |dim| Adapter::new(dim, 0, MATRIX, 0.0)),
        made("adapter, rank 1", |dim| Adapter::new(dim, 1, RATE, 0.0)),
        made("adapter, rank 1, EWC", |dim| Adapter::new(dim, 1, RATE, GUARD)),
        made("adapter, rank 2", |dim| Adapter::new(dim, 2, RATE, 0.0)),
        made("adapter, rank 2, EWC", |dim| Adapter::new(dim, 2, RATE, GUARD)),
        made("bank: what helped, 16 patterns", |_| Bank::new(PULL, 16)),
        made("bank: what told it from the rest, 64", |_| Contrast::new(PULL, PATTERNS)),
        made("the same, adapter of rank 2, EWC", |dim| {
            Both(Contrast::new(PULL, PATTERNS), Adapter::new(dim, 2, RATE, GUARD))
        }),
        made("300 texts that helped", |dim| Helped::new(dim, PULL)),
        made("weight of the words", |_| Weight::new(false)),
        made("weight of the words, 64 patterns", |_| Weight::new(true)),
    ]
}

/// The adapters' rate, that of a whole matrix, the weight of their guard, and how much a pattern
/// pulls: those of `choose` with the most gain on glosses, of the bank at 64 patterns the one that also
/// keeps it. With a rate of 0.03 the adapters lose less elsewhere and gain half.
const RATE: f32 = 0.1;
const MATRIX: f32 = 0.3;
const GUARD: f32 = 1.0;
const PULL: f32 = 0.2;

/// What strengths are tried.
fn tried() -> Vec<Made> {
    let mut all: Vec<Made> = Vec::new();
    for rate in [0.03, 0.1, 0.3] {
        for guard in [0.0, 1.0, 30.0] {
            let name = format!("adapter, rank 2, rate {rate}, guard {guard}");
            all.push((name, Box::new(move |dim| Box::new(Adapter::new(dim, 2, rate, guard)))));
        }
    }
    for rate in [0.1, 0.3, 1.0] {
        let name = format!("adapter, whole matrix, rate {rate}");
        all.push((name, Box::new(move |dim| Box::new(Adapter::new(dim, 0, rate, 0.0)))));
    }
    for pull in [0.1, 0.2, 0.3] {
        for most in [16, 64] {
            let name = format!("bank: what helped, {most} patterns, pull {pull}");
            all.push((name, Box::new(move |_| Box::new(Bank::new(pull, most)))));
            let name = format!("bank: what told it from the rest, {most} patterns, pull {pull}");
            all.push((name, Box::new(move |_| Box::new(Contrast::new(pull, most)))));
        }
        let name = format!("300 texts that helped, pull {pull}");
        all.push((name, Box::new(move |dim| Box::new(Helped::new(dim, pull)))));
    }
    all.push(("weight of the words".into(), Box::new(|_| Box::new(Weight::new(false)))));
    all.push((
        "weight of the words, 64 patterns".into(),
        Box::new(|_| Box::new(Weight::new(true))),
    ));
    all
}

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let choose = asked.iter().any(|word| word == "choose");
    let sets: &[(&str, usize, &str)] = if choose { &OTHER } else { &SETS };
    let is_set = |word: &String| word == "choose" || sets.iter().any(|set| set.0 == word);
    if let Some(word) = asked.iter().find(|word| !is_set(word)) {
        eprintln!("learn: no set is called `{word}`");
        return ExitCode::FAILURE;
    }
    let named = |name: &str| {
        asked.iter().all(|word| word == "choose") || asked.iter().any(|word| word == name)
    };
    for &(name, clusters, what) in sets.iter().filter(|set| named(set.0)) {
        let made = if choose { tried() } else { learners() };
        if let Err(error) = measure(name, clusters, what, &made, !choose) {
            eprintln!("learn: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// MRR of these questions.
fn mrr(world: &World, learner: &dyn Learner, questions: &[usize]) -> f64 {
    let reciprocal = |&q: &usize| {
        let question = &world.questions[q];
        let found = world.recall(question, &learner.ask(question));
        let at = found.iter().position(|found| found.slot == question.relevant);
        at.map_or(0.0, |at| 1.0 / (at + 1) as f64)
    };
    questions.iter().map(reciprocal).sum::<f64>() / questions.len().max(1) as f64
}

/// Asks these questions, and tells the right text where it is shown; how often it was.
fn teach(world: &World, learner: &mut dyn Learner, questions: &[usize]) -> usize {
    let mut told = 0;
    for &q in questions {
        let question = &world.questions[q];
        let found = world.recall(question, &learner.ask(question));
        let shown = &found[..found.len().min(SHOWN)];
        if let Some(right) = shown.iter().position(|found| found.slot == question.relevant) {
            learner.learn(world, question, shown, right);
            told += 1;
        }
    }
    told
}

/// Questions of a split.
struct Split {
    taught: [Vec<usize>; 2],
    held: Vec<usize>,
    elsewhere: Vec<usize>,
    /// Of all topics: some to teach, others to ask.
    mixed: [Vec<usize>; 2],
}

impl Split {
    fn draw(world: &World, seed: u64, least: usize, first_is_taught: bool) -> Self {
        let mut random = Random::new(seed);
        let of = |topic: usize| -> Vec<usize> {
            (0..world.questions.len()).filter(|&q| world.questions[q].topic == topic).collect()
        };
        let mut topics: Vec<usize> =
            (0..world.topics).filter(|&topic| of(topic).len() >= least).collect();
        random.shuffle(&mut topics);
        if first_is_taught {
            topics.sort_by_key(|topic| *topic != 0);
        }
        let mut parts = |topic: usize| {
            let mut all = of(topic);
            random.shuffle(&mut all);
            let mut held = all.split_off((all.len() / 2).min(TAUGHT));
            held.truncate(HELD);
            (all, held)
        };
        let ((first, held), (second, _)) = (parts(topics[0]), parts(topics[1]));
        let right = |q: &usize| world.questions[*q].relevant;
        let told: Vec<u32> = first.iter().chain(&second).map(right).collect();
        assert!(held.iter().all(|q| !told.contains(&right(q))), "a held-out text was told");
        let mut all: Vec<usize> = (0..world.questions.len()).collect();
        random.shuffle(&mut all);
        let half = all.split_off(all.len() / 2);
        let none_of = |q: &&usize| !topics[..2].contains(&world.questions[**q].topic);
        let elsewhere: Vec<usize> = half.iter().filter(none_of).take(ELSEWHERE).copied().collect();
        let some = |all: &[usize]| all.iter().take(4 * ELSEWHERE).copied().collect();
        Split { taught: [first, second], held, elsewhere, mixed: [some(&all), some(&half)] }
    }
}

/// Mean and standard deviation, in percent.
fn spread(values: &[f64]) -> String {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let deviation = (squares / (values.len() as f64 - 1.0)).sqrt();
    format!("{:+.1} ± {:.1}", 100.0 * mean, 100.0 * deviation)
}

fn measure(name: &str, clusters: usize, what: &str, made: &[Made], long: bool) -> io::Result<()> {
    let folder = sample::folder().join("../target/learn");
    let world = World::read(&folder, name, clusters)?;
    let count = world.questions.len();
    println!("\n{what}: {} texts, {count} questions", world.vectors.len());
    let least = (count / 50).clamp(20, 100);
    let splits: Vec<Split> =
        (0..SPLITS).map(|seed| Split::draw(&world, seed, least, name == "mixed")).collect();
    let bases: Vec<[f64; 3]> = splits
        .iter()
        .map(|split| {
            [&split.held, &split.elsewhere, &split.mixed[1]].map(|q| mrr(&world, &Default, q))
        })
        .collect();
    for (split, base) in splits.iter().zip(&bases) {
        println!(
            "taught {} and {}, held out {}, elsewhere {}: MRR {:.3} and {:.3}",
            split.taught[0].len(),
            split.taught[1].len(),
            split.held.len(),
            split.elsewhere.len(),
            base[0],
            base[1]
        );
    }
    println!(
        "| in % of the default's MRR | same topic | elsewhere | same topic after another | of the gain left | after all topics | us a question |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, make) in made {
        let mut rows: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::new());
        let mut seconds = 0.0;
        for (split, base) in splits.iter().zip(&bases) {
            let mut learner = make(world.vectors.dim);
            teach(&world, &mut *learner, &split.taught[0]);
            rows[0].push(mrr(&world, &*learner, &split.held) / base[0] - 1.0);
            rows[1].push(mrr(&world, &*learner, &split.elsewhere) / base[1] - 1.0);
            teach(&world, &mut *learner, &split.taught[1]);
            rows[2].push(mrr(&world, &*learner, &split.held) / base[0] - 1.0);
            let start = Instant::now();
            for &q in &split.elsewhere {
                std::hint::black_box(learner.ask(&world.questions[q]));
            }
            seconds += start.elapsed().as_secs_f64() / split.elsewhere.len() as f64;
            if long {
                let mut learner = make(world.vectors.dim);
                teach(&world, &mut *learner, &split.mixed[0]);
                rows[3].push(mrr(&world, &*learner, &split.mixed[1]) / base[2] - 1.0);
            }
        }
        let mean = |row: &[f64]| row.iter().sum::<f64>() / row.len() as f64;
        println!(
            "| {name} | {} | {} | {} | {} | {} | {:.1} |",
            spread(&rows[0]),
            spread(&rows[1]),
            spread(&rows[2]),
            left(mean(&rows[0]), mean(&rows[2])),
            if long { spread(&rows[3]) } else { String::new() },
            1e6 * seconds / SPLITS as f64,
        );
    }
    if long && count < FEW {
        println!("bytes known after {LONG} feedbacks:");
        for (name, make) in made {
            println!("{name}: {}", long_life(&world, &mut *make(world.vectors.dim)));
        }
    }
    Ok(())
}

/// What is left of a gain; of less than a hundredth nothing can be said.
fn left(gain: f64, after: f64) -> String {
    if gain < 0.01 { "-".into() } else { format!("{:.0} %", 100.0 * after / gain) }
}

/// Bytes of what a learner knows after very many feedbacks, which go round all questions.
fn long_life(world: &World, learner: &mut dyn Learner) -> usize {
    for n in 0..LONG {
        let question = &world.questions[n % world.questions.len()];
        let found = world.recall(question, &Default.ask(question));
        learner.learn(world, question, &found[..found.len().min(SHOWN)], 0);
    }
    learner.bytes()
}
