//! `cargo xtask bench scaling`: 1,000, 10,000 and 100,000 vectors, in Wasmtime and natively.
//!
//! The vectors are mixtures of sample rows with noise (`benches/src/mixture.rs`), whose intrinsic
//! dimension is measured each time and stands in the results. Recall is against the exact answer,
//! which both programs compute. With `--wamr` the module is there in WAMR too.

use super::asked::{Engines, Question, number};
use super::report::{MODULE, NATIVE, PEER, median};
use super::results::{grouped, table};
use super::{engines, machine, results};
use crate::artifacts::SIMD128_KERNEL;
use crate::process::{Outcome, cargo, output};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The name of its file of results.
pub(super) const NAME: &str = "scaling";
const COUNTS: [u32; 3] = [1_000, 10_000, 100_000];
const EF: [u32; 3] = [32, 64, 256];
const ROUNDS: usize = 3;
const SECONDS: f64 = 0.3;
/// An engine that would build for longer, going by the count before, is left out.
const PATIENCE: f64 = 300.0;

/// What to measure.
struct Plan {
    counts: Vec<u32>,
    wamr: bool,
}

/// Measures, writes the results and renders them.
pub(super) fn scaling(arguments: &[String]) -> Outcome {
    let plan = plan(arguments)?;
    let typed = std::iter::once("cargo xtask bench scaling").chain(arguments.iter().map(|a| &**a));
    let mut head = machine::describe(&typed.collect::<Vec<_>>().join(" "))?;
    let start = Instant::now();
    let wamr = if plan.wamr { Some(engines::wamr()?) } else { None };
    let mut lines: Vec<Value> = Vec::new();
    for count in plan.counts {
        let more = measure_count(count, wamr.as_ref(), &lines)?;
        lines.extend(more);
    }
    head["took_s"] = json!(start.elapsed().as_secs());
    head["load_after"] = json!(machine::load());
    results::save(NAME, &[vec![head], lines].concat())?;
    super::render()
}

fn plan(arguments: &[String]) -> Outcome<Plan> {
    let mut plan = Plan { counts: COUNTS.to_vec(), wamr: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--wamr" => plan.wamr = true,
            "--counts" => {
                let list = words.next().map_or("", |list| list);
                let counts = list.split(',').map(|one| one.parse().ok().filter(|&n| n > 0));
                let counts: Option<Vec<u32>> = counts.collect();
                plan.counts =
                    counts.ok_or_else(|| format!("--counts takes numbers, found `{list}`"))?;
            }
            _ => return Err(format!("scaling takes --counts A,B,... and --wamr, found `{word}`")),
        }
    }
    Ok(plan)
}

/// How long an engine would build so many vectors, going by the last count that it had.
fn expected(lines: &[Value], engine: &str, count: u32) -> f64 {
    let last = lines.iter().rev().find(|line| line["engine"] == engine);
    last.map_or(0.0, |line| {
        let (build, had) = (line["build_s"].as_f64(), line["count"].as_f64());
        build.zip(had).map_or(f64::INFINITY, |(build, had)| build * f64::from(count) / had)
    })
}

/// A program that asks WAMR, and the modules for it.
type Wamr = (PathBuf, [engines::InWamr; 2]);

/// All engines on so many vectors; `before` has those of smaller counts.
fn measure_count(count: u32, wamr: Option<&Wamr>, before: &[Value]) -> Outcome<Vec<Value>> {
    let (base, queries, dimension) = generate(count)?;
    eprintln!("{count} vectors, intrinsic dimension {dimension}");
    let (mut all, left_out) = start(count, [&base, &queries], wamr, before)?;
    let mut lines = points(&mut all, count)?;
    lines.extend(left_out);
    for line in &mut lines {
        line["dimension"] = json!(dimension);
    }
    Ok(lines)
}

