//! The demo as a test: what the kernel promises of the sample data, held.
//!
//! Every line says what was wanted and what was seen. Speed is not judged here:
//! a test machine is shared.

use std::path::Path;

use clawft_store::memory::Derived;

use crate::Failure;
use crate::agent;
use crate::durable;
use crate::inputs::Inputs;
use crate::kernel::{FULL, Kernel};
use crate::load::{Loaded, load};
use crate::options::{Mode, Options, Runtime};
use crate::report::{Report, mib};
use crate::sweep::{self, Answers, K, QuerySet, Searcher};
use clawft_sample::exact::Exact;

/// The ways to search that ef is for.
const MODES: [Mode; 3] = [Mode::Auto, Mode::Walk, Mode::Scan];
/// Values of ef at which all builds must give the same ids.
const SAME_AT: [u32; 3] = [16, 64, 200];
/// What a scan of the full codes must find. They have 8 bits, so that close
/// neighbours may change places.
const EXACT_RECALL: f64 = 0.99;
/// Hits among the first ten that the known items must have, a little less than they have
/// (`docs/benchmarks.md`): by vector, by words, by both.
const WAYS: [&str; 3] = ["by vector", "by words", "by both"];
const HIT_AT_10: [f64; 3] = [0.53, 0.68, 0.69];
const LINEAR_MEMORY_MAX: usize = 8 << 20;
const OVERHEAD_MAX: u64 = 1024;

/// The largest ef at which the sample may reach each target: those of [`sweep::EF`] up to twice what
/// it takes (`docs/benchmarks.md`). What is found is the same on every machine. Nothing is known of
/// a person's own data.
fn most_ef(set: &str, mode: Mode) -> [u32; 2] {
    match (set, mode) {
        ("held-out", Mode::Walk) => [96, 192],
        ("held-out", _) => [64, 128],
        ("known-item", Mode::Walk) => [192, 512],
        ("known-item", _) => [96, 256],
        _ => [u32::MAX; 2],
    }
}

/// Lines of the check, and whether all of them held.
struct Verdict {
    failed: usize,
    held: usize,
}

