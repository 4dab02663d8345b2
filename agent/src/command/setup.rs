//! Config, embedder and provider of a run.
//!
//! Why: an embedder that cannot be opened is kept as its failure, since a memory without
//! one can still be read, and things be forgotten. `auto` is the embedder that made the
//! memory, whatever the default is by now; the number of components that the memory knows
//! spares an endpoint the question for it.
//!
//! What it must never do: give the address, the model or the key of one provider to another,
//! or send a question to an address of which nobody said whose it is.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::arguments::Arguments;
use crate::config::{self, Config, Service};
use crate::embed::{self, Choice, Embedder, TABLE};
use crate::failure::{Exit, Failure};
use crate::memory::{Identity, Limits, Memory};
use crate::platform::Platform;
use crate::provider::{Anthropic, Endpoint, Key, Offline, OpenAi, Provider, anthropic, openai};
use crate::turn::Agent;

/// What a run works with.
pub(crate) struct Setup<'a> {
    pub(crate) platform: Platform<'a>,
    pub(crate) data: String,
    pub(crate) config: Config,
    embedder: Result<Box<dyn Embedder>, Failure>,
}

impl<'a> Setup<'a> {
    /// What a config and a command line say.
    pub(super) fn new(
        platform: &Platform<'a>,
        arguments: &Arguments,
        given: Option<&str>,
    ) -> Result<Self, Failure> {
        let data = config::folder(platform.environment);
        let mut config = load(platform, &data, given)?;
        if let Some(name) = &arguments.provider {
            // Model, address and key are those of the provider that the config names: another one
            // must not get them.
            if *name != config.provider.name {
                // Where it names none, nobody knows whose they are: questions must not go elsewhere
                // than to the address that stands there. Offline none is asked.
                if name != "offline" {
                    whose(&config.provider)?;
                }
                config.provider = Service::default();
            }
            config.choose("provider.name", name)?;
        }
        if let Some(name) = &arguments.embedder {
            config.choose("embedder.name", name)?;
        }
        Ok(Self::of(platform, data, config, arguments.command() == "reembed"))
    }

    /// What a config says, for whoever has no command line.
    #[cfg(all(target_env = "p2", feature = "component"))]
    pub(crate) fn of_config(platform: &Platform<'a>, given: Option<&str>) -> Result<Self, Failure> {
        let data = config::folder(platform.environment);
        let config = load(platform, &data, given)?;
        Ok(Self::of(platform, data, config, false))
    }

    fn of(platform: &Platform<'a>, data: String, config: Config, anew: bool) -> Self {
        let embedder = embedder(platform, &data, &config, anew);
        Self { platform: *platform, data, config, embedder }
    }

    pub(crate) fn memory(&self) -> Memory<'_> {
        let embedder = self.embedder.as_ref().map(|boxed| &**boxed).map_err(Clone::clone);
        Memory::new(&self.platform, &self.data, embedder, Limits::from(&self.config))
    }

    /// Who answers, out of what.
    pub(crate) fn agent<'s, 'm>(
        &'s self,
        provider: &'s dyn Provider,
        model: &'s str,
        memory: &'s mut Memory<'m>,
    ) -> Agent<'s, 'm> {
        Agent {
            platform: self.platform,
            data: &self.data,
            config: &self.config,
            provider,
            model,
            memory,
        }
    }

    /// Who answers, and its model.
    ///
    /// # Errors
    /// [`Exit::Config`]: an address or a key's variable, and nobody said whose.
    pub(crate) fn provider(&self) -> Result<(Box<dyn Provider>, String), Failure> {
        let service = &self.config.provider;
        whose(service)?;
        let key = |usual: &str| key(&self.platform, &service.api_key_env, usual);
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

/// An address and a key's variable belong to a provider that is named: one vendor's key must not go to
/// the other.
fn whose(service: &Service) -> Result<(), Failure> {
    if service.name != "auto" || service.base_url.is_empty() && service.api_key_env.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Config,
        "provider.name, openai or anthropic, expected beside provider.base_url and \
         provider.api_key_env",
    ))
}

/// The config that was given; without one, that of the data folder.
fn load(platform: &Platform<'_>, data: &str, given: Option<&str>) -> Result<Config, Failure> {
    match given {
        Some(text) => Config::parse(text),
        None => Config::load(platform, data),
    }
}

const OPENAI_KEY: &str = "OPENAI_API_KEY";
const ANTHROPIC_KEY: &str = "ANTHROPIC_API_KEY";
/// Models where the config names none: small ones of each vendor.
const OPENAI_MODEL: &str = "gpt-6-luna";
const ANTHROPIC_MODEL: &str = "claude-haiku-4-5";

/// The embedder that the config names; `auto` is the one that made the memory, and `static` for a
/// new one. `anew`: all vectors are made anew.
fn embedder(
    platform: &Platform<'_>,
    data: &str,
    config: &Config,
    anew: bool,
) -> Result<Box<dyn Embedder>, Failure> {
    let service = &config.embedder;
    let model = match service.model.is_empty() {
        true => embed::MODEL,
        false => &service.model,
    };
    let known = match &*service.name {
        "auto" => Identity::load(platform, data)?,
        // Vectors that are made anew have as many components as the model gives now.
        "openai" if !anew => {
            let known = Identity::load(platform, data).ok().flatten();
            known.filter(|known| known.embedder.strip_prefix("openai:") == Some(model))
        }
        _ => None,
    };
    let (name, known_dim) = match &known {
        Some(identity) => (&*identity.name, identity.dim),
        None if service.name == "auto" => ("static", 0),
        None => (&*service.name, 0),
    };
    // The memory's own number spares the question for it.
    let dim = if config.dim == 0 { known_dim } else { config.dim as usize };
    let path = format!("{data}/{TABLE}");
    let choice = match name {
        "static" => Choice::Static(&path),
        "hashed" => Choice::Hashed(dim),
        "openai" => {
            let (key, variable) = key(platform, &service.api_key_env, OPENAI_KEY);
            let url = match service.base_url.is_empty() {
                true => openai::BASE_URL,
                false => &service.base_url,
            };
            let endpoint = Endpoint::new(url, key, &variable);
            Choice::OpenAi { endpoint, model, dim, shortened: config.dim > 0 }
        }
        other => {
            return Err(Failure::new(
                Exit::Embedder,
                format!("one of the embedders static, hashed and openai expected, found {other}"),
            ));
        }
    };
    embed::open(platform, choice).map_err(|mut failure| {
        if name == "static" {
            failure.sentence.push_str(
                ": the model file of the embedder static belongs there. `--embedder hashed` makes \
                 a memory without a file, which finds words and is blind to paraphrase",
            );
        }
        failure
    })
}

/// A key of the environment, and the name of its variable.
fn key(platform: &Platform<'_>, named: &str, usual: &str) -> (Option<Key>, String) {
    let name = if named.is_empty() { usual } else { named };
    let value = platform.environment.variable(name).unwrap_or_default();
    (Key::new(&value), name.to_string())
}
