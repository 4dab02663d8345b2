//! `cargo xtask`: what a person types to see, check, measure and pack clawft.
//!
//! Each command installs what it needs under `target/tools` (targets through
//! rustup) and says in a sentence what is missing where it cannot.
#![forbid(unsafe_code)]

mod agent;
mod artifacts;
mod bench;
mod component;
mod crates;
mod demo;
mod dist;
mod experiment;
mod gate;
mod guests;
mod host;
mod miri;
mod names;
mod platform;
mod process;
mod sizes;
mod splat;
mod tools;
mod wasi;

use process::Outcome;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  demo    build the kernel, load it in Wasmtime, search real data; then ask the agent about it
          (demo --help)
  test    everything that must hold; `test --all` adds the host's tests,
          those that take minutes, Miri, peers and long fuzzing
  bench   criterion benches natively, those of the kernels also in Wasmtime, and
          native peers; arguments go to criterion
  experiment  what a part is worth before it ships: `experiment gate`
  guests  the memory in WASI guests: two writers, a file larger than the memory; `guests
          opening` times opening, `guests large` puts 40,000 vectors into 16 MiB
  platform  each function of the agent's WASI platform, 0.2 and preview 1, in Wasmtime, against
          servers that misbehave; `platform CASE...` takes the cases named
  providers  the agent's providers against servers that validate, cut and break
  host    the command `clawft`: one file with engine and component; `host test` tests what it
          grants and what not, `host measure` takes its size, start and resident memory
  size    bytes of every artifact and of every crate in it, held to the budgets;
          `size --functions simd128` lists the largest functions of one
  dist    fill dist/ with modules, libraries, header and sizes";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome: Outcome = match command.as_deref() {
        Some("demo") => demo::demo(rest),
        Some("test") => gate::test(&rest),
        Some("bench") => bench::bench(&rest),
        Some("experiment") => experiment::experiment(&rest),
        Some("guests") => guests::guests(&rest),
        Some("platform") => platform::check(&rest),
        Some("providers") => agent::providers(),
        Some("host") => host::host(&rest),
        Some("size") => sizes::size(&rest),
        Some("dist") => dist::dist(),
        None | Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown command `{other}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
