//! `cargo xtask coverage`: which lines the native tests run, by crate, from the compiler's own counters.
//!
//! Why not a tool of its own: the toolchain's `llvm-tools` count what its compiler wrote, and all that
//! is left is to run the tests, merge what they wrote, and add lines up by crate.
//!
//! What counts is the code of a crate: its `src/`, without files that hold tests alone. Code that is
//! only there in WebAssembly has no native lines; the files are named in what is printed, with what
//! drives them. What it must never do: leave a file out in silence.

use crate::process::{Outcome, cargo, command, output, root, run, target};
use crate::tools;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Percent of lines that each crate must have.
const LEAST: f64 = 85.0;

/// A crate by its folder of sources.
struct Part {
    name: &'static str,
    folder: &'static str,
}

const PARTS: [Part; 7] = [
    Part { name: "hnsw", folder: "hnsw/src/" },
    Part { name: "store/codes", folder: "store/codes/src/" },
    Part { name: "store/vectors", folder: "store/vectors/src/" },
    Part { name: "store", folder: "store/src/" },
    Part { name: "ffi", folder: "ffi/src/" },
    Part { name: "ffi/store", folder: "ffi/store/src/" },
    Part { name: "agent", folder: "agent/src/" },
];

/// Files that are compiled for WebAssembly alone, and what drives them there. What begins so is
/// left out of the count; a native line in one of them is an error here.
const ELSEWHERE: [(&str, &str); 5] = [
    ("agent/src/component", "agent/tests/{component,core,wit}.py and agent/tests/limit"),
    ("agent/src/platform/wasi", "agent/tests/wasi.py, both builds"),
    ("store/codes/src/kernel/simd128.rs", "the crates' tests in Wasmtime, three builds"),
    ("store/codes/src/kernel/relaxed.rs", "the same"),
    ("ffi/src/arena/heap.rs", "ffi/tests/limit.py, ffi/store/tests/limit/memory.py"),
];

/// Packages whose tests count.
const PACKAGES: [&str; 7] = [
    "clawft-hnsw",
    "clawft-codes",
    "clawft-vectors",
    "clawft-store",
    "clawft-ffi",
    "clawft-ffi-store",
    "clawft-agent",
];

/// Tests that take a minute or more with counters, by their names or modules: they run again, in larger numbers,
/// what others run too. Without them, as in the gate, there are a few lines less.
const LONG: [&str; 6] = [
    "churn",
    "kinds::",
    "order::",
    "duplicates_do_not_hurt",
    "the_same_calls_give_the_same_bytes",
    "capacity_holds_whatever_is_hot",
];

/// Runs the tests with counters, prints lines by crate, and fails where one has too few. With `--files`
/// also each file with its lines that were not run; with `--short` without the longest tests.
pub(crate) fn coverage(arguments: &[String]) -> Outcome {
    let (mut with_files, mut is_short) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--files" => with_files = true,
            "--short" => is_short = true,
            _ => return Err(format!("coverage takes --files and --short, found {argument}")),
        }
    }
    let tools = tools::llvm()?;
    let folder = target().join("coverage");
    let raw = folder.join("raw");
    let _ = std::fs::remove_dir_all(&raw);
    let instrumented = |arguments: &[&str]| {
        let mut cargo = cargo();
        cargo.arg("test").args(arguments);
        PACKAGES.iter().for_each(|package| {
            cargo.args(["--package", package]);
        });
        cargo
            .env("CARGO_TARGET_DIR", &folder)
            .env("CARGO_ENCODED_RUSTFLAGS", "-Cinstrument-coverage")
            .env_remove("RUSTFLAGS")
            // A process each, and programs that tests start, write files of their own; those that are
            // killed write none.
            .env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"));
        cargo
    };
    let messages = output(instrumented(&["--no-run"]).arg("--message-format=json"))?;
    let programs = programs(&messages);
    if programs.is_empty() {
        return Err("cargo named no test that it built".into());
    }
    let mut tests = instrumented(&["--quiet", "--no-fail-fast"]);
    if is_short {
        tests.arg("--").args(LONG.iter().flat_map(|name| ["--skip", name]));
    }
    run(&mut tests)?;

    let merged = folder.join("merged.profdata");
    run(command(tools.join("llvm-profdata"))
        .args(["merge", "--sparse", "-o"])
        .arg(&merged)
        .arg(&raw))?;
    let mut export = command(tools.join("llvm-cov"));
    export.args(["export", "--format=lcov", "--instr-profile"]).arg(&merged).arg(&programs[0]);
    programs[1..].iter().for_each(|program| {
        export.arg("--object").arg(program);
    });
    report(&Lines::of(&output(&mut export)?), with_files)
}

