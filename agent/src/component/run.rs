//! `wasi:cli/run`: the command.
//!
//! What it must never do: end with 0 where the command did not.

use wasip2::cli::exit::exit_with_code;
use wasip2::exports::cli::run::Guest;

use super::Component;
use crate::command;
use crate::platform::wasi::Wasi;

impl Guest for Component {
    /// Ends the program with the command's exit code; 0 returns.
    fn run() -> Result<(), ()> {
        match command::run(&Wasi::new().platform()) {
            0 => Ok(()),
            code => {
                exit_with_code(u8::try_from(code).unwrap_or(1));
                Err(())
            }
        }
    }
}
