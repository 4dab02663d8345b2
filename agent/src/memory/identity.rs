//! `memory.json`: which embedder made a memory's vectors.
//!
//! ```json
//! {"version": 1, "name": "static", "embedder": "static:0123456789abcdef:2", "dim": 192, "room": 512,
//!  "pending": false}
//! ```
//!
//! `room` is how many records the derived parts have room for: it grows with the memory, so that
//! a small one opens in no time.
//! `pending` is the point of no return of `clawft reembed`: from then on `memory.fresh.rvf` is the
//! memory, and whoever opens it next puts it in place.
//!
//! Why: vectors do not show who made them, and those of two embedders mean nothing to each
//! other. It is a file of its own, as `auto` is chosen by it before any store is opened, and
//! is written before the first record: records without it are of no use.
//!
//! What it must never do: name an embedder that did not make the vectors which a reader gets.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::Memory;
use crate::embed::{self, Embedder};
use crate::failure::{Exit, Failure};
use crate::json::{self, Json};
use crate::platform::{FileError, Platform};
use crate::text;

/// Bytes of the file at most.
const MOST: usize = 4096;
/// Name of the memory's file.
pub const NAME: &str = "memory.rvf";
/// Its journal.
pub(super) const JOURNAL: &str = "memory.rvf.journal";
/// Name of one that is made by another embedder.
pub(super) const FRESH: &str = "memory.fresh.rvf";
const VERSION: u64 = 1;
/// Room of a new memory.
const FIRST_ROOM: u32 = 512;

/// What a memory knows of its embedder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name in the config: `static`, `hashed`, `openai`.
    pub name: String,
    /// Its id: kind and version, or model.
    pub embedder: String,
    /// Components of a vector.
    pub dim: usize,
    /// Records that the derived parts have room for.
    pub room: u32,
    /// Whether the file of another embedder waits to be put in place.
    pub pending: bool,
}

fn path(data: &str) -> String {
    format!("{data}/memory.json")
}

impl Identity {
    pub(super) fn of(embedder: &dyn Embedder) -> Self {
        let id = embedder.id();
        let name = text::head(id, b"-:/ ");
        Self {
            name: name.to_owned(),
            embedder: id.to_owned(),
            dim: embedder.dim(),
            room: FIRST_ROOM,
            pending: false,
        }
    }

    /// Reads it from the data folder; `None` where no memory was made yet.
    ///
    /// # Errors
    /// [`Exit::Damaged`], [`Exit::Failed`].
    pub fn load(platform: &Platform<'_>, data: &str) -> Result<Option<Self>, Failure> {
        let path = path(data);
        let bytes = match platform.files.read(&path, MOST as u64) {
            Ok(bytes) => bytes,
            Err(FileError::NotFound) => return Ok(None),
            Err(error) => return Err(Failure::of_file(&path, &error)),
        };
        let value = json::or_null(&bytes);
        let identity = || {
            let text = |key: &str| Some(value[key].as_text()?.to_owned());
            Some(Self {
                name: text("name")?,
                embedder: text("embedder")?,
                dim: usize::try_from(value["dim"].as_u64()?).ok()?,
                room: u32::try_from(value["room"].as_u64()?).ok()?.max(FIRST_ROOM),
                pending: value["pending"].as_bool()?,
            })
        };
        match identity() {
            Some(identity) if value["version"].as_u64() == Some(VERSION) => Ok(Some(identity)),
            _ => Err(Failure::new(
                Exit::Damaged,
                format!(
                    "{path}: the name of the memory's embedder expected, version {VERSION}, \
                     found something else: `clawft reembed` makes it anew"
                ),
            )),
        }
    }

    pub(super) fn save(&self, platform: &Platform<'_>, data: &str) -> Result<(), Failure> {
        let mut json = Json::object();
        json.count("version", VERSION);
        json.text("name", &self.name);
        json.text("embedder", &self.embedder);
        json.count("dim", self.dim as u64);
        json.count("room", self.room.into());
        json.truth("pending", self.pending);
        let text = json.line();
        let path = path(data);
        if text.len() > MOST {
            let why = format!("{path}: a shorter name of the embedder's model expected");
            return Err(Failure::new(Exit::Usage, why));
        }
        let done = platform.files.replace(&path, text.as_bytes());
        done.map_err(|error| Failure::unwritten(&path, &error))
    }
}

impl Memory<'_> {
    /// Makes sure that the embedder is the one that made the memory.
    pub(super) fn same_embedder(&self, identity: &Identity) -> Result<(), Failure> {
        let Ok(embedder) = self.embedder else { return Ok(()) };
        embed::check(embedder, &identity.embedder, identity.dim)
    }
}
