//! The engine's configuration: one for the host and for the program that compiles ahead for it.
//!
//! A compiled component is bound to the version of Wasmtime and to the settings below: both
//! sides include this file, so that they cannot differ.
//!
//! What it must never do: have a setting on one side alone that changes what is compiled.

use wasmtime::{Config, Engine};

/// The engine that the component is compiled for and runs in. `how` may add how it is loaded, which
/// leaves what is compiled as it is.
///
/// # Errors
/// What Wasmtime says of settings that the machine cannot have.
pub(crate) fn engine(how: impl FnOnce(&mut Config)) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    // Time limits and Ctrl-C stop code that never asks the host for anything.
    config.epoch_interruption(true);
    // Which instruction of the component each instruction of the machine came from: a tenth of
    // the compiled bytes, for backtraces with offsets that nobody reads.
    config.generate_address_map(false);
    // A component that runs once gains nothing from a file in memory with its first data, which
    // would count against a limit on the size of files.
    config.memory_init_cow(false);
    how(&mut config);
    Engine::new(&config)
}
