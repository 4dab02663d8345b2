//! The gate before the memory on seeded streams and on pairs of sentences.
//!
//!     cargo xtask experiment gate [RUNS]
//!     cargo run -p clawft-benches --bin gate -- open FIRST RUNS      to tune by: seeds from FIRST on
//!     cargo run -p clawft-benches --bin gate -- show KIND FIRST LAST each wrong decision
//!
//! A run hands one stream (`clawft_benches::streams`) to a new gate, write by write, with the eight
//! memories that the agent's own search puts nearest: the static model's cosine fused with BM25. What
//! is permitted is remembered; what is deferred is remembered in quarantine, as where nobody is there to
//! be asked; what is denied is not. Only this judge looks at what a write is in truth. The gate was
//! tuned on the open half, seeds below 1,000; the experiment prints open seeds from 1,000 on, and the
//! held half, which nobody has looked at while the gate was made.

#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    process::ExitCode,
};

use clawft_agent::embed::{Embedder, Table};
use clawft_agent::gate::{
    self, Decision, Evidence, Gate, HYPOTHESES, Near, Relation, Settings, Verdict, Words,
};
use clawft_benches::sample;
use clawft_benches::streams::{Half, Kind, LENGTH, Source, Stream, Truth, stream};
use clawft_store::lexical::{Bm25, Fused, Fusion, Index, Scratch, fuse};

