//! The programs that hold engines: the demo's host with modules, and the peers with the native
//! library, and the module in WAMR.

use crate::artifacts::{Artifact, SIMD128_KERNEL};
use crate::process::{Outcome, cargo, command, run, target};
use crate::{demo, wamr_build};
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

/// Where what is made for a measurement lies.
pub(super) fn folder() -> Outcome<PathBuf> {
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// What WAMR runs: its name in results, and the module for it.
pub(super) type InWamr = (&'static str, PathBuf);

/// The module in WAMR, interpreted and compiled ahead of time, and the program that asks there.
/// Library and compiler are built where they are missing.
pub(super) fn wamr() -> Outcome<(PathBuf, [InWamr; 2])> {
    let (library, compiler) = (wamr_build::library()?, wamr_build::compiler()?);
    let program = folder()?.join("asked-wamr");
    run(command(std::env::var_os("CC").unwrap_or_else(|| "gcc".into()))
        .args(["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-O2", "-I"])
        .arg(&library.headers)
        .args(["-I", "ffi/include", "benches/wamr/asked.c"])
        .arg(&library.file)
        .args(wamr_build::LIBRARIES)
        .arg("-o")
        .arg(&program))?;
    let module = SIMD128_KERNEL.build()?.path;
    let ahead = folder()?.join("clawft-kernel.aot");
    run(command(compiler).arg(&module).arg(&ahead).stdout(Stdio::null()))?;
    Ok((
        program,
        [
            ("clawft-kernel.wasm, WAMR, interpreted", module),
            ("clawft-kernel.wasm, WAMR, compiled ahead", ahead),
        ],
    ))
}

/// The native library of the kernel, built as `dist` builds the one that ships.
fn library() -> Outcome<PathBuf> {
    run(cargo()
        .args(["rustc", "--release", "--lib", "--package", "clawft-ffi"])
        .args(["--crate-type", "cdylib"]))?;
    let name = format!("{}clawft{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Ok(target().join("release").join(name))
}
