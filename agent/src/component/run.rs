//! `wasi:cli/run`: the command.

use wasip2::exports::cli::run::Guest;

use super::Component;
use crate::platform::wasi_p2::Wasi;

impl Guest for Component {
    fn run() -> Result<(), ()> {
        let wasi = Wasi::new();
        let platform = wasi.platform();
        match platform.environment.arguments().first().map(alloc::string::String::as_str) {
            Some("version") => {
                platform.terminal.print(concat!("clawft ", env!("CARGO_PKG_VERSION"), "\n"));
                Ok(())
            }
            _ => {
                platform.terminal.note("version expected\n");
                Err(())
            }
        }
    }
}
