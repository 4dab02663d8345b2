//! `cargo xtask platform`: each function of the agent's WASI platform, under Wasmtime.
//!
//! A guest (`agent/guest/`) calls them, `agent/tests/wasi.py` is what it calls: servers on loopback
//! that misbehave, folders that may not be written, a terminal. As a component it runs under the
//! Wasmtime command; as a core module for preview 1 in `agent/tests/core_host.py`, which has the
//! import for HTTP; `cargo xtask wamr` does the same in a host in C. Then `agent/tests/component.py`
//! takes `clawft.wasm` as a person with Wasmtime has it, `agent/tests/core.py` takes
//! `clawft-agent.core.wasm` as a host in C would, and `agent/tests/limit` gives both more than
//! 16 MiB can hold.

use crate::artifacts::{AGENT, AGENT_CORE};
use crate::process::{Outcome, cargo, command, root, run, target};
use crate::tools;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

const TARGET: &str = "wasm32-wasip2";
pub(crate) const CORE_TARGET: &str = "wasm32-wasip1";
/// What compiles a module for `core_host.py`, whose engine is another than the command's.
const COMPILE: &str = "\
import sys, wasmtime
module = wasmtime.Module.from_file(wasmtime.Engine(), sys.argv[1])
open(sys.argv[2], 'wb').write(module.serialize())";

/// Runs the cases of these names; all where none is named. Two are apart: `proxy` needs nginx, `gate` a
/// component of its own.
pub(crate) fn check(cases: &[String]) -> Outcome {
    match cases {
        [one] if one == "proxy" => return proxy(),
        [one] if one == "gate" => return gate(),
        _ => known(cases)?,
    }
    tools::targets(&[TARGET, CORE_TARGET])?;
    let wasmtime = tools::wasmtime()?;
    let python = tools::python_with_wasmtime()?;
    let tests = root().join("agent/tests");

    let guest = guest(TARGET)?;
    let compiled = guest.with_extension("cwasm");
    run(command(&wasmtime).arg("compile").arg(guest).arg("-o").arg(&compiled))?;
    let drive = |runner: &Path, guest: &Path| {
        run(command("python3").arg(tests.join("wasi.py")).args([runner, guest]).args(cases))
    };
    drive(&wasmtime, &compiled)?;

    let guest = self::guest(CORE_TARGET)?;
    let compiled = guest.with_extension("cwasm");
    run(command(&python).args(["-c", COMPILE]).args([&guest, &compiled]))?;
    drive(&python, &guest)?;

    let agent = AGENT.build()?;
    let component = agent.path;
    run(command("python3")
        .arg(tests.join("component.py"))
        .args([&wasmtime, &component])
        .args(cases))?;
    let core = AGENT_CORE.build()?.path;
    run(command(&python)
        .arg("-B")
        .arg(tests.join("core.py"))
        .args([&component, &agent.named, &core])
        .args(cases))?;
    if cases.is_empty() {
        run(command(&python).arg(tests.join("wit.py")).arg(&component))?;
    }
    run(command(python)
        .arg("-B")
        .arg(tests.join("limit"))
        .args([&wasmtime, &component, &core])
        .args(cases))
}

/// A name that no script has would run nothing, which ends well: it is refused. Cases are functions of a
/// folder, and for HTTP texts in `wasi.py`.
fn known(cases: &[String]) -> Outcome {
    let tests = root().join("agent/tests");
    let read =
        |path: &Path| read_to_string(path).map_err(|why| format!("{}: {why}", path.display()));
    let http = read(&tests.join("wasi.py"))?;
    let mut all = http.clone();
    for script in ["component.py", "core.py"] {
        all += &read(&tests.join(script))?;
    }
    for script in read_dir(tests.join("limit")).map_err(|why| why.to_string())? {
        let path = script.map_err(|why| why.to_string())?.path();
        if path.is_file() {
            all += &read(&path)?;
        }
    }
    for case in cases {
        let functions = [format!("\ndef {case}(folder)"), format!("\ndef {case}(_)")];
        let is_function = functions.iter().any(|function| all.contains(function));
        if case.is_empty() || !is_function && !http.contains(&format!("\"{case}\"")) {
            return Err(format!("no case is called {case}"));
        }
    }
    Ok(())
}

/// The interface of the gate, in a component that is built with it.
pub(crate) fn gate() -> Outcome {
    tools::targets(&[TARGET])?;
    run(cargo()
        .args(["build", "--profile", "release-wasm", "--target", TARGET])
        .args(["--package", "clawft-agent", "--features", "coherence"])
        .env("CARGO_TARGET_DIR", target().join("wasm/gated")))?;
    let built = target().join("wasm/gated").join(TARGET).join("release-wasm/clawft_agent.wasm");
    run(command(tools::python_with_wasmtime()?)
        .args(["-B", "agent/tests/gate.py"])
        .args([tools::wasmtime()?, built]))
}

/// `wasmtime serve` behind nginx, by the configuration of the guide.
pub(crate) fn proxy() -> Outcome {
    let component = AGENT.build()?.path;
    run(command("python3").args(["-B", "agent/tests/proxy.py"]).args([
        tools::wasmtime()?,
        component,
        tools::nginx()?,
    ]))
}

/// Builds the guest.
pub(crate) fn guest(for_target: &str) -> Outcome<PathBuf> {
    run(cargo()
        .args(["build", "--quiet", "--package", "clawft-agent-guest", "--target", for_target])
        .env_remove("RUSTFLAGS"))?;
    Ok(target().join(for_target).join("debug/clawft-agent-guest.wasm"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_case_that_no_script_has_is_refused() {
        let known = |case: &str| super::known(&[case.to_string()]);
        for case in ["cut-chunk", "no-name", "files", "random", "writers", "region", "requests"] {
            assert_eq!(known(case), Ok(()));
        }
        for case in ["filez", "", "main", "cut_chunk"] {
            assert!(known(case).is_err(), "{case}");
        }
        assert!(super::check(&["files".into(), "filez".into()]).is_err());
    }
}