/// The test programs that cargo speaks of in its messages.
fn programs(messages: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        rest.split_once('"').map(|(path, _)| PathBuf::from(path))
    };
    messages.lines().filter_map(path).collect()
}

/// Each file's lines, and how often each was run.
struct Lines(BTreeMap<String, BTreeMap<u32, u64>>);

impl Lines {
    /// Reads lcov: `SF:` names a file, `DA:line,count` has a line of it.
    fn of(lcov: &str) -> Self {
        let root = format!("{}/", root().display());
        let mut files: BTreeMap<String, BTreeMap<u32, u64>> = BTreeMap::new();
        let mut file = None;
        for line in lcov.lines() {
            if let Some(path) = line.strip_prefix("SF:") {
                let own = path.strip_prefix(&root);
                file = own.map(|own| files.entry(own.to_string()).or_default());
            } else if let (Some(file), Some(rest)) = (&mut file, line.strip_prefix("DA:"))
                && let Some((number, count)) = rest.split_once(',')
                && let (Ok(number), Ok(count)) = (number.parse(), count.parse::<u64>())
            {
                *file.entry(number).or_default() += count;
            }
        }
        Lines(files)
    }
}

/// Lines of tests within a file: from `#[cfg(test)]` on at its left edge, which here is always the last
/// thing in it.
fn tests_from(path: &Path) -> u32 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let at = text.lines().position(|line| line.starts_with("#[cfg(test)]"));
    at.map_or(u32::MAX, |at| at as u32 + 1)
}

/// Whether a file holds tests and nothing else.
fn is_tests(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn report(lines: &Lines, with_files: bool) -> Outcome {
    let mut few = Vec::new();
    println!("{:<14} {:>7} {:>7} {:>7}", "lines of", "run", "all", "%");
    for Part { name, folder } in &PARTS {
        let (mut run, mut all) = (0, 0);
        let mut files = Vec::new();
        for (file, lines) in lines.0.range((*folder).to_string()..) {
            if !file.starts_with(folder) {
                break;
            }
            if is_tests(file) {
                continue;
            }
            if let Some((elsewhere, _)) = ELSEWHERE.iter().find(|(own, _)| file.starts_with(own)) {
                return Err(format!("{file} has native lines: `{elsewhere}` is to be counted"));
            }
            let end = tests_from(&root().join(file));
            let counted = || lines.iter().filter(|(number, _)| **number < end);
            let missed: Vec<u32> =
                counted().filter(|(_, count)| **count == 0).map(|(number, _)| *number).collect();
            let total = counted().count();
            run += total - missed.len();
            all += total;
            files.push((file, total, missed));
        }
        if all == 0 {
            return Err(format!("{name} has no lines that are counted"));
        }
        let percent = run as f64 * 100.0 / all as f64;
        println!("{name:<14} {run:>7} {all:>7} {percent:>7.1}");
        if percent < LEAST {
            few.push(format!("{name} {percent:.1} %"));
        }
        if with_files {
            for (file, total, missed) in files.iter().filter(|(_, _, missed)| !missed.is_empty()) {
                println!("    {file}: {} of {total} not run: {missed:?}", missed.len());
            }
        }
    }
    println!("In WebAssembly alone, and not counted:");
    for (files, tests) in ELSEWHERE {
        println!("    {files}*  driven by {tests}");
    }
    match few.is_empty() {
        true => Ok(()),
        false => Err(format!("{LEAST} % of the lines are to be run, found {}", few.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lcov_is_added_up_by_file() {
        let root = root().display().to_string();
        let lcov = format!(
            "SF:{root}/hnsw/src/a.rs\nFN:1,x\nDA:1,0\nDA:2,5\nend_of_record\n\
             SF:/elsewhere/b.rs\nDA:1,9\nend_of_record\nSF:{root}/hnsw/src/a.rs\nDA:1,2\n"
        );
        let lines = Lines::of(&lcov);
        assert_eq!(lines.0.len(), 1);
        assert_eq!(lines.0["hnsw/src/a.rs"], BTreeMap::from([(1, 2), (2, 5)]));
    }

    #[test]
    fn programs_are_those_that_cargo_names() {
        let messages =
            "{\"executable\":null}\n{\"a\":1,\"executable\":\"/t/x-1\",\"fresh\":true}\n";
        assert_eq!(programs(messages), [PathBuf::from("/t/x-1")]);
    }
}
