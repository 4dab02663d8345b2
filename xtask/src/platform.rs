//! `cargo xtask platform`: each function of the agent's WASI 0.2 platform, under the Wasmtime command.
//!
//! A guest (`agent/guest/`) calls them, `agent/tests/wasi.py` is what it calls: servers on loopback
//! that misbehave, folders that may not be written, a terminal.

use crate::process::{Outcome, cargo, command, root, run, target};
use crate::tools;

const TARGET: &str = "wasm32-wasip2";

/// Runs the cases of these names; all where none is named.
pub(crate) fn check(cases: &[String]) -> Outcome {
    tools::targets(&[TARGET])?;
    let wasmtime = tools::wasmtime()?;
    run(cargo()
        .args(["build", "--quiet", "--package", "clawft-agent-guest", "--target", TARGET])
        .env_remove("RUSTFLAGS"))?;
    let built = target().join(TARGET).join("debug");
    let guest = built.join("clawft-agent-guest.cwasm");
    run(command(&wasmtime)
        .arg("compile")
        .arg(built.join("clawft-agent-guest.wasm"))
        .arg("-o")
        .arg(&guest))?;
    let script = root().join("agent/tests/wasi.py");
    run(command("python3").arg(script).arg(wasmtime).arg(guest).args(cases))
}
