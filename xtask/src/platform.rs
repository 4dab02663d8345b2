//! `cargo xtask platform`: each function of the agent's WASI 0.2 platform, under the Wasmtime command.
//!
//! A guest (`agent/guest/`) calls them, `agent/tests/wasi.py` is what it calls: servers on loopback
//! that misbehave, folders that may not be written, a terminal. Then `agent/tests/component.py` takes
//! `clawft.wasm` as a person with Wasmtime has it.

use crate::artifacts::AGENT;
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
    let tests = root().join("agent/tests");
    run(command("python3").arg(tests.join("wasi.py")).arg(&wasmtime).arg(guest).args(cases))?;
    let component = AGENT.build()?.path;
    run(command("python3")
        .arg(tests.join("component.py"))
        .args([&wasmtime, &component])
        .args(cases))?;
    if !cases.is_empty() {
        return Ok(());
    }
    run(command(tools::python_with_wasmtime()?).arg(tests.join("wit.py")).arg(component))
}
