//! Says where the compiled component is: `CLAWFT_CWASM`, which `cargo xtask host` sets. Without
//! it the host builds too, for checks, and says at run time that it has none.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=CLAWFT_CWASM");
    println!("cargo:rerun-if-changed=build.rs");
    let path = match std::env::var_os("CLAWFT_CWASM") {
        Some(path) => PathBuf::from(path),
        None => {
            let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
            let none = PathBuf::from(out).join("none");
            std::fs::write(&none, []).expect("the folder of the build can be written");
            none
        }
    };
    println!("cargo:rerun-if-changed={}", path.display());
    println!("cargo:rustc-env=CLAWFT_COMPILED={}", path.display());
    // Names of functions are a third of the file, and nobody reads them.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && cfg!(target_os = "linux")
    {
        println!("cargo:rustc-link-arg-bins=-s");
    }
}
