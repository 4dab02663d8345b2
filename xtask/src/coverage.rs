//! `cargo xtask coverage`: which lines the native tests run, by crate, from the compiler's own counters.
//!
//! The gate runs these tests here and nowhere else, but for the longest: without counters they would be built a
//! second time, for minutes, and find the same.
//!
//! Why not a tool of its own: the toolchain's `llvm-tools` count what its compiler wrote, and all that
//! is left is to run the tests, merge what they wrote, and add lines up by crate.
//!
//! What counts is the code of a crate: its `src/`, without tests. Code that is only there in
//! WebAssembly has no native lines; the files are named in what is printed, with what drives them.
//! What it must never do: leave a file out in silence. So each file of the folders has lines, or it is
//! named here with the reason why it has none.

use crate::process::{Outcome, cargo, command, output, read, root, run, target};
use crate::tools;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Files that are compiled for WebAssembly alone, or are not counted, and what drives them there. What
/// begins so is left out; a native line in one of them is an error here.
const ELSEWHERE: [(&str, &str); 8] = [
    ("agent/src/component", "agent/tests/{component,core,wit}.py and agent/tests/limit"),
    ("agent/src/platform/wasi", "agent/tests/wasi.py, both builds"),
    ("store/codes/src/four/simd128.rs", "the crates' tests in Wasmtime, three builds"),
    ("store/codes/src/kernel/simd128.rs", "the same"),
    ("store/codes/src/kernel/relaxed.rs", "the same"),
    ("ffi/src/arena/heap.rs", "ffi/tests/limit.py, ffi/store/tests/limit/memory.py"),
    ("ffi/graph/src", "ffi/graph/tests, natively and in Wasmtime"),
    ("host/src", "its own tests, and host/tests with the command as a process"),
];

/// Files that say what there is and do nothing: modules, names for others, types, traits.
const DECLARING: [&str; 8] = [
    "agent/src/lib.rs",
    "agent/src/platform/native.rs",
    "ffi/store/src/lib.rs",
    "hnsw/src/lib.rs",
    "store/src/lexical.rs",
    "store/src/lib.rs",
    "store/src/rvf.rs",
    "store/vectors/src/lib.rs",
];

/// The packages whose tests run here.
pub(crate) const COUNTED: [&str; 7] = [
    "clawft-hnsw",
    "clawft-codes",
    "clawft-vectors",
    "clawft-store",
    "clawft-ffi",
    "clawft-ffi-store",
    AGENT,
];
const AGENT: &str = "clawft-agent";

/// What is built and tested, one run after the other: packages, features, and which of their programs.
///
/// The agent comes twice: as it ships, and with what it has on demand alone, of which these programs
/// know. One run would leave the other half of each `cfg` without a line.
const RUNS: [(&[&str], &str, &[&str]); 2] =
    [(&COUNTED, "", &["--tests"]), (&[AGENT], ON_DEMAND, &WITH_ON_DEMAND)];
/// The features that the agent has on demand.
pub(crate) const ON_DEMAND: &str = "native-platform,coherence,exec-tool";
const WITH_ON_DEMAND: [&str; 11] = [
    "--lib",
    "--test",
    "commands",
    "--test",
    "gate",
    "--test",
    "serve",
    "--test",
    "turn",
    "--test",
    "native_http",
];

/// Tests that counters make slow, seven times and more, by their names or modules: they run in larger numbers what
/// others run too, and the gate runs them without. All are of [`LONG_IN`].
const LONG: [&str; 7] = [
    "churn::",
    "churn_keeps_recall",
    "kinds::",
    "order::",
    "duplicates_do_not_hurt",
    "the_same_calls_give_the_same_bytes",
    "capacity_holds_whatever_is_hot",
];
/// The packages that have them.
pub(crate) const LONG_IN: [&str; 2] = ["clawft-hnsw", "clawft-vectors"];

/// Runs the tests with counters, prints lines by crate, and fails where a test does or a crate has too few.
/// With `--files` also each file with its lines that were not run.
pub(crate) fn coverage(arguments: &[String]) -> Outcome {
    let with_files = match arguments {
        [] => false,
        [files] if files == "--files" => true,
        _ => return Err(format!("coverage takes --files or nothing, found {arguments:?}")),
    };
    let tools = tools::llvm()?;
    let folder = target().join("coverage");
    let raw = folder.join("raw");
    let _ = std::fs::remove_dir_all(&raw);
    let mut programs = Vec::new();
    for (packages, features, which) in RUNS {
        let mut build = instrumented(packages, features, which, &raw);
        let built = output(build.args(["--no-run", "--message-format=json"]))?;
        programs.push(self::programs(&built));
        let mut tests = instrumented(packages, features, which, &raw);
        tests.args(["--quiet", "--no-fail-fast", "--"]);
        run(tests.args(LONG.iter().flat_map(|name| ["--skip", name])))?;
    }

    let merged = folder.join("merged.profdata");
    run(command(tools.join("llvm-profdata"))
        .args(["merge", "--sparse", "-o"])
        .arg(&merged)
        .arg(&raw))?;
    // Each run by itself: a function that another feature makes longer has other regions, and lines
    // are what the two have in common.
    let mut lcov = String::new();
    for programs in &programs {
        let (first, rest) = programs.split_first().ok_or("cargo named no test that it built")?;
        let mut export = command(tools.join("llvm-cov"));
        export.args(["export", "--format=lcov", "--instr-profile"]).arg(&merged).arg(first);
        rest.iter().for_each(|program| {
            export.arg("--object").arg(program);
        });
        lcov += &output(&mut export)?;
    }
    report(&Lines::of(&lcov), with_files)
}

