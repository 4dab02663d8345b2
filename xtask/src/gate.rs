//! `cargo xtask test`: what must hold before a change lands.
//!
//! Steps run to the end even when one fails, so that one run shows everything.
//! The last line counts them.

use crate::artifacts::{self, ALL, GRAPH, KERNELS};
use crate::process::{self, Outcome, cargo, command, files, run};
use crate::{
    agent, bench, coverage, demo, device, fuzz, guests, guides, host, matrix, miri, platform,
    sizes, tools, wasi,
};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Crates that must behave in WebAssembly as they do natively, and whose codes every variant
/// computes in its own way.
const PORTABLE: [&str; 3] = ["clawft-hnsw", "clawft-codes", "clawft-vectors"];
/// One that must behave so too, and is the same in all variants.
const STORE: &str = "clawft-store";
/// The variant that has the store's tests: that of the default module.
const WITH_STORE: &str = "simd128";
/// Runs of each fuzz target: their number and seed are fixed, inputs are long
/// from the start, and time has an end where a machine is slow.
const FUZZ: [&str; 4] = ["-runs=20000", "-seed=1", "-len_control=0", "-max_total_time=60"];
/// The same for `--all`.
const LONG_FUZZ: [&str; 1] = ["-max_total_time=600"];

/// Counts steps and says how each one went.
struct Gate {
    passed: Vec<String>,
    failed: Vec<String>,
    /// What steps that failed beside others printed last: it stands far above by then.
    printed: Vec<String>,
}

/// Lines of it.
const LAST_LINES: usize = 60;

impl Gate {
    fn step(&mut self, name: impl Into<String>, step: impl FnOnce() -> Outcome) {
        let name = name.into();
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let outcome = step();
        self.note(name, start.elapsed(), outcome);
    }

    /// Steps that use one core each, at the same time. What they print is kept
    /// and shown one after the other.
    fn together(&mut self, steps: Vec<(String, Command)>) {
        let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
        eprintln!("\n=== at the same time: {}", names.join("; "));
        let running: Vec<_> = steps
            .into_iter()
            .map(|(name, mut command)| {
                let run = move || {
                    let start = Instant::now();
                    let (printed, outcome) = process::run_apart(&mut command);
                    (printed, outcome, start.elapsed())
                };
                (name, std::thread::spawn(run))
            })
            .collect();
        for (name, thread) in running {
            match thread.join() {
                Ok((printed, outcome, time)) => {
                    eprintln!("\n=== {name}\n{printed}");
                    if outcome.is_err() {
                        self.keep(&name, &printed);
                    }
                    self.note(name, time, outcome);
                }
                Err(_) => self.note(name, Duration::ZERO, Err("xtask itself panicked".into())),
            }
        }
    }

    /// Keeps the lines around a panic, or the last ones.
    fn keep(&mut self, name: &str, printed: &str) {
        let lines: Vec<&str> = printed.lines().collect();
        let panic = lines.iter().position(|line| line.contains("panicked at"));
        let from = panic.unwrap_or(lines.len().saturating_sub(LAST_LINES));
        let some: Vec<&str> = lines.into_iter().skip(from).take(LAST_LINES).collect();
        self.printed.push(format!("=== of {name}\n{}", some.join("\n")));
    }

    fn note(&mut self, name: String, time: Duration, outcome: Outcome) {
        let seconds = time.as_secs();
        match outcome {
            Ok(()) => {
                eprintln!("=== {name}: ok, {seconds} s");
                self.passed.push(format!("ok      {name} ({seconds} s)"));
            }
            Err(why) => {
                eprintln!("=== {name}: FAILED after {seconds} s: {why}");
                self.failed.push(format!("FAILED  {name} ({seconds} s): {why}"));
            }
        }
    }
}

