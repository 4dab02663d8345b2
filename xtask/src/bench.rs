//! `cargo xtask bench`: the criterion benches, then the native peers.

use crate::process::{Outcome, cargo, command, run};

/// Arguments go to criterion (`cargo xtask bench kernels/i8`).
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    run(cargo().args(["bench", "--package", "clawft-benches", "--"]).args(arguments))?;
    peers(&[])
}

/// hnswlib, faiss and usearch on the sample, each at the ef that the same
/// recall needs.
pub(crate) fn peers(arguments: &[&str]) -> Outcome {
    run(command("python3").arg("benches/peers/run.py").args(arguments))
        .map_err(|why| format!("the peers need Python 3.10 with venv, and PyPI: {why}"))
}
