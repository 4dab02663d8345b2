//! WASI preview 1, as a core module sees it, and one import for HTTP.
//!
//! | file | what |
//! |---|---|
//! | `http` | requests: the import `clawft_http` |
//! | `protocol` | what goes over it, drawn |
//! | `sys` | the functions of `wasi_snapshot_preview1` |
//! | `descriptor` | files and folders |
//! | `environment`, `clock`, `random`, `standard` | the rest |
//!
//! For engines that know no components: WAMR and its kind. ADR 12 says why HTTP is one import.

mod clock;
pub(super) mod descriptor;
mod environment;
mod http;
mod protocol;
mod random;
mod standard;
mod sys;

pub use clock::WasiClock;
pub use environment::WasiEnvironment;
pub use http::WasiHttpClient;
pub use random::WasiRandom;
pub(crate) use random::random_u64;
pub(super) use standard::Standard;
