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
use std::path::PathBuf;

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
            // Its table has rows of WAMR, which a run without it would take away. Where WAMR cannot be
            // built nothing is measured, and the table stays.
            scaling::scaling(&["--wamr".into()]).map_err(|why| {
                format!("{why} (`bench scaling` measures without WAMR, and takes its rows away)")
            })
        }
    }
}

/// What stands in a block, and in the place of the plot, before anything was measured.
const NOTHING: &str = "Not measured yet.";

/// Makes the tables and the plot anew from the files of results that there are.
fn render() -> Outcome {
    let (document, plot) = rendered()?;
    write(&results::document_path(), document.as_bytes())?;
    plot.map_or(Ok(()), |plot| write(&plot_path(), plot.as_bytes()))
}

/// The document and the plot as the files of results have them.
fn rendered() -> Outcome<(String, Option<String>)> {
    let recall = results::load(report::NAME)?;
    let scaling = results::load(scaling::NAME)?;
    let mut blocks = vec![
        (report::NAME, recall.as_deref().map(tables::block).transpose()?),
        (scaling::NAME, scaling.as_deref().map(scaling::block).transpose()?),
    ];
    match results::load(criterion::NAME)? {
        Some(lines) => {
            let of = criterion::blocks(&lines)?;
            blocks.extend(of.into_iter().map(|(name, text)| (name, Some(text))));
        }
        None => blocks.extend(criterion::BLOCKS.map(|name| (name, None))),
    }
    let document =
        blocks.into_iter().try_fold(results::document()?, |document, (name, text)| {
            results::replace(&document, name, text.as_deref().unwrap_or(NOTHING))
        })?;
    Ok((document, recall.as_deref().map(tables::picture).transpose()?))
}

fn plot_path() -> PathBuf {
    root().join("docs/recall-qps.svg")
}

/// hnswlib, faiss and usearch on the sample, each at the ef that the same
/// recall needs.
pub(crate) fn peers(arguments: &[&str]) -> Outcome {
    run(command("python3").arg("benches/peers/run.py").args(arguments))
        .map_err(|why| format!("the peers need Python 3.10 with venv, and PyPI: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures are measured, never typed: the document has what the files of results say.
    #[test]
    fn the_document_is_what_its_results_say() {
        let (document, plot) = rendered().unwrap();
        let asked = "run `cargo xtask bench render`";
        assert!(document == results::document().unwrap(), "docs/benchmarks.md differs: {asked}");
        let drawn = std::fs::read_to_string(plot_path()).ok();
        assert!(plot == drawn, "docs/recall-qps.svg differs: {asked}");
    }
}
