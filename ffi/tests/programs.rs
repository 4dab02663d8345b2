//! The example programs run as their users run them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this test's binary, where cargo puts the static library too.
fn built() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
}

/// `gcc`, or what `CC` says.
fn compiler() -> Command {
    Command::new(std::env::var_os("CC").unwrap_or_else(|| "gcc".into()))
}

#[test]
fn c_and_cplusplus_take_the_header() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (language, standard) in [("c", "-std=c99"), ("c", "-std=c11"), ("c++", "-std=c++17")] {
        let compiled = compiler()
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Wredundant-decls", "-Werror"])
            .args([standard, "-x", language])
            .arg(root.join("include/clawft.h"))
            .output()
            .expect("a C compiler is needed: install gcc, or name one in CC");
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{language} {standard}: {said}");
    }
}

#[test]
fn the_c_program_finds_saves_and_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = built().join(format!("c-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (program, file) = (folder.join("nearest"), folder.join("memory.clawft"));
    let compiled = compiler()
        .args(["-std=c11", "-Wall", "-Wextra", "-Wredundant-decls", "-Werror", "-I"])
        .arg(root.join("include"))
        .arg(root.join("examples/c/nearest.c"))
        .arg(built().join("libclawft.a"))
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .expect("a C compiler is needed: install gcc, or name one in CC");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let ran = Command::new(&program).arg(&file).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains("1. id 42 at distance 0.0"), "{out}");
    assert!(out.contains("saved and loaded: 999 vectors"), "{out}");
    std::fs::remove_dir_all(&folder).unwrap();
}
