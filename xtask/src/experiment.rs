//! Experiments: what a part of the agent is worth before it ships, on real texts and seeded.

use crate::process::{Outcome, cargo, run};

const USAGE: &str = "\
cargo xtask experiment NAME

  gate [RUNS]   the gate before the memory on seeded streams of honest writes and of attacks, and on
                pairs of sentences (docs/adr/0024): what it denies and defers, and what gets past it";

pub(crate) fn experiment(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        Some((name, rest)) if name == "gate" => gate(rest),
        Some((name, _)) => Err(format!("unknown experiment `{name}`\n\n{USAGE}")),
        None => Err(USAGE.into()),
    }
}

fn gate(arguments: &[String]) -> Outcome {
    let program = ["run", "--release", "--package", "clawft-benches", "--bin", "gate", "--"];
    run(cargo().args(program).args(arguments))
}
