//! Variables and arguments.

use alloc::string::String;
use alloc::vec::Vec;

use wasip2::cli::environment;

use crate::platform::Environment;

/// What the host lets the program know.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiEnvironment;

impl Environment for WasiEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        let all = environment::get_environment();
        all.into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    fn arguments(&self) -> Vec<String> {
        let mut all = environment::get_arguments();
        all.drain(..all.len().min(1));
        all
    }
}
