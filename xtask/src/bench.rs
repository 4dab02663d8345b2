//! `cargo xtask bench`: the criterion benches, the kernels also in WebAssembly, then the native
//! peers.

use crate::process::{Outcome, cargo, command, run};
use crate::{tools, wasi};

/// Arguments go to criterion (`cargo xtask bench query/i8`).
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    run(cargo().args(["bench", "--package", "clawft-benches", "--"]).args(arguments))?;
    tools::targets(&[wasi::TARGET])?;
    let wasmtime = tools::wasmtime()?;
    for variant in wasi::VARIANTS {
        eprintln!("\n=== kernels in Wasmtime, {}", variant.0);
        let mut cargo = cargo();
        cargo.args(["bench", "--package", "clawft-benches", "--bench", "kernels"]);
        cargo.args(["--target", wasi::TARGET, "--"]).args(arguments);
        wasi::run_in_wasmtime(&mut cargo, &wasmtime, variant);
        run(&mut cargo)?;
    }
    peers(&[])
}

/// hnswlib, faiss and usearch on the sample, each at the ef that the same
/// recall needs.
pub(crate) fn peers(arguments: &[&str]) -> Outcome {
    run(command("python3").arg("benches/peers/run.py").args(arguments))
        .map_err(|why| format!("the peers need Python 3.10 with venv, and PyPI: {why}"))
}
