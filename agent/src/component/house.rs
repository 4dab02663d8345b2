//! What the data folder says: config, embedder, memory.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use crate::config::{self, Config};
use crate::embed::{Embedder, Hashed, Table};
use crate::failure::{Exit, Failure};
use crate::memory::{Limits, Memory};
use crate::platform::Platform;

/// Components of the hashed embedder where the config says nothing.
const HASHED: usize = 512;
/// The file of the static embedder, in the data folder.
const TABLE: &str = "static.bin";

/// A data folder, with its config.
pub(super) struct House {
    pub(super) data: String,
    pub(super) config: Config,
}

impl House {
    /// Reads the config of the data folder.
    pub(super) fn open(platform: &Platform<'_>) -> Result<Self, Failure> {
        let data = config::folder(platform.environment);
        let config = Config::load(platform, &data)?;
        Ok(Self { data, config })
    }

    fn embedder(&self, platform: &Platform<'_>) -> Result<Box<dyn Embedder>, Failure> {
        match self.config.embedder.name.as_str() {
            "hashed" if self.config.dim == 0 => Ok(Box::new(Hashed::new(HASHED))),
            "hashed" => Ok(Box::new(Hashed::new(self.config.dim as usize))),
            "static" => match Table::load(platform, &format!("{}/{TABLE}", self.data)) {
                Ok(table) => Ok(Box::new(table)),
                Err(error) => Err(Failure::new(Exit::Embedder, error.sentence)),
            },
            other => {
                let sentence = format!("the embedder static or hashed expected, found {other}");
                Err(Failure::new(Exit::Embedder, sentence))
            }
        }
    }

    /// Lends the memory. What is derived from a change is saved afterwards.
    pub(super) fn with_memory<T>(
        &self,
        platform: &Platform<'_>,
        work: impl FnOnce(&mut Memory<'_>) -> T,
    ) -> T {
        let embedder = self.embedder(platform);
        let embedder = match &embedder {
            Ok(embedder) => Ok(&**embedder),
            Err(failure) => Err(failure.clone()),
        };
        let limits = Limits::from(&self.config);
        work(&mut Memory::new(platform, &self.data, embedder, limits))
    }
}
