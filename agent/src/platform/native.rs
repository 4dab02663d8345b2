//! The machine itself, for tests and for use without WebAssembly.
//!
//! Each implementation is thin: what it adds to the standard library is the meaning that the
//! traits give to errors. `http` is over `ureq`.

mod clock;
mod environment;
mod files;
mod http;
mod random;
mod terminal;

pub use clock::NativeClock;
pub use environment::NativeEnvironment;
pub use files::NativeFileSystem;
pub use http::NativeHttpClient;
pub use random::NativeRandom;
pub use terminal::NativeTerminal;
