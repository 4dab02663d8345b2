//! The results of `report` as tables and as the plot.

use super::curve::{Point, front, smallest_ef, speed_at};
use super::engines::SETS;
use super::plot::{self, Panel, Series};
use super::report::{MODULE, NATIVE, PEER, TARGETS, WALK};
use super::results::{grouped, table};
use super::{machine, results};
use crate::process::Outcome;
use serde_json::Value;

/// How many times the fastest native peer's speed is wanted of the module, at each target, and of
/// the native build at all of them.
const WANTED: [f64; 2] = [1.5, 2.0];
const WANTED_NATIVE: f64 = 2.0;
/// Each engine is built once, so what takes a little less may be no sooner.
const SOONER: f64 = 0.9;

/// One engine's line of the results.
struct Engine<'a> {
    key: &'a str,
    about: &'a Value,
    /// For each set of queries.
    points: Vec<Vec<Point>>,
    lines: Vec<Vec<&'a Value>>,
}

impl Engine<'_> {
    fn is_peer(&self) -> bool {
        self.key.starts_with(PEER)
    }

    fn name(&self) -> String {
        match self.key {
            MODULE => "clawft-kernel.wasm, Wasmtime".into(),
            NATIVE => "clawft, native".into(),
            "relaxed" => "clawft-kernel.relaxed.wasm, Wasmtime".into(),
            key if self.is_peer() => self.about["name"].as_str().unwrap_or(key).into(),
            key => match key.split_once(", ") {
                Some((_, mode)) => format!("clawft-kernel.wasm, {mode} forced"),
                None => key.into(),
            },
        }
    }

    /// It has one point: no ef to choose.
    fn is_exact(&self) -> bool {
        self.points.iter().all(|points| points.len() < 2)
    }

    /// A peer whose way of searching is a graph; of the others each looks at a code of every vector.
    fn is_graph(&self) -> bool {
        self.is_peer() && !self.is_exact() && !self.key.ends_with("-refine")
    }

    fn best_recall(&self, set: usize) -> f64 {
        self.points[set].iter().map(|point| point.recall).fold(0.0, f64::max)
    }
}

fn engines(lines: &[Value]) -> Vec<Engine<'_>> {
    let mine = lines.iter().skip(1);
    let (points, abouts): (Vec<&Value>, Vec<&Value>) =
        mine.partition(|line| line["qps"].is_number());
    let point = |line: &&Value| Point {
        ef: line["ef"].as_u64().unwrap_or(0) as u32,
        recall: line["recall@10"].as_f64().unwrap_or(0.0),
        qps: line["qps"].as_f64().unwrap_or(0.0),
    };
    let mut all = Vec::new();
    for about in abouts {
        let key = about["engine"].as_str().unwrap_or_default();
        let of = |set: &&str| {
            let of_set = points.iter().filter(|one| one["engine"] == key && one["queries"] == *set);
            of_set.copied().collect::<Vec<_>>()
        };
        let lines: Vec<Vec<&Value>> = SETS.iter().map(of).collect();
        let points = lines.iter().map(|lines| lines.iter().map(point).collect()).collect();
        all.push(Engine { key, about, points, lines });
    }
    all
}

/// The block of `docs/benchmarks.md`.
pub(super) fn block(lines: &[Value]) -> Outcome<String> {
    let head = lines.first().ok_or("the file of results is empty")?;
    let all = engines(lines);
    let parts = [
        results::wrap(&format!(
            "{} {} rounds, each of every engine at every ef in turn, at least {} s of passes each; medians of the rounds; {} s \
             in all. One thread, queries in batches of 100. A speed at a recall is interpolated between the two \
             measured points around it, among them the smallest ef that has it (given in brackets): the logarithm \
             of queries/s as linear in recall, over the points that no other point of that engine beats in both.",
            machine::sentence(head),
            head["rounds"],
            head["seconds"],
            head["took_s"]
        )),
        speeds(&all),
        "So many times as fast as the fastest native graph of the same run:\n".into(),
        ratios(&all, "graph", |engine| engine.is_graph())?,
        "And as the fastest native peer of any kind:\n".into(),
        ratios(&all, "peer", |engine| engine.is_peer())?,
        "Where a peer is better:\n".into(),
        results::wrap(&better(&all)?),
        "The module's own times (a query at a time, and its start):\n".into(),
        module(&all)?,
    ];
    Ok(parts.join("\n"))
}

