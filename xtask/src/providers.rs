//! The agent beside servers of the tests, on loopback.

use crate::process::{Outcome, cargo, command, output, run, target};
use crate::tools;

const FEATURES: [&str; 4] = ["--package", "clawft-agent", "--features", "native-platform"];
/// They take the program that asks.
const CHECKS: [&str; 2] = ["check_wire.py", "check_llmock.py"];

/// The commands in a program of the machine's own, which `agent/examples/clawft.rs` shows: what one run
/// is told, the next one knows.
fn example() -> Outcome {
    run(cargo().args(["build", "--quiet", "--example", "clawft"]).args(FEATURES))?;
    let home = target().join("agent-example");
    let _ = std::fs::remove_dir_all(&home);
    let clawft = |words: &[&str]| {
        let mut command = command(target().join("debug/examples/clawft"));
        output(command.args(words).args(["--embedder", "hashed"]).env("CLAWFT_HOME", &home))
    };
    clawft(&["remember", "The spare key is with Maria"])?;
    let found = clawft(&["recall", "spare key"])?;
    match found.contains("The spare key is with Maria") {
        true => Ok(()),
        false => Err(format!("the example does not know what it was told: {found}")),
    }
}

/// The providers over the machine's own requests: against a server that validates what it gets by
/// the vendors' documents and cuts what it sends at every byte, and against one that breaks.
pub(crate) fn check() -> Outcome {
    let python = tools::python_with_vendors()?;
    run(cargo().args(["build", "--quiet", "--example", "ask"]).args(FEATURES))?;
    let program = target().join("debug/examples/ask");
    for check in CHECKS {
        let script = format!("agent/tests/providers/{check}");
        // A folder of compiled Python beside the sources would be nobody's.
        run(command(&python).arg("-B").arg(script).arg(&program))?;
    }
    example()
}