/// Runs the gate; with `--all` also what takes longer than a change can wait.
pub(crate) fn test(arguments: &[String]) -> Outcome {
    let all = match arguments {
        [] => false,
        [one] if one == "--all" => true,
        _ => return Err(format!("test takes --all or nothing, found {arguments:?}")),
    };
    let start = Instant::now();
    let mut gate = Gate { passed: Vec::new(), failed: Vec::new(), printed: Vec::new() };

    gate.step("tools", || {
        tools::targets(&[wasi::TARGET, "wasm32-unknown-unknown", "wasm32v1-none"])?;
        tools::wasm_opt()?;
        tools::wasmtime()?;
        tools::python_with_wasmtime()?;
        tools::cargo_fuzz().map(|_| ())
    });
    gate.step("format", || run(cargo().args(["fmt", "--all", "--check"])));
    gate.step("clippy", || {
        run(cargo()
            .args(["clippy", "--workspace", "--all-targets", "--quiet", "--"])
            .args(["-D", "warnings"]))
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
    gate.step("modules and their sizes", || {
        let mut weights = Vec::new();
        for artifact in ALL {
            weights.push(sizes::weigh(artifact, &artifact.build()?)?);
        }
        sizes::print(&weights);
        sizes::hold_standing(&weights)
    });
    gate.step("tests, native", || {
        run(cargo().args([
            "test",
            "--workspace",
            "--exclude",
            "clawft-demo",
            "--exclude",
            "clawft-host",
            "--exclude",
            "clawft-precompile",
            "--exclude",
            "clawft-matrix",
            "--quiet",
            "--no-fail-fast",
        ]))
    });
    gate.step("lines that the tests run, without the longest", || {
        coverage::coverage(&["--short".into()])
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
    gate.step("WASI guests", guests::check);
    gate.step("the agent's platform in Wasmtime", || platform::check(&[]));
    gate.step("the agent's providers", agent::providers);
    gate.step("the modules from Python", python_programs);
    gate.step("the kernel from Node", || {
        // Node 20 does not know relaxed SIMD without a flag.
        [&artifacts::SIMD128_KERNEL, &artifacts::SCALAR_KERNEL].into_iter().try_for_each(|kernel| {
            let program = "ffi/examples/js/nearest.mjs";
            run(command("node").arg(program).arg(kernel.build()?.path))
        })
    });
    gate.step("demo on the sample", || {
        let mut demo = demo::host(&KERNELS)?;
        demo::with_agent(&mut demo)?;
        run(demo.arg("--check"))
    });
    gate.step("the guides' commands", || guides::check(false));
    fuzz_targets(&mut gate, &FUZZ);
    if all {
        // Fills dist/ first, and checks it.
        gate.step("the guides' commands, over a release", || guides::check(true));
        gate.step("the agent behind a proxy", platform::proxy);
        // The agent is compiled once more for it.
        gate.step("the agent with its gate, through WIT", platform::gate);
        // The engine is compiled twice for it.
        gate.step("the host, seen from outside", host::test);
        // A compiler is compiled for it.
        gate.step("the agent and the kernel in WAMR, from C", || device::check(&[]));
        // Twice more, and WAMR with what compiles it.
        gate.step("every artifact in every engine", matrix::suite);
        gate.step("the kernel in a browser", || {
            run(command("node")
                .arg("ffi/tests/browser.mjs")
                .arg(tools::playwright()?)
                .arg(tools::chromium()?)
                .arg(artifacts::SIMD128_KERNEL.build()?.path))
        });
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
        for package in PORTABLE.into_iter().chain([STORE]) {
            match miri::steps(package) {
                Ok(steps) => gate.together(steps),
                Err(why) => gate.step(format!("Miri, {package}"), || Err(why)),
            }
        }
        gate.step("lines that the tests run", || coverage::coverage(&[]));
        gate.step("peers", || bench::peers(&[]));
        fuzz_targets(&mut gate, &LONG_FUZZ);
    }

    gate.printed.iter().for_each(|lines| println!("\n{lines}"));
    println!("\n{} s", start.elapsed().as_secs());
    gate.passed.iter().chain(&gate.failed).for_each(|line| println!("{line}"));
    println!("{} passed, {} failed", gate.passed.len(), gate.failed.len());
    match gate.failed.len() {
        0 => Ok(()),
        failed => Err(format!("{failed} of the steps failed")),
    }
}

/// Tests of the portable crates under the Wasmtime command.
fn wasm_tests(wasmtime: &Path, variant: (&str, &str)) -> Command {
    let mut cargo = cargo();
    cargo.args(["test", "--target", wasi::TARGET, "--quiet", "--no-fail-fast"]);
    for package in PORTABLE.into_iter().chain((variant.0 == WITH_STORE).then_some(STORE)) {
        cargo.args(["--package", package]);
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

/// Builds every fuzz target and runs each one, two at a time: a run takes one core.
fn fuzz_targets(gate: &mut Gate, limits: &[&str]) {
    let program = match tools::cargo_fuzz() {
        Ok(program) => program,
        Err(why) => return gate.step("fuzz targets", || Err(why)),
    };
    let mut targets = Vec::new();
    gate.step("fuzz targets, built", || {
        targets = fuzz::targets(&program)?;
        run(fuzz::cargo_fuzz(&program).arg("build"))
    });
    for two in targets.chunks(2) {
        let step = |name: &String| {
            let mut command = fuzz::runs(&program, name)?;
            command.args(limits);
            Ok((format!("fuzz target {name}"), command))
        };
        match two.iter().map(step).collect::<Outcome<_>>() {
            Ok(steps) => gate.together(steps),
            Err(why) => gate.step(format!("fuzz targets {}", two.join(", ")), || Err(why)),
        }
    }
}
