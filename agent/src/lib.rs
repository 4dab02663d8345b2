//! The agent: chat with retrieval memory.
//!
//! | folder or file | what |
//! |---|---|
//! | `platform/` | what is needed of the outside: HTTP, files, environment, clock, randomness, a terminal |
//! | `provider/` | language models: OpenAI chat completions, Anthropic messages, and none (`offline`) |
//! | `config` | `config.toml` |
//! | `session` | conversations that outlive the program |
//! | `failure` | sentences and exit codes |
//! | `embed/` | texts to vectors: the static model file, hashes, an endpoint |
//!
//! Arrows go one way: the turn uses providers, embedders and the memory; these use the platform;
//! the platform is chosen once, at the edge.
//!
//! What this crate must never do: reach the outside but through [`platform`]; write a key into a
//! file, a log or an error; take what a memory says for an instruction.
#![cfg_attr(target_family = "wasm", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod config;
pub mod embed;
pub mod failure;
pub mod platform;
pub mod provider;
pub mod session;
