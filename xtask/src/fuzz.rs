//! `cargo xtask fuzz`: the targets of `fuzz/`, for as long as a person wants.
//!
//! The gate runs each a fixed number of times from a fixed seed, `test --all` for five minutes. Here a
//! run begins at another seed each time and goes on from what earlier ones found: libFuzzer keeps
//! what reaches new code in `fuzz/corpus/`, which is nobody's but this machine's. `fuzz keep` picks
//! from it few and short inputs that reach the same code, and packs them into `fuzz/seeds/`, which is
//! everybody's: every run begins with these.

use crate::process::{Outcome, command, output, root, run, target};
use crate::tools;
use std::fs::{create_dir_all, remove_dir_all};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Minutes of each target where none are given.
const MINUTES: u32 = 30;
/// Seconds after which an input counts as one that never ends. libFuzzer would wait for twenty minutes.
const HANGS: &str = "-timeout=60";
/// Bytes of an input that is kept for everybody: long ones are rarely worth their place.
const KEPT: &str = "-max_len=1024";

/// `cargo fuzz` of the pinned toolchain: sanitizers are unstable options, which it takes when told so.
pub(crate) fn cargo_fuzz(program: &Path) -> Command {
    let mut command = command(program);
    command.arg("fuzz").env("RUSTC_BOOTSTRAP", "1");
    command
}

/// The names of the targets.
pub(crate) fn targets(program: &Path) -> Outcome<Vec<String>> {
    let targets: Vec<String> =
        output(cargo_fuzz(program).arg("list"))?.lines().map(String::from).collect();
    if targets.is_empty() { Err("fuzz/ has no targets".into()) } else { Ok(targets) }
}

/// What finds are added to on this machine.
fn corpus(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// The inputs that everybody has, packed.
fn packed(target: &str) -> PathBuf {
    root().join("fuzz/seeds").join(format!("{target}.tar.gz"))
}

/// The inputs that everybody has, in a folder.
fn seeds(name: &str) -> Outcome<PathBuf> {
    let folder = target().join("seeds").join(name);
    let _ = remove_dir_all(&folder);
    create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if packed(name).exists() {
        run(command("tar").arg("-xzf").arg(packed(name)).arg("-C").arg(&folder))?;
    }
    Ok(folder)
}

/// A run of a target, which begins with what this machine has found and what everybody has. Arguments of
/// libFuzzer follow.
pub(crate) fn runs(program: &Path, target: &str) -> Outcome<Command> {
    let corpus = corpus(target);
    create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    let mut fuzz = cargo_fuzz(program);
    fuzz.args(["run", target]).arg(corpus).arg(seeds(target)?).args(["--", HANGS]);
    Ok(fuzz)
}

/// Packs of all inputs those that reach what all of them reach.
fn keep(program: &Path, name: &str) -> Outcome {
    let few = target().join("seeds/kept").join(name);
    let _ = remove_dir_all(&few);
    create_dir_all(&few).map_err(|error| format!("{}: {error}", few.display()))?;
    let mut merge = cargo_fuzz(program);
    merge.args(["run", name]).arg(&few).arg(corpus(name)).arg(seeds(name)?);
    run(merge.args(["--", "-merge=1", KEPT]))?;
    create_dir_all(root().join("fuzz/seeds")).map_err(|error| format!("fuzz/seeds: {error}"))?;
    // The same inputs give the same bytes: no times, no owners, one order.
    run(command("tar")
        .args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"])
        .args(["--use-compress-program=gzip -9n", "-cf"])
        .arg(packed(name))
        .arg("-C")
        .arg(&few)
        .arg("."))
}

/// Runs the targets named, or all, one after the other. All of them run, whatever one finds. `keep` at
/// first packs their inputs instead.
pub(crate) fn fuzz(arguments: &[String]) -> Outcome {
    let (mut minutes, mut wanted) = (MINUTES, Vec::new());
    let keeps = arguments.first().is_some_and(|first| first == "keep");
    let mut arguments = arguments.iter().skip(usize::from(keeps));
    while let Some(argument) = arguments.next() {
        if argument == "--minutes" {
            let given = arguments.next().and_then(|value| value.parse().ok());
            minutes = given.filter(|&given| given > 0).ok_or("--minutes takes a number from 1")?;
        } else {
            wanted.push(argument.clone());
        }
    }
    let program = tools::cargo_fuzz()?;
    let all = targets(&program)?;
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(format!("no target is called `{unknown}`: {}", all.join(", ")));
    }
    let targets = if wanted.is_empty() { all } else { wanted };
    if keeps {
        return targets.iter().try_for_each(|target| keep(&program, target));
    }
    let mut failed = Vec::new();
    for target in &targets {
        let mut fuzz = runs(&program, target)?;
        fuzz.args(["-len_control=0", "-print_final_stats=1"]);
        fuzz.arg(format!("-max_total_time={}", minutes * 60));
        if let Err(why) = run(&mut fuzz) {
            failed.push(why);
        }
    }
    println!("{} targets for {minutes} minutes each, {} failed", targets.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}
