//! The command, natively: for tests, and for trying things without WebAssembly.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clawft_agent::command;
use clawft_agent::platform::Platform;
use clawft_agent::platform::native::{
    NativeClock, NativeEnvironment, NativeFileSystem, NativeHttpClient, NativeRandom,
    NativeTerminal,
};

fn main() -> ExitCode {
    let http = NativeHttpClient;
    let clock = NativeClock::default();
    let platform = Platform {
        http: &http,
        files: &NativeFileSystem,
        environment: &NativeEnvironment,
        clock: &clock,
        random: &NativeRandom,
        terminal: &NativeTerminal,
    };
    ExitCode::from(command::run(&platform) as u8)
}
