//! WAMR, the engine of devices: its library and its compiler, built from source.
//!
//! Debian has no WAMR. The crate `wamrx-sys` carries its C sources, those of the compiler too, and
//! cargo fetches it like any other. They are copied to `target/tools/wamr` and built there with
//! CMake as a device's maker builds them: the fast interpreter, loading of what was compiled ahead,
//! WASI preview 1, SIMD, and every access to memory checked in code and not by the processor.

use crate::process::{
    Outcome, answers, cargo, command, output, read, root, run, run_apart, target, write,
};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

const CRATE: &str = "wamrx-sys";
const CRATE_VERSION: &str = "0.3.0";
/// What a `wamrc` on the PATH has to be, for files compiled ahead to be understood. An `iwasm` there is
/// of no use: it runs commands and cannot drive a C ABI.
const RELEASE: &str = "2.4.";
/// What the library has.
const PARTS: [&str; 10] = [
    "CMAKE_BUILD_TYPE=Release",
    "WAMR_BUILD_INTERP=1",
    "WAMR_BUILD_FAST_INTERP=1",
    "WAMR_BUILD_AOT=1",
    "WAMR_BUILD_LIBC_WASI=1",
    "WAMR_BUILD_LIBC_BUILTIN=0",
    "WAMR_BUILD_SIMD=1",
    "WAMR_BUILD_LIB_SIMDE=1",
    // Else cmake would fetch these headers from the network; Debian has them.
    "FETCHCONTENT_SOURCE_DIR_SIMDE=/usr/include",
    "WAMR_DISABLE_HW_BOUND_CHECK=1",
];
/// What a program is linked with besides it.
pub(crate) const LIBRARIES: [&str; 3] = ["-lm", "-lpthread", "-ldl"];

/// `libiwasm.a`, and the folder of `wasm_export.h`.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) file: PathBuf,
    pub(crate) headers: PathBuf,
}

fn folder() -> PathBuf {
    target().join("tools/wamr")
}

/// The engine as a static library for this machine, built where it is missing: 20 seconds.
pub(crate) fn library() -> Outcome<Library> {
    let source = source()?;
    let build = folder().join("library");
    let library =
        Library { file: build.join("libiwasm.a"), headers: source.join("core/iwasm/include") };
    if !library.file.exists() {
        let headers = Path::new("/usr/include/simde/wasm/simd128.h");
        debian(headers.exists() && answers("cmake", "--version"), &["cmake", "libsimde-dev"])?;
        let options = PARTS.map(|part| format!("-D{part}"));
        cmake(&source, &build, &options, "vmlib", "library.log")?;
    }
    Ok(library)
}

/// Compiles a module ahead of time for this machine, where `out` is older than it: seconds for the
/// kernel, half a minute for the agent. The error is a sentence that says what is missing.
pub(crate) fn compile_ahead(module: &Path, out: &Path) -> Outcome<PathBuf> {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified());
    let is_newer = |than: SystemTime| changed(out).is_ok_and(|out| out > than);
    if changed(module).is_ok_and(is_newer) {
        return Ok(out.to_owned());
    }
    out.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(|error| error.to_string())?;
    let mut compile = if release_on_path("wamrc") {
        // The least processor with SIMD, as `compile.c` has it.
        let processor: &[&str] = if cfg!(target_arch = "x86_64") {
            &["--target=x86_64", "--cpu=x86-64-v2"]
        } else {
            &[]
        };
        let mut compile = command("wamrc");
        compile.args(processor).args(["--bounds-checks=1", "-o"]).arg(out).arg(module);
        compile
    } else {
        let mut compile = command(compiler()?);
        compile.arg(module).arg(out);
        compile
    };
    let (printed, compiled) = run_apart(&mut compile);
    compiled.map(|()| out.to_owned()).map_err(|why| {
        let _ = std::fs::remove_file(out);
        // It says why in its last line.
        let last = printed.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let why = last.unwrap_or(&why);
        format!("{} could not be compiled ahead of time: {why}", module.display())
    })
}

/// Is there something that compiles ahead of time?
pub(crate) fn has_compiler() -> bool {
    release_on_path("wamrc") || compiler_program().exists()
}

/// Is there a program of WAMR on the PATH, of the release that is built here?
fn release_on_path(program: &str) -> bool {
    answers(program, "--version")
        && output(command(program).arg("--version")).is_ok_and(|said| said.contains(RELEASE))
}