/// Queries a second of all engines at the targets.
fn speeds(all: &[Engine<'_>]) -> String {
    let mut heading = vec!["queries/s at recall@10".to_string()];
    for set in SETS {
        heading.extend(TARGETS.map(|target| format!("{set} {target}")));
    }
    heading.push("build s".into());
    let row = |engine: &Engine<'_>| {
        let mut row = vec![engine.name()];
        for set in 0..SETS.len() {
            row.extend(TARGETS.map(|target| cell(engine, set, target)));
        }
        row.push(engine.about["build_s"].as_f64().map_or("-".into(), |s| format!("{s:.2}")));
        row
    };
    table(&heading, &all.iter().map(row).collect::<Vec<_>>())
}

fn cell(engine: &Engine<'_>, set: usize, target: f64) -> String {
    let points = &engine.points[set];
    match (speed_at(points, target), smallest_ef(points, target)) {
        (Some(qps), _) if engine.is_exact() => {
            format!("{} (recall {:.3})", grouped(qps), engine.best_recall(set))
        }
        (Some(qps), Some(ef)) => format!("{} ({ef})", grouped(qps)),
        _ => {
            let ef = points.iter().map(|point| point.ef).max().unwrap_or(0);
            format!("never: {:.3} at ef {ef}", engine.best_recall(set))
        }
    }
}

