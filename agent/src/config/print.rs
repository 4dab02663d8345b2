//! The config as a file that would give it.
//!
//! Why: defaults are printed too, so that what `clawft config` shows can be put in the
//! place of the file. A temperature has three decimals, since code that prints floats weighs
//! kilobytes.
//!
//! What it must never do: print a line that the reader refuses.

use alloc::format;
use alloc::string::{String, ToString};

use super::field::{Field, keys};
use super::{Config, VERSION};

use crate::text;

/// A string of TOML.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The value of a setting, as a file has it.
fn value(field: Field<'_>, out: &mut String) {
    match field {
        Field::Text(text)
        | Field::Choice(text, _)
        | Field::Address(text)
        | Field::Variable(text) => quoted(text, out),
        Field::Whole(whole, ..) => out.push_str(&whole.to_string()),
        // With three decimals, without the code that floats are printed by.
        Field::Degree(degree) => {
            let all = (degree.unwrap_or_default() * 1000.0 + 0.5) as u32;
            out.push_str(&format!("{}.{:03}", all / 1000, all % 1000));
        }
        Field::Truth(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Field::List(all) | Field::Hosts(all) => {
            out.push('[');
            for (i, one) in all.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                quoted(one, out);
            }
            out.push(']');
        }
    }
}

impl Config {
    /// All settings, as a `config.toml` that would give them. No secrets: there are none in it.
    #[must_use]
    pub fn print(&self) -> String {
        let mut config = self.clone();
        let mut out = format!("version = {VERSION}\n");
        let mut last = "";
        for (at, key) in keys().enumerate() {
            let (table, name) = text::cut(key, b".").unwrap_or_default();
            if table != last {
                out.push_str(&format!("\n[{table}]\n"));
                last = table;
            }
            let field = config.field(at);
            if matches!(field, Field::Degree(None)) {
                continue;
            }
            out.push_str(name);
            out.push_str(" = ");
            value(field, &mut out);
            out.push('\n');
        }
        out
    }
}
