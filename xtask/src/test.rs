//! `cargo xtask test`: what must hold before a change lands.
//!
//! `test --all` is what must hold before an issue is resolved: hours, most of them Miri's and fuzzing's.

use crate::artifacts::{self, ALL, GRAPH, KERNELS};
use crate::process::{Outcome, cargo, command, files, root, run};
use crate::steps::Steps;
use crate::{
    bench, browser, coverage, demo, dist, fuzz, guests, guides, host, matrix, miri, platform,
    providers, release, sizes, soak, tools, wamr, wasi,
};
use std::path::Path;
use std::process::Command;

/// Crates that must behave in WebAssembly as they do natively; what takes longest stands first.
pub(crate) const PORTABLE: [&str; 4] = [STORE, "clawft-vectors", "clawft-codes", "clawft-hnsw"];
const STORE: &str = "clawft-store";
/// Those of them that are alike in all variants, and the one that has their tests: so that two cores have
/// done about the same. The others each variant computes in its own way.
const ALIKE: [(&str, &str); 2] = [(STORE, "simd128"), ("clawft-hnsw", "relaxed")];
/// What the agent has natively and on demand, beside its gate, which `clawft-benches` brings. Without both
/// it is seen in WebAssembly.
const EXEC: &str = "clawft-agent/exec-tool";
/// Calls of the soak in `--all`, over each medium: a minute, a tenth of what `cargo xtask soak` makes.
const SOAK: &str = "100000";
/// Runs of each fuzz target: their number and seed are fixed, inputs are long
/// from the start, and time has an end where a machine is slow.
const FUZZ: [&str; 4] = ["-runs=20000", "-seed=1", "-len_control=0", "-max_total_time=60"];
/// The same for `--all`.
const LONG_FUZZ: [&str; 1] = ["-max_total_time=300"];

/// Runs the gate; with `--all` also what takes longer than a change can wait, with `--long` that alone.
pub(crate) fn test(arguments: &[String]) -> Outcome {
    let mut gate = Steps::new();
    match arguments {
        [] => {
            short(&mut gate);
            fuzz_targets(&mut gate, &FUZZ);
        }
        [all] if all == "--all" => {
            short(&mut gate);
            long(&mut gate);
        }
        [only] if only == "--long" => long(&mut gate),
        _ => return Err(format!("test takes --all, --long or nothing, found {arguments:?}")),
    }
    gate.end()
}

/// What every change must pass.
fn short(gate: &mut Steps) {
    lints(gate);
    artifacts(gate);
    tests(gate);
    programs(gate);
}

