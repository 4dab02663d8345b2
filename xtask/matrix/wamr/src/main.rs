//! Rows in WAMR: `clawft-matrix-wamr MODE KIND MODULE …` as [`clawft_matrix::runner`] has it. A module
//! is interpreted; a file that `wamrc` has made of one is run as it is.

mod imports;
mod wamr;
mod wasi;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    clawft_matrix::runner::run(&arguments, wamr::load)
}
