//! The agent: chat with retrieval memory.
//!
//! | folder or file | what |
//! |---|---|
//! | `platform/` | what is needed of the outside: HTTP, files, environment, clock, randomness, a terminal |
//! | `provider/` | language models: OpenAI chat completions, Anthropic messages, and none (`offline`) |
//! | `config` | `config.toml` |
//! | `session` | conversations that outlive the program |
//! | `memory/` | the retrieval memory |
//! | `command/` | what a person types |
//! | `turn` | a message and its answer |
//! | `tools/` | what a model may call |
//! | `context` | what a model is given to read, within its budget |
//! | `citations` | the ids that an answer cites |
//! | `learn` | what of a message is worth keeping |
//! | `date` | days, as people write them |
//! | `failure` | sentences and exit codes |
//! | `json/` | JSON, read into a tree and written without one |
//! | `text` | looking for something in a text |
//! | `room` | whether there is memory for the next step of a turn |
//! | `gate/` | with the feature `coherence`: what may go into the memory |
//! | `embed/` | texts to vectors: the static model file, hashes, an endpoint |
//! | `serve/` | requests from outside about the memory |
//! | `component/` | in WebAssembly: the exports |
//!
//! Arrows go one way: the turn uses providers, embedders and the memory; these use the platform;
//! the platform is chosen once, at the edge.
//!
//! What this crate must never do: reach the outside but through [`platform`]; write a key into a
//! file, a log or an error; take what a memory says for an instruction.
// The component has no `std`: that is 50 KB. Whoever links this crate beside `std` has that one's
// allocator, and leaves the feature out.
#![cfg_attr(all(target_os = "wasi", feature = "component", not(test)), no_std)]
#![cfg_attr(not(target_os = "wasi"), forbid(unsafe_code))]
// There are two edges in WebAssembly: what is imported, and what is exported.
#![cfg_attr(target_os = "wasi", deny(unsafe_code))]

extern crate alloc;

pub mod citations;
pub mod command;
pub mod config;
pub mod context;
pub mod date;
pub mod embed;
pub mod failure;
#[cfg(feature = "coherence")]
pub mod gate;
mod json;
pub mod learn;
pub mod memory;
pub mod platform;
pub mod provider;
mod room;
pub mod serve;
pub mod session;
mod text;
pub mod tools;
pub mod turn;

#[cfg(all(target_os = "wasi", feature = "component", not(test)))]
#[expect(unsafe_code, reason = "the allocator, and the functions of the canonical ABI and of C")]
mod component;