/// The engines, with these vectors and queries; and a line for each that is left out.
fn start(
    count: u32,
    [base, queries]: [&Path; 2],
    wamr: Option<&Wamr>,
    before: &[Value],
) -> Outcome<(Engines, Vec<Value>)> {
    let mut all = Engines::new();
    let mut demo = engines::demo(&[&SIMD128_KERNEL])?;
    demo.arg("--base").arg(base).arg("--queries").arg(queries).arg("--ask");
    all.start(&mut demo, "")?;
    let truth = engines::folder()?.join("truth");
    let mut peers = engines::peers(&["--peers", "hnswlib,faiss-sq8-ip", "--ask"])?;
    peers.arg("--base").arg(base).arg("--queries").arg(queries).arg("--truth").arg(&truth);
    all.start(&mut peers, PEER)?;
    let mut left_out = Vec::new();
    if let Some((program, modules)) = wamr {
        for (name, module) in modules {
            let seconds = expected(before, name, count);
            if seconds > PATIENCE {
                let why = match seconds.is_finite() {
                    true => format!("left out: {} s to build, going by fewer", grouped(seconds)),
                    false => "left out, as with fewer".to_string(),
                };
                eprintln!("{name}: {why}");
                left_out.push(json!({ "engine": name, "name": name, "count": count, "why": why }));
                continue;
            }
            all.start(
                Command::new(program).arg(name).arg(module).args([base, queries, &truth]),
                "",
            )?;
        }
    }
    Ok((all, left_out))
}

/// A line for each engine: its recall and its speed at each ef, in turns.
fn points(all: &mut Engines, count: u32) -> Outcome<Vec<Value>> {
    let mut speeds = vec![vec![Vec::new(); EF.len()]; all.list.len()];
    let mut recalls = vec![[0.0; EF.len()]; all.list.len()];
    for round in 0..ROUNDS {
        for (turn, ef) in EF.into_iter().enumerate() {
            for at in 0..all.list.len() {
                let question = Question { set: 0, ef, seconds: SECONDS, single: false };
                let answer = all.ask(at, question)?;
                speeds[at][turn].push(number(&answer, "qps")?);
                let recall = number(&answer, "recall@10")?;
                if round > 0 && recall != recalls[at][turn] {
                    return Err(format!("{} finds other ids when asked again", all.list[at].key));
                }
                recalls[at][turn] = recall;
            }
        }
    }
    let mut lines = Vec::new();
    for (at, engine) in all.list.iter().enumerate() {
        let mut line = engine.about.clone();
        line["engine"] = json!(match engine.key.as_str() {
            key if key == format!("{PEER}clawft") => NATIVE,
            key => key,
        });
        line["count"] = json!(count);
        line["points"] = (0..EF.len())
            .map(|turn| {
                let (qps, recall) = (median(&speeds[at][turn]), recalls[at][turn]);
                json!({ "ef": EF[turn], "recall@10": recall, "qps": qps, "qps_rounds": speeds[at][turn] })
            })
            .collect();
        lines.push(line);
    }
    Ok(lines)
}

