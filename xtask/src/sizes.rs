//! What the artifacts weigh, held to their budgets.

use crate::artifacts::{self, ALL, Artifact, Budget, Built};
use crate::process::{Outcome, read};
use crate::{crates, profile};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value, json};
use std::io::Write;

/// The weight of one artifact.
pub(crate) struct Weight {
    pub(crate) file: &'static str,
    pub(crate) raw: usize,
    pub(crate) gzipped: usize,
    /// Bytes by crate and section.
    pub(crate) parts: Vec<(String, usize)>,
    /// Sentences about budgets that do not hold.
    over: Vec<String>,
    /// Sentences about what it has grown to since it was last looked at.
    grown: Vec<String>,
}

/// Functions that `--functions` lists.
const LARGEST: usize = 40;

/// `cargo xtask size [--functions] [ARTIFACT...]`, or `size --profile`.
pub(crate) fn size(arguments: &[String]) -> Outcome {
    if let [one] = arguments
        && one == "--profile"
    {
        return profile::profile();
    }
    let (options, names): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| *argument == "--functions");
    let known = |name: &&&String| ALL.iter().any(|artifact| artifact.name == name.as_str());
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all = ALL.map(|artifact| artifact.name).join(", ");
        return Err(format!("size knows {all}, found `{unknown}`"));
    }
    let is_wanted =
        |artifact: &&Artifact| names.is_empty() || names.iter().any(|name| *name == artifact.name);
    let wanted: Vec<_> = ALL.into_iter().filter(is_wanted).collect();
    let mut weights = Vec::new();
    for (artifact, built) in wanted.iter().zip(artifacts::build_together(&wanted)?) {
        weights.push(weigh(artifact, &built)?);
        if !options.is_empty() {
            println!("{}: the largest functions", artifact.file);
            let functions = crates::weigh_functions(&read(&built.named)?)?;
            for (name, bytes) in functions.iter().take(LARGEST) {
                println!("{bytes:>9}  {name}");
            }
        }
    }
    print(&weights);
    hold(&weights)
}

/// Weighs a built artifact.
pub(crate) fn weigh(artifact: &Artifact, built: &Built) -> Outcome<Weight> {
    let module = read(&built.path)?;
    let (raw, gzipped) = (module.len(), gzip(&module)?.len());
    let over = exceed(artifact, raw, gzipped, artifact.budget, "its budget is");
    let limit = artifact.standing.or(artifact.budget);
    let grown = exceed(artifact, raw, gzipped, limit, "it must not grow above");
    let mut parts = crates::weigh(&read(&built.named)?)?;
    // Lengths and ids of sections; of a component its types, and what it adapts to the core.
    let rest = raw.saturating_sub(parts.iter().map(|(_, bytes)| bytes).sum());
    parts.push(("(what is around it)".into(), rest));
    Ok(Weight { file: artifact.file, raw, gzipped, parts, over, grown })
}

/// Sentences about what is above `limits`.
fn exceed(
    artifact: &Artifact,
    raw: usize,
    gzipped: usize,
    limits: Option<Budget>,
    what: &str,
) -> Vec<String> {
    let Some(limits) = limits else { return Vec::new() };
    [("", raw, Some(limits.raw)), (" gzipped", gzipped, limits.gzipped)]
        .into_iter()
        .filter_map(|(how, found, limit)| {
            limit.filter(|&limit| found > limit).map(|l| (how, found, l))
        })
        .map(|(how, found, limit)| {
            format!("{} weighs {found} bytes{how}, {what} {limit}", artifact.file)
        })
        .collect()
}

/// Prints the table.
pub(crate) fn print(weights: &[Weight]) {
    println!("{:<28} {:>9} {:>9}   (bytes; 1 KB is 1,000)", "artifact", "raw", "gzip -9");
    for weight in weights {
        println!("{:<28} {:>9} {:>9}", weight.file, weight.raw, weight.gzipped);
        for (name, bytes) in &weight.parts {
            println!("    {name:<24} {bytes:>9}");
        }
    }
}

/// Fails when a budget does not hold.
pub(crate) fn hold(weights: &[Weight]) -> Outcome {
    all_hold(weights.iter().flat_map(|one| &one.over))
}

/// Says which budgets do not hold yet; fails when an artifact has grown.
pub(crate) fn hold_standing(weights: &[Weight]) -> Outcome {
    for sentence in weights.iter().flat_map(|one| &one.over) {
        println!("NOT YET WITHIN BUDGET: {sentence}");
    }
    all_hold(weights.iter().flat_map(|one| &one.grown))
}

fn all_hold<'a>(sentences: impl Iterator<Item = &'a String>) -> Outcome {
    let all: Vec<&str> = sentences.map(String::as_str).collect();
    if all.is_empty() { Ok(()) } else { Err(all.join("; ")) }
}

/// The same as JSON, for `SIZES.json`.
pub(crate) fn json(weights: &[Weight]) -> Map<String, Value> {
    let object = |weight: &Weight| {
        let parts: Map<_, _> =
            weight.parts.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect();
        json!({ "raw": weight.raw, "gzipped": weight.gzipped, "parts": parts })
    };
    weights.iter().map(|weight| (weight.file.to_string(), object(weight))).collect()
}

/// As `gzip -9` does.
pub(crate) fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(9));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| format!("gzip: {error}"))
}
