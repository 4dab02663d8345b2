//! The main job of clawft, as a host program does it: load a kernel module in
//! Wasmtime, fill it with vectors and search them, all through the C ABI.
//!
//! What this program knows of the kernel is what `clawft.h` says, so a figure
//! printed here is one that any host can reach. The answer to compare with is computed from the data given
//! (`clawft_sample::exact`); it is never read from a file.
//!
//! | file | what |
//! |---|---|
//! | `options` | the command line |
//! | `inputs` | vectors, texts and queries, read from files |
//! | `kernel` | the kernel module in Wasmtime, through its C ABI |
//! | `load` | an artifact loaded, and a store in it filled, under a maximum of memory |
//! | `run` | the demo proper: a sweep over every store, and the report |
//! | `sweep` | rows handed over, searches measured |
//! | `words` | a few queries in words |
//! | `durable` | the second half: a durable memory, and a writer killed half-way |
//! | `agent` | the end: the agent asked three questions |
//! | `check` | the demo as a test |
//! | `asked` | the demo as one engine among others, asked line by line |
//! | `report`, `progress` | what the person reads |

// Unsafe once: `kernel` loads code that it has compiled itself.
#![deny(unsafe_code)]

mod agent;
mod asked;
mod check;
mod durable;
mod inputs;
mod kernel;
mod load;
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
    let options = match options::Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(failure) => {
            eprintln!("demo: {failure}");
            return ExitCode::from(2);
        }
    };
    let outcome = if options.help {
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
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("demo: {failure}");
            ExitCode::FAILURE
        }
    }
}
