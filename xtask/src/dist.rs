//! `cargo xtask dist`: everything that ships, in `dist/`.

use crate::artifacts::{AGENT, ALL};
use crate::process::{Outcome, cargo, files, read, root, run, target, write};
use crate::{host, sizes};
use serde_json::{Map, Value, json};

/// `cargo xtask dist`.
pub(crate) fn dist() -> Outcome {
    let folder = root().join("dist");
    let mut weights = Vec::new();
    for artifact in ALL {
        let built = artifact.build()?;
        write(&folder.join(artifact.file), &read(&built.path)?)?;
        weights.push(sizes::weigh(artifact, &built)?);
    }
    let mut all: Map<String, Value> = sizes::json(&weights);
    let put = |file: &str, bytes: &[u8]| -> Outcome<Value> {
        write(&folder.join(file), bytes)?;
        Ok(json!({ "raw": bytes.len(), "gzipped": sizes::gzip(bytes)?.len() }))
    };
    let component = read(&folder.join(AGENT.file))?;
    write(&folder.join(format!("{}.gz", AGENT.file)), &sizes::gzip(&component)?)?;
    // What it imports and exports, with the interfaces of WASI that it names.
    for from in ["wit", "wit/deps"] {
        for file in files(from, "wit")? {
            let name = file.file_name().unwrap_or_default();
            write(&folder.join(from).join(name), &read(&file)?)?;
        }
    }
    // The library has everything: the functions of both headers.
    for (kind, ending) in [("staticlib", "a"), ("cdylib", "so")] {
        run(cargo()
            .args(["rustc", "--release", "--lib", "--package", "clawft-ffi-store"])
            .args(["--crate-type", kind]))?;
        let built = format!("libclawft_ffi_store.{ending}");
        let library = read(&target().join("release").join(built))?;
        all.insert(format!("libclawft.{ending}"), put(&format!("libclawft.{ending}"), &library)?);
    }
    for (from, file) in [
        ("ffi/include", "clawft.h"),
        ("ffi/store/include", "clawft_store.h"),
        ("agent/include", "clawft_agent.h"),
    ] {
        let header = read(&root().join(from).join(file))?;
        all.insert(file.into(), put(file, &header)?);
    }
    // Copied, since it must stay executable.
    let program = host::build()?;
    let name = format!("clawft{}", std::env::consts::EXE_SUFFIX);
    let bytes = std::fs::copy(&program, folder.join(&name))
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let gzipped = sizes::gzip(&read(&program)?)?.len();
    all.insert(name, json!({ "raw": bytes, "gzipped": gzipped }));
    let text = format!("{:#}\n", Value::Object(all));
    write(&folder.join("SIZES.json"), text.as_bytes())?;
    sizes::print(&weights);
    println!("{} is filled", folder.display());
    sizes::hold(&weights)
}
