//! Variables and arguments of the process.

use alloc::string::String;
use alloc::vec::Vec;

use crate::platform::Environment;

/// What this process was started with. What is not UTF-8 is not there, or shown with marks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeEnvironment;

impl Environment for NativeEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        // An empty name, and one with `=`, panics in older libraries.
        (!name.is_empty() && !name.contains(['=', '\0'])).then(|| std::env::var(name).ok())?
    }

    fn arguments(&self) -> Vec<String> {
        let text = |argument: std::ffi::OsString| argument.to_string_lossy().into_owned();
        std::env::args_os().skip(1).map(text).collect()
    }
}
