//! One key of the config, checked and taken.
//!
//! Why: whoever takes `api_key_env` for the place of the key would have it printed with the
//! config and named in sentences. So a name that looks drawn, or that `redact` takes for a
//! secret, is refused.
//!
//! What it must never do: repeat in a sentence what stands where a variable's name or an
//! address is expected, or change a setting whose value it refuses.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use super::Config;
use super::field::{Field, keys};
use super::toml::Value;
use crate::memory::redact;
use crate::text::{first, is_listed};

/// A value as a sentence shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{}\"", first(text, 60)),
        Value::Whole(whole) => whole.to_string(),
        Value::Decimal(_) => "a decimal".to_owned(),
        Value::Truth(truth) => truth.to_string(),
        Value::List(_) => "a list".to_owned(),
    }
}

/// An address that requests can go to, without a name and password, which would be printed; or nothing.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_host = |rest| {
        let authority = crate::text::head(rest, b"/?#");
        !matches!(authority.bytes().next(), None | Some(b':'))
            && !authority.as_bytes().contains(&b'@')
    };
    text.is_empty() || rest.is_some_and(is_host) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A host's name, with a port or without: of an address nothing would ever be asked.
fn is_host(entry: &str) -> bool {
    let is_name = |b: u8| b.is_ascii_graphic() && !b"/@?#\\".contains(&b);
    !entry.trim().is_empty() && entry.trim().bytes().all(is_name)
}

/// Name of a variable, and nothing that may be the key itself: that would be printed, and named in
/// sentences.
fn is_variable(name: &str) -> bool {
    let has = |what: fn(&u8) -> bool| name.as_bytes().iter().any(&what);
    let is_drawn = has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name && !is_drawn && redact(name).1 == 0
}

/// Takes a value where it is of the field's kind and within its range.
fn take(field: Field<'_>, value: &Value) -> bool {
    match (field, value) {
        (Field::Text(into), Value::Text(text)) => text.clone_into(into),
        (Field::Choice(into, all), Value::Text(text)) if is_listed(all, text) => {
            text.clone_into(into);
        }
        (Field::Address(into), Value::Text(text)) if is_address(text) => {
            crate::text::without_end(text, b"/").clone_into(into);
        }
        (Field::Variable(into), Value::Text(name)) if is_variable(name) => name.clone_into(into),
        (Field::Whole(into, least, most), Value::Whole(whole))
            if (i64::from(least)..=i64::from(most)).contains(whole) =>
        {
            *into = *whole as u32;
        }
        (Field::Degree(into), Value::Whole(whole @ 0..=2)) => *into = Some(*whole as f32),
        (Field::Degree(into), Value::Decimal(found)) if (0.0..=2.0).contains(found) => {
            *into = Some(*found);
        }
        (Field::Truth(into), Value::Truth(truth)) => *into = *truth,
        // An empty name would stand for every folder.
        (Field::List(into), Value::List(all)) if all.iter().all(|one| !one.is_empty()) => {
            all.clone_into(into);
        }
        (Field::Hosts(into), Value::List(all)) if all.iter().all(|one| is_host(one)) => {
            all.clone_into(into);
        }
        _ => return false,
    }
    true
}

/// What a field takes.
fn expected(field: &Field<'_>) -> String {
    match field {
        Field::Text(_) => "a string".to_owned(),
        Field::Choice(_, all) => format!("one of {all}"),
        Field::Address(_) => {
            "an address that begins with https:// or http://, without name and password,".to_owned()
        }
        Field::Variable(_) => {
            "the name of an environment variable, in capitals, not the key itself,".to_owned()
        }
        Field::Whole(_, least, most) => format!("a whole number from {least} to {most}"),
        Field::Degree(_) => "a number from 0 to 2".to_owned(),
        Field::Truth(_) => "true or false".to_owned(),
        Field::List(_) => "a list of strings, none of them empty,".to_owned(),
        Field::Hosts(_) => "a list of hosts, as name or name:port, without https://,".to_owned(),
    }
}

impl Config {
    /// Takes a value for a key.
    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let Some(at) = keys().position(|known| known == key) else {
            return Err(match key {
                "provider.api_key" | "embedder.api_key" => {
                    "a key has no place in a file: name its variable in api_key_env"
                }
                _ => "there is no such key",
            }
            .to_owned());
        };
        if take(self.field(at), value) {
            return Ok(());
        }
        let field = self.field(at);
        let mut sentence = expected(&field);
        sentence.push_str(" expected");
        // What stands where a variable's name is expected may be a key by mistake, and an address
        // may have a password in it: they are not repeated.
        if !matches!(field, Field::Variable(_) | Field::Address(_)) {
            sentence.push_str(", found ");
            sentence.push_str(&shown(value));
        }
        Err(sentence)
    }
}
