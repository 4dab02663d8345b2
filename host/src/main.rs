//! `clawft`: the component in an engine without a compiler, in one file.
//!
//! The commands are the component's. The host gives it what a program needs of a machine, and
//! only that: one folder, the files that `import` names, a list of hosts, a few variables, a
//! terminal, so much memory and so much time.
//!
//! | file | what |
//! |---|---|
//! | `run` | the component in its engine, with what it is granted |
//! | `engine`, `code` | the engine's settings; the compiled component, used where it lies |
//! | `limits` | how much memory and time it may take |
//! | `folder` | the data folder |
//! | `import` | the files that `import` names |
//! | `model` | the file of the embedder `static` |
//! | `hosts` | which hosts may be asked |
//! | `console` | what the component reads and writes |
//! | `serve`, `client` | `clawft serve`; a client's connection |
//! | `writer` | one writer: the lock around every command that may write |
//! | `stop`, `end`, `sleep` | Ctrl-C; what else ends a turn; the clock that both wake the component by |
//! | `failure` | why nothing ran |
//!
//! What it must never do: look into the memory or the messages itself.

// Unsafe in one file: `code` takes what was compiled from where it lies.
#![deny(unsafe_code)]

mod client;
#[expect(unsafe_code, reason = "code is made executable and loaded where it lies")]
mod code;
mod console;
mod end;
mod engine;
mod failure;
mod folder;
mod hosts;
mod import;
mod limits;
mod model;
mod run;
mod serve;
mod sleep;
mod stop;
mod writer;

use clawft_agent::config::Config;
use clawft_store::storage::native::WriterLock;
use failure::{Failed, failed};
use import::Imports;
use run::{Grants, Program};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use stop::Stop;

fn main() {
    let exit = match start() {
        Ok(exit) => exit,
        Err(failure) => {
            let words = std::env::args_os().skip(1);
            let json = words.take_while(|word| word != "--").any(|word| word == "--json");
            failure::say(&failure, json);
            failure.exit
        }
    };
    std::process::exit(exit);
}

/// Grants what the command needs, and runs it.
fn start() -> Result<i32, Failed> {
    let mut arguments = arguments()?;
    let words = words(&arguments);
    let command = words.first().map(|at| arguments[*at].clone());
    let command = command.as_deref();
    if is_plain(command) {
        let is_help = is_help(command, &arguments);
        let exit = run(&Grants { arguments, ..Grants::default() }, None);
        if is_help && matches!(exit, Ok(0)) {
            // Whoever closed the output has seen enough.
            let _ = std::io::stdout().write_all(serve::HELP.as_bytes());
        }
        return exit;
    }

    let data = folder::open()?;
    let mut config = folder::config(&data);
    // Who starts a server is to know that a tool would see nothing; of all else that is no reason to fail.
    if command != Some("serve") {
        folder::leave_out_missing(&mut config.folders);
    }
    let imports = match command {
        Some("import") => Some(Imports::show(&mut arguments, &words[1..], &data)?),
        _ => None,
    };
    let listen = match command {
        Some("serve") => Some(serve::address(&mut arguments)?),
        _ => None,
    };
    let lock = prepare(command, &data)?;
    check_model(command, &arguments, &config, &data)?;
    let to_read = imports.as_ref().map(|imports| imports.folders.clone()).unwrap_or_default();
    let writer = lock.as_ref().map(WriterLock::nonce);
    let exit = run(&Grants { data: Some(data), to_read, writer, config, arguments }, listen);
    // The lock is given back only now that nothing writes any more.
    drop((lock, imports));
    exit
}

/// Those behind the program's name.
fn arguments() -> Result<Vec<String>, Failed> {
    std::env::args_os()
        .skip(1)
        .map(|argument| {
            argument.into_string().map_err(|_| failed(2, "arguments in UTF-8 expected"))
        })
        .collect()
}

