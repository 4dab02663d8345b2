//! `cargo xtask fuzz`: the targets of `fuzz/`, for as long as a person wants.
//!
//! The gate runs each a fixed number of times from a fixed seed, `test --all` for ten minutes. Here a
//! run begins at another seed each time and goes on from what earlier ones found: libFuzzer keeps
//! what reaches new code in `fuzz/corpus/`, which is nobody's but this machine's.

use crate::process::{Outcome, command, output, run};
use crate::tools;
use std::path::Path;
use std::process::Command;

/// Minutes of each target where none are given.
const MINUTES: u32 = 30;

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

/// Runs the targets named, or all, one after the other. All of them run, whatever one finds.
pub(crate) fn fuzz(arguments: &[String]) -> Outcome {
    let (mut minutes, mut wanted) = (MINUTES, Vec::new());
    let mut arguments = arguments.iter();
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
    let mut failed = Vec::new();
    for target in &targets {
        let mut fuzz = cargo_fuzz(&program);
        fuzz.args(["run", target, "--", "-len_control=0", "-print_final_stats=1"]);
        fuzz.arg(format!("-max_total_time={}", minutes * 60));
        if let Err(why) = run(&mut fuzz) {
            failed.push(why);
        }
    }
    println!("{} targets for {minutes} minutes each, {} failed", targets.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}