impl Verdict {
    fn expect(&mut self, holds: bool, what: String) {
        println!("{}  {what}", if holds { "ok    " } else { "FAILED" });
        if holds {
            self.held += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Every mode finds what is wanted of it at some ef, and exact search nearly all.
    fn recalls(
        &mut self,
        name: &str,
        searcher: &mut Searcher<'_>,
        set: &QuerySet<'_>,
    ) -> Result<(), Failure> {
        for mode in MODES {
            let at = format!("{name}: {}, {}", set.name, mode.name());
            let recall = |ef| Ok(searcher.recall(set, mode, ef)?);
            self.reaches(&at, most_ef(set.name, mode), recall)?;
        }
        let recall = searcher.recall(set, Mode::Exact, K as u32)?;
        let set = set.name;
        self.expect(
            recall >= EXACT_RECALL,
            format!("{name}: {set}, exact: recall@10 {recall:.4}, {EXACT_RECALL} wanted"),
        );
        Ok(())
    }

    /// One mode finds what is wanted of it, each at an ef of `most` at most; a larger ef than that
    /// takes is not tried.
    fn reaches(
        &mut self,
        at: &str,
        most: [u32; 2],
        mut recall: impl FnMut(u32) -> Result<f64, Failure>,
    ) -> Result<(), Failure> {
        let mut wanted = sweep::TARGETS.iter().zip(most).peekable();
        let mut best = 0.0f64;
        for ef in sweep::EF {
            let recall = recall(ef)?;
            best = best.max(recall);
            while let Some((want, most)) = wanted.next_if(|(want, _)| recall >= **want) {
                let limit = match most {
                    u32::MAX => String::new(),
                    most => format!(", {most} at most wanted"),
                };
                self.expect(
                    ef <= most,
                    format!("{at}: recall@10 {want} reached at ef {ef} ({recall:.4}){limit}"),
                );
            }
            if wanted.peek().is_none() {
                break;
            }
        }
        for (want, _) in wanted {
            self.expect(
                false,
                format!("{at}: recall@10 {want} wanted, {best:.4} is the best of all ef"),
            );
        }
        Ok(())
    }

    /// A full store refuses the next row as Full, and answers as before.
    fn refuses_one_more(
        &mut self,
        name: &str,
        searcher: &mut Searcher<'_>,
        inputs: &Inputs,
    ) -> Result<(), Failure> {
        let base = &inputs.base;
        let (_, queries, _) = &inputs.queries[0];
        let before = searcher.answer(queries, Mode::Auto, SAME_AT[1])?;
        let kernel = &mut *searcher.kernel;
        let values = kernel.allocate(base.dim as u32 * 4)?;
        kernel.write_floats(values, queries.row(0));
        let one_more = base.rows as u64;
        let outcome = kernel.insert(searcher.handle, one_more, values, base.dim as u32);
        kernel.release(values)?;
        self.expect(
            matches!(&outcome, Err(refusal) if refusal.code == FULL),
            format!(
                "{name}: insert number {} is refused as Full: {}",
                one_more + 1,
                outcome.map_or_else(|refusal| refusal.sentence, |()| "it went in".into())
            ),
        );
        let after = searcher.answer(queries, Mode::Auto, SAME_AT[1])?;
        self.expect(before == after, format!("{name}: it answers the same after that"));
        Ok(())
    }

    /// The kernel keeps to its memory.
    fn stays_small(&mut self, name: &str, kernel: &mut Kernel) -> Result<(), Failure> {
        let overhead = kernel.memory_use()?.overhead;
        self.expect(
            overhead < OVERHEAD_MAX,
            format!("{name}: allocator overhead {overhead} B, below {OVERHEAD_MAX} wanted"),
        );
        let bytes = kernel.linear_memory();
        self.expect(
            bytes <= LINEAR_MEMORY_MAX,
            format!(
                "{name}: linear memory {bytes} B ({:.2} MiB), at most {LINEAR_MEMORY_MAX} wanted",
                mib(bytes)
            ),
        );
        Ok(())
    }

    /// What a killed writer had committed is there, whole.
    fn durable(&mut self, options: &Options, inputs: &Inputs) -> Result<(), Failure> {
        let story = durable::run(options, inputs)?;
        self.expect(
            story.judge().is_ok(),
            format!(
                "durable: killed when {} rows were committed, {} found, each as it went in",
                story.said, story.found
            ),
        );
        self.expect(
            story.opened_from == Derived::Read && story.derived != Derived::Read,
            format!(
                "durable: rebuilt after the kill, read after a close ({:?})",
                story.opened_from
            ),
        );
        let Some(known) = &story.known else { return Ok(()) };
        for (way, (quality, least)) in WAYS.iter().zip(known.quality.iter().zip(HIT_AT_10)) {
            let found = quality.ten;
            self.expect(
                found >= least,
                format!("durable: known items {way}: hit@10 {found:.3}, {least} wanted"),
            );
        }
        Ok(())
    }

    /// The agent imports every text, and answers from the ones that a question is about.
    fn agent(&mut self, clawft: &Path, options: &Options, inputs: &Inputs) -> Result<(), Failure> {
        // Keys are for people: a check costs nobody money.
        let story = agent::run(clawft, options, inputs, false)?;
        let (imported, texts) = (story.imported, story.texts);
        self.expect(
            imported as usize == texts,
            format!("agent: {imported} of {texts} texts imported"),
        );
        for answered in &story.answers {
            let question = answered.question;
            self.expect(
                answered.holds.is_some() && answered.is_of_sample,
                match answered.holds {
                    Some(id) => format!("agent: `{question}` is answered from [{id}]"),
                    None => format!("agent: `{question}` is answered from no text about it"),
                },
            );
        }
        Ok(())
    }
}

/// What all builds must answer alike.
fn answers(searcher: &mut Searcher<'_>, sets: &[QuerySet<'_>]) -> Result<Vec<Answers>, Failure> {
    let mut answers = Vec::new();
    for set in sets {
        for mode in MODES {
            for ef in SAME_AT {
                answers.push(searcher.answer(set.vectors, mode, ef)?);
            }
        }
    }
    Ok(answers)
}

/// Runs every check on all artifacts given; false when one failed.
pub(crate) fn check(options: &Options) -> Result<bool, Failure> {
    let inputs = Inputs::read(options)?;
    let report = Report::new(false);
    let base = &inputs.base;
    let mut verdict = Verdict { failed: 0, held: 0 };
    let sets: Vec<QuerySet<'_>> = inputs
        .queries
        .iter()
        .map(|(name, vectors, _)| {
            let exact = Exact::compute(base, vectors, options.metric, K);
            QuerySet { name, vectors, exact }
        })
        .collect();

    let mut answers_of_all = Vec::new();
    for artifact in &options.artifacts {
        let loaded = load(options, artifact, Runtime::Jit, base, &report)?;
        let name = &artifact.name;
        let Loaded { mut kernel, filled, .. } = loaded;
        verdict.expect(
            filled.rows == base.rows,
            format!("{name}: all {} rows go in, {} did", base.rows, filled.rows),
        );
        let mut searcher = Searcher::new(&mut kernel, filled.handle, base.dim, K)?;
        for set in &sets {
            verdict.recalls(name, &mut searcher, set)?;
        }
        answers_of_all.push((name, answers(&mut searcher, &sets)?));
        verdict.refuses_one_more(name, &mut searcher, &inputs)?;
        verdict.stays_small(name, searcher.kernel)?;
    }

    if let Some(((first, expected), rest)) = answers_of_all.split_first() {
        for (name, answers) in rest {
            verdict.expect(
                answers == expected,
                format!("{name} and {first} give the same ids in the same order"),
            );
        }
    }
    verdict.durable(options, &inputs)?;
    if let Some(clawft) = &options.clawft {
        verdict.agent(clawft, options, &inputs)?;
    }
    println!("demo check: {} passed, {} failed", verdict.held, verdict.failed);
    Ok(verdict.failed == 0 && verdict.held > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many checks failed of a mode that finds so much at an ef.
    fn failed(recall: impl Fn(u32) -> f64) -> usize {
        let mut verdict = Verdict { failed: 0, held: 0 };
        verdict.reaches("here", [64, 128], |ef| Ok(recall(ef))).unwrap();
        assert_eq!(verdict.failed + verdict.held, sweep::TARGETS.len());
        verdict.failed
    }

    #[test]
    fn a_recall_that_takes_too_large_an_ef_is_a_failure() {
        assert_eq!(failed(|_| 0.995), 0);
        assert_eq!(failed(|ef| if ef < 128 { 0.97 } else { 0.99 }), 0);
        assert_eq!(failed(|ef| if ef < 192 { 0.97 } else { 0.99 }), 1);
        assert_eq!(failed(|ef| if ef < 1024 { 0.9 } else { 0.99 }), 2);
        assert_eq!(failed(|_| 0.98), 1);
    }
}
