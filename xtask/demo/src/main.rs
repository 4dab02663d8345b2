//! The main job of clawft, as a host program does it: load a kernel module in
//! Wasmtime, fill it with vectors and search them, all through the C ABI.
//!
//! What this program knows of the kernel is what `clawft.h` says, so a figure
//! printed here is one that any host can reach. The answer to compare with is computed from the data given
//! (`clawft_sample::exact`); it is never read from a file.

// Unsafe once: `kernel` loads code that it has compiled itself.
#![deny(unsafe_code)]

mod agent;
mod asked;
mod check;
mod durable;
mod kernel;
mod options;
mod progress;
mod report;
mod run;
mod sweep;
mod words;

use std::process::ExitCode;

/// Any failure of this program, as the sentence that the person reads.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Failure(sentence.into())
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Failure(sentence)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn main() -> ExitCode {
    let outcome = options::Options::parse(std::env::args().skip(1)).and_then(|options| {
        if options.help {
            println!("{}", options::USAGE);
            Ok(true)
        } else if let Some(folder) = &options.import_into {
            durable::child(&options, folder).map(|()| true)
        } else if options.check {
            check::check(&options)
        } else if options.ask {
            asked::serve(&options).map(|()| true)
        } else {
            run::run(&options).map(|()| true)
        }
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("demo: {failure}");
            ExitCode::FAILURE
        }
    }
}
