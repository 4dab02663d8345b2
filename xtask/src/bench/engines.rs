//! The programs that hold engines: the demo's host with modules, and the peers with the native
//! library.

use crate::artifacts::Artifact;
use crate::demo;
use crate::process::{Outcome, cargo, command, run, target};
use std::path::PathBuf;
use std::process::Command;

/// The sets of queries of the sample, in the order in which both programs have them.
pub(super) const SETS: [&str; 2] = ["held-out", "known-item"];

/// The host of these modules, built, without its question to the agent.
pub(super) fn demo(artifacts: &[&Artifact]) -> Outcome<Command> {
    demo::host(artifacts)
}

/// The peers, with the native clawft first among them.
pub(super) fn peers(arguments: &[&str]) -> Outcome<Command> {
    let mut peers = command("python3");
    peers.arg("benches/peers/run.py").arg("--library").arg(library()?).args(arguments);
    Ok(peers)
}

/// The native library of the kernel, built as `dist` builds the one that ships.
fn library() -> Outcome<PathBuf> {
    run(cargo()
        .args(["rustc", "--release", "--lib", "--package", "clawft-ffi"])
        .args(["--crate-type", "cdylib"]))?;
    let name = format!("{}clawft{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Ok(target().join("release").join(name))
}
