//! Rows in Wasmtime: `clawft-matrix MODE KIND MODULE …` as [`clawft_matrix::runner`] has it, with one
//! kind more, `component`; `clawft-matrix command …` as [`clawft_matrix::command`] has it; and
//! `clawft-matrix compile MODULE OUT`, which compiles ahead.
//!
//! Built with the feature `compiler` it compiles modules when it loads them; built without, it has no
//! compiler in it, and takes what was compiled ahead.

// Unsafe twice: what was compiled ahead is taken for what it says that it is.
#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "precompiled code can only be loaded on trust")]
mod component;
#[expect(unsafe_code, reason = "precompiled code can only be loaded on trust")]
mod core;
mod interfaces;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "compiler")]
    if let [mode, from, to] = arguments.as_slice()
        && mode == "compile"
    {
        return match core::compile(Path::new(from), Path::new(to)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        };
    }
    match arguments.as_slice() {
        [mode, rest @ ..] if mode == "command" => return clawft_matrix::command::check(rest),
        [mode, kind, rest @ ..] if kind == "component" => return component::run(mode, rest),
        _ => {}
    }
    clawft_matrix::runner::run(&arguments, |path: &Path, _| core::load(path))
}