/// The fastest of those that count at a target: its name and speed; none where none has that recall.
fn fastest(all: &[Engine<'_>], counts: Counts, set: usize, target: f64) -> Option<(String, f64)> {
    let peers = all.iter().filter(|engine| counts(engine));
    let speeds = peers.filter_map(|one| Some((one.name(), speed_at(&one.points[set], target)?)));
    speeds.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Which engines count.
type Counts = fn(&Engine<'_>) -> bool;

/// Ratios to the fastest of those that count, each of which is a native `what`.
fn ratios(all: &[Engine<'_>], what: &str, counts: Counts) -> Outcome<String> {
    let mut heading = vec![String::new()];
    let mut rows = vec![
        vec![format!("fastest native {what}")],
        vec!["wanted in Wasmtime".into()],
        vec![],
        vec!["wanted natively".into()],
        vec![],
        vec![],
    ];
    let mut of = Vec::new();
    for key in [MODULE, NATIVE, WALK] {
        let engine = all.iter().find(|one| one.key == key);
        of.push(engine.ok_or_else(|| format!("the results have no {key}"))?);
    }
    rows[2].push(of[0].name());
    rows[4].push(of[1].name());
    // A graph beside graphs: most peers have no other way to search.
    rows[5].push(of[2].name());
    for (set, name) in SETS.iter().enumerate() {
        for (target, wanted) in TARGETS.into_iter().zip(WANTED) {
            let peer = fastest(all, counts, set, target);
            let ratio = |engine: &Engine<'_>| {
                let speed = speed_at(&engine.points[set], target);
                let both = speed.zip(peer.as_ref());
                both.map_or("-".into(), |(speed, peer)| format!("**{:.2}**", speed / peer.1))
            };
            heading.push(format!("{name} {target}"));
            rows[0].push(
                peer.as_ref().map_or("none has it".into(), |(name, qps)| {
                    format!("{name}: {}", grouped(*qps))
                }),
            );
            rows[1].push(format!("{wanted}"));
            rows[2].push(ratio(of[0]));
            rows[3].push(format!("{WANTED_NATIVE}"));
            rows[4].push(ratio(of[1]));
            rows[5].push(ratio(of[2]));
        }
    }
    Ok(table(&heading, &rows))
}

/// What a peer does better than the module or the native build, in sentences.
fn better(all: &[Engine<'_>]) -> Outcome<String> {
    let mut sentences = Vec::new();
    for key in [MODULE, NATIVE] {
        let Some(own) = all.iter().find(|one| one.key == key) else { continue };
        let name = own.name();
        for (set, set_name) in SETS.iter().enumerate() {
            for target in TARGETS {
                let speed = speed_at(&own.points[set], target).unwrap_or(0.0);
                let faster = all.iter().filter(|one| one.is_peer()).filter_map(|one| {
                    let times = speed_at(&one.points[set], target)? / speed;
                    (times > 1.0).then(|| format!("{} ({times:.2} times)", one.name()))
                });
                let faster: Vec<String> = faster.collect();
                if !faster.is_empty() {
                    let faster = faster.join(", ");
                    let what = format!("At {target} on {set_name} queries faster than {name}");
                    sentences.push(format!("{what}: {faster}."));
                }
            }
            let best = own.best_recall(set);
            let exacter: Vec<String> = all
                .iter()
                .filter(|one| one.is_peer() && one.best_recall(set) > best)
                .map(|one| format!("{} ({:.4})", one.name(), one.best_recall(set)))
                .collect();
            if !exacter.is_empty() {
                sentences.push(format!(
                    "On {set_name} queries {name} ends at recall {best:.4}, at any ef; more find {}.",
                    exacter.join(", ")
                ));
            }
        }
        let seconds = |one: &Engine<'_>| one.about["build_s"].as_f64().unwrap_or(0.0);
        let sooner: Vec<String> = all
            .iter()
            .filter(|one| one.is_peer() && !one.is_exact() && seconds(one) < SOONER * seconds(own))
            .map(|one| format!("{} ({:.2} s)", one.name(), seconds(one)))
            .collect();
        if !sooner.is_empty() {
            sentences.push(format!(
                "{name} builds in {:.2} s, and sooner by more than a tenth, going by one build of each: {}.",
                seconds(own),
                sooner.join(", ")
            ));
        }
    }
    if sentences.is_empty() {
        sentences.push("Nowhere in this run.".into());
    }
    Ok(sentences.join(" ") + "\n")
}

/// Times of single queries, and what the module takes to be there.
fn module(all: &[Engine<'_>]) -> Outcome<String> {
    let own = all.iter().find(|one| one.key == MODULE).ok_or("the results have no module")?;
    let heading = ["queries", "recall@10", "ef", "p50 us", "p99 us"].map(String::from);
    let mut rows = Vec::new();
    for (set, name) in SETS.iter().enumerate() {
        for target in TARGETS {
            let Some(ef) = smallest_ef(&own.points[set], target) else { continue };
            let Some(line) = own.lines[set].iter().find(|line| line["ef"] == ef) else { continue };
            let us = |field: &str| line[field].as_f64().map_or("-".into(), |us| format!("{us:.0}"));
            let recall = line["recall@10"].as_f64().unwrap_or(0.0);
            let cells = [format!("{recall:.4}"), ef.to_string(), us("p50_us"), us("p99_us")];
            rows.push([vec![(*name).to_string()], cells.to_vec()].concat());
        }
    }
    let about = own.about;
    let field = |name: &str| about[name].as_f64().unwrap_or(f64::NAN);
    let start = results::wrap(&format!(
        "{} bytes of module; compiled when loaded {:.1} ms (wanted: 50), loaded precompiled {:.2} ms, an instance {:.0} us. \
         Linear memory with {} vectors: {} bytes.",
        grouped(field("module_bytes")),
        field("compile_ms"),
        field("load_ms"),
        field("instantiate_us"),
        grouped(field("rows")),
        grouped(field("linear_memory_bytes")),
    ));
    Ok(format!("{}\n{start}", table(&heading, &rows)))
}

/// The plot: clawft, its native build and the peers.
pub(super) fn picture(lines: &[Value]) -> Outcome<String> {
    let head = lines.first().ok_or("the file of results is empty")?;
    let all = engines(lines);
    let mut drawn: Vec<&Engine<'_>> = Vec::new();
    for key in [MODULE, NATIVE] {
        drawn.extend(all.iter().find(|one| one.key == key));
    }
    drawn.extend(all.iter().filter(|one| one.is_peer()));
    let panels = SETS.iter().enumerate().map(|(set, title)| Panel {
        title: format!("{title} queries"),
        series: drawn
            .iter()
            .enumerate()
            .map(|(style, engine)| {
                let front = front(&engine.points[set]);
                let points = front.iter().map(|point| (point.recall, point.qps)).collect();
                Series { name: engine.name(), style, points }
            })
            .collect(),
    });
    let text = |field: &str| head[field].as_str().unwrap_or_default();
    let source = format!(
        "10,000 vectors of 512 dimensions, cosine. {}, {}. {}",
        text("cpu"),
        text("date").split(' ').next().unwrap_or_default(),
        text("command")
    );
    Ok(plot::svg(&panels.collect::<Vec<_>>(), &source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Five engines: the module, its walk, the native build at twice the module's speed, a graph that is as fast
    /// as the module at 0.97, half as fast at 0.99, and finds more in the end, and a slow scan.
    fn results() -> Vec<Value> {
        let mut lines = vec![json!({ "command": "c", "rounds": 5, "seconds": 0.2, "took_s": 9 })];
        let engines: [(&str, [f64; 3]); 5] = [
            (MODULE, [20_000.0, 10_000.0, 5_000.0]),
            (WALK, [22_000.0, 6_000.0, 3_000.0]),
            (NATIVE, [40_000.0, 20_000.0, 10_000.0]),
            ("peer x", [20_000.0, 5_000.0, 2_500.0]),
            ("peer y-refine", [2000.0, 1000.0, 500.0]),
        ];
        for (key, _) in engines {
            let build = if key == NATIVE { 0.5 } else { 1.0 };
            let name = if key == "peer y-refine" { "the scan" } else { "the peer" };
            lines.push(json!({ "engine": key, "name": name, "build_s": build, "rows": 100 }));
        }
        for (key, speeds) in engines {
            for set in SETS {
                for (at, qps) in speeds.into_iter().enumerate() {
                    let last = if key.starts_with(PEER) { 0.9999 } else { 0.995 };
                    lines.push(json!({
                        "engine": key, "queries": set, "ef": ([35, 64, 512][at]),
                        "recall@10": ([0.97, 0.99, last][at]), "qps": qps, "p50_us": 50, "p99_us": 99,
                    }));
                }
            }
        }
        lines
    }

    #[test]
    fn ratios_are_to_the_fastest_peer_at_the_same_recall() {
        let text = block(&results()).unwrap();
        for row in [
            "| fastest native peer | the peer: 20,000 | the peer: 5,000 | the peer: 20,000 | the peer: 5,000 |",
            "| clawft-kernel.wasm, Wasmtime | **1.00** | **2.00** | **1.00** | **2.00** |",
            "| clawft, native | **2.00** | **4.00** | **2.00** | **4.00** |",
            "| clawft-kernel.wasm, walk forced | **1.10** | **1.20** | **1.10** | **1.20** |",
            "| the peer | 20,000 (35) | 5,000 (64) | 20,000 (35) | 5,000 (64) | 1.00 |",
            "| held-out | 0.9900 | 64 | 50 | 99 |",
        ] {
            assert!(text.contains(row), "no `{row}` in {text}");
        }
    }

    /// The table of graphs does not count it, the other one does.
    #[test]
    fn a_scan_is_no_graph() {
        let mut fast = results();
        let scan = fast.iter_mut().filter(|line| line["engine"] == "peer y-refine");
        scan.for_each(|line| line["qps"] = json!(line["qps"].as_f64().map(|qps| qps * 20.0)));
        let text = block(&fast).unwrap();
        for row in [
            "| fastest native graph | the peer: 20,000 | the peer: 5,000 |",
            "| fastest native peer | the scan: 40,000 | the scan: 20,000 |",
            "| clawft-kernel.wasm, Wasmtime | **1.00** | **2.00** |",
            "| clawft-kernel.wasm, Wasmtime | **0.50** | **0.50** |",
        ] {
            assert!(text.contains(row), "no `{row}` in {text}");
        }
    }

    #[test]
    fn it_is_said_where_a_peer_is_better() {
        let all = results();
        let said = better(&engines(&all)).unwrap();
        assert!(
            said.contains("ends at recall 0.9950, at any ef; more find the peer (0.9999)"),
            "{said}"
        );
        assert!(!said.contains("faster"), "as fast is not faster: {said}");
        assert!(!said.contains("sooner"), "{said}");
        let mut faster = results();
        faster.iter_mut().filter(|line| line["engine"] == "peer x").for_each(|line| {
            line["build_s"] = json!(0.25);
            line["qps"] = json!(line["qps"].as_f64().map(|qps| qps * 1.5));
        });
        let said = better(&engines(&faster)).unwrap();
        assert!(
            said.contains("faster than clawft-kernel.wasm, Wasmtime: the peer (1.50 times)"),
            "{said}"
        );
        assert!(!said.contains("At 0.99"), "{said}");
        assert!(said.contains("going by one build of each: the peer (0.25 s)"), "{said}");
        let mut near = results();
        let about = near.iter_mut().filter(|line| line["build_s"].is_number());
        about
            .filter(|line| line["engine"] == "peer x")
            .for_each(|line| line["build_s"] = json!(0.95));
        assert!(
            !better(&engines(&near)).unwrap().contains("sooner"),
            "within the noise of a build"
        );
        assert!(said.contains("builds in 1.00 s, and sooner by more than a tenth"), "{said}");
    }

    #[test]
    fn the_picture_has_a_panel_for_each_set() {
        let text = picture(&results()).unwrap();
        for name in ["held-out queries", "known-item queries", "clawft, native", "the peer"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
