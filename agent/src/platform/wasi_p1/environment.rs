//! Variables and arguments.

use alloc::string::String;
use alloc::vec::Vec;

use super::sys;
use crate::platform::Environment;

/// What the host lets the program know.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiEnvironment;

impl Environment for WasiEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        sys::variables().iter().find_map(|pair| {
            let (found, value) = pair.split_once('=')?;
            (found == name).then(|| value.into())
        })
    }

    fn arguments(&self) -> Vec<String> {
        let mut all = sys::arguments();
        all.drain(..all.len().min(1));
        all
    }
}
