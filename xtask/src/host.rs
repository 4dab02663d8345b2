//! `cargo xtask host`: the command `clawft`, one file with the component in it.
//!
//! The component is compiled by a program of its own, since the host has no compiler; both have
//! the engine's settings from the same file. What is built lies in `target/component`.

use crate::artifacts::AGENT;
use crate::process::{Outcome, cargo, command, root, run, target};
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The model file of the embedder `static`.
const MODEL: &str = "models/clawft-static.bin";
/// What stands for it in the tests.
const TEST_MODEL: &str = "host/tests/model";
/// The target of the tests' component.
const COMPONENT: &str = "wasm32-wasip2";
/// Starts that are timed.
const STARTS: usize = 20;

/// What a person asks for; the gate asks for [`test()`].
pub(crate) fn host(arguments: &[String]) -> Outcome {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            println!("{}", build()?.display());
            Ok(())
        }
        ["test"] => test(),
        ["measure"] => measure(&build()?),
        other => Err(format!("host takes nothing, test or measure, found {other:?}")),
    }
}

/// The host with the component that ships.
pub(crate) fn build() -> Outcome<PathBuf> {
    let component = AGENT.build()?.path;
    let model = root().join(MODEL);
    link(&component, model.exists().then_some(model).as_deref())
}

/// Runs the host's tests: against a component that tries what it is granted, and against the one
/// that ships.
pub(crate) fn test() -> Outcome {
    tools::targets(&[COMPONENT])?;
    run(cargo()
        .args(["build", "--release", "--package", "clawft-host-guest", "--target", COMPONENT])
        .env_remove("RUSTFLAGS"))?;
    run(cargo().args(["test", "--profile", "host", "--package", "clawft-host", "--quiet"]))?;
    let guest = target().join(COMPONENT).join("release/clawft_host_guest.wasm");
    let program = link(&guest, Some(&root().join(TEST_MODEL)))?;
    let agent = build()?;
    run(cargo()
        .args(["test", "--package", "clawft-host-tests", "--features", "guest"])
        .env("CLAWFT_HOST", program)
        .env("CLAWFT_AGENT", agent))
}

/// Compiles a component and builds the host around it and the model file.
fn link(component: &Path, model: Option<&Path>) -> Outcome<PathBuf> {
    let build = |package| {
        let mut cargo = cargo();
        cargo.args(["build", "--profile", "host", "--package", package]);
        cargo
    };
    let built = |name| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target().join("host").join(file)
    };
    run(&mut build("clawft-precompile"))?;
    let folder = target().join("component");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = component.file_stem().unwrap_or_default();
    let compiled = folder.join(name).with_extension("cwasm");
    run(command(built("clawft-precompile")).arg(component).arg(&compiled))?;
    let mut host = build("clawft-host");
    host.env("CLAWFT_CWASM", &compiled).env_remove("CLAWFT_MODEL");
    run(match model {
        Some(model) => host.env("CLAWFT_MODEL", model),
        None => &mut host,
    })?;
    // Another component gives another host of the same name.
    let program = folder.join(format!("{}{}", name.display(), std::env::consts::EXE_SUFFIX));
    std::fs::copy(built("clawft"), &program)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}

/// Bytes, start and resident memory of the host.
fn measure(program: &Path) -> Outcome {
    let data = target().join("component/measured");
    let said = |error: std::io::Error| format!("{}: {error}", program.display());
    let host = |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).env("CLAWFT_HOME", &data).stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    let bytes = std::fs::metadata(program).map_err(said)?.len();
    println!("size            {bytes} bytes");
    for words in [&["version"][..], &["stats", "--embedder", "hashed"]] {
        let mut times = Vec::new();
        for _ in 0..=STARTS {
            let begin = Instant::now();
            host(words).status().map_err(said)?;
            times.push(begin.elapsed());
        }
        // The first one has read the file into memory.
        let times = &mut times[1..];
        times.sort_unstable();
        let (median, most) = (times[STARTS / 2], times[STARTS - 1]);
        println!("start to end    {median:.1?} median, {most:.1?} at most: clawft {}", words[0]);
    }
    let mut chat =
        host(&["chat", "--embedder", "hashed"]).stdin(Stdio::piped()).spawn().map_err(said)?;
    std::thread::sleep(Duration::from_millis(500));
    let status = std::fs::read_to_string(format!("/proc/{}/status", chat.id()));
    let _ = chat.kill();
    let _ = chat.wait();
    let status = status.map_err(|_| "resident memory is read from /proc, and there is none")?;
    let resident =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("Rss"));
    for line in resident {
        println!("{line}: clawft chat, waiting for a line");
    }
    Ok(())
}
