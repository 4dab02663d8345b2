//! Says where the compiled component and the model file are: `CLAWFT_CWASM` and `CLAWFT_MODEL`,
//! which `cargo xtask host` sets. Without them the host builds too, for checks, and says at run
//! time what it lacks.

#![forbid(unsafe_code)]

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for (from, to) in [("CLAWFT_CWASM", "CLAWFT_COMPILED"), ("CLAWFT_MODEL", "CLAWFT_TABLE")] {
        println!("cargo:rerun-if-env-changed={from}");
        let path = match std::env::var_os(from) {
            Some(path) => PathBuf::from(path),
            None => {
                let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
                let none = PathBuf::from(out).join("none");
                std::fs::write(&none, []).expect("the folder of the build can be written");
                none
            }
        };
        println!("cargo:rerun-if-changed={}", path.display());
        println!("cargo:rustc-env={to}={}", path.display());
    }
    // Names of functions are a third of the file, and nobody reads them.
    let releases = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if releases && std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-s");
        // Half a megabyte of the table by which the loader moves addresses, all of it read at start,
        // becomes ten kilobytes. An older glibc than 2.36 does not start such a program, so what is
        // built beside one has the long table. What is built beside a newer one, and carried to a
        // machine with an older one, does not start there: docs/deployment/wasm.md says so.
        if glibc().is_some_and(|version| version >= (2, 36)) {
            println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}

/// The version of glibc that the program is built for, which is that of this machine: none where it is
/// built for another one, where the C library is another one, or where nothing says what it is.
fn glibc() -> Option<(u32, u32)> {
    if std::env::var_os("HOST") != std::env::var_os("TARGET") {
        return None;
    }
    let said = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let mut numbers = said.trim().strip_prefix("glibc ")?.split('.').map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
