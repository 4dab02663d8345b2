//! `cargo xtask matrix`: every artifact in every engine, held to one suite, timed and weighed.
//!
//! A row is an artifact in an engine. `xtask/matrix` has the suite and the runners, one process a row;
//! here is which rows there are, how they are measured, and the table. What an engine cannot do is a
//! row that says so in the engine's words, and what could not be tried here says why.

mod build;
mod check;
mod measure;
mod rows;
mod table;

use crate::process::Outcome;
use rows::Row;

const USAGE: &str = "\
cargo xtask matrix [options]

Each artifact in each engine: the conformance suite, then start, memory and what they may be.

  --check         the suite alone
  --only TEXT     rows whose name contains it; several times: any of them
  --runs N        starts of which the median is taken (default 20)
  --json          one JSON object a line instead of the table";

/// What a person may ask for.
struct Options {
    check: bool,
    only: Vec<String>,
    runs: usize,
    json: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Options { check: false, only: Vec::new(), runs: 20, json: false };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--check" => options.check = true,
                "--json" => options.json = true,
                "--only" => options.only.push(value()?.clone()),
                "--runs" => {
                    let runs = value()?.parse().ok().filter(|runs| *runs > 0);
                    options.runs = runs.ok_or("--runs wants a number from 1 on")?;
                }
                other => return Err(format!("no option is called `{other}`\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

/// Runs it. What a person cannot try on a machine is a row that says so, but something must be tried.
pub(crate) fn matrix(arguments: &[String]) -> Outcome {
    judged(arguments, |rows| match rows.iter().all(Row::is_not_shown) {
        true => Err("no row was checked".into()),
        false => Ok(()),
    })
}

/// What `test --all` asks for: the suite, in all rows, and that it can fail.
pub(crate) fn suite() -> Outcome {
    build::lint()?;
    check::faults()?;
    judged(&["--check".into()], all_shown)
}

/// Rows that every change must pass, the longest first: an interpreter computes what no compiler does, and
/// one was wrong with a kernel that all others ran right (docs/adr/0027).
const INTERPRETED: [&str; 3] = [
    "kernel scalar, WAMR interpreter",
    "kernel simd128, WAMR interpreter",
    "store, WAMR interpreter",
];

/// What they need of the system, so that a machine without it is told at once.
pub(crate) fn tools() -> Outcome {
    build::debian()
}

/// What the gate asks for: those rows, each of them shown.
pub(crate) fn interpreted() -> Outcome {
    let mut rows = rows::all(&|name| INTERPRETED.contains(&name))?;
    check::together(&mut rows);
    check::compare(&mut rows);
    table::print(&rows, true);
    verdict(&rows)?;
    all_there(&rows, &INTERPRETED)
}

/// Each of these is a row, and something came of it.
fn all_there(rows: &[Row], wanted: &[&str]) -> Outcome {
    match wanted.iter().find(|name| rows.iter().all(|row| row.name() != **name)) {
        Some(name) => Err(format!("no row is called {name}")),
        None => all_shown(rows),
    }
}

fn all_shown(rows: &[Row]) -> Outcome {
    match names(rows, Row::is_not_shown).as_str() {
        "" => Ok(()),
        names => Err(format!("not shown: {names}")),
    }
}

/// Runs it; `also` has the last word where no row failed and none is above its budget.
fn judged(arguments: &[String], also: impl Fn(&[Row]) -> Outcome) -> Outcome {
    if arguments.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    let wanted =
        |name: &str| options.only.is_empty() || options.only.iter().any(|text| name.contains(text));
    let mut rows = rows::all(&wanted)?;
    if rows.is_empty() {
        return Err(format!("no row has {} in its name", options.only.join(" or ")));
    }
    for row in &mut rows {
        eprintln!("{} …", row.name());
        check::check(row);
    }
    check::compare(&mut rows);
    if !options.check {
        for row in &mut rows {
            measure::measure(row, options.runs);
        }
    }
    if options.json {
        table::json(&rows)
    } else {
        table::print(&rows, options.check)
    }
    verdict(&rows)?;
    also(&rows)
}

fn names(rows: &[Row], of: impl Fn(&Row) -> bool) -> String {
    rows.iter().filter(|row| of(row)).map(Row::name).collect::<Vec<_>>().join(", ")
}

fn verdict(rows: &[Row]) -> Outcome {
    let (failed, over) = (names(rows, Row::has_failed), names(rows, Row::is_over));
    match (failed.is_empty(), over.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("above a budget: {over}")),
        _ => Err(format!("failed: {failed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row passes the gate only when something came of it.
    #[test]
    fn a_row_that_is_not_shown_does_not_pass() {
        let row = |checks| {
            let way = rows::Way::NotShown("no CMake".into());
            let mut row = rows::row("kernel, WAMR".into(), "kernel", way, rows::Budget::default());
            row.checks = checks;
            row
        };
        let tried = || row(rows::Checks::Refused("SIMD".into()));
        assert!(all_shown(&[tried()]).is_ok());
        let found = all_shown(&[tried(), row(rows::Checks::Open)]);
        assert_eq!(found, Err("not shown: kernel, WAMR".into()));
        assert!(all_there(&[tried()], &["kernel, WAMR"]).is_ok());
        let found = all_there(&[row(rows::Checks::Open)], &["kernel, WAMR"]);
        assert_eq!(found, Err("not shown: kernel, WAMR".into()));
        let found = all_there(&[tried()], &["kernel, WAMR", "store, WAMR"]);
        assert_eq!(found, Err("no row is called store, WAMR".into()));
    }

    #[test]
    fn takes_its_options() {
        let parse = |line: &str| {
            Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
        };
        let options = parse("--check --only WAMR --only kernel --runs 3").unwrap();
        assert!(options.check && !options.json && options.runs == 3);
        assert_eq!(options.only, ["WAMR", "kernel"]);
        for wrong in ["--runs 0", "--runs", "--nonsense"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
