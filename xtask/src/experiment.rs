//! `cargo xtask experiment`: what learning parts are worth, by seeded runs.

use crate::process::{Outcome, cargo, run};

/// The experiments, each a binary of `benches/`.
const NAMES: [&str; 1] = ["gate"];

pub(crate) fn experiment(arguments: &[String]) -> Outcome {
    let known = arguments.split_first().filter(|(name, _)| NAMES.contains(&name.as_str()));
    let Some((name, rest)) = known else {
        return Err(format!("the name of an experiment expected: {}", NAMES.join(", ")));
    };
    run(cargo()
        .args(["run", "--release", "--package", "clawft-benches", "--bin", name, "--"])
        .args(rest))
}
