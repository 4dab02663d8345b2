//! `cargo xtask dist`: everything that ships, in `dist/`.

use crate::artifacts::ALL;
use crate::process::{Outcome, cargo, read, root, run, target, write};
use crate::sizes;
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
    for (kind, file) in [("staticlib", "libclawft.a"), ("cdylib", "libclawft.so")] {
        run(cargo()
            .args(["rustc", "--release", "--lib", "--package", "clawft-ffi"])
            .args(["--crate-type", kind]))?;
        let library = read(&target().join("release").join(file))?;
        write(&folder.join(file), &library)?;
        all.insert(
            file.into(),
            json!({ "raw": library.len(), "gzipped": sizes::gzip(&library)?.len() }),
        );
    }
    let header = read(&root().join("ffi/include/clawft.h"))?;
    write(&folder.join("clawft.h"), &header)?;
    all.insert(
        "clawft.h".into(),
        json!({ "raw": header.len(), "gzipped": sizes::gzip(&header)?.len() }),
    );
    let text = format!("{:#}\n", Value::Object(all));
    write(&folder.join("SIZES.json"), text.as_bytes())?;
    sizes::print(&weights);
    println!("{} is filled", folder.display());
    sizes::hold(&weights)
}
