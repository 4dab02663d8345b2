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
/// Packages that have Wasmtime in them.
const WITH_ENGINE: [&str; 4] = ["clawft-demo", "clawft-host", "clawft-precompile", "clawft-matrix"];
/// Calls of the soak in `--all`, over each medium: a minute, a tenth of what `cargo xtask soak` makes.
const SOAK: &str = "100000";
/// Runs of each fuzz target: their number and seed are fixed, inputs are long
/// from the start, and time has an end where a machine is slow.
const FUZZ: [&str; 4] = ["-runs=20000", "-seed=1", "-len_control=0", "-max_total_time=20"];
/// The same for `--all`.
const LONG_FUZZ: [&str; 1] = ["-max_total_time=300"];

/// The engine's compiler, less optimised than in the demo of a person: it is compiled in half the time, and
/// no step of the gate judges how fast it is.
const ENGINE: (&str, &str) = ("CARGO_PROFILE_HOST_OPT_LEVEL", "1");
/// Tests of recall take minutes in WebAssembly. There the gate holds that searches give the bytes that they
/// give natively (`tests/bytes.rs` of both crates), and the demo the recall of 10,000 vectors; `--all` runs these too.
const RECALL: [&str; 5] =
    ["churn::", "kinds::", "order::", "churn_keeps_recall", "duplicates_do_not_hurt"];

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
    // What has the engine is compiled when it runs; here the engine would be checked for it, for minutes.
    let most =
        [&["--workspace"][..], &WITH_ENGINE.map(|name| ["--exclude", name]).concat()].concat();
    gate.step("clippy", || clippy(&[&most[..], &["--features", EXEC]].concat()));
    gate.step("documentation", || documentation(&most));
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

/// No warning in these packages.
fn clippy(packages: &[&str]) -> Outcome {
    let all = ["--all-targets", "--quiet", "--", "-D", "warnings"];
    run(cargo().arg("clippy").args(packages).args(all))
}

/// Nor in their documentation.
fn documentation(packages: &[&str]) -> Outcome {
    run(cargo()
        .arg("doc")
        .args(packages)
        .args(["--no-deps", "--all-features", "--document-private-items", "--quiet"])
        // Module docs may point a reader of the code to private parts.
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"))
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
        let is_whole = |name: &&str| !coverage::LONG_IN.contains(name);
        let others = coverage::COUNTED.into_iter().filter(is_whole).chain(WITH_ENGINE);
        run(cargo()
            .args(["test", "--workspace", "--tests", "--quiet", "--no-fail-fast"])
            .args(others.flat_map(|name| ["--exclude", name])))
    });
    gate.step("tests, the demo's host", || {
        let test = ["test", "--profile", "host", "--package", "clawft-demo", "--quiet"];
        run(cargo().args(test).env(ENGINE.0, ENGINE.1))
    });
    let short = RECALL.iter().flat_map(|name| ["--skip", name]).collect::<Vec<_>>();
    wasm_tests(gate, "tests, WebAssembly", &PORTABLE, &short);
}

/// What is shipped, run as others run it.
fn programs(gate: &mut Steps) {
    gate.step("WASI guests", guests::check);
    gate.step("the agent's platform in Wasmtime", || platform::check(&[]));
    gate.step("the agent's providers", providers::check);
    match module_programs() {
        Ok(programs) => gate.together(programs),
        Err(why) => gate.step("the modules from Python and Node", || Err(why)),
    }
    // No other step runs an interpreter.
    gate.step("kernels and store in WAMR's interpreter", matrix::interpreted);
    // A process of its own, as what builds the demo there has the engine of the gate.
    let own = || std::env::current_exe().map_err(|why| format!("this program's file: {why}"));
    let with = |own: &Path, words: &[&str]| {
        let mut itself = command(own);
        itself.arg("demo").args(words).env(ENGINE.0, ENGINE.1);
        itself
    };
    gate.step("demo on the sample", || run(&mut with(&own()?, &["--all-artifacts", "--check"])));
    gate.step("demo on other data", || {
        let own = own()?;
        demo::with_other_data(|words| with(&own, words))
    });
    gate.step("the guides' commands", || guides::check(false));
}

