//! The demo as a test: what the kernel promises of the sample data, held.
//!
//! Every line says what was wanted and what was seen. Speed is not judged here:
//! a test machine is shared.

use clawft_store::memory::Derived;

use crate::Failure;
use crate::agent;
use crate::durable;
use crate::kernel::FULL;
use crate::options::{Mode, Options, Runtime};
use crate::report::{Report, mib};
use crate::run::{Inputs, Loaded, load};
use crate::sweep::{self, Searcher};
use clawft_sample::exact::Exact;

const K: usize = 10;
/// Values of ef at which all builds must give the same ids.
const SAME_AT: [u32; 3] = [16, 64, 200];
/// What a scan of the full codes must find. They have 8 bits, so that close
/// neighbours may change places.
const EXACT_RECALL: f64 = 0.99;
const LINEAR_MEMORY_MAX: usize = 8 << 20;
const OVERHEAD_MAX: u64 = 1024;

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
}

/// Runs every check on all artifacts given; false when one failed.
pub(crate) fn check(options: &Options) -> Result<bool, Failure> {
    let inputs = Inputs::read(options)?;
    let report = Report::new(false);
    let base = &inputs.base;
    let mut verdict = Verdict { failed: 0, held: 0 };
    let exact: Vec<Exact<'_>> = inputs
        .queries
        .iter()
        .map(|(_, vectors, _)| Exact::compute(base, vectors, options.metric, K))
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

        for ((set, vectors, _), exact) in inputs.queries.iter().zip(&exact) {
            for mode in [Mode::Auto, Mode::Walk, Mode::Scan] {
                let mut wanted = sweep::TARGETS.iter().peekable();
                let mut best = 0.0f64;
                for ef in sweep::EF {
                    let (ids, counts) = searcher.answer(vectors, mode, ef)?;
                    let recall = exact.recall(&ids, &counts);
                    best = best.max(recall);
                    while let Some(want) = wanted.next_if(|want| recall >= **want) {
                        let mode = mode.name();
                        verdict.expect(
                            true,
                            format!("{name}: {set}, {mode}: recall@10 {want} reached at ef {ef} ({recall:.4})"),
                        );
                    }
                    if wanted.peek().is_none() {
                        break;
                    }
                }
                for want in wanted {
                    let mode = mode.name();
                    verdict.expect(
                        false,
                        format!("{name}: {set}, {mode}: recall@10 {want} wanted, {best:.4} is the best of all ef"),
                    );
                }
            }
            let (ids, counts) = searcher.answer(vectors, Mode::Exact, K as u32)?;
            let recall = exact.recall(&ids, &counts);
            verdict.expect(
                recall >= EXACT_RECALL,
                format!("{name}: {set}, exact: recall@10 {recall:.4}, {EXACT_RECALL} wanted"),
            );
        }

        let mut answers = Vec::new();
        for (_, vectors, _) in &inputs.queries {
            for mode in [Mode::Auto, Mode::Walk, Mode::Scan] {
                for ef in SAME_AT {
                    answers.push(searcher.answer(vectors, mode, ef)?);
                }
            }
        }

        let (_, queries, _) = &inputs.queries[0];
        let before = searcher.answer(queries, Mode::Auto, SAME_AT[1])?;
        let kernel = &mut *searcher.kernel;
        let values = kernel.allocate(base.dim as u32 * 4)?;
        kernel.write_floats(values, queries.row(0));
        let one_more = base.rows as u64;
        let outcome = kernel.insert(filled.handle, one_more, values, base.dim as u32);
        kernel.release(values)?;
        verdict.expect(
            matches!(&outcome, Err(refusal) if refusal.code == FULL),
            format!(
                "{name}: insert number {} is refused as Full: {}",
                one_more + 1,
                outcome.map_or_else(|refusal| refusal.sentence, |()| "it went in".into())
            ),
        );
        let after = searcher.answer(queries, Mode::Auto, SAME_AT[1])?;
        verdict.expect(before == after, format!("{name}: it answers the same after that"));

        let kernel = &mut *searcher.kernel;
        let overhead = kernel.memory_use()?.overhead;
        verdict.expect(
            overhead < OVERHEAD_MAX,
            format!("{name}: allocator overhead {overhead} B, below {OVERHEAD_MAX} wanted"),
        );
        let bytes = kernel.linear_memory();
        verdict.expect(
            bytes <= LINEAR_MEMORY_MAX,
            format!(
                "{name}: linear memory {bytes} B ({:.2} MiB), at most {LINEAR_MEMORY_MAX} wanted",
                mib(bytes)
            ),
        );
        answers_of_all.push((name, answers));
    }

    if let Some(((first, expected), rest)) = answers_of_all.split_first() {
        for (name, answers) in rest {
            verdict.expect(
                answers == expected,
                format!("{name} and {first} give the same ids in the same order"),
            );
        }
    }
    let story = durable::run(options, &inputs)?;
    verdict.expect(
        story.found >= story.said && story.whole,
        format!(
            "durable: killed when {} rows were committed, {} found, each as it went in",
            story.said, story.found
        ),
    );
    verdict.expect(
        story.opened_from == Derived::Read && story.derived != Derived::Read,
        format!("durable: rebuilt after the kill, read after a close ({:?})", story.opened_from),
    );
    if let Some(clawft) = &options.clawft {
        // Keys are for people: a check costs nobody money.
        let story = agent::run(clawft, options, &inputs, false)?;
        let (imported, texts) = (story.imported, story.texts);
        verdict.expect(
            imported as usize == texts,
            format!("agent: {imported} of {texts} texts imported"),
        );
        for answered in &story.answers {
            let question = answered.question;
            verdict.expect(
                answered.holds.is_some() && answered.is_of_sample,
                match answered.holds {
                    Some(id) => format!("agent: `{question}` is answered from [{id}]"),
                    None => format!("agent: `{question}` is answered from no text about it"),
                },
            );
        }
    }
    println!("demo check: {} passed, {} failed", verdict.held, verdict.failed);
    Ok(verdict.failed == 0 && verdict.held > 0)
}
