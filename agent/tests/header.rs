//! `include/clawft_agent.h` is what the sources say.
//!
//! `CLAWFT_BLESS=1 cargo test -p clawft-agent --test header` writes it anew.

use std::path::Path;

#[test]
fn the_header_is_that_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in ["component/status", "component/abi", "platform/wasi_p1/protocol"] {
        builder = builder.with_src(root.join("src").join(name).with_extension("rs"));
    }
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let path = root.join("include/clawft_agent.h");
    if std::env::var_os("CLAWFT_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == generated,
        "include/clawft_agent.h is not what the sources give: \
         CLAWFT_BLESS=1 cargo test -p clawft-agent --test header"
    );
}

/// A host reads it as C99, C11 and C++, and has the layout of the request that the module writes.
#[test]
fn compilers_take_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "#include \"clawft_agent.h\"\n\
        typedef char size_is_48[sizeof(ClawftHttpRequest) == 48 ? 1 : -1];\n\
        typedef char body_is_at_24[offsetof(ClawftHttpRequest, body) == 24 ? 1 : -1];\n\
        typedef char code[CLAWFT_AGENT_INITIALISED == -310 && CLAWFT_HTTP_OTHER == -408 ? 1 : -1];\n";
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "gcc".into());
    for (language, standard) in [("c", "-std=c99"), ("c", "-std=c11"), ("c++", "-std=c++17")] {
        let file = std::env::temp_dir().join(format!("clawft-agent-{}.c", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let compiled = std::process::Command::new(&compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
            .args(["-x", language, standard, "-I"])
            .arg(root.join("include"))
            .arg(&file)
            .output()
            .expect("a C compiler is needed: install gcc, or name one in CC");
        std::fs::remove_file(&file).unwrap();
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{language} {standard}: {said}");
    }
}
