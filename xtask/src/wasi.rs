//! Cargo's tests and benches as WASI programs under the Wasmtime command.

use crate::process::{root, target};
use std::path::Path;
use std::process::Command;

/// What they are built for.
pub(crate) const TARGET: &str = "wasm32-wasip1";
/// The kernels of WebAssembly, each chosen when it is compiled: a name and target features.
pub(crate) const VARIANTS: [(&str, &str); 3] =
    [("scalar", ""), ("simd128", "+simd128"), ("relaxed", "+simd128,+relaxed-simd")];

/// Lets `cargo`, a `test` or `bench` for [`TARGET`], compile with the features of a variant, in a
/// folder of its own, and run what it has compiled in Wasmtime.
pub(crate) fn run_in_wasmtime(
    cargo: &mut Command,
    wasmtime: &Path,
    (name, features): (&str, &str),
) {
    let flags = match features {
        "" => String::new(),
        features => format!("-Ctarget-feature={features}"),
    };
    cargo
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", target().join("wasi").join(name))
        // They may read the sample, and write where it is temporary; nothing else of the machine
        // is theirs.
        .env(
            "CARGO_TARGET_WASM32_WASIP1_RUNNER",
            format!(
                "{} run --dir={} --dir=. --dir={}::/tmp --env=PROPTEST_DISABLE_FAILURE_PERSISTENCE=1",
                wasmtime.display(),
                root().display(),
                std::env::temp_dir().display()
            ),
        );
}