/// What cargo runs in the compiler's place, for the workspace's own crates alone: others are built once,
/// for these tests as for all.
const WITH_COUNTERS: &str = "xtask/with-counters.sh";

/// `cargo test` of these packages, with counters.
fn instrumented(packages: &[&str], features: &str, which: &[&str], raw: &Path) -> Command {
    let mut cargo = cargo();
    cargo
        .args(["test", "--features", features])
        .args(which)
        .args(packages.iter().flat_map(|name| ["--package", name]))
        .env("RUSTC_WORKSPACE_WRAPPER", root().join(WITH_COUNTERS))
        // A process each, and programs that tests start, write files of their own; those that are
        // killed write none.
        .env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"));
    cargo
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

/// Lines of a file that are there in tests alone: what stands behind a `#[cfg(test)]` at its left edge,
/// to the brace that closes it there, as rustfmt writes it, or in one line.
fn tests_in(text: &str) -> Vec<RangeInclusive<u32>> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = (0..lines.len()).filter(|&at| lines[at].starts_with("#[cfg(test)]"));
    let end = |at: usize| match lines.get(at + 1) {
        Some(item) if item.ends_with('{') => {
            let more = lines[at..].iter().position(|line| *line == "}");
            more.map_or(lines.len(), |more| at + more + 1)
        }
        _ => at + 2,
    };
    tests.map(|at| at as u32 + 1..=end(at) as u32).collect()
}

/// Whether a file holds tests and nothing else.
fn is_tests(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// The files of a folder that hold more than tests, as `git` would name them.
fn sources(folder: &str) -> Outcome<Vec<String>> {
    let mut sources = Vec::new();
    let mut folders = vec![folder.to_string()];
    while let Some(folder) = folders.pop() {
        let said = |error: std::io::Error| format!("{folder}: {error}");
        for entry in std::fs::read_dir(root().join(&folder)).map_err(said)? {
            let entry = entry.map_err(said)?;
            let name = format!("{folder}{}", entry.file_name().display());
            if entry.file_type().map_err(said)?.is_dir() {
                folders.push(format!("{name}/"));
            } else if name.ends_with(".rs") && !is_tests(&name) {
                sources.push(name);
            }
        }
    }
    sources.sort();
    Ok(sources)
}

/// Why a file may have no line that is counted.
fn excuse(file: &str) -> Option<&'static str> {
    let elsewhere = ELSEWHERE.iter().find(|(begin, _)| file.starts_with(begin));
    let declares = DECLARING.contains(&file).then_some("it declares, and does nothing");
    let other = !cfg!(target_arch = "x86_64") && file.contains("/avx");
    elsewhere.map(|(_, why)| *why).or(declares).or(other.then_some("another processor's"))
}

/// The lines of a file that are counted, and those of them that were not run; an error where a file
/// without an excuse has none, or one with an excuse has some.
fn counted(
    file: &str,
    text: &str,
    lines: Option<&BTreeMap<u32, u64>>,
) -> Outcome<(usize, Vec<u32>)> {
    let tests = tests_in(text);
    let own = |line: &u32| !tests.iter().any(|tests| tests.contains(line));
    let own: Vec<(u32, u64)> = lines
        .into_iter()
        .flatten()
        .map(|(line, count)| (*line, *count))
        .filter(|(line, _)| own(line))
        .collect();
    match (own.is_empty(), excuse(file)) {
        (false, Some(why)) => Err(format!("{file} has native lines, and is left out: {why}")),
        (true, None) => Err(format!("{file} has no line that is counted, and nothing says why")),
        _ => {
            let missed = own.iter().filter(|(_, count)| *count == 0).map(|(line, _)| *line);
            Ok((own.len(), missed.collect()))
        }
    }
}

