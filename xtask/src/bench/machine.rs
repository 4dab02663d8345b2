//! The machine, the versions and the day of a measurement.

use crate::process::{Outcome, command, output, read, root};
use serde_json::{Value, json};
use std::path::Path;

/// Instructions that a kernel here or in a peer is chosen by, as Linux calls them.
const INSTRUCTIONS: [&str; 16] = [
    "avx2",
    "f16c",
    "fma",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_vpopcntdq",
    "avx512_bitalg",
    "avx512_bf16",
    "avx512_fp16",
    "asimd",
    "asimddp",
    "asimdhp",
    "i8mm",
    "sve",
];

/// The first line of a file of results.
pub(super) fn describe(typed: &str) -> Outcome<Value> {
    let cpu = text("/proc/cpuinfo");
    let field = |names: &[&str]| {
        let line = cpu.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            names.contains(&name.trim()).then(|| value.trim().to_string())
        });
        line.unwrap_or_default()
    };
    let flags = field(&["flags", "Features"]);
    let has = |name: &&&str| flags.split_whitespace().any(|flag| flag == **name);
    let flags: Vec<&&str> = INSTRUCTIONS.iter().filter(has).collect();
    let memory = text("/proc/meminfo");
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    let first = |command: &mut std::process::Command| {
        output(command).map(|out| out.lines().next().unwrap_or_default().trim().to_string())
    };
    Ok(json!({
        "command": typed,
        "date": first(command("date").args(["-u", "+%Y-%m-%d %H:%M"]))?,
        "cpu": field(&["model name"]),
        "family": field(&["cpu family"]),
        "model": field(&["model"]),
        "virtual": cpu.contains(" hypervisor "),
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "caches": caches(),
        "instructions": flags,
        "memory_mib": memory.map(|kib| kib >> 10),
        "system": format!("{} {}", std::env::consts::OS, text("/proc/sys/kernel/osrelease").trim()),
        "load": load(),
        "rustc": first(command("rustc").arg("--version"))?,
        "wasmtime": locked("wasmtime")?,
        // Results may be committed with what they measure, so a tree may differ from its commit.
        "commit": first(command("git").args(["describe", "--always", "--dirty"])).ok(),
    }))
}

/// Processes that wanted to run, on average of the last minute.
pub(super) fn load() -> Option<f64> {
    text("/proc/loadavg").split_whitespace().next()?.parse().ok()
}

/// The version of a crate in the lock file.
fn locked(name: &str) -> Outcome<String> {
    let lock = read(&root().join("Cargo.lock"))?;
    let lock = String::from_utf8_lossy(&lock);
    let (_, rest) = lock
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .ok_or_else(|| format!("Cargo.lock has no {name}"))?;
    Ok(rest.split('"').next().unwrap_or_default().to_string())
}

/// Sizes of the caches of the first core, as Linux tells them.
fn caches() -> Vec<String> {
    let one = |number: usize| {
        let folder = format!("/sys/devices/system/cpu/cpu0/cache/index{number}");
        let part = |name: &str| text(format!("{folder}/{name}")).trim().to_string();
        (part("type") != "Instruction" && !part("size").is_empty())
            .then(|| format!("L{} {}", part("level"), part("size")))
    };
    (0..5).filter_map(one).collect()
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The first line of a file of results, as a sentence.
pub(super) fn sentence(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or("unknown").to_string();
    let list = |field: &str| {
        let all = line[field].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let busy = line["load"].as_f64().zip(line["cores"].as_f64());
    let busy = match busy.is_some_and(|(load, cores)| load > cores / 2.0) {
        true => " **The machine had other work: of these figures only the ratios mean something.**",
        false => "",
    };
    let load = |field: &str| line[field].as_f64().map_or("?".into(), |load| format!("{load:.2}"));
    let virtual_ = if line["virtual"] == json!(true) { ", virtual" } else { "" };
    format!(
        "Measured {} UTC by `{}` at commit {}. Machine: {} (family {}, model {}{virtual_}), {} cores, {}; {}; \
         {:.1} GiB of memory; {}. {}; Wasmtime {}. Load average before and after: {} and {} (the \
         measurement itself makes about 1).{busy}",
        text("date"),
        text("command"),
        text("commit"),
        text("cpu"),
        text("family"),
        text("model"),
        line["cores"],
        list("caches"),
        list("instructions"),
        line["memory_mib"].as_f64().unwrap_or(0.0) / 1024.0,
        text("system"),
        text("rustc"),
        text("wasmtime"),
        load("load"),
        load("load_after"),
    )
}
