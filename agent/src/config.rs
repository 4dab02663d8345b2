//! The config: `config.toml` in the data folder.
//!
//! A missing file means defaults that work with no network. A key that is not known, a value of
//! the wrong type or out of its range, and another version are errors that name line and key: a
//! config that is half understood would do what nobody asked for.
//!
//! The data folder is `CLAWFT_HOME`, else `.clawft` in `HOME`, else `.clawft` in the working
//! folder, which is the first folder given in a WASI guest without an environment.
//!
//! What it must never do: hold or print a key of a provider. It knows the name of the variable
//! that has it.

mod field;
#[cfg(feature = "coherence")]
mod gate;
mod print;
mod set;
mod toml;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::failure::{Exit, Failure};
use crate::platform::{Environment, FileError, Platform};
use crate::text;

/// The version of the config that this program reads.
pub const VERSION: i64 = 1;
/// Most bytes of a config.
pub const MOST: u64 = 64 << 10;

/// Who answers, or who makes vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name; empty: decided by what there is.
    pub name: String,
    /// The model; empty: the service's own default.
    pub model: String,
    /// Where it is; empty: the vendor's address.
    pub base_url: String,
    /// The variable that has its key; empty: the vendor's usual one.
    pub api_key_env: String,
}

/// All settings, each with its default.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[provider]`: `auto`, `offline`, `openai`, `anthropic`.
    pub provider: Service,
    /// Tokens that an answer may have.
    pub max_tokens: u32,
    /// Between 0 and 2; `None`: the model's own.
    pub temperature: Option<f32>,
    /// Whether answers are shown as they come.
    pub stream: bool,
    /// `[embedder]`: `auto` (the one that made the memory), `static`, `hashed`, `openai`.
    pub embedder: Service,
    /// Components of an endpoint's vectors; 0: the model's own.
    pub dim: u32,
    /// `[memory]`: records that fit.
    pub capacity: u32,
    /// Most KiB that the vectors take in memory.
    pub image_kib: u32,
    /// Most KiB that the index of words takes in memory.
    pub words_kib: u32,
    /// What becomes of a new memory when there is no room: `refuse`, or `evict` others.
    pub when_full: String,
    /// Memories that a turn recalls.
    pub recall: u32,
    /// Whether a turn keeps what the person says of themselves.
    pub learn: bool,
    /// `[chat]`: tokens of system prompt, memories, history and message together.
    pub context_tokens: u32,
    /// Percent of them that memories may take.
    pub memory_share: u32,
    /// Rounds of tool calls in a turn.
    pub tool_rounds: u32,
    /// `[tools]`: folders that the file tools may use.
    pub folders: Vec<String>,
    /// Hosts that the fetch tool may ask.
    pub hosts: Vec<String>,
    /// `[gate]`: what the gate before the memory goes by.
    #[cfg(feature = "coherence")]
    pub gate: crate::gate::Settings,
}

impl Default for Config {
    fn default() -> Self {
        let named = |name: &str| Service { name: name.to_owned(), ..Service::default() };
        Self {
            provider: named("auto"),
            max_tokens: 1024,
            temperature: None,
            stream: true,
            embedder: named("auto"),
            dim: 0,
            capacity: 10_000,
            image_kib: 6 << 10,
            words_kib: 3 << 10,
            when_full: "refuse".to_owned(),
            recall: 8,
            learn: true,
            context_tokens: 8000,
            memory_share: 25,
            tool_rounds: 8,
            folders: Vec::new(),
            hosts: Vec::new(),
            #[cfg(feature = "coherence")]
            gate: crate::gate::Settings::default(),
        }
    }
}

/// The data folder.
#[must_use]
pub fn folder(environment: &dyn Environment) -> String {
    let named = |name: &str| environment.variable(name).filter(|value| !value.is_empty());
    named("CLAWFT_HOME").unwrap_or_else(|| match named("HOME") {
        Some(home) => format!("{}/.clawft", text::without_end(&home, b"/")),
        None => ".clawft".to_owned(),
    })
}

