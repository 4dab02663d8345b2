//! A memory over a folder, and what most tests ask of it.

use clawft_agent::config::Config;
use clawft_agent::memory::{Limits, Memory, New, Remembered};

use super::{Folder, WORDS, World};

pub(crate) fn limits() -> Limits {
    let limits = Limits::from(&Config::default());
    // What the gate makes of texts is in `gate.rs`; here they are about nothing.
    #[cfg(feature = "coherence")]
    let limits =
        Limits { gate: clawft_agent::gate::Settings { on: false, ..limits.gate }, ..limits };
    limits
}

pub(crate) fn memory<'a>(world: &'a World, folder: &Folder) -> Memory<'a> {
    Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits())
}

pub(crate) fn tell(memory: &mut Memory<'_>, text: &str) -> Remembered {
    memory.remember(&New::fact(text)).unwrap()
}

pub(crate) fn texts(memory: &mut Memory<'_>, query: &str) -> Vec<String> {
    memory.recall(query, 5).unwrap().into_iter().map(|memo| memo.text).collect()
}