/// Memories that the gate sees.
const NEAREST: usize = 8;
/// Bytes of the index of words: plenty.
const LIMIT: usize = 4 << 20;
/// Runs of the experiment, and the first seed that nothing was tuned on.
const RUNS: u64 = 1000;
const FIRST: u64 = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, other: u64| {
        arguments.get(at).and_then(|word| word.parse().ok()).unwrap_or(other)
    };
    let done = match arguments.first().map(String::as_str) {
        Some("open") => Judge::new().map(|mut judge| {
            judge.pairs("pairs-open.jsonl");
            judge.streams(Half::Open, number(1, 0), number(2, 100));
        }),
        Some("show") => Judge::new().map(|mut judge| {
            judge.show(arguments.get(1).map_or("", |word| word), number(2, 0), number(3, 1));
        }),
        _ => Judge::new().map(|mut judge| judge.experiment(number(0, RUNS))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A memory of a run.
struct Kept {
    vector: Vec<f32>,
    text: String,
    source: gate::Source,
    quarantined: bool,
    honest: bool,
}

/// What a run comes to.
struct Run {
    decisions: Vec<Decision>,
    memory: Vec<Kept>,
}

/// The sort of source that the gate sees.
fn sort(source: &Source) -> gate::Source {
    match source {
        Source::User => gate::Source::User,
        Source::File(_) | Source::Page(_) => gate::Source::Import,
        Source::Model | Source::Tool(_) => gate::Source::Machine,
    }
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// The value below which so many in a hundred of a sorted list are.
fn at(sorted: &[usize], hundredths: usize) -> usize {
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0)
}

fn names(evidence: u8) -> String {
    let seen = Evidence::ALL.iter().enumerate().filter(|(bit, _)| evidence >> bit & 1 == 1);
    seen.map(|(_, evidence)| evidence.name()).collect::<Vec<_>>().join("+")
}

struct Judge {
    table: Table,
    known: HashMap<String, Vec<f32>>,
}

impl Judge {
    fn new() -> io::Result<Self> {
        let path = sample::folder().join("../models/clawft-static.bin");
        let table = Table::open(fs::read(path)?).map_err(io::Error::other)?;
        Ok(Judge { table, known: HashMap::new() })
    }

    fn vector(&mut self, text: &str) -> Vec<f32> {
        if let Some(vector) = self.known.get(text) {
            return vector.clone();
        }
        let mut vector = vec![0.0; self.table.dim()];
        self.table.vector(text, &mut vector);
        self.known.insert(text.to_owned(), vector.clone());
        vector
    }

    /// Hands a stream to a new gate.
    fn run(&mut self, stream: &Stream) -> Run {
        let mut gate = Gate::default();
        let mut run = Run { decisions: Vec::new(), memory: Vec::new() };
        let (mut index, mut scratch) = (Index::new(LIMIT, 0), Scratch::default());
        for write in &stream.writes {
            let vector = self.vector(&write.text);
            let slots: Vec<u32> = (0..run.memory.len() as u32).collect();
            let mut words = vec![0.0; slots.len()];
            index
                .scores(&write.text, &Bm25::default(), &slots, &mut words, &mut scratch)
                .expect("there is memory");
            let mut order: Vec<Fused> = slots
                .iter()
                .zip(words)
                .map(|(&slot, words)| {
                    let kept = &run.memory[slot as usize].vector;
                    let similarity = kept.iter().zip(&vector).map(|(a, b)| a * b).sum();
                    Fused { slot, similarity, words, score: 0.0 }
                })
                .collect();
            fuse(&mut order, Fusion::DEFAULT, index.enough());
            let near: Vec<Near<'_>> = order
                .iter()
                .take(NEAREST)
                .map(|found| {
                    let kept = &run.memory[found.slot as usize];
                    Near {
                        id: found.slot.into(),
                        text: &kept.text,
                        source: kept.source,
                        similarity: found.similarity,
                        quarantined: kept.quarantined,
                    }
                })
                .collect();
            let source = sort(&write.source);
            let decision = gate.judge(&write.text, source, &near);
            for &id in &decision.also {
                run.memory[id as usize].quarantined = true;
            }
            if decision.verdict != Verdict::Deny {
                index.add(run.memory.len() as u32, &write.text).expect("there is room");
                run.memory.push(Kept {
                    vector,
                    text: write.text.clone(),
                    source,
                    quarantined: decision.verdict == Verdict::Defer,
                    honest: write.truth.is_honest(),
                });
            }
            run.decisions.push(decision);
        }
        run
    }

    fn experiment(&mut self, runs: u64) {
        let Settings { alpha, defer, .. } = Settings::default();
        println!(
            "alpha {:.3}: denied from an e-value of {:.0} on, deferred from {:.1} on\n",
            f64::from(alpha) / 1000.0,
            1000.0 / f64::from(alpha),
            defer as f64 / 1000.0
        );
        self.pairs("pairs-open.jsonl");
        self.pairs("pairs-held.jsonl");
        self.streams(Half::Open, FIRST, runs / 5);
        self.streams(Half::Held, 0, runs);
    }

    /// All kinds of streams of a half.
    fn streams(&mut self, half: Half, first: u64, runs: u64) {
        println!(
            "\n{half:?} half, {runs} runs of each kind, {LENGTH} writes each, from seed {first}"
        );
        for kind in Kind::ALL {
            let mut tally = Tally::default();
            for seed in first..first + runs {
                let stream = stream(kind, half, seed, LENGTH);
                let run = self.run(&stream);
                tally.add(&stream, &run);
            }
            tally.print(kind);
        }
    }

    fn pairs(&mut self, name: &str) {
        let text = fs::read_to_string(sample::folder().join(name)).expect("data/ is there");
        let (mut hit, mut found, mut all, mut count) = (0, 0, 0, 0);
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let of = |key: &str| value[key].as_str().expect("a string").to_owned();
            let (a, b, relation) = (of("a"), of("b"), of("relation"));
            let cosine = self.vector(&a).iter().zip(&self.vector(&b)).map(|(a, b)| a * b).sum();
            let contradicts =
                gate::compare(&Words::of(&b), &Words::of(&a), cosine) == Relation::Contradicts;
            let is = relation == "contradicts";
            count += 1;
            found += usize::from(contradicts);
            all += usize::from(is);
            hit += usize::from(contradicts && is);
            if contradicts && !is {
                *said.entry(relation).or_default() += 1;
            }
        }
        println!(
            "{name}: {count} pairs, contradictions found with precision {:.2} ({hit} of {found}), \
             recall {:.2} ({hit} of {all}); taken for one: {said:?}",
            hit as f64 / found.max(1) as f64,
            hit as f64 / all.max(1) as f64
        );
    }

    /// Each wrong decision in runs of the open half.
    fn show(&mut self, kind: &str, first: u64, last: u64) {
        let named = |one: &Kind| format!("{one:?}").to_lowercase().starts_with(kind);
        for kind in Kind::ALL.into_iter().filter(named) {
            for seed in first..last {
                let stream = stream(kind, Half::Open, seed, LENGTH);
                for (write, decision) in stream.writes.iter().zip(self.run(&stream).decisions) {
                    if write.truth.is_honest() == (decision.verdict == Verdict::Permit) {
                        continue;
                    }
                    let (seen, e) = (names(decision.evidence), decision.e);
                    let (truth, source) = (write.truth, sort(&write.source));
                    println!(
                        "{:?} {truth:?} {source:?} {seen} e={e} {:?}",
                        decision.verdict, write.text
                    );
                }
            }
        }
    }
}

/// Counts of the runs of one kind.
#[derive(Default)]
struct Tally {
    runs: usize,
    /// Honest writes by verdict, and of these the user's changes.
    honest: [usize; 3],
    changes: [usize; 3],
    hostile: [usize; 3],
    /// Runs in which an honest write was denied; in which a hostile one was stopped; in which every one was.
    wronged: usize,
    caught: usize,
    all_stopped: usize,
    /// Which hostile write was the first that was stopped, run by run.
    steps: Vec<usize>,
    /// Hostile writes after that, and those of them that were permitted.
    after: usize,
    passed: usize,
    /// Hostile memories that can be retrieved at the end, by how many hostile writes there were.
    left: BTreeMap<usize, [usize; 2]>,
    /// Honest claims of sources but the user, and those with each evidence.
    claims: usize,
    seen: [usize; 5],
}

impl Tally {
    fn add(&mut self, stream: &Stream, run: &Run) {
        self.runs += 1;
        let (mut wronged, mut count, mut first) = (false, 0, None);
        let (mut claims, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for (write, decision) in stream.writes.iter().zip(&run.decisions) {
            let verdict = decision.verdict as usize;
            let source = sort(&write.source);
            if write.truth.is_honest() {
                self.honest[verdict] += 1;
                wronged |= decision.verdict == Verdict::Deny;
                if matches!(write.truth, Truth::Correction { .. }) {
                    self.changes[verdict] += 1;
                }
                if source != gate::Source::User {
                    let claim = (Words::of(&write.text).key(), source as u8);
                    claims.insert(claim);
                    seen.extend(
                        (0..5)
                            .filter(|bit| decision.evidence >> bit & 1 == 1)
                            .map(|bit| (claim, bit)),
                    );
                }
                continue;
            }
            count += 1;
            self.hostile[verdict] += 1;
            if first.is_some() {
                self.after += 1;
                self.passed += usize::from(decision.verdict == Verdict::Permit);
            } else if decision.verdict != Verdict::Permit {
                first = Some(count);
            }
        }
        self.wronged += usize::from(wronged);
        self.caught += usize::from(first.is_some());
        self.steps.extend(first);
        self.claims += claims.len();
        seen.iter().for_each(|&(_, bit)| self.seen[bit] += 1);
        let left = run.memory.iter().filter(|kept| !kept.honest && !kept.quarantined).count();
        self.all_stopped += usize::from(left == 0);
        // In steps of 15 writes.
        let [runs, sum] = self.left.entry(count / 15 * 15).or_default();
        *runs += 1;
        *sum += left;
    }

    fn print(&mut self, kind: Kind) {
        let honest: usize = self.honest.iter().sum();
        println!(
            "\n{kind:?}: of {honest} honest writes {:.2} % deferred, {} denied; runs with one denied: {:.1} %",
            percent(self.honest[1], honest),
            self.honest[2],
            percent(self.wronged, self.runs)
        );
        let changes: usize = self.changes.iter().sum();
        println!(
            "  of {changes} changes by the user {:.2} % deferred, {} denied",
            percent(self.changes[1], changes),
            self.changes[2]
        );
        let rates: Vec<String> = Evidence::ALL
            .iter()
            .zip(HYPOTHESES)
            .zip(self.seen)
            .map(|((evidence, supposed), seen)| {
                let rate = seen as f64 / self.claims.max(1) as f64;
                format!(
                    "{} {rate:.4} ({:.3})",
                    evidence.name(),
                    f64::from(supposed.honest) / 1000.0
                )
            })
            .collect();
        println!(
            "  rates of evidence in honest claims but the user's (supposed at most): {}",
            rates.join(", ")
        );
        let hostile: usize = self.hostile.iter().sum();
        if hostile == 0 {
            return;
        }
        self.steps.sort_unstable();
        println!(
            "  attack stopped in {:.1} % of runs, at hostile write {} (median), {} (95 %), {} (most)",
            percent(self.caught, self.runs),
            at(&self.steps, 50),
            at(&self.steps, 95),
            at(&self.steps, 100)
        );
        println!(
            "  of {hostile} hostile writes {:.1} % deferred, {:.1} % denied; after the first stop {:.1} % permitted",
            percent(self.hostile[1], hostile),
            percent(self.hostile[2], hostile),
            percent(self.passed, self.after)
        );
        let left: Vec<String> = self
            .left
            .iter()
            .map(|(writes, [runs, sum])| {
                format!("{writes}+: {:.2}", *sum as f64 / (*runs).max(1) as f64)
            })
            .collect();
        println!(
            "  hostile memories to be retrieved at the end, a run, by hostile writes: {}; none in {:.1} % of runs",
            left.join(", "),
            percent(self.all_stopped, self.runs)
        );
    }
}
