//! `cargo xtask bench criterion`: the criterion benches, natively, and those of the kernels in
//! Wasmtime too. What they print is shown, kept as results, and made into tables.

use super::results::{grouped, table};
use super::{machine, results};
use crate::process::{Outcome, cargo};
use crate::{tools, wasi};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The name of its file of results.
pub(super) const NAME: &str = "criterion";
/// The blocks of `docs/benchmarks.md` that are made of it.
pub(super) const BLOCKS: [&str; 3] = ["kernels", "store", "memory"];
const NATIVE: &str = "native";

/// Benches whose names contain one of the words; nothing is kept.
pub(super) fn some(words: &[String]) -> Outcome {
    measured(&measure(words, false)?, words)
}

/// That something was: criterion is content with a name that no bench has.
fn measured(lines: &[Value], words: &[String]) -> Outcome {
    match lines.iter().any(|line| line["ns"].is_number()) {
        true => Ok(()),
        false => Err(format!("no bench has {} in its name: nothing was measured", words.join(" "))),
    }
}

/// All benches, 100,000 vectors included; with `--quick` without these, and as short as
/// criterion can, to see that all of it works.
pub(super) fn all(arguments: &[String]) -> Outcome {
    let quick = match arguments {
        [] => false,
        [one] if one == "--quick" => true,
        _ => return Err(format!("criterion takes --quick or nothing, found {arguments:?}")),
    };
    let words = ["cargo xtask bench criterion"].into_iter().chain(arguments.iter().map(|a| &**a));
    let mut head = machine::describe(&words.collect::<Vec<_>>().join(" "))?;
    let lines = measure(arguments, !quick)?;
    measured(&lines, arguments)?;
    head["load_after"] = json!(machine::load());
    results::save(NAME, &[vec![head], lines].concat())?;
    super::render()
}

fn measure(words: &[String], large: bool) -> Outcome<Vec<Value>> {
    let mut native = cargo();
    native.args(["bench", "--package", "clawft-benches", "--"]).args(words);
    if large {
        native.env("CLAWFT_BENCH_LARGE", "1");
    }
    let mut lines = shown(&mut native, NATIVE)?;
    tools::targets(&[wasi::TARGET])?;
    let wasmtime = tools::wasmtime()?;
    for variant in wasi::VARIANTS {
        eprintln!("\n=== kernels in Wasmtime, {}", variant.0);
        let mut cargo = cargo();
        cargo.args(["bench", "--package", "clawft-benches", "--bench", "kernels"]);
        cargo.args(["--target", wasi::TARGET, "--"]).args(words);
        wasi::run_in_wasmtime(&mut cargo, &wasmtime, variant);
        lines.extend(shown(&mut cargo, variant.0)?);
    }
    Ok(lines)
}

/// Runs a bench, shows what it prints, and gives what was measured.
fn shown(command: &mut Command, place: &str) -> Outcome<Vec<Value>> {
    let failed = |why: String| format!("cargo bench ({place}): {why}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut printed = Vec::new();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|error| failed(error.to_string()))?;
            println!("{line}");
            printed.push(line);
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        return Err(failed(format!("ended with {status}")));
    }
    Ok(parse(&printed, place))
}

/// A line of results for each time that was printed, with the recall printed before it, and one
/// for each remark about the data.
fn parse(printed: &[String], place: &str) -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    let (mut recall, mut before) = (None, "");
    for line in printed {
        if let Some((label, found)) = line.split_once(": recall@10 ") {
            recall = found.trim().parse::<f64>().ok().map(|found| (label, found));
        } else if let Some((name, rest)) = line.split_once("time:   [") {
            // A long name stands on a line of its own.
            let name = if name.trim().is_empty() { before } else { name };
            let mut one = json!({ "in": place, "id": name.trim(), "ns": middle(rest, &TIMES) });
            if let Some((label, found)) = recall.take() {
                one["label"] = json!(label);
                one["recall@10"] = json!(found);
            }
            lines.push(one);
        } else if let Some((_, rest)) = line.split_once("thrpt:  [") {
            if let (Some(last), Some(bytes)) = (lines.last_mut(), middle(rest, &BYTES)) {
                last["gib_s"] = json!(bytes);
            }
        } else if line.contains("intrinsic dimension") || line.contains(": built in ") {
            lines.push(json!({ "in": place, "remark": line }));
        }
        before = line;
    }
    lines
}

