//! `cargo xtask wamr`: clawft as a device has it, in WAMR, through programs in C.
//!
//! `agent/examples/wamr/` is a host of the agent: `agent/tests/wamr.py` talks to it, and
//! `agent/tests/wasi.py` takes its WASI and its HTTP function by function. `ffi/examples/wamr/` has
//! the kernel. Each runs interpreted, compiled ahead of time, and once under the sanitizers.

use crate::artifacts::{AGENT_CORE, SCALAR_KERNEL, SIMD128_KERNEL};
use crate::process::{Outcome, answers, command, files, root, run, run_apart, target};
use crate::wamr_build::{self, Library};
use crate::{platform, tools};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

/// No warning in code that others will copy.
const WARNINGS: [&str; 4] = ["-std=c11", "-Wall", "-Wextra", "-Werror"];
const SMALL: &[&str] =
    &["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-s"];
const FAST: &[&str] = &["-O2"];
/// A leak is a fault too; what the sanitizers find ends the program.
const CHECKED: &[&str] =
    &["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const TLS: &[&str] = &["-DCLAWFT_TLS"];
const TLS_LIBRARIES: &[&str] = &["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];

/// Starts that are timed.
const STARTS: usize = 20;

/// Builds and tests all of it; only the cases of these names, where some are named.
pub(crate) fn check(cases: &[String]) -> Outcome {
    let library = wamr_build::library()?;
    let tls = Path::new("/usr/include/mbedtls/ssl.h").exists();
    wamr_build::debian(tls && answers("openssl", "version"), &["libmbedtls-dev", "openssl"])?;
    let python = tools::python_with_wasmtime()?;
    let core = AGENT_CORE.build()?.path;

    let sources = files("agent/examples/wamr", "c")?;
    let build = |name: &str, flags: &[&str], libraries: &[&str]| {
        compile(&library, name, "agent/include", &sources, flags, libraries)
    };
    let host = build("clawft-wamr", &[FAST, TLS].concat(), TLS_LIBRARIES)?;
    let checked = build("clawft-wamr-checked", &[CHECKED, TLS].concat(), TLS_LIBRARIES)?;
    let small = build("clawft-wamr-small", SMALL, &[])?;

    let talk = |host: &Path, module: &Path| {
        let script = root().join("agent/tests/wamr.py");
        run(command(&python).arg("-B").arg(script).args([host, module]).args(cases))
    };
    talk(&host, &core)?;
    talk(&checked, &core)?;
    let ahead = compiled_ahead(&core, "clawft-agent.core.aot")?;
    ahead.as_deref().map_or(Ok(()), |ahead| talk(&host, ahead))?;
    if !cases.is_empty() {
        return Ok(());
    }
    // All that the agent asks of its outside, from servers that misbehave to a folder that is full
    // of files, as `cargo xtask platform` does it with other hosts.
    let guest = platform::guest(platform::CORE_TARGET)?;
    run(command("python3").arg(root().join("agent/tests/wasi.py")).args([&host, &guest]))?;

    let kernel_ahead = kernel(&library)?;
    let is_whole = ahead.is_some() && kernel_ahead.is_some();
    measure(&host, &[Some(&*core), ahead.as_deref()].into_iter().flatten().collect::<Vec<_>>())?;
    let kernel = SIMD128_KERNEL.build()?.path;
    for file in [Some(core), ahead, Some(kernel), kernel_ahead, Some(small)].into_iter().flatten() {
        let bytes = file.metadata().map_err(|error| error.to_string())?.len();
        let name = file.file_name().unwrap_or_default().display();
        println!("{bytes:>9} bytes  {name}");
    }
    // The rest was seen to hold, but not this.
    match is_whole {
        true => Ok(()),
        false => {
            Err("what is compiled ahead of time was not shown: nothing here compiles it".into())
        }
    }
}

/// Times whole processes, from start to the answer of the agent.
fn measure(host: &Path, modules: &[&Path]) -> Outcome {
    for module in modules {
        let mut times = Vec::new();
        let mut host = command(host);
        host.arg("--stats").arg(module).arg(r#"["version"]"#).stdin(Stdio::null());
        let (said, outcome) = run_apart(&mut host);
        outcome.map_err(|why| format!("{why}: {said}"))?;
        for _ in 0..STARTS {
            let begin = Instant::now();
            host.output().map_err(|error| error.to_string())?;
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        let (median, most) = (times[STARTS / 2], times[STARTS - 1]);
        let name = module.file_name().unwrap_or_default().display();
        println!("start to end    {median:.1?} median, {most:.1?} at most: version, {name}");
        println!("memory          {}", said.lines().last().unwrap_or_default());
    }
    Ok(())
}

/// The kernel's program with the modules that an interpreter takes; what was compiled ahead.
fn kernel(library: &Library) -> Outcome<Option<PathBuf>> {
    let source = [root().join("ffi/examples/wamr/nearest.c")];
    let program = compile(library, "nearest-wamr", "ffi/include", &source, FAST, &[])?;
    let checked = compile(library, "nearest-wamr-checked", "ffi/include", &source, CHECKED, &[])?;
    let saved = target().join("wamr/memory.clawft");
    let module = SIMD128_KERNEL.build()?.path;
    run(command(&program).arg(SCALAR_KERNEL.build()?.path).arg(&saved))?;
    run(command(&program).arg(&module).arg(&saved))?;
    let ahead = compiled_ahead(&module, "clawft-kernel.aot")?;
    ahead.as_deref().map_or(Ok(()), |ahead| run(command(&checked).arg(ahead).arg(&saved)))?;
    Ok(ahead)
}

/// The module compiled ahead of time; none, and a line that says so, where nothing can compile it.
fn compiled_ahead(module: &Path, name: &str) -> Outcome<Option<PathBuf>> {
    match wamr_build::compile_ahead(module, &target().join("wasm").join(name)) {
        Ok(ahead) => Ok(Some(ahead)),
        Err(why) if wamr_build::has_compiler() => Err(why),
        Err(why) => {
            println!("not shown: {name}: {why}");
            Ok(None)
        }
    }
}

/// Compiles a program for this machine with `gcc`, or what `CC` says.
fn compile(
    library: &Library,
    name: &str,
    headers: &str,
    sources: &[PathBuf],
    flags: &[&str],
    libraries: &[&str],
) -> Outcome<PathBuf> {
    let program = target().join("wamr").join(name);
    std::fs::create_dir_all(target().join("wamr")).map_err(|error| error.to_string())?;
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "gcc".into());
    run(command(compiler)
        .args(WARNINGS)
        .args(flags)
        .arg("-I")
        .arg(&library.headers)
        .arg("-I")
        .arg(root().join(headers))
        .args(sources)
        .arg(&library.file)
        .args(libraries)
        .args(wamr_build::LIBRARIES)
        .arg("-o")
        .arg(&program))?;
    Ok(program)
}