/// Tools, and what is seen without running anything.
fn lints(gate: &mut Steps) {
    gate.step("tools", || {
        tools::targets(&[wasi::TARGET, "wasm32-unknown-unknown", "wasm32v1-none"])?;
        tools::wasm_opt()?;
        tools::wasmtime()?;
        tools::python_with_wasmtime()?;
        tools::node()?;
        tools::curl()?;
        tools::cargo_fuzz()?;
        matrix::tools()
    });
    gate.step("format", || run(cargo().args(["fmt", "--all", "--check"])));
    gate.step("clippy", || {
        run(cargo()
            .args(["clippy", "--workspace", "--all-targets", "--features", EXEC])
            .args(["--quiet", "--", "-D", "warnings"]))
    });
    gate.step("documentation", || {
        run(cargo()
            .args(["doc", "--workspace", "--no-deps", "--all-features"])
            .args(["--document-private-items", "--quiet"])
            // Module docs may point a reader of the code to private parts.
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"))
    });
    // Its tests bring `std` and all features along, so they would not miss them.
    gate.step("the store, as small as it gets", || {
        run(cargo()
            .args(["clippy", "--quiet", "--target", "wasm32v1-none", "--package", STORE])
            .args(["--no-default-features", "--", "-D", "warnings"]))
    });
    // What is only there in WebAssembly is not seen natively.
    gate.step("the memory's C ABI, as the module has it", || {
        run(cargo()
            .args(["clippy", "--quiet", "--target", "wasm32v1-none", "--package"])
            .args(["clawft-ffi-store", "--no-default-features", "--features"])
            .args(["standalone,memory,tensor", "--lib", "--", "-D", "warnings"]))
    });
    gate.step("the agent, as the component and the core module have it", || {
        let targets = ["wasm32-wasip2", "wasm32-wasip1"];
        tools::targets(&targets)?;
        // One after the other: the guest has the agent without the component's own allocator.
        for target in targets {
            for package in ["clawft-agent", "clawft-agent-guest"] {
                run(cargo()
                    .args(["clippy", "--quiet", "--target", target, "--package", package])
                    .args(["--", "-D", "warnings"]))?;
            }
        }
        run(cargo()
            .args(["clippy", "--quiet", "--target", targets[0], "--package", "clawft-agent"])
            .args(["--features", "coherence", "--", "-D", "warnings"]))
    });
}

/// What is shipped, built.
fn artifacts(gate: &mut Steps) {
    gate.step("modules and their sizes", || {
        let built = artifacts::build_together(&ALL)?;
        let weights = ALL.iter().zip(&built).map(|(artifact, built)| sizes::weigh(artifact, built));
        let weights: Vec<_> = weights.collect::<Outcome<_>>()?;
        sizes::print(&weights);
        sizes::hold_standing(&weights)
    });
    gate.step("the component exports what wit/ says", || {
        release::agree(&artifacts::AGENT.build()?.path, &dist::package(&root().join("wit"))?)
    });
}

/// The crates' own tests.
fn tests(gate: &mut Steps) {
    gate.step("tests, native, and the lines that they run", || coverage::coverage(&[]));
    gate.step("tests, native, without counters", || {
        let elsewhere = ["clawft-demo", "clawft-host", "clawft-precompile", "clawft-matrix"];
        let is_whole = |name: &&str| !coverage::LONG_IN.contains(name);
        let others = coverage::COUNTED.into_iter().filter(is_whole).chain(elsewhere);
        run(cargo()
            .args(["test", "--workspace", "--quiet", "--no-fail-fast"])
            .args(others.flat_map(|name| ["--exclude", name])))
    });
    gate.step("tests, the demo's host", || {
        run(cargo().args(["test", "--profile", "host", "--package", "clawft-demo", "--quiet"]))
    });
    match tools::wasmtime() {
        Ok(wasmtime) => gate.together(
            wasi::VARIANTS
                .map(|variant| {
                    let name = format!("tests, WebAssembly {}", variant.0);
                    (name, wasm_tests(&wasmtime, variant))
                })
                .into(),
        ),
        Err(why) => gate.step("tests, WebAssembly", || Err(why)),
    }
}

/// What is shipped, run as others run it.
fn programs(gate: &mut Steps) {
    gate.step("WASI guests", guests::check);
    gate.step("the agent's platform in Wasmtime", || platform::check(&[]));
    gate.step("the agent's providers", providers::check);
    gate.step("the modules from Python", python_programs);
    gate.step("the kernel from Node", || {
        // Node 20 does not know relaxed SIMD without a flag.
        [&artifacts::SIMD128_KERNEL, &artifacts::SCALAR_KERNEL].into_iter().try_for_each(|kernel| {
            let program = "ffi/examples/js/nearest.mjs";
            run(command("node").arg(program).arg(kernel.build()?.path))
        })
    });
    // No other step runs an interpreter.
    gate.step("kernels and store in WAMR's interpreter", matrix::interpreted);
    gate.step("demo on the sample", || {
        let mut demo = demo::host(&KERNELS)?;
        demo::with_agent(&mut demo)?;
        run(demo.arg("--check"))
    });
    gate.step("the guides' commands", || guides::check(false));
}

/// What takes longer than a change can wait.
fn long(gate: &mut Steps) {
    // Fills dist/ first, and checks it.
    gate.step("the guides' commands, over a release", || guides::check(true));
    gate.step("the agent behind a proxy", platform::proxy);
    // The agent is compiled once more for it.
    gate.step("the agent with its gate, through WIT", platform::gate);
    // The engine is compiled twice for it.
    gate.step("the host, seen from outside", host::test);
    // A compiler is compiled for it.
    gate.step("the agent and the kernel in WAMR, from C", || wamr::check(&[]));
    // Twice more, and WAMR with what compiles it.
    gate.step("every artifact in every engine", matrix::suite);
    gate.step("40,000 vectors in 16 MiB", guests::large);
    gate.step("the kernel in a browser", browser::check);
    gate.step("tests that take minutes", || {
        run(cargo().args(["test", "--release", "--package", "clawft-hnsw"]).args([
            "--package",
            "clawft-vectors",
            "--package",
            "clawft-store",
            "--",
            "--ignored",
        ]))
    });
    gate.step("a memory in use for long", || soak::soak(&["--operations".into(), SOAK.into()]));
    // Elsewhere an assertion stands before what they test.
    gate.step("the kernels' own tests, without assertions", || {
        run(cargo().args(["test", "--release", "--package", "clawft-codes", "--lib", "--quiet"]))
    });
    miri::add(gate, &PORTABLE);
    gate.step("peers", || bench::peers(&[]));
    fuzz_targets(gate, &LONG_FUZZ);
}

/// Tests of the portable crates that a variant is asked for, under the Wasmtime command.
fn wasm_tests(wasmtime: &Path, variant: (&str, &str)) -> Command {
    let mut cargo = cargo();
    cargo.args(["test", "--target", wasi::TARGET, "--quiet", "--no-fail-fast"]);
    for package in PORTABLE {
        let only = ALIKE.iter().find(|(alike, _)| *alike == package);
        if only.is_none_or(|(_, tried)| *tried == variant.0) {
            cargo.args(["--package", package]);
        }
    }
    // A panic ends the module, and with it what was captured.
    cargo.args(["--", "--nocapture"]);
    wasi::run_in_wasmtime(&mut cargo, wasmtime, variant);
    cargo
}

/// The Python programs: the examples with every kernel and with the store, modules whose memory ends
/// at 16 MiB, the model test of the graph with its module.
fn python_programs() -> Outcome {
    let python = tools::python_with_wasmtime()?;
    let runs = KERNELS.map(|kernel| ("ffi/examples/python", kernel));
    let others = [
        ("ffi/tests", &artifacts::SIMD128_KERNEL),
        ("ffi/store/examples/python", &artifacts::STORE),
        ("ffi/store/tests/limit", &artifacts::STORE),
        ("ffi/store/tests", &artifacts::TENSOR),
        ("ffi/graph/tests", &GRAPH),
    ];
    for (folder, artifact) in runs.into_iter().chain(others) {
        let module = artifact.build()?.path;
        for script in files(folder, "py")? {
            run(command(&python).arg(script).arg(&module))?;
        }
    }
    Ok(())
}

/// Builds every fuzz target and runs each one: a run takes one core.
fn fuzz_targets(gate: &mut Steps, limits: &[&str]) {
    let program = match tools::cargo_fuzz() {
        Ok(program) => program,
        Err(why) => return gate.step("fuzz targets", || Err(why)),
    };
    let mut targets = Vec::new();
    gate.step("fuzz targets, built", || {
        targets = fuzz::targets(&program)?;
        run(fuzz::cargo_fuzz(&program).arg("build"))
    });
    let steps = targets.iter().map(|name| {
        let mut command = fuzz::runs(&program, name)?;
        command.args(limits);
        Ok((format!("fuzz target {name}"), command))
    });
    match steps.collect::<Outcome<_>>() {
        Ok(steps) => gate.together(steps),
        Err(why) => gate.step("fuzz targets", || Err(why)),
    }
}
