//! The example program in C runs as its users run it, and the header serves in WebAssembly too.

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
fn the_header_is_sound_where_wasm_is_defined_beside_the_names_of_the_system() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = compiler()
        .args(["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D__wasm__"])
        .args(["-include", "stdio.h", "-include", "unistd.h", "-include", "fcntl.h"])
        .arg("-I")
        .arg(root.join("../include"))
        .args(["-x", "c"])
        .arg(root.join("include/clawft_store.h"))
        .output()
        .expect("a C compiler is needed: install gcc, or name one in CC");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

#[test]
fn c_and_cplusplus_take_the_header() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (language, standard) in [("c", "-std=c99"), ("c", "-std=c11"), ("c++", "-std=c++17")] {
        let compiled = compiler()
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Wredundant-decls", "-Werror", "-I"])
            .arg(root.join("../include"))
            .args([standard, "-x", language])
            .arg(root.join("include/clawft_store.h"))
            .output()
            .expect("a C compiler is needed: install gcc, or name one in CC");
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{language} {standard}: {said}");
    }
}

#[test]
fn the_c_program_remembers_and_recalls() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = built().join(format!("c-example-{}", std::process::id()));
    let notes = folder.join("notes");
    std::fs::create_dir_all(&notes).unwrap();
    let program = folder.join("remember");
    let compiled = compiler()
        .args(["-std=c11", "-Wall", "-Wextra", "-Wredundant-decls", "-Werror"])
        .arg("-I")
        .arg(root.join("../include"))
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("examples/c/remember.c"))
        .arg(built().join("libclawft_ffi_store.a"))
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .expect("a C compiler is needed: install gcc, or name one in CC");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let ran = Command::new(&program).arg(&notes).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains("1. id 1, similarity"), "{out}");
    assert!(out.contains("The train to the coast leaves at nine."), "{out}");
    assert!(out.contains("100 frames in"), "{out}");
    // Closed: one file and what is derived from it; no lease and no journal with records.
    let mut names: Vec<_> =
        std::fs::read_dir(&notes).unwrap().map(|one| one.unwrap().file_name()).collect();
    names.sort();
    assert!(names.contains(&"notes.rvf".into()), "{names:?}");
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("lease")), "{names:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