fn report(lines: &Lines, with_files: bool) -> Outcome {
    let (mut few, mut wrong) = (Vec::new(), Vec::new());
    println!("{:<14} {:>7} {:>7} {:>7}", "lines of", "run", "all", "%");
    for Part { name, folder } in &PARTS {
        let (mut run, mut all) = (0, 0);
        let mut files = Vec::new();
        for file in sources(folder)? {
            let text = String::from_utf8_lossy(&read(&root().join(&file))?).into_owned();
            match counted(&file, &text, lines.0.get(&file)) {
                Ok((total, missed)) => {
                    run += total - missed.len();
                    all += total;
                    files.push((file, total, missed));
                }
                Err(why) => wrong.push(why),
            }
        }
        let percent = run as f64 * 100.0 / all.max(1) as f64;
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
    println!("Not counted:");
    for (files, tests) in ELSEWHERE {
        println!("    {files}*  driven by {tests}");
    }
    println!("Without lines, as they declare and do nothing: {}", DECLARING.join(", "));
    if !few.is_empty() {
        wrong.push(format!("{LEAST} % of the lines are to be run, found {}", few.join(", ")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
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

    #[test]
    fn tests_are_where_they_stand_and_nothing_behind_them() {
        let text = "mod a;\n#[cfg(test)]\nmod tests;\nfn f() {\n}\n#[cfg(test)]\nfn g() {\n    h()\n}\n\
                    fn i() {}\n#[cfg(test)]\nmod tests {\n    #[cfg(test)]\n    fn j() {}\n}\n";
        assert_eq!(tests_in(text), [2..=3, 6..=9, 11..=15]);
        assert_eq!(tests_in("fn f() {}\n"), []);
        assert_eq!(tests_in("#[cfg(test)]\nmod tests {\n    fn f() {}\n"), [1..=3]);
    }

    #[test]
    fn a_file_has_lines_or_an_excuse() {
        let lines = BTreeMap::from([(1, 4), (2, 0), (4, 0)]);
        let text = "fn f() {\n}\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(counted("hnsw/src/a.rs", text, Some(&lines)).unwrap(), (2, vec![2]));
        // All that it has are tests.
        let tests = "#[cfg(test)]\nmod tests {\n    \n\n}\n";
        counted("hnsw/src/a.rs", tests, Some(&lines)).unwrap_err();
        counted("hnsw/src/a.rs", text, None).unwrap_err();
        for excused in ["hnsw/src/lib.rs", "agent/src/component/heap.rs", "host/src/run.rs"] {
            assert_eq!(counted(excused, text, None).unwrap(), (0, vec![]));
            counted(excused, text, Some(&lines)).unwrap_err();
        }
    }

    /// Whether a file of Rust in this folder has the item.
    fn has(folder: &Path, item: &str) -> bool {
        std::fs::read_dir(folder).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            let is_rust = path.extension().is_some_and(|end| end == "rs");
            let text = || String::from_utf8(read(&path).unwrap()).unwrap();
            if path.is_dir() { has(&path, item) } else { is_rust && text().contains(item) }
        })
    }

    /// What is left out as too long runs without counters: no test of a package that does not is left out.
    #[test]
    fn what_is_long_is_there_and_nowhere_else() {
        for name in LONG {
            let module = name.strip_suffix("::").map(|module| format!("mod {module};"));
            let item = module.unwrap_or_else(|| format!("fn {name}"));
            let found = |folder: &str| has(&root().join(folder), &item);
            assert!(["hnsw", "store/vectors"].into_iter().any(found), "{item}");
            for other in ["store/codes", "store/src", "store/tests", "ffi", "agent"] {
                assert!(!found(other), "{item}, {other}");
            }
        }
    }

    /// A program that knows of a feature and is not named would have half of itself run nowhere in the gate.
    #[test]
    fn programs_that_know_of_what_is_on_demand_are_run_with_it() {
        let knows = |path: &Path| {
            let text = String::from_utf8(read(path).unwrap()).unwrap();
            ["coherence", "exec-tool", "native-platform"]
                .iter()
                .any(|name| text.contains(&format!("feature = \"{name}\"")))
        };
        let programs = crate::process::files("agent/tests", "rs").unwrap();
        let (known, others): (Vec<_>, Vec<_>) = programs.iter().partition(|path| knows(path));
        assert!(known.len() >= 4 && !others.is_empty());
        for path in known {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(WITH_ON_DEMAND.contains(&name), "{name}");
        }
    }

    /// What is named here is there; a name that is stale would excuse what takes its place.
    #[test]
    fn what_is_left_out_exists() {
        for Part { folder, .. } in PARTS {
            let sources = sources(folder).unwrap();
            assert!(sources.len() > 3 && !sources.iter().any(|file| is_tests(file)), "{folder}");
        }
        for file in DECLARING.into_iter().chain(ELSEWHERE.map(|(begin, _)| begin)) {
            let there = root().join(file);
            assert!(there.exists() || there.with_extension("rs").exists(), "{file}");
        }
    }
}
