//! `cargo xtask bench`: what is measured, and the tables made of it.
//!
//! Each part measures, writes its lines to `benches/results/`, and renders: tables go into their
//! blocks of `docs/benchmarks.md`, the plot to `docs/`. `render` does the last step alone.

mod asked;
mod criterion;
mod curve;
mod engines;
mod machine;
mod plot;
mod report;
mod results;
mod scaling;
mod tables;

use crate::process::{Outcome, command, root, run, write};

/// A part of the measurements, or a filter for criterion (`cargo xtask bench query/i8`).
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    let rest = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("criterion") => criterion::all(rest),
        Some("report") => report::report(rest),
        Some("scaling") => scaling::scaling(rest),
        Some("render") => render(),
        Some(_) => criterion::some(arguments),
        None => {
            criterion::all(&[])?;
            report::report(&[])?;
            scaling::scaling(&[])
        }
    }
}

/// Makes the tables and the plot anew from the files of results that there are.
fn render() -> Outcome {
    if let Some(lines) = results::load(report::NAME)? {
        results::put(report::NAME, &tables::block(&lines)?)?;
        write(&root().join("docs/recall-qps.svg"), tables::picture(&lines)?.as_bytes())?;
    }
    if let Some(lines) = results::load(scaling::NAME)? {
        results::put(scaling::NAME, &scaling::block(&lines)?)?;
    }
    if let Some(lines) = results::load(criterion::NAME)? {
        for (block, text) in criterion::blocks(&lines)? {
            results::put(block, &text)?;
        }
    }
    Ok(())
}

/// hnswlib, faiss and usearch on the sample, each at the ef that the same
/// recall needs.
pub(crate) fn peers(arguments: &[&str]) -> Outcome {
    run(command("python3").arg("benches/peers/run.py").args(arguments))
        .map_err(|why| format!("the peers need Python 3.10 with venv, and PyPI: {why}"))
}
