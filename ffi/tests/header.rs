//! `include/clawft.h` is what the sources say.
//!
//! `CLAWFT_BLESS=1 cargo test -p clawft-ffi --test header` writes it anew.

#[path = "support/header.rs"]
mod functions;

use std::path::Path;

#[test]
fn the_header_is_that_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    // It goes on to the modules, in the order that they have there: one that is named here as well
    // would be declared twice.
    let builder = cbindgen::Builder::new().with_config(config).with_src(root.join("src/lib.rs"));
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let path = root.join("include/clawft.h");
    if std::env::var_os("CLAWFT_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    assert_eq!(functions::declared(&generated), functions::exported(&root.join("src")));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == generated,
        "include/clawft.h is not what the sources give: CLAWFT_BLESS=1 cargo test -p clawft-ffi --test header"
    );
}
