//! `cargo xtask`: what a person types to see, check, measure and pack clawft.
//!
//! Each command installs what it needs under `target/tools` (targets through
//! rustup) and says in a sentence what is missing where it cannot.
//!
//! | file | what |
//! |---|---|
//! | `test`, `steps` | what must hold before a change lands, in steps that run to the end |
//! | `demo` | builds the demo and runs it |
//! | `bench` | what is measured, and the tables made of it |
//! | `coverage` | which lines the native tests run, by crate |
//! | `fuzz` | the targets of `fuzz/`, for as long as a person wants |
//! | `miri` | tests in an interpreter that sees undefined behaviour |
//! | `soak` | the memory in use for long |
//! | `browser` | the page that searches as one types, in headless Chromium |
//! | `guests` | programs over the memory as WASI guests |
//! | `platform` | each function of the agent's WASI platform |
//! | `providers` | the agent beside servers of the tests |
//! | `host` | the command `clawft`: built, tested and measured |
//! | `wamr` | clawft as a device has it |
//! | `wamr_build` | no command: builds WAMR, library and compiler, and compiles modules ahead with it |
//! | `matrix` | every artifact in every engine |
//! | `guides` | the commands of the guides, run as they stand there |
//! | `experiment` | what a part of the agent is worth before it ships |
//! | `sizes`, `profile` | the commands `size` and `size --profile`: what the artifacts weigh, and of what |
//! | `dist`, `release` | the folder of a release, and what must be true of it |
//! | `licences` | the licences of what is linked into it |
//! | `artifacts` | what each WebAssembly artifact is built from, and the building |
//! | `component` | a core module made a component |
//! | `names`, `splat` | fewer bytes: short names in a component, constant vectors |
//! | `crates` | which crate every byte of a module comes from |
//! | `wasi` | tests and benches as WASI programs |
//! | `tools` | what building and testing need, installed where it is missing |
//! | `process` | where things are, and how other programs are run |
//! | `pages` | tests of the project's pages |
#![forbid(unsafe_code)]

mod artifacts;
mod bench;
mod browser;
mod component;
mod coverage;
mod crates;
mod demo;
mod dist;
mod experiment;
mod fuzz;
mod guests;
mod guides;
mod host;
mod licences;
mod matrix;
mod miri;
mod names;
#[cfg(test)]
mod pages;
mod platform;
mod process;
mod profile;
mod providers;
mod release;
mod sizes;
mod soak;
mod splat;
mod steps;
mod test;
mod tools;
mod wamr;
mod wamr_build;
mod wasi;

use process::Outcome;
use std::ffi::OsString;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  demo    build the kernel, load it in Wasmtime, search real data; then ask the agent about it
          (demo --help)
  test    everything that must hold; `test --all` adds the host's tests,
          those that take minutes, the soak, Miri, peers and long fuzzing; `test --long`
          is what it adds, alone
  bench   all that is measured, or a part: `bench criterion`, `bench report` (beside native
          peers), `bench scaling` (`--wamr` as all of it has it); `bench render` makes the tables
          anew; other words go to criterion
  coverage  lines that the native tests run, by crate; fails under 85 % of one, and where a file has
          none and no reason is given; `coverage --files` lists those that they do not run
  fuzz    the targets of fuzz/, 30 minutes each; `fuzz TARGET... --minutes N`; `fuzz keep` packs
          what they found into fuzz/seeds/, with which every run begins
  browser  the page of ffi/examples/browser in headless Chromium, searched as one types
  miri    the tests of the portable crates in an interpreter that sees undefined behaviour, for
          pointers of 64 and of 32 bits; `miri CRATE...` takes those named
  experiment  what a part is worth before it ships: `experiment learn`, `experiment gate`
  guests  the memory in WASI guests: two writers, a file larger than the memory; `guests
          opening` times opening, `guests large` puts 40,000 vectors into 16 MiB
  platform  each function of the agent's WASI platform, 0.2 and preview 1, in Wasmtime, against
          servers that misbehave; `platform CASE...` takes the cases named, `platform proxy`
          puts nginx in front, `platform gate` takes the interface of the gate
  wamr    the agent and the kernel in WAMR, the engine of devices, from C; interpreted, and
          compiled ahead of time; `wamr CASE...` takes the cases named
  providers  the agent's providers against servers that validate, cut and break
  host    the command `clawft`: one file with engine and component; `host test` tests what it
          grants and what not, `host measure` takes its size, start and resident memory
  guides  the commands of README and docs/deployment/wasm.md, run as they stand there; `guides
          --all` takes those too that need the whole of dist/ or a proxy
  matrix  every artifact in every engine, Wasmtime and WAMR: one suite, start and memory beside
          their budgets; `matrix --check` the suite alone (matrix --help)
  soak    a million calls of a memory with crashes and openings, over the simulated disk and over real
          files, memory and files within bounds; `soak disk|files --operations N --seed N`
  size    bytes of every artifact and of every crate in it, held to the budgets;
          `size --functions simd128` lists the largest functions of one, `size --profile`
          writes what docs/size.md has: by crate, by function, and what each step brings
  dist    fill dist/ with all that a release carries: modules, libraries, headers, interfaces,
          the command, sizes, checksums and licences";

/// What a person typed, or which of it is no text.
fn words(arguments: impl Iterator<Item = OsString>) -> Outcome<Vec<String>> {
    let text = |word: OsString| {
        word.into_string().map_err(|word| format!("`{}` is not Unicode", word.display()))
    };
    arguments.map(text).collect()
}

fn main() -> ExitCode {
    let mut arguments = match words(std::env::args_os().skip(1)) {
        Ok(words) => words.into_iter(),
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            return ExitCode::from(2);
        }
    };
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome: Outcome = match command.as_deref() {
        Some("demo") => demo::demo(rest),
        Some("test") => test::test(&rest),
        Some("bench") => bench::bench(&rest),
        Some("coverage") => coverage::coverage(&rest),
        Some("fuzz") => fuzz::fuzz(&rest),
        Some("browser") => browser::check(),
        Some("miri") => miri::miri(&rest),
        Some("experiment") => experiment::experiment(&rest),
        Some("guests") => guests::guests(&rest),
        Some("platform") => platform::check(&rest),
        Some("wamr") => wamr::check(&rest),
        Some("providers") => providers::check(),
        Some("guides") => guides::guides(&rest),
        Some("host") => host::host(&rest),
        Some("matrix") => matrix::matrix(&rest),
        Some("soak") => soak::soak(&rest),
        Some("size") => sizes::size(&rest),
        Some("dist") => dist::dist(),
        None | Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => {
            eprintln!("xtask: unknown command `{other}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_word_that_is_no_text_is_named() {
        let word = |bytes: &[u8]| OsString::from_vec(bytes.into());
        assert_eq!(words([word(b"demo")].into_iter()), Ok(vec!["demo".into()]));
        let sentence = words([word(b"demo"), word(b"b\xff.npy")].into_iter()).unwrap_err();
        assert!(sentence.starts_with("`b") && sentence.ends_with(".npy` is not Unicode"));
    }
}
