//! The machine itself, for tests and for use without WebAssembly.
//!
//! | file | what |
//! |---|---|
//! | `http` | requests over `ureq` |

mod http;

pub use http::NativeHttpClient;
