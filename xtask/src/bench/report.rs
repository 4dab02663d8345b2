//! `cargo xtask bench report`: clawft in Wasmtime, clawft native and the native peers on the
//! sample, in turns.
//!
//! First each engine's recall is taken over a grid of ef, and the smallest ef of each target is
//! looked for; that is the same on every run. Then come rounds: in each, every engine is timed at
//! every ef for a fraction of a second, one engine after the other, and the median of the rounds
//! counts. So the ratios of two engines are of the same minutes even where the machine is not the
//! same from one minute to the next.

use super::asked::{Engines, Question, number};
use super::{engines, machine, results};
use crate::artifacts::{RELAXED_KERNEL, SIMD128_KERNEL};
use crate::process::Outcome;
use serde_json::json;
use std::time::Instant;

/// The name of its file of results.
pub(super) const NAME: &str = "recall";
/// Recall at which engines are compared.
pub(super) const TARGETS: [f64; 2] = [0.97, 0.99];
/// The default module, and its walk; the same natively, and the prefix of the peers.
pub(super) const MODULE: &str = "simd128";
pub(super) const WALK: &str = "simd128, walk";
pub(super) const NATIVE: &str = "native clawft";
pub(super) const PEER: &str = "peer ";

const EF: [u32; 12] = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
/// A sweep ends when so much was found, or when twice in turn a larger ef found no more.
const FOUND_ALL: f64 = 0.9995;
const NO_MORE: f64 = 0.0002;

/// How long to measure.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    seconds: f64,
}

/// Measures, writes the results and renders them.
pub(super) fn report(arguments: &[String]) -> Outcome {
    let effort = effort(arguments)?;
    let typed = std::iter::once("cargo xtask bench report").chain(arguments.iter().map(|a| &**a));
    let mut head = machine::describe(&typed.collect::<Vec<_>>().join(" "))?;
    let start = Instant::now();
    let mut all = Engines::new();
    all.start(engines::demo(&[&SIMD128_KERNEL, &RELAXED_KERNEL])?.arg("--ask"), "")?;
    for mode in ["walk", "scan", "exact"] {
        all.also(MODULE, mode)?;
    }
    all.start(&mut engines::peers(&["--ask"])?, PEER)?;
    let native = all.list.iter_mut().find(|one| one.key == format!("{PEER}clawft"));
    native.ok_or("the native clawft is missing")?.key = NATIVE.into();

    let mut points = Vec::new();
    for at in 0..all.list.len() {
        eprintln!("recall of {}", all.list[at].key);
        for set in 0..engines::SETS.len() {
            points.extend(sweep(&mut all, at, set)?);
        }
    }
    // Engines take turns at the same place of their sweeps.
    points.sort_by_key(|point| (point.set, point.turn, point.at));
    for round in 0..effort.rounds {
        eprintln!("round {} of {}, {} s", round + 1, effort.rounds, start.elapsed().as_secs());
        for point in &mut points {
            let qps = all.speed(point.at, point.set, point.ef, effort.seconds)?;
            point.rounds.push(qps);
        }
    }
    points.sort_by_key(|point| (point.at, point.set, point.turn));

    head["rounds"] = json!(effort.rounds);
    head["seconds"] = json!(effort.seconds);
    head["took_s"] = json!(start.elapsed().as_secs());
    head["load_after"] = json!(machine::load());
    let mut lines = vec![head];
    for engine in &all.list {
        let mut about = engine.about.clone();
        about["engine"] = json!(engine.key);
        about["mode"] = json!(engine.mode);
        lines.push(about);
    }
    for Measured { at, set, ef, recall, rounds, .. } in points {
        let mut line = json!({
            "engine": all.list[at].key,
            "queries": engines::SETS[set],
            "ef": ef,
            "recall@10": recall,
            "qps": median(&rounds),
            "qps_rounds": rounds,
        });
        if all.list[at].key == MODULE {
            let answer = all.ask(at, Question { set, ef, seconds: 0.0, single: true })?;
            line["p50_us"] = json!(number(&answer, "p50_us")?);
            line["p99_us"] = json!(number(&answer, "p99_us")?);
        }
        lines.push(line);
    }
    results::save(NAME, &lines)?;
    super::render()
}

/// One way to search of one engine, and its speed in each round.
struct Measured {
    at: usize,
    set: usize,
    /// Its place in the sweep.
    turn: usize,
    ef: u32,
    recall: f64,
    rounds: Vec<f64>,
}

/// Recall over the grid, and the smallest ef of each target, by rising ef.
fn sweep(all: &mut Engines, at: usize, set: usize) -> Outcome<Vec<Measured>> {
    let mut points: Vec<(u32, f64)> = Vec::new();
    let is_exact = all.list[at].mode == "exact" || all.list[at].key.ends_with("flat");
    for ef in EF {
        let recall = all.recall(at, set, ef)?;
        let before = points.iter().rev().nth(1).map(|point| point.1);
        points.push((ef, recall));
        let stuck = before.is_some_and(|before| recall > 0.5 && recall - before < NO_MORE);
        if recall >= FOUND_ALL || stuck || is_exact {
            break;
        }
    }
    for target in TARGETS {
        let first = points.iter().position(|point| point.1 >= target);
        let Some(first) = first.filter(|_| !is_exact) else { continue };
        let mut enough = points[first];
        let mut too_few = if first == 0 { EF[0] - 1 } else { points[first - 1].0 };
        while enough.0 - too_few > 1 {
            let middle = too_few.midpoint(enough.0);
            match all.recall(at, set, middle)? {
                recall if recall >= target => enough = (middle, recall),
                _ => too_few = middle,
            }
        }
        points.push(enough);
        points.sort_by_key(|point| point.0);
        points.dedup_by_key(|point| point.0);
    }
    let measured =
        |(turn, (ef, recall))| Measured { at, set, turn, ef, recall, rounds: Vec::new() };
    Ok(points.into_iter().enumerate().map(measured).collect())
}

fn effort(arguments: &[String]) -> Outcome<Effort> {
    let mut effort = Effort { rounds: 5, seconds: 0.2 };
    for pair in arguments.chunks(2) {
        let value = pair.get(1).map_or("", |value| value);
        let wrong = || format!("report takes --rounds N and --seconds S, found {arguments:?}");
        match pair[0].as_str() {
            "--rounds" => {
                effort.rounds = value.parse().ok().filter(|&n| n > 0).ok_or_else(wrong)?;
            }
            "--seconds" => {
                effort.seconds = value.parse().ok().filter(|&s| s > 0.0).ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
    }
    Ok(effort)
}

/// The median; 0 of nothing.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effort_is_read() {
        let read = |line: &str| {
            effort(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
                .map(|effort| (effort.rounds, effort.seconds))
        };
        assert_eq!(read("").unwrap(), (5, 0.2));
        assert_eq!(read("--rounds 3 --seconds 0.5").unwrap(), (3, 0.5));
        for wrong in ["--rounds", "--rounds 0", "--seconds -1", "--speed 3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_median_is_of_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 9.0]), 3.0);
        assert_eq!(median(&[]), 0.0);
    }
}