impl Config {
    /// Reads `config.toml` of the data folder.
    ///
    /// # Errors
    /// [`Exit::Config`] with file, line and key.
    pub fn load(platform: &Platform<'_>, folder: &str) -> Result<Self, Failure> {
        let path = format!("{folder}/config.toml");
        let wrong = |sentence: &str| Failure::new(Exit::Config, sentence).of(&path);
        let bytes = match platform.files.read(&path, MOST) {
            Ok(bytes) => bytes,
            Err(FileError::NotFound) => return Ok(Self::default()),
            Err(error) => return Err(wrong(&format!("{error}"))),
        };
        let Ok(text) = core::str::from_utf8(&bytes) else {
            return Err(wrong("text in UTF-8 expected"));
        };
        Self::parse(text).map_err(|failure| failure.of(&path))
    }

    /// Takes a value from the command line, for a key that names something.
    ///
    /// # Errors
    /// [`Exit::Usage`].
    pub fn choose(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        self.set(key, &toml::Value::Text(value.to_owned()))
            .map_err(|why| Failure::new(Exit::Usage, why).of(key))
    }

    /// Takes the text of a config.
    ///
    /// # Errors
    /// [`Exit::Config`] with line and key.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let at = |line: u32, key: &str, sentence: &str| {
            let key = if key.is_empty() { String::new() } else { format!(", key {key}") };
            Failure::new(Exit::Config, format!("line {line}{key}: {sentence}"))
        };
        let entries = toml::read(text).map_err(|f| at(f.line, &f.key, &f.sentence))?;
        let mut config = Self::default();
        // The version first: of another one, other keys are to be expected.
        let is_version = |entry: &&toml::Entry| entry.key == "version";
        if let Some(entry) = entries.iter().find(is_version)
            && entry.value != toml::Value::Whole(VERSION)
        {
            let sentence = format!(
                "version {VERSION} expected, found {}: this clawft reads only that one",
                set::shown(&entry.value)
            );
            return Err(at(entry.line, "version", &sentence));
        }
        for entry in entries.iter().filter(|entry| !is_version(entry)) {
            config.set(&entry.key, &entry.value).map_err(|why| at(entry.line, &entry.key, &why))?;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn sentences_name_line_and_key() {
        for (text, sentence) in [
            (
                "version = 2\nnew = 1",
                "line 1, key version: version 1 expected, found 2: this clawft reads only that one",
            ),
            (
                "[memory]\n\ncapacity = \"ten\"",
                "line 3, key memory.capacity: a whole number from 1 to 40000 expected, \
                 found \"ten\"",
            ),
            (
                "[memory]\ncapacity = 0",
                "line 2, key memory.capacity: a whole number from 1 to 40000 expected, found 0",
            ),
            ("[memory]\ncap = 1", "line 2, key memory.cap: there is no such key"),
            (
                "[tools]\nfolders = [\"a\", \"\"]",
                "line 2, key tools.folders: a list of strings, none of them empty, expected, found a list",
            ),
            (
                "[tools]\nhosts = \"x\"",
                "line 2, key tools.hosts: a list of hosts, as name or name:port, without https://, \
                 expected, found \"x\"",
            ),
            (
                "[tools]\nhosts = [\"a.example:81\", \"https://b.example\"]",
                "line 2, key tools.hosts: a list of hosts, as name or name:port, without https://, \
                 expected, found a list",
            ),
            (
                "[provider]\nbase_url = \"http://localhost:11434/v1 \"",
                "line 2, key provider.base_url: an address that begins with https:// or http://, \
                 without name and password, expected",
            ),
            (
                "[provider]\nname = \"gemini\"",
                "line 2, key provider.name: one of auto, offline, openai, anthropic expected, \
                 found \"gemini\"",
            ),
            ("[provider", "line 1: `]` expected after the table's name"),
        ] {
            let failure = Config::parse(text).unwrap_err();
            assert_eq!((failure.exit, &*failure.sentence), (Exit::Config, sentence));
        }
    }

    #[test]
    fn the_printed_config_reads_back() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::parse(&Config::default().print()).unwrap(), Config::default());
        let other = Config {
            provider: Service {
                name: "openai".to_string(),
                model: "a \"b\" \\ \u{1}é".to_string(),
                base_url: "http://127.0.0.1:8080/v1".to_string(),
                api_key_env: "MY_KEY".to_string(),
            },
            temperature: Some(0.7),
            stream: false,
            dim: 256,
            when_full: "evict".to_string(),
            learn: false,
            folders: ["/a".to_string(), "b".to_string()].to_vec(),
            ..Config::default()
        };
        assert_eq!(Config::parse(&other.print()).unwrap(), other);
    }

    #[test]
    fn keys_and_settings_stand_in_the_same_order() {
        let mut config = Config::default();
        for (key, whole) in [("provider.max_tokens", 7), ("memory.recall", 9), ("embedder.dim", 3)]
        {
            config.set(key, &toml::Value::Whole(whole)).unwrap();
        }
        #[cfg(feature = "coherence")]
        for (key, whole) in [("gate.alpha", 10), ("gate.denies_honest", 7), ("gate.hides_stake", 3)]
        {
            config.set(key, &toml::Value::Whole(whole)).unwrap();
            let read = Config::parse(&config.print()).unwrap().gate;
            assert_eq!(read, config.gate);
            let is = [read.alpha, read.hypotheses[2].honest, read.hypotheses[4].stake];
            assert!(is.contains(&(whole as u32)), "{key}");
        }
        config.set("tools.hosts", &toml::Value::List(Vec::from(["a".to_string()]))).unwrap();
        config.set("memory.learn", &toml::Value::Truth(false)).unwrap();
        assert_eq!((config.max_tokens, config.recall, config.dim), (7, 9, 3));
        assert!(config.hosts == ["a"] && config.folders.is_empty());
        assert!(config.stream && !config.learn);
        let printed = config.print();
        assert!(printed.contains("\n[tools]\nfolders = []\nhosts = [\"a\"]\n"), "{printed}");
    }

    #[test]
    fn the_key_itself_is_refused() {
        let failure = Config::parse("[provider]\napi_key = \"sk-abc\"").unwrap_err();
        assert!(failure.sentence.contains("api_key_env"), "{failure}");
        assert!(!failure.sentence.contains("sk-abc"));
        for key in [
            "sk-abc",
            "gsk_Wq7dT2bN5rX8cZ1",
            "sk_live_MadeUp00MadeUp00MadeUp",
            "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",
            "AKIAMADEUPMADEUP2345",
            "5f4dcc3b5aa765d61d8327deb882cf99",
        ] {
            for table in ["provider", "embedder"] {
                let text = format!("[{table}]\napi_key_env = \"{key}\"");
                let failure = Config::parse(&text).unwrap_err();
                assert!(failure.sentence.contains("not the key itself"), "{failure}");
                assert!(!failure.sentence.contains(key), "{failure}");
            }
        }
        // Without its quotes, and as the password of an address.
        for text in [
            "[provider]\napi_key = sk-proj-AbC123",
            "[embedder]\napi_key_env = sk-proj-AbC123",
            "[provider]\nmodel = sk-proj-AbC123",
            "[provider]\nbase_url = \"https://user:sk-proj-AbC123@host\"",
            "[embedder]\nbase_url = \"sk-proj-AbC123\"",
        ] {
            let failure = Config::parse(text).unwrap_err();
            assert!(failure.sentence.starts_with("line 2, key "), "{failure}");
            assert!(!failure.sentence.contains("AbC123"), "{failure}");
        }
        for name in ["", "MY_KEY", "GROQ_API_KEY_2", "my_secret_token", "_K9"] {
            let config = Config::parse(&format!("[provider]\napi_key_env = \"{name}\"")).unwrap();
            assert_eq!(config.provider.api_key_env, name);
        }
    }
}
