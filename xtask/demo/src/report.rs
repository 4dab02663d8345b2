//! What the person reads, and the same as JSON lines.

use crate::run::Job;
use crate::sweep::Point;
use serde_json::{Value, json};
use std::time::Duration;

/// Everything about one artifact in one runtime but its searches.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    pub(crate) artifact: String,
    pub(crate) runtime: &'static str,
    pub(crate) rows: usize,
    pub(crate) build: Duration,
    pub(crate) linear_memory: usize,
    pub(crate) memory_max: usize,
    pub(crate) overhead: u64,
    pub(crate) module_bytes: usize,
    pub(crate) load: Duration,
    pub(crate) instantiate: Duration,
}

impl Footprint {
    pub(crate) fn json(&self) -> Value {
        json!({
            "artifact": self.artifact,
            "runtime": self.runtime,
            "rows": self.rows,
            "build_s": rounded(self.build.as_secs_f64(), 4),
            "linear_memory_bytes": self.linear_memory,
            "linear_memory_max_bytes": self.memory_max,
            "allocator_overhead_bytes": self.overhead,
            "module_bytes": self.module_bytes,
            "load_ms": rounded(self.load.as_secs_f64() * 1e3, 3),
            "instantiate_us": rounded(micros(self.instantiate), 2),
        })
    }

    fn line(&self) -> String {
        format!(
            "{:<9} {:<4} build {:.2} s ({:.0} rows/s), linear memory {:.2} of {:.2} MiB, \
             allocator overhead {} B, module {} B, {} {:.2} ms, instantiate {:.0} µs",
            self.artifact,
            self.runtime,
            self.build.as_secs_f64(),
            self.rows as f64 / self.build.as_secs_f64().max(1e-9),
            mib(self.linear_memory),
            mib(self.memory_max),
            self.overhead,
            self.module_bytes,
            if self.runtime == "jit" { "compile" } else { "load" },
            self.load.as_secs_f64() * 1e3,
            micros(self.instantiate),
        )
    }
}

/// Prints points as they are measured and the rest at the end.
pub(crate) struct Report {
    json: bool,
    footprints: Vec<Footprint>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Report { json, footprints: Vec::new() }
    }

    /// What is searched, and by which rules.
    pub(crate) fn heading(&self, job: &Job<'_>, k: usize) {
        if !self.json {
            println!(
                "\n{} x {} ({}), metric {}, encoding {}, recall@{k} against the exact answer \
                 computed from these vectors",
                job.base.rows,
                job.base.dim,
                job.source,
                job.options.metric.name(),
                job.options.encoding_name,
            );
            println!(
                "{:<9} {:<4} {:<11} {:<5} {:>5} {:>9} {:>11} {:>8} {:>8}",
                "artifact",
                "run",
                "queries",
                "mode",
                "ef",
                format!("recall@{k}"),
                "queries/s",
                "p50 µs",
                "p99 µs"
            );
        }
    }

    pub(crate) fn point(&self, job: &Job<'_>, at: &Place<'_>, point: &Point) {
        if self.json {
            println!(
                "{}",
                json!({
                    "artifact": at.artifact,
                    "runtime": at.runtime,
                    "queries": at.queries,
                    "metric": job.options.metric.name(),
                    "mode": point.mode.name(),
                    "n": at.rows,
                    "d": job.base.dim,
                    "recall@10": rounded(point.recall, 6),
                    "qps": rounded(point.qps, 1),
                    "p50_us": rounded(micros(point.p50), 2),
                    "p99_us": rounded(micros(point.p99), 2),
                    "ef": point.ef,
                    "target": point.target,
                })
            );
        } else {
            println!(
                "{:<9} {:<4} {:<11} {:<5} {:>5} {:>9.4} {:>11.0} {:>8.1} {:>8.1}  {}",
                at.artifact,
                at.runtime,
                at.queries,
                point.mode.name(),
                point.ef,
                point.recall,
                point.qps,
                micros(point.p50),
                micros(point.p99),
                point.target.map_or(String::new(), |target| format!("smallest ef for {target}")),
            );
        }
    }

    pub(crate) fn footprint(&mut self, footprint: Footprint) {
        self.footprints.push(footprint);
    }

    /// A remark that is not part of the JSON.
    pub(crate) fn remark(&self, sentence: &str) {
        if self.json {
            eprintln!("{sentence}");
        } else {
            println!("{sentence}");
        }
    }

    /// The sizes and times. In JSON it is one object: the first artifact and
    /// runtime on top, all of them under `runs`.
    pub(crate) fn finish(&self) {
        if !self.json {
            println!();
            self.footprints.iter().for_each(|one| println!("{}", one.line()));
            return;
        }
        let runs: Vec<Value> = self.footprints.iter().map(Footprint::json).collect();
        if let Some(Value::Object(first)) = runs.first() {
            let mut object = first.clone();
            object.insert("runs".into(), Value::Array(runs.clone()));
            println!("{}", Value::Object(object));
        }
    }
}

/// Where a point was measured.
pub(crate) struct Place<'a> {
    pub(crate) artifact: &'a str,
    pub(crate) runtime: &'static str,
    pub(crate) queries: &'static str,
    /// Rows in the store.
    pub(crate) rows: usize,
}

pub(crate) fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
