//! An outside in which nothing is: no files, no variables, nobody at the terminal. Providers need
//! only requests, time and chance.

use clawft_agent::platform::{
    Clock, Entry, Environment, FileError, FileSystem, HttpClient, Platform, Random, Terminal,
};
use clawft_store::storage::Storage;

/// Nothing, in every respect but chance, which is always the same.
pub(crate) struct Nowhere;

impl Nowhere {
    /// A platform with these requests and this time.
    pub(crate) fn with<'a>(
        &'a self,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
    ) -> Platform<'a> {
        Platform { http, files: self, environment: self, clock, random: self, terminal: self }
    }
}

impl Random for Nowhere {
    fn fill(&self, into: &mut [u8]) {
        into.fill(0x55);
    }
}

impl Environment for Nowhere {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn arguments(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Terminal for Nowhere {
    fn print(&self, _: &str) {}

    fn note(&self, _: &str) {}

    fn line(&self) -> Option<String> {
        None
    }

    fn is_interactive(&self) -> bool {
        false
    }
}

impl FileSystem for Nowhere {
    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, FileError> {
        Err(FileError::NotFound)
    }

    fn read_at(&self, _: &str, _: u64, _: &mut [u8]) -> Result<usize, FileError> {
        Err(FileError::NotFound)
    }

    fn replace(&self, _: &str, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::ReadOnly)
    }

    fn rename(&self, _: &str, _: &str) -> Result<(), FileError> {
        Err(FileError::ReadOnly)
    }

    fn remove(&self, _: &str) -> Result<(), FileError> {
        Err(FileError::ReadOnly)
    }

    fn create_folder(&self, _: &str) -> Result<(), FileError> {
        Err(FileError::ReadOnly)
    }

    fn list(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Err(FileError::NotFound)
    }

    fn entry(&self, _: &str) -> Result<Entry, FileError> {
        Err(FileError::NotFound)
    }

    fn is_same(&self, _: &str, _: &str) -> bool {
        false
    }

    fn storage(&self, _: &str) -> Result<Box<dyn Storage>, FileError> {
        Err(FileError::ReadOnly)
    }
}
