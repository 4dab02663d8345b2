//! The config as a file that would give it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Config, VERSION};

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A number from 0 to 2 with three decimals, without the code that floats are printed by.
fn thousandths(value: f32) -> String {
    let all = (value * 1000.0 + 0.5) as u32;
    format!("{}.{:03}", all / 1000, all % 1000)
}

impl Config {
    /// All settings, as a `config.toml` that would give them. No secrets: there are none in it.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = format!("version = {VERSION}\n");
        let mut line = |key: &str, value: &str| {
            if value.is_empty() {
                out.push_str(&format!("\n[{key}]\n"));
            } else {
                out.push_str(&format!("{key} = {value}\n"));
            }
        };
        let list = |all: &[String]| {
            let all: Vec<_> = all.iter().map(|one| quoted(one)).collect();
            format!("[{}]", all.join(", "))
        };
        line("provider", "");
        line("name", &quoted(&self.provider.name));
        line("model", &quoted(&self.provider.model));
        line("base_url", &quoted(&self.provider.base_url));
        line("api_key_env", &quoted(&self.provider.api_key_env));
        line("max_tokens", &self.max_tokens.to_string());
        if let Some(temperature) = self.temperature {
            line("temperature", &thousandths(temperature));
        }
        line("stream", &self.stream.to_string());
        line("embedder", "");
        line("name", &quoted(&self.embedder.name));
        line("model", &quoted(&self.embedder.model));
        line("base_url", &quoted(&self.embedder.base_url));
        line("api_key_env", &quoted(&self.embedder.api_key_env));
        line("dim", &self.dim.to_string());
        line("memory", "");
        line("capacity", &self.capacity.to_string());
        line("image_kib", &self.image_kib.to_string());
        line("words_kib", &self.words_kib.to_string());
        line("when_full", &quoted(&self.when_full));
        line("recall", &self.recall.to_string());
        line("learn", &self.learn.to_string());
        line("chat", "");
        line("context_tokens", &self.context_tokens.to_string());
        line("memory_share", &self.memory_share.to_string());
        line("tool_rounds", &self.tool_rounds.to_string());
        line("tools", "");
        line("folders", &list(&self.folders));
        line("hosts", &list(&self.hosts));
        out
    }
}
