//! WASI 0.2, as a component sees it.
//!
//! | file | what |
//! |---|---|
//! | `http` | requests: `wasi:http/outgoing-handler` |
//! | `raw` | those of its functions that give error codes |
//! | `sentence` | what each of its error codes means, in words |
//! | `wait` | waiting with an end |
//! | `descriptor` | files and folders |
//! | `environment`, `clock`, `random`, `standard` | the rest |
//!
//! The bindings are those of the crate `wasip2`, which needs no `std` and links only what is called;
//! but for `raw`.
//! WASI ends a program that drops a parent before its child, or a stream before its pollable: the
//! order of fields and of lets in this folder is the order in which things may go.

mod clock;
pub(super) mod descriptor;
mod environment;
mod http;
mod random;
pub(crate) mod raw;
mod sentence;
mod standard;
mod wait;

pub use clock::WasiClock;
pub use environment::WasiEnvironment;
pub use http::WasiHttpClient;
pub use random::WasiRandom;
pub(crate) use random::random_u64;
pub(super) use standard::Standard;
