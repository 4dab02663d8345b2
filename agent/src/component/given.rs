//! The config that the host gave in place of the data folder's.
//!
//! What it must never do: keep a text that is no config: one that is refused leaves what was there.

use alloc::string::String;
use core::cell::RefCell;

use crate::config::Config;
use crate::failure::Failure;

/// The text of a config.
struct Given(RefCell<Option<String>>);

// SAFETY: an instance has one thread.
unsafe impl Sync for Given {}

static GIVEN: Given = Given(RefCell::new(None));

/// Takes a config, once it is known to be one.
pub(super) fn take(config: Option<String>) -> Result<(), Failure> {
    if let Some(text) = &config {
        Config::parse(text)?;
    }
    *GIVEN.0.borrow_mut() = config;
    Ok(())
}

/// A copy of it.
pub(super) fn get() -> Option<String> {
    GIVEN.0.borrow().clone()
}