const TIMES: [(&str, f64); 5] = [("ps", 1e-3), ("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
const BYTES: [(&str, f64); 4] = [
    ("GiB/s", 1.0),
    ("MiB/s", 1.0 / 1024.0),
    ("KiB/s", 1.0 / 1024.0 / 1024.0),
    ("B/s", 1.0 / 1024.0 / 1024.0 / 1024.0),
];

/// The middle one of three numbers with units; none where the unit is another.
fn middle(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut words = text.split_whitespace().skip(2);
    let (number, unit) = (words.next()?.parse::<f64>().ok()?, words.next()?);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    Some(number * scale)
}

/// The text of each block.
pub(super) fn blocks(lines: &[Value]) -> Outcome<Vec<(&'static str, String)>> {
    let (head, rest) = lines.split_first().ok_or("the file of results is empty")?;
    let machine = results::wrap(&machine::sentence(head));
    let tables = [kernels(rest), store(rest), memory(rest)];
    let block = |(name, table)| (name, format!("{machine}\n{table}"));
    Ok(BLOCKS.into_iter().zip(tables).map(block).collect())
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

/// Its time, with a unit that fits.
fn time(line: &Value) -> String {
    let ns = line["ns"].as_f64().unwrap_or(f64::NAN);
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    match value {
        value if value < 10.0 => format!("{value:.2} {unit}"),
        value if value < 100.0 => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

/// GiB of codes a second, by kind of code and by instruction set; and the memory's own speed.
fn kernels(lines: &[Value]) -> String {
    let mut columns: Vec<(&str, &str)> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    let mut cells: Vec<(&str, (&str, &str), f64)> = Vec::new();
    let mut memory = Vec::new();
    let mut prepare = Vec::new();
    for line in lines {
        let (place, id) = (text(line, "in"), text(line, "id"));
        let Some(speed) = line["gib_s"].as_f64() else {
            if id.starts_with("prepare/") {
                prepare.push(format!("{id} {} ({place})", time(line)));
            }
            continue;
        };
        let Some((kind, set)) = id.rsplit_once('/') else { continue };
        if kind == "memory" {
            memory.push(format!("{speed:.1} over {set} ({place})"));
            continue;
        }
        // Each module has the scalar kernels beside its own.
        if !["dot", "l2", "query", "stored"].contains(&kind.split('/').next().unwrap_or_default())
            || (place != NATIVE && set != place)
        {
            continue;
        }
        let column = (place, set);
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        cells.push((kind, column, speed));
    }
    let mut heading = vec!["GiB/s of codes".to_string()];
    heading.extend(columns.iter().map(|(place, set)| match *place {
        NATIVE => (*set).to_string(),
        _ => format!("{set}, Wasmtime"),
    }));
    let row = |kind: &&str| {
        let cell = |column: &(&str, &str)| {
            let found = cells.iter().find(|cell| cell.0 == *kind && cell.1 == *column);
            found.map_or("-".into(), |cell| format!("{:.1}", cell.2))
        };
        [vec![(*kind).to_string()], columns.iter().map(cell).collect()].concat()
    };
    let rows: Vec<Vec<String>> = kinds.iter().map(row).collect();
    format!(
        "{}\n{}\n{}",
        table(&heading, &rows),
        results::wrap(&format!(
            "Memory, read in order by a plain sum, GiB/s: {}.",
            memory.join(", ")
        )),
        results::wrap(&format!("A query before its first comparison: {}.", prepare.join(", ")))
    )
}

/// Insert, search over ef, filters, and the count of vectors.
fn store(lines: &[Value]) -> String {
    let native: Vec<&Value> = lines.iter().filter(|line| text(line, "in") == NATIVE).collect();
    let mut rows = Vec::new();
    for line in &native {
        let id = text(line, "id");
        if !(id.starts_with("sample") || id.starts_with("count/")) {
            continue;
        }
        let recall = line["recall@10"].as_f64();
        let label = text(line, "label").rsplit(", ").next().unwrap_or_default();
        // Where the name does not say the ef, the label of the recall does.
        let ef = if id.contains("at a recall") { format!(" ({label})") } else { String::new() };
        rows.push(vec![
            format!("{id}{ef}"),
            time(line),
            recall.map_or("-".into(), |recall| format!("{recall:.4}")),
            line["ns"].as_f64().map_or("-".into(), |ns| grouped(1e9 / ns)),
        ]);
    }
    let remarks = native.iter().filter_map(|line| line["remark"].as_str());
    let heading = ["what", "time", "recall@10", "a second"].map(String::from);
    let remarks = remarks.collect::<Vec<_>>().join("; ");
    format!("{}\n{}", table(&heading, &rows), results::wrap(&format!("{remarks}.")))
}

/// The durable memory.
fn memory(lines: &[Value]) -> String {
    let mine = lines.iter().filter(|line| {
        // The speed of the machine's memory is a kernel's matter.
        text(line, "id").starts_with("memory/") && line["gib_s"].is_null()
    });
    let rows: Vec<Vec<String>> =
        mine.map(|line| vec![text(line, "id").to_string(), time(line)]).collect();
    table(&["what", "time"].map(String::from), &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
sample, Auto, 50 % pass: recall@10 0.9912
sample/filtered, ef 64/Auto/50 %
                        time:   [51.000 µs 52.500 µs 53.000 µs]
Found 1 outliers among 30 measurements (3.33%)
query/short/avx512      time:   [204.09 ns 220.56 ns 238.60 ns]
                        thrpt:  [7.9940 GiB/s 8.6476 GiB/s 9.3456 GiB/s]
query/f16/scalar        time:   [2.0 ms 2.1 ms 2.2 ms]
                        thrpt:  [500.00 MiB/s 512.00 MiB/s 530.00 MiB/s]
memory/recall/words     time:   [150.0 µs 160.0 µs 170.0 µs]
                        thrpt:  [6.0 Kelem/s 6.25 Kelem/s 6.6 Kelem/s]
1000 mixtures: intrinsic dimension 32.1 (k = 100)";

    fn parsed() -> Vec<Value> {
        parse(&PRINTED.lines().map(String::from).collect::<Vec<_>>(), "native")
    }

    #[test]
    fn a_filter_that_matches_nothing_is_a_failure() {
        let words = ["scalling".to_string()];
        let remarks = parse(&["x: built in 0.9 s".to_string()], NATIVE);
        assert!(remarks.len() == 1 && measured(&remarks, &words).unwrap_err().contains("scalling"));
        assert!(measured(&parsed(), &words).is_ok());
    }

    #[test]
    fn reads_what_criterion_prints() {
        let lines = parsed();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0]["id"], "sample/filtered, ef 64/Auto/50 %");
        assert_eq!(
            (lines[0]["ns"].as_f64(), lines[0]["recall@10"].as_f64()),
            (Some(52_500.0), Some(0.9912))
        );
        assert_eq!(
            (lines[1]["ns"].as_f64(), lines[1]["gib_s"].as_f64()),
            (Some(220.56), Some(8.6476))
        );
        assert!(lines[1]["recall@10"].is_null(), "a recall is of the time after it only");
        assert_eq!(lines[2]["gib_s"].as_f64(), Some(0.5));
        assert!(lines[3]["gib_s"].is_null());
        assert!(lines[4]["remark"].as_str().unwrap().contains("32.1"));
    }

    #[test]
    fn tables_have_each_line_in_its_place() {
        let head = json!({ "command": "c" });
        let blocks = blocks(&[vec![head], parsed()].concat()).unwrap();
        let block = |name: &str| &blocks.iter().find(|one| one.0 == name).unwrap().1;
        assert!(block("kernels").contains("| query/short | 8.6 | - |"), "{}", block("kernels"));
        assert!(block("kernels").contains("| query/f16 | - | 0.5 |"));
        assert!(
            block("store")
                .contains("| sample/filtered, ef 64/Auto/50 % | 52.5 us | 0.9912 | 19,048 |")
        );
        assert!(block("store").contains("32.1"));
        assert!(block("memory").contains("| memory/recall/words | 160 us |"));
        assert!(!block("memory").contains("sample"));
    }
}
