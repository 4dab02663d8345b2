//! The matrix as a table, or as JSON.

use super::rows::{Checks, Row, Way};
use serde_json::json;

/// What stands for a figure that this way of running does not show.
const NONE: &str = "-";

/// What came of the suite, in a few words.
fn verdict(row: &Row) -> String {
    match (&row.way, &row.checks) {
        (_, Checks::Refused(words)) if row.may_refuse => format!("cannot: {words}"),
        (_, Checks::Refused(words)) => format!("FAILED: refused: {words}"),
        (Way::NotShown(why), _) => format!("not shown: {why}"),
        (_, Checks::Open) => "not shown: it was not tried".into(),
        (_, Checks::Done(checks)) => {
            let passed = checks.iter().filter(|check| check.outcome.is_ok()).count();
            match passed == checks.len() {
                true => format!("{passed} of {}", checks.len()),
                false => format!("FAILED: {passed} of {}", checks.len()),
            }
        }
    }
}

/// A figure, and what it may be.
fn beside((found, most): (Option<f64>, Option<f64>)) -> String {
    let digits = |value: f64| match value {
        value if value < 0.1 => format!("{value:.3}"),
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.1}"),
    };
    match (found, most) {
        (None, _) => NONE.into(),
        (Some(found), None) => digits(found),
        (Some(found), Some(most)) => {
            let verdict = if found > most { "over" } else { "ok" };
            format!("{} of {most:.0} {verdict}", digits(found))
        }
    }
}

fn plain(value: Option<f64>, unit: f64, digits: usize) -> String {
    value.map_or_else(|| NONE.into(), |value| format!("{:.digits$}", value / unit))
}

/// For a person.
pub(super) fn print(rows: &[Row], checks_only: bool) {
    let mut table = vec![
        ["", "checks", "start ms", "of it load", "instance ms", "linear KiB"]
            .into_iter()
            .chain(["peak MB", "idle MB"])
            .map(String::from)
            .collect::<Vec<_>>(),
    ];
    for row in rows {
        let [start, instance, idle] = row.pairs().map(beside);
        let figures = &row.figures;
        table.push(vec![
            row.name().into(),
            verdict(row),
            start,
            plain(figures.load, 1.0, 2),
            instance,
            plain(figures.linear, 1024.0, 0),
            plain(figures.peak, 1e6, 1),
            idle,
        ]);
    }
    let columns = if checks_only { 2 } else { table[0].len() };
    // A sentence may be as long as it likes: the columns behind it have nothing to show.
    let is_sentence = |line: &[String]| line[1].contains(':');
    let width = |column: usize| {
        let lines = table.iter().filter(|line| column == 0 || !is_sentence(line));
        lines.map(|line| line[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    println!();
    for line in &table {
        let shown = if is_sentence(line) { 2 } else { columns };
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .take(shown)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", cells.join("  ").trim_end());
    }
    println!();
    for row in rows {
        let Checks::Done(checks) = &row.checks else { continue };
        for check in checks {
            if let Err(why) = &check.outcome {
                println!("FAILED {}, {}: {why}", row.name(), check.name);
            }
        }
        if let Some(why) = &row.figures.failed {
            println!("FAILED {}, measuring: {why}", row.name());
        }
    }
}

/// For a program: an object a row. Times in ms, memory in bytes.
pub(super) fn json(rows: &[Row]) {
    for row in rows {
        let checks = match &row.checks {
            Checks::Done(checks) => checks.as_slice(),
            _ => &[],
        };
        let checks: Vec<_> = checks
            .iter()
            .map(|check| match &check.outcome {
                Ok(note) => json!({ "check": check.name, "ok": true, "note": note }),
                Err(why) => json!({ "check": check.name, "ok": false, "why": why }),
            })
            .collect();
        let (figures, budget) = (&row.figures, &row.budget);
        let line = json!({
            "row": row.name(),
            "verdict": verdict(row),
            "checks": checks,
            "start_ms": figures.start,
            "load_ms": figures.load,
            "instance_ms": figures.instance,
            "linear_bytes": figures.linear,
            "peak_bytes": figures.peak,
            "idle_bytes": figures.idle,
            "failed": figures.failed,
            "budget": {
                "start_ms": budget.start,
                "instance_ms": budget.instance,
                "idle_mb": budget.idle,
            },
            "over": row.is_over(),
        });
        println!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn a_figure_stands_beside_its_budget() {
        assert_eq!(beside((None, Some(10.0))), "-");
        assert_eq!(beside((Some(0.0123), None)), "0.012");
        assert_eq!(beside((Some(9.994), Some(10.0))), "9.99 of 10 ok");
        assert_eq!(beside((Some(10.01), Some(10.0))), "10.0 of 10 over");
    }
}