/// The vectors and the queries of a count, and their intrinsic dimension as the generator
/// printed it.
fn generate(count: u32) -> Outcome<(PathBuf, PathBuf, f64)> {
    let folder = engines::folder()?;
    let file = |name: &str| folder.join(format!("{name}-{count}.npy"));
    let (base, queries) = (file("mixture"), file("questions"));
    let mut generator = cargo();
    generator.args(["run", "--release", "--quiet", "--package", "clawft-benches"]);
    generator.args(["--bin", "generate", "--", &count.to_string()]);
    let printed = output(generator.args::<[&Path; 2], _>([&base, &queries]))?;
    let dimension = printed
        .split_once("intrinsic dimension ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| format!("the generator printed no intrinsic dimension: {printed}"))?;
    Ok((base, queries, dimension))
}

/// The block of `docs/benchmarks.md`.
pub(super) fn block(lines: &[Value]) -> Outcome<String> {
    let (head, rest) = lines.split_first().ok_or("the file of results is empty")?;
    let mut heading: Vec<String> = ["vectors", "engine", "build s", "MiB"].map(String::from).into();
    let mut rows = Vec::new();
    let mut hardness: Vec<String> = Vec::new();
    for line in rest {
        let count = grouped(line["count"].as_f64().unwrap_or(0.0));
        let points = line["points"].as_array().map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() {
            for point in points {
                heading.push(format!("queries/s, ef {}", point["ef"]));
                heading.push("recall@10".into());
            }
        }
        let said = format!("{} at {count}", line["dimension"]);
        if !hardness.contains(&said) {
            hardness.push(said);
        }
        let engine = line["engine"].as_str().unwrap_or_default();
        let name = match engine {
            MODULE => "clawft-kernel.wasm, Wasmtime".to_string(),
            NATIVE => "clawft, native".into(),
            other => line["name"].as_str().unwrap_or(other).to_string(),
        };
        let bytes = line["linear_memory_bytes"].as_f64().or_else(|| line["memory_bytes"].as_f64());
        let mib = bytes.map_or("-".into(), |bytes| format!("{:.1}", bytes / f64::from(1 << 20)));
        let build = line["build_s"].as_f64().map_or("-".into(), |seconds| format!("{seconds:.2}"));
        let why = line["why"].as_str().map(String::from);
        let mut row =
            vec![count, why.map_or(name.clone(), |why| format!("{name}: {why}")), build, mib];
        for point in points {
            row.push(point["qps"].as_f64().map_or("-".into(), grouped));
            row.push(point["recall@10"].as_f64().map_or("-".into(), |r| format!("{r:.4}")));
        }
        row.resize(heading.len(), "-".into());
        rows.push(row);
    }
    Ok(format!(
        "{}\n{}",
        results::wrap(&format!(
            "{} 512 dimensions, cosine; intrinsic dimension (maximum likelihood, k = 100): {}. 1,000 queries in \
             batches of 100, one thread, {ROUNDS} rounds in turns, medians. MiB: for the module all of its linear \
             memory, natively the store's bytes.",
            machine::sentence(head),
            hardness.join(", "),
        )),
        table(&heading, &rows)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_read() {
        let read = |line: &str| {
            plan(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
                .map(|plan| (plan.counts, plan.wamr))
        };
        assert_eq!(read("").unwrap(), (COUNTS.to_vec(), false));
        assert_eq!(read("--wamr --counts 10,20").unwrap(), (vec![10, 20], true));
        for wrong in ["--counts", "--counts 0", "--counts 1,x", "--wasm"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_engine_that_was_left_out_stays_so() {
        let had = json!({ "engine": "x", "count": 1_000, "build_s": 2.0 });
        assert_eq!(expected(&[], "x", 1_000), 0.0);
        assert_eq!(expected(std::slice::from_ref(&had), "x", 10_000), 20.0);
        assert_eq!(expected(std::slice::from_ref(&had), "y", 10_000), 0.0);
        let left_out = json!({ "engine": "x", "count": 10_000, "why": "left out" });
        assert_eq!(expected(&[had, left_out], "x", 100_000), f64::INFINITY);
    }

    #[test]
    fn the_table_says_what_was_left_out() {
        let points = json!([{ "ef": 64, "recall@10": 0.98, "qps": 12_345.6 }]);
        let lines = [
            json!({ "command": "c" }),
            json!({ "engine": NATIVE, "count": 1_000, "dimension": 32.5, "build_s": 0.5, "memory_bytes": 1 << 20, "points": points }),
            json!({ "engine": "x", "name": "x", "count": 1_000, "dimension": 32.5, "why": "left out" }),
        ];
        let text = block(&lines).unwrap();
        assert!(
            text.contains("| 1,000 | clawft, native | 0.50 | 1.0 | 12,346 | 0.9800 |"),
            "{text}"
        );
        assert!(text.contains("| 1,000 | x: left out | - | - | - | - |"), "{text}");
        assert!(text.contains("32.5 at 1,000"), "{text}");
    }
}