/// What takes longer than a change can wait.
fn long(gate: &mut Steps) {
    let engine = WITH_ENGINE.map(|name| ["--package", name]).concat();
    gate.step("clippy, what has the engine", || clippy(&engine));
    gate.step("documentation, what has the engine", || documentation(&engine));
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
    let recall = ["clawft-vectors", "clawft-hnsw"];
    wasm_tests(gate, "recall, WebAssembly", &recall, &RECALL);
    gate.step("a memory in use for long", || soak::soak(&["--operations".into(), SOAK.into()]));
    // Of those that know nothing of it, too.
    gate.step("the agent's tests, with what it has on demand", || {
        run(cargo()
            .args(["test", "--package", "clawft-agent", "--features", coverage::ON_DEMAND])
            .args(["--tests", "--quiet", "--no-fail-fast"]))
    });
    gate.step("examples in the documentation", || {
        run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))
    });
    // Elsewhere an assertion stands before what they test.
    gate.step("the kernels' own tests, without assertions", || {
        run(cargo().args(["test", "--release", "--package", "clawft-codes", "--lib", "--quiet"]))
    });
    miri::add(gate, &PORTABLE);
    gate.step("peers", || bench::peers(&[]));
    fuzz_targets(gate, &LONG_FUZZ);
}

/// Tests of portable crates under the Wasmtime command, in all variants side by side: of each crate those that the
/// variant is asked for. `which` says what tests.
fn wasm_tests(gate: &mut Steps, name: &str, packages: &[&str], which: &[&str]) {
    let wasmtime = match tools::wasmtime() {
        Ok(wasmtime) => wasmtime,
        Err(why) => return gate.step(name, || Err(why)),
    };
    let tests = wasi::VARIANTS.map(|variant| {
        let mut cargo = cargo();
        cargo.args(["test", "--tests", "--target", wasi::TARGET, "--quiet", "--no-fail-fast"]);
        for package in packages {
            let only = ALIKE.iter().find(|(alike, _)| alike == package);
            if only.is_none_or(|(_, tried)| *tried == variant.0) {
                cargo.args(["--package", package]);
            }
        }
        // A panic ends the module, and with it what was captured.
        cargo.args(["--", "--nocapture"]).args(which);
        wasi::run_in_wasmtime(&mut cargo, &wasmtime, variant);
        (format!("{name} {}", variant.0), cargo)
    });
    gate.together(tests.into());
}

/// Programs of Python and Node: the examples with every kernel and with the store, modules whose memory ends
/// at 16 MiB, the model test of the graph with its module.
fn module_programs() -> Outcome<Vec<(String, Command)>> {
    let python = tools::python_with_wasmtime()?;
    let runs = KERNELS.map(|kernel| ("ffi/examples/python", kernel));
    let others = [
        ("ffi/tests", &artifacts::SIMD128_KERNEL),
        ("ffi/store/examples/python", &artifacts::STORE),
        ("ffi/store/tests/limit", &artifacts::STORE),
        ("ffi/store/tests", &artifacts::TENSOR),
        ("ffi/graph/tests", &GRAPH),
    ];
    let mut programs = Vec::new();
    for (folder, artifact) in runs.into_iter().chain(others) {
        let module = artifact.build()?.path;
        for script in files(folder, "py")? {
            let mut program = command(&python);
            program.arg(&script).arg(&module);
            programs.push((format!("{} with {}", script.display(), artifact.name), program));
        }
    }
    // Node 20 does not know relaxed SIMD without a flag.
    for kernel in [&artifacts::SIMD128_KERNEL, &artifacts::SCALAR_KERNEL] {
        let mut program = command("node");
        program.arg("ffi/examples/js/nearest.mjs").arg(kernel.build()?.path);
        programs.push((format!("the kernel {} from Node", kernel.name), program));
    }
    Ok(programs)
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
