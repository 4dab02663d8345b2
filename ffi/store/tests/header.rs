//! `include/clawft_store.h` is what the sources say.
//!
//! `CLAWFT_BLESS=1 cargo test -p clawft-ffi-store --test header` writes it anew.

#[path = "../../tests/support/header.rs"]
mod functions;

use std::path::Path;

#[test]
fn the_header_is_that_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in
        ["error", "text", "storage", "open", "write", "read", "recall", "report", "tiers", "tensor"]
    {
        builder = builder.with_src(root.join("src").join(name).with_extension("rs"));
    }
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let path = root.join("include/clawft_store.h");
    if std::env::var_os("CLAWFT_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    // A module that is missing above would be missing in the header.
    assert_eq!(functions::declared(&generated), functions::exported(&root.join("src")));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == generated,
        "include/clawft_store.h is not what the sources give: \
         CLAWFT_BLESS=1 cargo test -p clawft-ffi-store --test header"
    );
}
