//! What runs the rows, built: the runners, and modules compiled ahead.

use crate::process::{Outcome, answers, cargo, command, root, run, target};
use crate::wamr_build;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// Debian's packages without which WAMR is not built, and a file of each that is not a program.
const PACKAGES: [&str; 3] = ["cmake", "libclang-dev", "libsimde-dev"];

/// The programs, each built when a row wants it.
#[derive(Default)]
pub(super) struct Runners {
    jit: OnceCell<Outcome<PathBuf>>,
    aot: OnceCell<Outcome<PathBuf>>,
    wamr: OnceCell<Outcome<PathBuf>>,
}

impl Runners {
    /// Wasmtime with its compiler.
    pub(super) fn jit(&self) -> Outcome<PathBuf> {
        self.jit.get_or_init(|| wasmtime("jit", &[])).clone()
    }

    /// Wasmtime without.
    pub(super) fn aot(&self) -> Outcome<PathBuf> {
        let features = ["--no-default-features", "--features", "wasmtime"];
        self.aot.get_or_init(|| wasmtime("aot", &features)).clone()
    }

    /// WAMR.
    pub(super) fn wamr(&self) -> Outcome<PathBuf> {
        self.wamr.get_or_init(over_wamr).clone()
    }
}

fn folder() -> PathBuf {
    target().join("matrix")
}

/// Our own runner over Wasmtime. The two builds have one name, so each is copied away.
fn wasmtime(name: &str, features: &[&str]) -> Outcome<PathBuf> {
    run(cargo().args(["build", "--profile", "host", "--package", "clawft-matrix"]).args(features))?;
    let built =
        target().join("host").join(format!("clawft-matrix{}", std::env::consts::EXE_SUFFIX));
    let program = folder().join(format!("clawft-matrix-{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::create_dir_all(folder()).map_err(|why| format!("{}: {why}", folder().display()))?;
    // One that still runs somewhere keeps its own.
    let _ = std::fs::remove_file(&program);
    std::fs::copy(built, &program).map_err(|why| format!("{}: {why}", program.display()))?;
    Ok(program)
}

/// What every cargo that touches WAMR is told.
fn with_wamr(mut cargo: std::process::Command) -> std::process::Command {
    let package = root().join("xtask/matrix/wamr");
    cargo
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(folder().join("wamr"))
        .env("CMAKE_TOOLCHAIN_FILE", package.join("wamr.cmake"))
        .env_remove("RUSTFLAGS");
    cargo
}

fn over_wamr() -> Outcome<PathBuf> {
    debian()?;
    let mut build = cargo();
    build.args(["build", "--release", "--quiet"]);
    run(&mut with_wamr(build)).map_err(|why| format!("the runner over WAMR: {why}"))?;
    let name = format!("clawft-matrix-wamr{}", std::env::consts::EXE_SUFFIX);
    Ok(folder().join("wamr/release").join(name))
}

/// What the workspace's own checks do not see: the runner over WAMR, and tests of the suite's host.
pub(super) fn lint() -> Outcome {
    debian()?;
    let manifest = root().join("xtask/matrix/wamr/Cargo.toml");
    run(cargo().args(["fmt", "--check", "--manifest-path"]).arg(manifest))?;
    let mut clippy = cargo();
    clippy.args(["clippy", "--release", "--quiet", "--all-targets"]);
    let mut clippy = with_wamr(clippy);
    run(clippy.args(["--", "-D", "warnings"]))?;
    // Without an engine: what is the host's in every row.
    run(cargo().args(["test", "--quiet", "--package", "clawft-matrix", "--no-default-features"]))
}

/// Installs what building WAMR needs.
pub(super) fn debian() -> Outcome {
    let has_clang = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("llvm-") && entry.path().join("lib/libclang.so").exists()
    });
    let has_simde = Path::new("/usr/include/simde").exists();
    wamr_build::debian(answers("cmake", "--version") && has_simde && has_clang, &PACKAGES)
}

/// Compiles a module or component ahead for Wasmtime.
pub(super) fn compile(runners: &Runners, module: &Path) -> Outcome<PathBuf> {
    let name = module.file_stem().unwrap_or_default();
    let compiled = folder().join(name).with_extension("cwasm");
    // `with_extension` would cut `clawft-kernel.scalar` short.
    let compiled = compiled.with_file_name(format!("{}.cwasm", name.display()));
    run(command(runners.jit()?).arg("compile").arg(module).arg(&compiled))?;
    Ok(compiled)
}

/// Why a module was not compiled for WAMR.
pub(super) enum NotCompiled {
    /// There is no compiler.
    Missing(String),
    /// It refused, in its words.
    Refused(String),
}

/// Compiles a module ahead for WAMR.
pub(super) fn compile_for_wamr(module: &Path) -> Result<PathBuf, NotCompiled> {
    let name = module.file_stem().unwrap_or_default();
    let out = folder().join(format!("{}.aot", name.display()));
    wamr_build::compile_ahead(module, &out).map_err(|why| match wamr_build::has_compiler() {
        true => NotCompiled::Refused(why),
        false => NotCompiled::Missing(why),
    })
}
