//! `cargo xtask dist`: the folder that the page of a release carries, `dist/`.
//!
//! It is made anew each time, so nothing old stays in it; [`release::check`] then holds it to what
//! the README promises.

use crate::artifacts::{self, AGENT, ALL};
use crate::process::{Outcome, cargo, files, read, root, run, target, write};
use crate::{host, licences, release, sizes};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Headers and the model file, as they are.
const COPIED: [&str; 6] = [
    "ffi/include/clawft.h",
    "ffi/store/include/clawft_store.h",
    "agent/include/clawft_agent.h",
    "models/clawft-static.bin",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// `cargo xtask dist`.
pub(crate) fn dist() -> Outcome {
    let folder = root().join("dist");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut weights = Vec::new();
    for (artifact, built) in ALL.into_iter().zip(artifacts::build_together(&ALL)?) {
        write(&folder.join(artifact.file), &read(&built.path)?)?;
        weights.push(sizes::weigh(artifact, &built)?);
    }
    let component = read(&folder.join(AGENT.file))?;
    write(&folder.join(format!("{}.gz", AGENT.file)), &sizes::gzip(&component)?)?;

    let mut all: Map<String, Value> = sizes::json(&weights);
    let mut put = |file: &str, bytes: &[u8]| -> Outcome {
        let gzipped = sizes::gzip(bytes)?.len();
        all.insert(file.into(), json!({ "raw": bytes.len(), "gzipped": gzipped }));
        write(&folder.join(file), bytes)
    };
    // The library has everything: the functions of both headers.
    for (kind, ending) in [("staticlib", "a"), ("cdylib", "so")] {
        run(cargo()
            .args(["rustc", "--release", "--lib", "--package", "clawft-ffi-store"])
            .args(["--crate-type", kind]))?;
        let built = format!("libclawft_ffi_store.{ending}");
        put(&format!("libclawft.{ending}"), &read(&target().join("release").join(built))?)?;
    }
    for path in COPIED {
        let name = path.rsplit('/').next().unwrap_or(path);
        put(name, &read(&root().join(path))?)?;
    }
    // Copied once more, since it must stay executable.
    let program = host::build()?;
    let name = format!("clawft{}", std::env::consts::EXE_SUFFIX);
    put(&name, &read(&program)?)?;
    std::fs::copy(&program, folder.join(&name))
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let text = format!("{:#}\n", Value::Object(all));
    write(&folder.join("SIZES.json"), text.as_bytes())?;

    interfaces(&folder)?;
    write(&folder.join("THIRD-PARTY.txt"), licences::third_party()?.as_bytes())?;
    let library = read(&licences::library()?.join(licences::LIBRARY))?;
    write(&folder.join(licences::LIBRARY), &library)?;
    release::sum(&folder)?;
    release::check(&folder)?;

    sizes::print(&weights);
    println!("{} is filled", folder.display());
    // What is above its budget is said here, and fails in `cargo xtask size`.
    sizes::hold_standing(&weights)
}

/// What the component imports and exports, with the interfaces of WASI that it names: as texts, and
/// as one binary package, which tools take without the folder.
fn interfaces(folder: &Path) -> Outcome {
    for from in ["wit", "wit/deps"] {
        for file in files(from, "wit")? {
            let name = file.file_name().unwrap_or_default();
            write(&folder.join(from).join(name), &read(&file)?)?;
        }
    }
    write(&folder.join(release::INTERFACES), &package(&folder.join("wit"))?)
}

/// The interfaces of a folder as one binary package.
pub(crate) fn package(folder: &Path) -> Outcome<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_dir(folder)
        .and_then(|(package, _)| wit_component::encode(&resolve, package))
        .map_err(|error| format!("the interfaces: {error:#}"))
}
