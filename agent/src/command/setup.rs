//! Config, embedder and provider of a run.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::arguments::Arguments;
use crate::config::{self, Config};
use crate::embed::{Embedder, Hashed, Table};
use crate::failure::{Exit, Failure};
use crate::memory::{Identity, Limits, Memory};
use crate::platform::Platform;
use crate::provider::{Anthropic, Endpoint, Key, Offline, OpenAi, Provider, anthropic, openai};

/// Where the model file of the embedder `static` lies in the data folder.
pub(super) const MODEL: &str = "models/static.table";
/// Components of the vectors of `hashed`, where the config does not say.
const HASHED: usize = 512;

/// What a run works with.
pub(crate) struct Setup<'a> {
    pub(crate) platform: Platform<'a>,
    pub(crate) data: String,
    pub(crate) config: Config,
    embedder: Result<Box<dyn Embedder>, Failure>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(platform: &Platform<'a>, arguments: &Arguments) -> Result<Self, Failure> {
        let data = config::folder(platform.environment);
        let mut config = Config::load(platform, &data)?;
        if let Some(name) = &arguments.provider {
            config.choose("provider.name", name)?;
        }
        if let Some(name) = &arguments.embedder {
            config.choose("embedder.name", name)?;
        }
        Ok(Self::of(platform, data, config))
    }

    /// What a config says, for whoever has no command line: without one, that of the data folder.
    #[cfg(all(target_env = "p2", feature = "component"))]
    pub(crate) fn of_config(
        platform: &Platform<'a>,
        config: Option<&str>,
    ) -> Result<Self, Failure> {
        let data = config::folder(platform.environment);
        let config = match config {
            Some(text) => Config::parse(text)?,
            None => Config::load(platform, &data)?,
        };
        Ok(Self::of(platform, data, config))
    }

    fn of(platform: &Platform<'a>, data: String, config: Config) -> Self {
        let embedder = embedder(platform, &data, &config);
        Self { platform: *platform, data, config, embedder }
    }

    pub(crate) fn memory(&self) -> Memory<'_> {
        let embedder = self.embedder.as_ref().map(|boxed| &**boxed).map_err(Clone::clone);
        Memory::new(&self.platform, &self.data, embedder, Limits::from(&self.config))
    }

    /// Who answers, and its model.
    pub(crate) fn provider(&self) -> Result<(Box<dyn Provider>, String), Failure> {
        let service = &self.config.provider;
        let key = |usual: &str| {
            let name = if service.api_key_env.is_empty() { usual } else { &service.api_key_env };
            let value = self.platform.environment.variable(name).unwrap_or_default();
            (Key::new(&value), name.to_string())
        };
        let name = match &*service.name {
            "auto" if key(OPENAI_KEY).0.is_some() => "openai",
            "auto" if key(ANTHROPIC_KEY).0.is_some() => "anthropic",
            "auto" => "offline",
            name => name,
        };
        let or = |text: &str, otherwise: &str| match text.is_empty() {
            true => otherwise.to_string(),
            false => text.to_string(),
        };
        let endpoint = |usual: &str, key_name: &str| {
            let (key, variable) = key(key_name);
            Endpoint::new(&or(&service.base_url, usual), key, &variable)
        };
        Ok(match name {
            "openai" => (
                Box::new(OpenAi::new(endpoint(openai::BASE_URL, OPENAI_KEY))),
                or(&service.model, OPENAI_MODEL),
            ),
            "anthropic" => (
                Box::new(Anthropic::new(endpoint(anthropic::BASE_URL, ANTHROPIC_KEY))),
                or(&service.model, ANTHROPIC_MODEL),
            ),
            _ => (Box::new(Offline), String::new()),
        })
    }
}

const OPENAI_KEY: &str = "OPENAI_API_KEY";
const ANTHROPIC_KEY: &str = "ANTHROPIC_API_KEY";
/// Models where the config names none: small ones of each vendor.
const OPENAI_MODEL: &str = "gpt-4.1-mini";
const ANTHROPIC_MODEL: &str = "claude-haiku-4-5";

/// The embedder that the config names; `auto` is the one that made the memory, and `static` for a
/// new one.
fn embedder(
    platform: &Platform<'_>,
    data: &str,
    config: &Config,
) -> Result<Box<dyn Embedder>, Failure> {
    let mut name = config.embedder.name.clone();
    if name == "auto" {
        let known = Identity::load(platform, data)?;
        name = known.map_or_else(|| "static".to_string(), |identity| identity.name);
    }
    match &*name {
        "static" => match Table::load(platform, &format!("{data}/{MODEL}")) {
            Ok(table) => Ok(Box::new(table)),
            Err(error) => Err(Failure::new(
                Exit::Embedder,
                format!(
                    "the embedder static needs its model file: {error}. Put it there, or make the \
                     memory with `--embedder hashed`, which needs no file and is blind to \
                     paraphrase"
                ),
            )),
        },
        "hashed" => Ok(Box::new(Hashed::new(match config.dim {
            0 => HASHED,
            dim => dim as usize,
        }))),
        other => Err(Failure::new(
            Exit::Embedder,
            format!("one of the embedders static and hashed expected, found {other}"),
        )),
    }
}
