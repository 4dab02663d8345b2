//! `clawft`: the component in an engine without a compiler, in one file.
//!
//! The commands are the component's. The host gives it what a program needs of a machine, and
//! only that: one folder, the files that `import` names, a list of hosts, a few variables, a
//! terminal, so much memory and so much time. What it must never do: look into the memory or
//! the messages itself.

mod console;
mod engine;
mod failure;
mod folder;
mod hosts;
mod import;
mod limits;
mod run;
mod stop;
mod writer;

use failure::{Failed, failed};
use import::Imports;
use run::{Grants, Program};
use stop::Stop;

fn main() {
    let exit = match start() {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("clawft: {}", failure.sentence);
            failure.exit
        }
    };
    // A thread may still wait for a line that nobody needs.
    std::process::exit(exit);
}

fn start() -> Result<i32, Failed> {
    let mut arguments = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let text = argument.into_string();
        arguments.push(text.map_err(|_| failed(2, "arguments in UTF-8 expected"))?);
    }
    let at = arguments.iter().position(|argument| !argument.starts_with('-'));
    let command = at.map(|at| arguments[at].clone());

    let data = folder::open()?;
    let config = folder::config(&data);
    let imports = match at {
        Some(at) if command.as_deref() == Some("import") => {
            Some(Imports::show(&mut arguments[at + 1..], &data)?)
        }
        _ => None,
    };
    let lock = writer::writes(command.as_deref()).then(|| writer::lock(&data)).transpose()?;
    let to_read = imports.as_ref().map(|imports| imports.folders.clone()).unwrap_or_default();
    let grants = Grants { data, to_read, config, arguments };

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(1, format!("no event loop: {error}")))?;
    let exit = runtime.block_on(async {
        let stop = Stop::new();
        stop.listen();
        Program::load(stop)?.command(&grants).await
    });
    // The lock is given back only now that nothing writes any more.
    drop((lock, imports));
    exit
}
