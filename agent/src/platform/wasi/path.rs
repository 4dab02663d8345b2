//! Which preopened folder a path is in.
//!
//! The host opens only what is below the folders that it gave, links included. So that a person
//! reads what is the matter, and so that no `..` depends on what a link points to, paths are made
//! plain here first.
//!
//! Names are compared part by part, so that `/data2` is not below `/data`, and the innermost
//! folder counts, as one may be given inside another. A relative path is looked for below
//! relative names first (`--dir .`), then from the working folder on.
//!
//! What it must never do: hand the host a `..` or an absolute path, or guess a folder where
//! none fits.

use alloc::string::String;
use alloc::vec::Vec;

use super::edge::descriptor::{Descriptor, given_folders, working_folder};
use crate::platform::FileError;
use crate::text;

/// A folder that the program was given.
struct Given {
    folder: Descriptor,
    /// Its name begins at `/`.
    is_absolute: bool,
    /// The parts of its name.
    parts: Vec<String>,
}

/// All of them.
pub(super) struct Folders {
    given: Vec<Given>,
    /// Where relative paths begin, as far as the host says so.
    working: Option<String>,
}

/// A place below a folder.
pub(super) struct Place<'a> {
    pub(super) folder: &'a Descriptor,
    /// The way from there, without `.`, `..` and doubled slashes; `.` for the folder itself.
    pub(super) way: String,
}

impl Folders {
    pub(super) fn new() -> Self {
        let mut given = Vec::new();
        for (folder, name) in given_folders() {
            if let Ok(parts) = plain(&name, Vec::new()) {
                given.push(Given { folder, is_absolute: name.starts_with('/'), parts });
            }
        }
        Self { given, working: working_folder() }
    }

    /// Finds the folder that a path is in: the innermost one.
    pub(super) fn find(&self, path: &str) -> Result<Place<'_>, FileError> {
        if path.starts_with('/') {
            return self.below(true, &plain(path, Vec::new())?);
        }
        if let Ok(place) = plain(path, Vec::new()).and_then(|parts| self.below(false, &parts)) {
            return Ok(place);
        }
        let working = plain(self.working.as_deref().unwrap_or("/"), Vec::new())?;
        self.below(true, &plain(path, working)?)
    }

    fn below(&self, is_absolute: bool, parts: &[String]) -> Result<Place<'_>, FileError> {
        let fits =
            |given: &&Given| given.is_absolute == is_absolute && parts.starts_with(&given.parts);
        let given = self.given.iter().filter(fits).max_by_key(|given| given.parts.len());
        let given = given.ok_or(FileError::Outside)?;
        let way = match parts.get(given.parts.len()..) {
            Some(rest @ [_, ..]) => rest.join("/"),
            _ => ".".into(),
        };
        Ok(Place { folder: &given.folder, way })
    }
}

impl Place<'_> {
    /// The folder around it and its name there; `None` for a given folder itself.
    pub(super) fn split(&self) -> Option<(&str, &str)> {
        match text::cut_last(&self.way, b'/') {
            Some(split) => Some(split),
            None if self.way == "." => None,
            None => Some((".", &self.way)),
        }
    }
}

/// The parts of a path after those of `start`. `..` takes one away, and none can be taken from
/// nothing.
fn plain(path: &str, start: Vec<String>) -> Result<Vec<String>, FileError> {
    let mut parts = start;
    for part in text::parts(path, b"/") {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(FileError::Outside)?;
            }
            part => parts.push(part.into()),
        }
    }
    Ok(parts)
}