/// The compiler: WAMR's, with a `main` of our own, over the LLVM of Debian (14 and 19 were seen to
/// work). Two minutes.
pub(crate) fn compiler() -> Outcome<PathBuf> {
    let program = compiler_program();
    if !program.exists() {
        let source = source()?;
        debian(has_llvm() && answers("cmake", "--version"), &["cmake", "llvm-dev"])?;
        let option = format!("-DWAMR_ROOT_DIR={}", source.display());
        let (from, build) = (root().join("xtask/wamr"), folder().join("compiler"));
        cmake(&from, &build, &[option], "clawft-wamrc", "compiler.log").map_err(|why| {
            format!("no wamrc {RELEASE}x is on the PATH, and none could be built: {why}")
        })?;
    }
    Ok(program)
}

fn compiler_program() -> PathBuf {
    folder().join("compiler/clawft-wamrc")
}

/// Is there an LLVM with what CMake wants of it, of any version?
fn has_llvm() -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    answers("llvm-config", "--version")
        || folders.map(|entry| entry.path()).any(|path| path.join("lib/cmake/llvm").exists())
}

/// WAMR's sources, in a folder of ours since their build writes among them.
fn source() -> Outcome<PathBuf> {
    let source = folder().join("source");
    if source.join("CMakeLists.txt").exists() {
        return Ok(source);
    }
    // A package that depends on the crate: cargo fetches it, verifies it and says where it lies.
    let wanted = folder().join("wanted");
    let manifest = wanted.join("Cargo.toml");
    write(
        &manifest,
        format!(
            "[package]\nname = \"wanted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{CRATE} = \"={CRATE_VERSION}\"\n"
        )
        .as_bytes(),
    )?;
    write(&wanted.join("src/lib.rs"), b"")?;
    let found = output(
        cargo().args(["metadata", "--format-version", "1", "--manifest-path"]).arg(&manifest),
    )
    .map_err(|why| format!("WAMR's sources are in the crate {CRATE}, which is missing: {why}"))?;
    let found: serde_json::Value =
        serde_json::from_str(&found).map_err(|error| format!("cargo metadata: {error}"))?;
    let package = found["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == CRATE))
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .ok_or_else(|| format!("cargo metadata does not name {CRATE}"))?;
    let new = folder().join("source.new");
    let _ = std::fs::remove_dir_all(&new);
    run(command("cp").arg("-r").arg(package.join("wasm-micro-runtime")).arg(&new))?;
    std::fs::rename(&new, &source).map_err(|error| format!("{}: {error}", source.display()))?;
    Ok(source)
}

/// Builds one target; what CMake prints goes to a file, and what matters of it into the error.
fn cmake(source: &Path, build: &Path, options: &[String], wanted: &str, log: &str) -> Outcome {
    let log = folder().join(log);
    write(&log, b"")?;
    let step = |command: &mut std::process::Command| {
        let file = std::fs::OpenOptions::new().append(true).open(&log);
        let file = file.map_err(|error| format!("{}: {error}", log.display()))?;
        let both = file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        run(command.stdout(file).stderr(both)).map_err(|why| {
            let said = String::from_utf8_lossy(&read(&log).unwrap_or_default()).into_owned();
            let line =
                said.lines().find(|line| line.to_lowercase().contains("error")).map(str::trim);
            format!("{why}: {} (all of it: {})", line.unwrap_or("no word why"), log.display())
        })
    };
    step(command("cmake").arg("-S").arg(source).arg("-B").arg(build).args(options))?;
    step(command("cmake").arg("--build").arg(build).args(["--parallel", "2", "--target", wanted]))
}

/// Installs Debian's packages where something of them is missing; for that one must be root.
pub(crate) fn debian(is_there: bool, packages: &[&str]) -> Outcome {
    if is_there {
        return Ok(());
    }
    let names = packages.join(" ");
    let install = || {
        run(command("apt-get")
            .args(["install", "--yes", "--no-install-recommends", "--quiet"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()))
    };
    // Without a list of packages, or with one that is old, the first try fails.
    install()
        .or_else(|_| run(command("apt-get").args(["update", "--quiet"])).and_then(|()| install()))
        .map_err(|why| format!("something of Debian's {names} is missing: {why}"))
}
