//! The machine's own files, environment, clock and terminal, for tests and native use.
//!
//! Each implementation is thin: what it adds to the standard library is the meaning that the
//! traits give to errors.

mod clock;
mod environment;
mod files;
mod random;
mod terminal;

pub use clock::NativeClock;
pub use environment::NativeEnvironment;
pub use files::NativeFileSystem;
pub use random::NativeRandom;
pub use terminal::NativeTerminal;
