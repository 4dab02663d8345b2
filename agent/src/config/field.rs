//! The keys of the config, and what each of them takes: one table to read it by and to print it by.
//!
//! Why: a key is a place in `keys`, and one `match` by places gives its setting, to take a
//! value or to print it. So what can be read is printed too, table by table and in the same
//! order.
//!
//! What it must never do: have a key without an arm of its own, or in another place than its
//! arm: what no arm takes becomes `tools.hosts`.

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
#[cfg(feature = "coherence")]
use super::gate::KEYS as GATE;

/// Those of the gate, which is not there.
#[cfg(not(feature = "coherence"))]
const GATE: &[&str] = &[];

/// Who may answer.
const PROVIDERS: &str = "auto, offline, openai, anthropic";
/// Who may make vectors.
const EMBEDDERS: &str = "auto, static, hashed, openai";
/// What becomes of a full memory.
const FULL: &str = "refuse, evict";

/// A setting, by what it takes.
pub(super) enum Field<'c> {
    /// A string.
    Text(&'c mut String),
    /// One of these.
    Choice(&'c mut String, &'static str),
    /// An address, or nothing.
    Address(&'c mut String),
    /// Name of a variable.
    Variable(&'c mut String),
    /// A whole number from one to another.
    Whole(&'c mut u32, u32, u32),
    /// A number from 0 to 2, or none.
    Degree(&'c mut Option<f32>),
    Truth(&'c mut bool),
    /// Strings.
    List(&'c mut Vec<String>),
    /// Hosts, with a port or without.
    Hosts(&'c mut Vec<String>),
}

/// Those that are always there.
const KEYS: &[&str] = &[
    "provider.name",
    "provider.model",
    "provider.base_url",
    "provider.api_key_env",
    "provider.max_tokens",
    "provider.temperature",
    "provider.stream",
    "embedder.name",
    "embedder.model",
    "embedder.base_url",
    "embedder.api_key_env",
    "embedder.dim",
    "memory.capacity",
    "memory.image_kib",
    "memory.words_kib",
    "memory.when_full",
    "memory.recall",
    "memory.learn",
    "chat.context_tokens",
    "chat.memory_share",
    "chat.tool_rounds",
    "tools.folders",
    "tools.hosts",
];

/// All keys, table by table: [`Config::field`] has them in the same order.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(GATE).copied()
}

impl Config {
    /// The setting of a key, by its place in [`keys`].
    pub(super) fn field(&mut self, at: usize) -> Field<'_> {
        match at {
            0 => Field::Choice(&mut self.provider.name, PROVIDERS),
            1 => Field::Text(&mut self.provider.model),
            2 => Field::Address(&mut self.provider.base_url),
            3 => Field::Variable(&mut self.provider.api_key_env),
            4 => Field::Whole(&mut self.max_tokens, 1, 1_000_000),
            5 => Field::Degree(&mut self.temperature),
            6 => Field::Truth(&mut self.stream),
            7 => Field::Choice(&mut self.embedder.name, EMBEDDERS),
            8 => Field::Text(&mut self.embedder.model),
            9 => Field::Address(&mut self.embedder.base_url),
            10 => Field::Variable(&mut self.embedder.api_key_env),
            11 => Field::Whole(&mut self.dim, 0, 8192),
            12 => Field::Whole(&mut self.capacity, 1, 40_000),
            13 => Field::Whole(&mut self.image_kib, 64, 1 << 20),
            14 => Field::Whole(&mut self.words_kib, 64, 1 << 20),
            15 => Field::Choice(&mut self.when_full, FULL),
            16 => Field::Whole(&mut self.recall, 1, 100),
            17 => Field::Truth(&mut self.learn),
            18 => Field::Whole(&mut self.context_tokens, 500, 2_000_000),
            19 => Field::Whole(&mut self.memory_share, 0, 80),
            20 => Field::Whole(&mut self.tool_rounds, 0, 64),
            21 => Field::List(&mut self.folders),
            #[cfg(feature = "coherence")]
            23.. => self.gate.field(at - KEYS.len()),
            _ => Field::Hosts(&mut self.hosts),
        }
    }
}