/// Whether a command needs nothing of a machine but a terminal: there is help where no data folder can be.
fn is_plain(command: Option<&str>) -> bool {
    matches!(command, None | Some("help" | "--help" | "-h" | "version" | "--version"))
}

/// Whether the component prints its help, for a person: programs get one object, and nothing behind it.
fn is_help(command: Option<&str>, arguments: &[String]) -> bool {
    matches!(command, None | Some("help" | "--help" | "-h"))
        && !arguments.iter().any(|word| word == "--json")
}

/// The lock, for a command that may write, and with it the model file in its place.
fn prepare(command: Option<&str>, data: &Path) -> Result<Option<WriterLock>, Failed> {
    let lock = if writer::writes(command) { writer::lock(data)? } else { None };
    if lock.is_some() {
        model::install(data)?;
    }
    Ok(lock)
}

/// Refuses what would fail without the model file, for which there is no place: the component would ask
/// for it.
fn check_model(
    command: Option<&str>,
    arguments: &[String],
    config: &Config,
    data: &Path,
) -> Result<(), Failed> {
    let options = || arguments.iter().take_while(|word| *word != "--");
    let behind =
        options().position(|word| word == "--embedder").and_then(|at| arguments.get(at + 1));
    let joined = options().find_map(|word| word.strip_prefix("--embedder="));
    let embedder = behind.map(String::as_str).or(joined).unwrap_or(&config.embedder.name);
    let is_static = matches!(embedder, "auto" | "static");
    if matches!(command, Some("remember" | "import")) && is_static && !model::is_there(data) {
        let data = data.display();
        return Err(failed(1, format!("{data} takes no file: it is read-only, or has no room")));
    }
    Ok(())
}

/// Runs the component to its end, or until Ctrl-C, and gives the exit code. When this returns, nothing
/// of it writes any more.
fn run(grants: &Grants, listen: Option<SocketAddr>) -> Result<i32, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(1, format!("no event loop: {error}")))?;
    let exit = runtime.block_on(async {
        let stop = Stop::new();
        stop.listen().map_err(|error| failed(1, format!("Ctrl-C: {error}")))?;
        let program = Program::load(stop)?;
        match listen {
            Some(address) => serve::serve(&program, grants, address).await,
            None => program.command(grants).await,
        }
    });
    // A thread may still wait for a line that nobody needs.
    runtime.shutdown_background();
    exit
}

/// Options that take a value.
const WITH_VALUE: [&str; 5] = ["--session", "--provider", "--embedder", "-k", "--listen"];

/// Where the command and what it works on stand among the arguments, as the component takes them: help is what
/// asks for it in the place of a command or behind one, and one dash begins no option but `-k`.
fn words(arguments: &[String]) -> Vec<usize> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < arguments.len() {
        match arguments[at].as_str() {
            "--" => {
                words.extend(at + 1..arguments.len());
                break;
            }
            option if WITH_VALUE.contains(&option) => at += 1,
            "--help" | "-h" | "--version" if words.len() < 2 => words.insert(0, at),
            option if option.starts_with("--") || is_k(option) => {}
            _ => words.push(at),
        }
        at += 1;
    }
    words
}

/// `-k5` and `-k=5`.
fn is_k(option: &str) -> bool {
    option.strip_prefix("-k").is_some_and(|k| k.starts_with('=') || k.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_told_from_options() {
        for (line, expected) in [
            ("chat", &[0][..]),
            ("--json import a b", &[1, 2, 3]),
            ("--session s ask x -k 3 y", &[2, 3, 6]),
            ("--session=s ask - -- --json", &[1, 2, 4]),
            ("--session", &[]),
            ("--listen a serve", &[2]),
            ("serve --help", &[1, 0]),
            ("remember df -h", &[0, 1, 2]),
            ("remember -l -h x", &[0, 1, 2, 3]),
            ("recall -k5 -k=5 -5 -kay", &[0, 3, 4]),
        ] {
            let line: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(super::words(&line), expected, "{line:?}");
        }
    }
}
