//! Miri: the tests run by an interpreter that sees undefined behaviour, for the machine's own
//! pointers and for pointers of 32 bits.
//!
//! Why two ways: the one of these crates that has unsafe code is interpreted as it is written, with every rule
//! checked. The others have none, and keep to the rules of borrowing and of valid values because
//! they compile; what is left to see is arithmetic and memory under 32 bits. They are optimised
//! first, and run in a third of the time.

use crate::process::{Outcome, command, target};
use crate::steps::Steps;
use crate::test::PORTABLE;
use crate::tools;
use std::process::Command;

/// Targets: the machine's own, with the widest instruction set that Miri knows, and one with 32-bit
/// pointers. Miri has no processor to ask for its sets: only what the compiler takes for given is found
/// to be there, and its kernels are checked.
const TARGETS: [(&str, &str); 2] =
    [("i686-unknown-linux-gnu", ""), ("x86_64-unknown-linux-gnu", "-Ctarget-feature=+avx2")];
/// The one of them that has unsafe code.
const WITH_UNSAFE: &str = "clawft-codes";
/// For crates without.
const UNCHECKED: &str = "-Zmiri-disable-stacked-borrows -Zmiri-disable-validation";
/// Functions are put into those that call them, as the interpreter takes its time at each call.
const OPTIMISED: &str = "-Zmir-opt-level=4 -Zinline-mir-threshold=500 \
    -Zinline-mir-hint-threshold=1000 -Zcross-crate-inline-threshold=500";

/// The tests of a crate under Miri, once for each target: each takes one core.
fn steps(package: &str) -> Outcome<Vec<(String, Command)>> {
    tools::miri()?;
    let step = |(triple, sets): (&str, &str)| {
        let mut miri = command("rustup");
        miri.args(["run", "nightly", "cargo", "miri", "test", "--no-fail-fast"])
            .args(["--package", package, "--target", triple])
            // The pinned toolchain's own variables would win over nightly.
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO")
            // A folder for each: cargo lets only one build at a time into a folder.
            .env("CARGO_TARGET_DIR", target().join("miri").join(triple));
        let files = "-Zmiri-disable-isolation";
        match package {
            WITH_UNSAFE => miri.env("MIRIFLAGS", files).env("RUSTFLAGS", sets),
            _ => miri
                .env("MIRIFLAGS", format!("{files} {UNCHECKED}"))
                .env("RUSTFLAGS", format!("{OPTIMISED} {sets}")),
        };
        (format!("Miri, {package}, {triple}"), miri)
    };
    Ok(TARGETS.map(step).into())
}

/// Adds the crates named.
pub(crate) fn add(gate: &mut Steps, packages: &[&str]) {
    match packages.iter().map(|package| steps(package)).collect::<Outcome<Vec<_>>>() {
        Ok(steps) => gate.together(steps.into_iter().flatten().collect()),
        Err(why) => gate.step("Miri", || Err(why)),
    }
}

/// Runs the crates named, or all.
pub(crate) fn miri(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.iter().find(|name| !PORTABLE.contains(&name.as_str())) {
        return Err(format!("Miri does not run `{unknown}`: {}", PORTABLE.join(", ")));
    }
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut gate = Steps::new();
    add(&mut gate, if wanted.is_empty() { &PORTABLE } else { &wanted });
    gate.end()
}
