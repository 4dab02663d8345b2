//! The demo as one engine among others: it fills a store with each module, then measures what it
//! is asked, line by line.
//!
//! A machine that others use is another machine a minute later. So who compares engines
//! (`cargo xtask bench report`) lets all of them build, and then asks them in turns, a fraction of
//! a second each. `benches/peers/peers.py --ask` answers the same questions for the peers.
//!
//! A line of JSON on standard output for each engine, then one that says `ready`. From then on a
//! line of JSON on standard input is a question, and a line comes back for it:
//!
//! `{"engine": "simd128", "queries": 0, "mode": "auto", "ef": 64, "seconds": 0.2, "single": false}`
//!
//! gives `recall@10`, with `seconds` above 0 `qps`, and with `single` the times of queries asked
//! alone. Standard input ends, and so does the program.

use crate::Failure;
use crate::inputs::Inputs;
use crate::kernel::Compiled;
use crate::load::load;
use crate::options::{Artifact, Mode, Options, Runtime};
use crate::report::{Report, micros, rounded};
use crate::sweep::{K, QuerySet, Searcher};
use clawft_sample::exact::Exact;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::time::Duration;

/// Compilations that the time of one is the median of.
const COMPILATIONS: usize = 5;

/// Answers until standard input ends.
pub(crate) fn serve(options: &Options) -> Result<(), Failure> {
    let inputs = Inputs::read(options)?;
    let report = Report::new(true);
    let sets: Vec<QuerySet<'_>> = inputs
        .queries
        .iter()
        .map(|(name, vectors, _)| {
            let exact = Exact::compute(&inputs.base, vectors, options.metric, K);
            QuerySet { name, vectors, exact }
        })
        .collect();
    let k = K.min(inputs.base.rows);
    let mut stores = Vec::new();
    for artifact in &options.artifacts {
        let compile = compile_time(artifact)?;
        let loaded = load(options, artifact, Runtime::Aot, &inputs.base, &report)?;
        if let Some(sentence) = &loaded.filled.full {
            return Err(Failure::new(format!("not all rows went in: {sentence}")));
        }
        stores.push((artifact.name.as_str(), compile, loaded));
    }
    let mut engines = Vec::new();
    for (name, compile, loaded) in &mut stores {
        let handle = loaded.filled.handle;
        let searcher = Searcher::new(&mut loaded.kernel, handle, inputs.base.dim, k)?;
        let mut footprint = loaded.footprint.clone();
        footprint.linear_memory = searcher.kernel.linear_memory();
        let mut line = footprint.json();
        line["engine"] = json!(name);
        line["dim"] = json!(inputs.base.dim);
        line["compile_ms"] = json!(rounded(compile.as_secs_f64() * 1e3, 3));
        say(&line)?;
        engines.push((*name, searcher));
    }
    let names: Vec<&str> = sets.iter().map(|set| set.name).collect();
    say(&json!({ "ready": true, "queries": names }))?;

    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::new(format!("standard input: {error}")))?;
        let question: Value = serde_json::from_str(&line)
            .map_err(|error| Failure::new(format!("no JSON: {error}: {line}")))?;
        say(&answer(&question, &sets, &mut engines)?)?;
    }
    Ok(())
}

/// Measures what one question asks for.
fn answer(
    question: &Value,
    sets: &[QuerySet<'_>],
    engines: &mut [(&str, Searcher<'_>)],
) -> Result<Value, Failure> {
    let wrong = |field: &str| Failure::new(format!("no such `{field}`: {question}"));
    let mode = question["mode"].as_str().and_then(|name| Mode::of(name).ok());
    let mode = mode.ok_or_else(|| wrong("mode"))?;
    let ef = question["ef"].as_u64().and_then(|ef| u32::try_from(ef).ok());
    let ef = ef.ok_or_else(|| wrong("ef"))?;
    let set = question["queries"].as_u64().and_then(|at| sets.get(at as usize));
    let set = set.ok_or_else(|| wrong("queries"))?;
    let name = question["engine"].as_str().unwrap_or_default();
    let engine = engines.iter_mut().find(|(known, _)| *known == name);
    let (_, searcher) = engine.ok_or_else(|| wrong("engine"))?;

    let mut line = json!({ "recall@10": rounded(searcher.recall(set, mode, ef)?, 6) });
    let seconds = question["seconds"].as_f64().unwrap_or(0.0);
    if seconds > 0.0 {
        let qps = searcher.throughput(set, mode, ef, Duration::from_secs_f64(seconds))?;
        line["qps"] = json!(rounded(qps, 1));
    }
    if question["single"] == json!(true) {
        let (p50, p99) = searcher.latency(set, mode, ef)?;
        line["p50_us"] = json!(rounded(micros(p50), 2));
        line["p99_us"] = json!(rounded(micros(p99), 2));
    }
    Ok(line)
}

/// The median time of turning a module into machine code.
fn compile_time(artifact: &Artifact) -> Result<Duration, Failure> {
    let path = &artifact.path;
    let wasm = std::fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    let mut times = Vec::new();
    for _ in 0..COMPILATIONS {
        times.push(Compiled::load(&wasm, Runtime::Jit)?.load);
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn say(line: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format!("standard output: {error}")))
}
