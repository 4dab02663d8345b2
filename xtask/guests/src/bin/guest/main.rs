//! A small program over the durable memory, to be run as a WASI guest: two at once that write one
//! file, and one that opens a file larger than its memory. `cargo xtask guests` builds it, runs it
//! in Wasmtime and checks what it prints.
//!
//! ```text
//! guest write FOLDER FIRST COUNT HOLD NAP   commits COUNT records, ids from FIRST on, one a
//!                                       commit; gives the lease back after every HOLD commits;
//!                                       sleeps NAP ms beyond its lease once, if NAP is not 0
//! guest second FOLDER                   tries to become the writer once, then reads
//! guest check FOLDER                    prints the ids of all records, each one checked
//! guest make FOLDER COUNT               a file of COUNT records of 512 components
//! guest foreign FOLDER COUNT            the same, written by rvf-runtime in one batch; natively
//! guest open FOLDER COUNT [foreign]     opens such a memory, searches it and changes it
//! ```

#![forbid(unsafe_code)]

mod large;
mod writers;

use std::path::Path;
use std::process::ExitCode;

use clawft_benches::random::Random;
use clawft_store::memory;
use clawft_store::storage::native::NativeFolder;

/// The durable file's name.
const NAME: &str = "memory.rvf";

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["write", folder, rest @ ..] => match rest {
            [first, count, hold, nap] => numbers([first, count, hold, nap])
                .and_then(|numbers| writers::write(Path::new(folder), numbers)),
            _ => Err("four numbers expected: FIRST COUNT HOLD NAP".into()),
        },
        ["second", folder] => writers::second(Path::new(folder)),
        ["check", folder] => writers::check(Path::new(folder)),
        ["make", folder, count] => {
            numbers([count]).and_then(|[count]| large::make(Path::new(folder), count))
        }
        #[cfg(not(target_family = "wasm"))]
        ["foreign", folder, count] => {
            numbers([count]).and_then(|[count]| large::make_foreign(Path::new(folder), count))
        }
        ["open", folder, count] => {
            numbers([count]).and_then(|[count]| large::open(Path::new(folder), count, true))
        }
        ["open", folder, count, "foreign"] => {
            numbers([count]).and_then(|[count]| large::open(Path::new(folder), count, false))
        }
        other => Err(format!("unknown arguments {other:?}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn numbers<const N: usize>(words: [&&str; N]) -> Result<[u64; N], Box<dyn std::error::Error>> {
    let mut numbers = [0; N];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = word.parse().map_err(|_| format!("a number expected, found {word}"))?;
    }
    Ok(numbers)
}

fn storage(folder: &Path) -> Result<NativeFolder, memory::Error> {
    NativeFolder::new(folder).map_err(|why| clawft_store::Error::from(why).into())
}

/// The vector and the text that a record has by its id, in every program and run.
fn content(id: u64, dim: usize) -> (Vec<f32>, String) {
    let mut random = Random::new(id);
    let vector = (0..dim).map(|_| (random.bits() % 20_000) as f32 / 10_000.0 - 1.0).collect();
    let words = ["tea", "five", "rain", "river", "nothing", "garden", "letter", "winter"];
    let mut text = format!("record {id}:");
    for _ in 0..16 {
        text.push(' ');
        text.push_str(words[random.bits() as usize % words.len()]);
    }
    (vector, text)
}

fn record<'a>(id: u64, vector: &'a [f32], text: &'a str) -> clawft_store::Record<'a> {
    clawft_store::Record {
        id,
        vector,
        text,
        kind: "fact",
        created: id,
        last_used: id,
        importance: 0.5,
        ..Default::default()
    }
}
