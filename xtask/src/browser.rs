//! `cargo xtask browser`: the page that searches as one types, in headless Chromium.

use crate::artifacts::SIMD128_KERNEL;
use crate::process::{Outcome, command, run};
use crate::tools;

/// Opens the page, types, and looks at what it shows.
pub(crate) fn check() -> Outcome {
    run(command("node")
        .arg("ffi/tests/browser.mjs")
        .arg(tools::playwright()?)
        .arg(tools::chromium()?)
        .arg(SIMD128_KERNEL.build()?.path))
}
