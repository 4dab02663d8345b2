//! `wasi:cli/run`: the command.

use wasip2::exports::cli::run::Guest;

use super::Component;
use crate::command;
use crate::platform::wasi_p2::Wasi;

impl Guest for Component {
    /// The exit code is not stable in WASI 0.2: hosts are told only whether it is 0.
    fn run() -> Result<(), ()> {
        match command::run(&Wasi::new().platform()) {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}
