//! One key of the config, checked and taken.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::Config;
use super::toml::Value;

type Outcome = Result<(), String>;

/// A value as a sentence shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
        Value::Whole(whole) => whole.to_string(),
        Value::Decimal(_) => "a decimal".to_owned(),
        Value::Truth(truth) => truth.to_string(),
        Value::List(_) => "a list".to_owned(),
    }
}

#[cold]
fn wrong(expected: &str, value: &Value) -> Outcome {
    Err(format!("{expected} expected, found {}", shown(value)))
}

fn whole(into: &mut u32, range: RangeInclusive<u32>, value: &Value) -> Outcome {
    if let Value::Whole(whole) = value
        && let Some(fits) = u32::try_from(*whole).ok().filter(|fits| range.contains(fits))
    {
        *into = fits;
        return Ok(());
    }
    wrong(&format!("a whole number from {} to {}", range.start(), range.end()), value)
}

fn truth(into: &mut bool, value: &Value) -> Outcome {
    let Value::Truth(truth) = value else { return wrong("true or false", value) };
    *into = *truth;
    Ok(())
}

fn text(into: &mut String, value: &Value) -> Outcome {
    let Value::Text(text) = value else { return wrong("a string", value) };
    text.clone_into(into);
    Ok(())
}

fn one_of(into: &mut String, all: &[&str], value: &Value) -> Outcome {
    match value {
        Value::Text(text) if all.contains(&&**text) => text.clone_into(into),
        _ => return wrong(&format!("one of {}", all.join(", ")), value),
    }
    Ok(())
}

/// An address, or nothing.
fn url(into: &mut String, value: &Value) -> Outcome {
    match value {
        Value::Text(text)
            if text.is_empty() || text.starts_with("https://") || text.starts_with("http://") =>
        {
            text.trim_end_matches('/').clone_into(into);
            Ok(())
        }
        _ => wrong("an address that begins with https:// or http://", value),
    }
}

/// Name of a variable. What else stands here may be a key by mistake: it is not repeated.
fn variable(into: &mut String, value: &Value) -> Outcome {
    match value {
        Value::Text(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            name.clone_into(into);
            Ok(())
        }
        _ => Err("the name of an environment variable expected".to_owned()),
    }
}

fn list(into: &mut Vec<String>, value: &Value) -> Outcome {
    let Value::List(all) = value else { return wrong("a list of strings", value) };
    all.clone_into(into);
    Ok(())
}

fn temperature(into: &mut Option<f32>, value: &Value) -> Outcome {
    let found = match value {
        Value::Whole(whole) => *whole as f32,
        Value::Decimal(decimal) => *decimal,
        _ => -1.0,
    };
    match (0.0..=2.0).contains(&found) {
        true => *into = Some(found),
        false => return wrong("a number from 0 to 2", value),
    }
    Ok(())
}

/// Who may answer.
pub(super) const PROVIDERS: [&str; 4] = ["auto", "offline", "openai", "anthropic"];
/// Who may make vectors.
pub(super) const EMBEDDERS: [&str; 4] = ["auto", "static", "hashed", "openai"];

impl Config {
    /// Takes a value for a key.
    pub(super) fn set(&mut self, key: &str, value: &Value) -> Outcome {
        match key {
            "provider.name" => one_of(&mut self.provider.name, &PROVIDERS, value),
            "provider.model" => text(&mut self.provider.model, value),
            "provider.base_url" => url(&mut self.provider.base_url, value),
            "provider.api_key_env" => variable(&mut self.provider.api_key_env, value),
            "provider.max_tokens" => whole(&mut self.max_tokens, 1..=1_000_000, value),
            "provider.temperature" => temperature(&mut self.temperature, value),
            "provider.stream" => truth(&mut self.stream, value),
            "embedder.name" => one_of(&mut self.embedder.name, &EMBEDDERS, value),
            "embedder.model" => text(&mut self.embedder.model, value),
            "embedder.base_url" => url(&mut self.embedder.base_url, value),
            "embedder.api_key_env" => variable(&mut self.embedder.api_key_env, value),
            "embedder.dim" => whole(&mut self.dim, 0..=8192, value),
            "memory.capacity" => whole(&mut self.capacity, 1..=40_000, value),
            "memory.image_kib" => whole(&mut self.image_kib, 64..=1 << 20, value),
            "memory.words_kib" => whole(&mut self.words_kib, 64..=1 << 20, value),
            "memory.when_full" => one_of(&mut self.when_full, &["refuse", "evict"], value),
            "memory.recall" => whole(&mut self.recall, 1..=100, value),
            "memory.learn" => truth(&mut self.learn, value),
            "chat.context_tokens" => whole(&mut self.context_tokens, 500..=2_000_000, value),
            "chat.memory_share" => whole(&mut self.memory_share, 0..=80, value),
            "chat.tool_rounds" => whole(&mut self.tool_rounds, 0..=64, value),
            "tools.folders" => list(&mut self.folders, value),
            "tools.hosts" => list(&mut self.hosts, value),
            "provider.api_key" | "embedder.api_key" => {
                Err("a key has no place in a file: name its variable in api_key_env".to_owned())
            }
            _ => Err("there is no such key".to_owned()),
        }
    }
}
