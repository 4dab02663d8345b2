//! A reader of the part of TOML that a config needs.
//!
//! Tables, bare keys, strings on one line, whole numbers, decimals, booleans, lists of strings,
//! comments. What it takes, it takes as TOML 1.0 says; what it leaves out (dates, inline tables,
//! lists of tables, dotted and quoted keys, strings of several lines) is refused with its line.
//!
//! Why not a crate: read into wasm at opt-level "z", `toml_parser` 1.1 weighs 38 KB, `tomling` 0.3
//! 72 KB, and `boml` needs the standard library. The `toml` crate is the oracle of the tests.
//!
//! What it must never do: give a value that TOML reads otherwise, pass over what it does not
//! know, or repeat a value in a sentence: it may be a key.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

/// What stands behind a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Decimal(f32),
    Truth(bool),
    List(Vec<String>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// From 1 on.
    pub(super) line: u32,
    /// With the table's name and a point before it, where it stands in one.
    pub(super) key: String,
    pub(super) value: Value,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u32,
    pub(super) key: String,
    pub(super) sentence: String,
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: u32,
    key: String,
}

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Box<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text.chars().peekable(), line: 1, key: String::new() };
    let mut entries: Vec<Entry> = Vec::new();
    let mut tables: Vec<String> = Vec::new();
    loop {
        reader.blank()?;
        reader.key.clear();
        let Some(&next) = reader.rest.peek() else { return Ok(entries) };
        if next == '[' {
            let table = reader.table()?;
            if tables.contains(&table) {
                return Err(reader.fault("this table stands in the file already"));
            }
            tables.push(table);
            continue;
        }
        let line = reader.line;
        reader.key = reader.bare()?;
        reader.spaces();
        match reader.rest.next() {
            Some('=') => {}
            Some('.') => return Err(reader.fault("a key without a point expected")),
            _ => return Err(reader.fault("`=` expected after the key")),
        }
        reader.spaces();
        let value = reader.value()?;
        reader.end_of_line()?;
        let key = match tables.last() {
            Some(table) => [&**table, ".", &reader.key].concat(),
            None => reader.key.clone(),
        };
        if entries.iter().any(|other| other.key == key) {
            return Err(reader.fault_at(line, "this key stands in its table already"));
        }
        entries.push(Entry { line, key, value });
    }
}

impl Reader<'_> {
    #[cold]
    fn fault(&self, sentence: &str) -> Box<Fault> {
        self.fault_at(self.line, sentence)
    }

    #[cold]
    fn fault_at(&self, line: u32, sentence: &str) -> Box<Fault> {
        Box::new(Fault { line, key: self.key.clone(), sentence: sentence.to_owned() })
    }

    fn spaces(&mut self) {
        while self.rest.next_if(|&c| c == ' ' || c == '\t').is_some() {}
    }

    /// Takes one end of a line, if there is one.
    fn newline(&mut self) -> Result<bool, Box<Fault>> {
        if self.rest.next_if_eq(&'\r').is_some() && self.rest.peek() != Some(&'\n') {
            return Err(self.fault("a line feed expected after a carriage return"));
        }
        let found = self.rest.next_if_eq(&'\n').is_some();
        self.line += u32::from(found);
        Ok(found)
    }

    fn comment(&mut self) -> Result<(), Box<Fault>> {
        if self.rest.next_if_eq(&'#').is_none() {
            return Ok(());
        }
        while let Some(c) = self.rest.next_if(|&c| c != '\n' && c != '\r') {
            if is_control(c) {
                return Err(self.fault("a comment without control characters expected"));
            }
        }
        Ok(())
    }

    /// Skips spaces, comments and ends of lines.
    fn blank(&mut self) -> Result<(), Box<Fault>> {
        loop {
            self.spaces();
            self.comment()?;
            if !self.newline()? {
                return Ok(());
            }
        }
    }

    fn end_of_line(&mut self) -> Result<(), Box<Fault>> {
        self.spaces();
        self.comment()?;
        if self.newline()? || self.rest.peek().is_none() {
            return Ok(());
        }
        Err(self.fault("the end of the line expected after the value"))
    }

    fn bare(&mut self) -> Result<String, Box<Fault>> {
        let mut word = String::new();
        while let Some(c) =
            self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
        {
            word.push(c);
        }
        match word.is_empty() {
            true => Err(self.fault("a key of letters, digits, `_` and `-` expected")),
            false => Ok(word),
        }
    }

    fn table(&mut self) -> Result<String, Box<Fault>> {
        self.rest.next();
        self.spaces();
        let name = self.bare()?;
        self.spaces();
        if self.rest.next() != Some(']') {
            return Err(self.fault("`]` expected after the table's name"));
        }
        self.end_of_line()?;
        Ok(name)
    }

    fn value(&mut self) -> Result<Value, Box<Fault>> {
        match self.rest.peek() {
            Some('"' | '\'') => Ok(Value::Text(self.string()?)),
            Some('[') => self.list(),
            _ => self.word(),
        }
    }

    fn list(&mut self) -> Result<Value, Box<Fault>> {
        self.rest.next();
        let mut all = Vec::new();
        loop {
            self.blank()?;
            if self.rest.next_if_eq(&']').is_some() {
                return Ok(Value::List(all));
            }
            match self.rest.peek() {
                Some('"' | '\'') => all.push(self.string()?),
                _ => return Err(self.fault("a string or `]` expected in the list")),
            }
            self.blank()?;
            if self.rest.next_if_eq(&',').is_none() && self.rest.peek() != Some(&']') {
                return Err(self.fault("`,` or `]` expected in the list"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Box<Fault>> {
        let quote = self.rest.next().unwrap_or('"');
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some(c) if c == quote => break,
                Some('\\') if quote == '"' => text.push(self.escape()?),
                Some(c) if c != '\n' && !is_control(c) => text.push(c),
                _ => return Err(self.fault("the string expected to end in its line")),
            }
        }
        if text.is_empty() && self.rest.peek() == Some(&quote) {
            return Err(self.fault("a string of one line expected"));
        }
        Ok(text)
    }

    fn escape(&mut self) -> Result<char, Box<Fault>> {
        let digits = match self.rest.next() {
            Some('b') => return Ok('\u{8}'),
            Some('t') => return Ok('\t'),
            Some('n') => return Ok('\n'),
            Some('f') => return Ok('\u{c}'),
            Some('r') => return Ok('\r'),
            Some(c @ ('"' | '\\')) => return Ok(c),
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err(self.fault("one of b t n f r u U \" \\ expected after `\\`")),
        };
        let mut code = 0;
        for _ in 0..digits {
            match self.rest.next().and_then(|c| c.to_digit(16)) {
                // Eight digits fit.
                Some(digit) => code = code << 4 | digit,
                None => return Err(self.fault("hexadecimal digits expected after `\\u`")),
            }
        }
        char::from_u32(code).ok_or_else(|| self.fault("a character's number expected after `\\u`"))
    }

    fn word(&mut self) -> Result<Value, Box<Fault>> {
        let mut word = String::new();
        let inside =
            |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.' | ':');
        while let Some(c) = self.rest.next_if(inside) {
            word.push(c);
        }
        match &*word {
            "true" => return Ok(Value::Truth(true)),
            "false" => return Ok(Value::Truth(false)),
            _ => {}
        }
        number(&word).ok_or_else(|| {
            self.fault("a string in quotes, a number, true, false or a list of strings expected")
        })
    }
}

fn is_control(c: char) -> bool {
    c < ' ' && c != '\t' || c == '\u{7f}'
}

/// Digits with single underscores between them.
fn digits(text: &str) -> Option<(i64, u32)> {
    let (mut value, mut count, mut before) = (0_i64, 0, b'_');
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                count += 1;
            }
            b'_' if before != b'_' => {}
            _ => return None,
        }
        before = byte;
    }
    (before != b'_').then_some((value, count))
}

fn number(word: &str) -> Option<Value> {
    let (negative, plain) = match word.as_bytes().first()? {
        b'-' => (true, &word[1..]),
        b'+' => (false, &word[1..]),
        _ => (false, word),
    };
    let (whole, fraction) = match crate::text::cut(plain, b".") {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (plain, None),
    };
    let (value, count) = digits(whole)?;
    if count > 1 && whole.starts_with('0') {
        return None;
    }
    let sign = if negative { -1 } else { 1 };
    let Some(fraction) = fraction else { return Some(Value::Whole(sign * value)) };
    let (part, count) = digits(fraction)?;
    let mut unit = 1.0_f64;
    for _ in 0..count {
        unit *= 10.0;
    }
    Some(Value::Decimal(((value as f64 + part as f64 / unit) * f64::from(sign as i32)) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;
    use std::vec;

    fn entry(line: u32, table: &str, key: &str, value: Value) -> Entry {
        let key = if table.is_empty() { key.to_string() } else { format!("{table}.{key}") };
        Entry { line, key, value }
    }

    #[test]
    fn reads_what_a_config_needs() {
        let text = "\u{feff}version = 1 # the first\r\n\n[provider]\nname = \"a\\u00e9\\n\"\n \
                    plain = 'C:\\x' \n[ tools ]\nlist = [ \"a\", # one\n 'b',\n]\nyes = true\n\
                    far = -1_000\nwarm = 0.75";
        assert_eq!(
            read(text).unwrap(),
            [
                entry(1, "", "version", Value::Whole(1)),
                entry(4, "provider", "name", Value::Text("aé\n".to_string())),
                entry(5, "provider", "plain", Value::Text("C:\\x".to_string())),
                entry(7, "tools", "list", Value::List(vec!["a".to_string(), "b".to_string()])),
                entry(10, "tools", "yes", Value::Truth(true)),
                entry(11, "tools", "far", Value::Whole(-1000)),
                entry(12, "tools", "warm", Value::Decimal(0.75)),
            ]
        );
    }

    #[test]
    fn says_where_it_cannot_go_on() {
        for (text, line, key) in [
            ("a = 1\nb = \"x\n", 2, "b"),
            ("a = 1\na = 2", 2, "a"),
            ("[t]\n[t]", 2, ""),
            ("\n\na.b = 1", 3, "a"),
            ("a = 1979-05-27", 1, "a"),
            ("a = {}", 1, "a"),
            ("a = \"\"\"x\"\"\"", 1, "a"),
            ("a = 01", 1, "a"),
            ("a = 1__0", 1, "a"),
            ("a = 99999999999999999999", 1, "a"),
            ("a = [1]", 1, "a"),
            ("a = \"\\ud800\"", 1, "a"),
            ("a 1", 1, "a"),
            ("a = 1 b = 2", 1, "a"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!((fault.line, &*fault.key), (line, key), "{text}: {}", fault.sentence);
        }
    }

    /// The same entries by the oracle; `None` where it has what is left out here.
    fn oracle(text: &str) -> Option<Vec<(String, String, Value)>> {
        let mut all = Vec::new();
        let table: toml::Table = text.parse().ok()?;
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => {
                    for (name, value) in inner {
                        all.push((key.clone(), name, plain(value)?));
                    }
                }
                value => all.push((String::new(), key, plain(value)?)),
            }
        }
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        Some(all)
    }

    fn plain(value: toml::Value) -> Option<Value> {
        Some(match value {
            toml::Value::String(text) => Value::Text(text),
            toml::Value::Integer(whole) => Value::Whole(whole),
            toml::Value::Float(decimal) => Value::Decimal(decimal as f32),
            toml::Value::Boolean(truth) => Value::Truth(truth),
            toml::Value::Array(list) => {
                let text = |value: toml::Value| value.as_str().map(ToString::to_string);
                Value::List(list.into_iter().map(text).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    const PIECES: [&str; 30] = [
        "a",
        "b-1",
        "_",
        " = ",
        "=",
        "1",
        "-2.5",
        "+7",
        "1_0",
        "0",
        ".",
        "true",
        "\"x\"",
        "'y'",
        "\"\\t\\u0041\"",
        "\\",
        "\"",
        "'",
        "[",
        "]",
        ", ",
        "[t]",
        "#é",
        "\n",
        "\n",
        "\r\n",
        "\t",
        "\u{1}",
        "\n[u]\n",
        "false",
    ];

    /// What is taken of a text, in the oracle's order.
    fn ours(entries: Vec<Entry>) -> Vec<(String, String, Value)> {
        let apart = |e: Entry| match e.key.split_once('.') {
            Some((table, key)) => (table.to_string(), key.to_string(), e.value),
            None => (String::new(), e.key, e.value),
        };
        let mut ours: Vec<_> = entries.into_iter().map(apart).collect();
        ours.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        ours
    }

    /// Lines of keys and values of all kinds.
    fn lines() -> impl Strategy<Value = String> {
        let keys = prop::collection::btree_map("[a-z_-]{1,8}", 0..6_usize, 1..8);
        let words = prop::collection::vec("[ -~é]{0,12}", 8);
        let text = |(keys, words): (std::collections::BTreeMap<String, usize>, Vec<String>)| {
            let mut text = String::from("[t]\n");
            for ((key, kind), word) in keys.iter().zip(&words) {
                let value = match kind {
                    0 => toml::Value::String(word.clone()).to_string(),
                    1 => (word.len() as i64 - 5).to_string(),
                    2 => format!("-{}.25", word.len()),
                    3 => "true".to_string(),
                    4 => format!("'{}'", word.replace('\'', "")),
                    _ => format!("[{}, 'z']", toml::Value::String(word.clone())),
                };
                text += &format!("{key} = {value}\n");
            }
            text
        };
        // The oracle writes strings with both quotes on several lines.
        let is_flat = |text: &String| !text.contains("\"\"\"") && !text.contains("'''");
        (keys, words).prop_map(text).prop_filter("on one line each", is_flat)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_taken_is_what_the_oracle_takes(
            pieces in prop::collection::vec(0..PIECES.len(), 0..24),
        ) {
            let text: String = pieces.iter().map(|&i| PIECES[i]).collect();
            if let Ok(entries) = read(&text) {
                prop_assert_eq!(Some(ours(entries)), oracle(&text), "{:?}", text);
            }
        }

        /// Most of them stay sound, others become what only looks so.
        #[test]
        fn lines_with_a_piece_in_them_are_read_as_the_oracle_does(
            text in lines(), at: prop::sample::Index, piece in 0..PIECES.len(),
        ) {
            let at = at.index(text.len() + 1);
            let at = (0..=at).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let text = [&text[..at], PIECES[piece], &text[at..]].concat();
            if let Ok(entries) = read(&text) {
                prop_assert_eq!(Some(ours(entries)), oracle(&text), "{:?}", text);
            }
        }

        #[test]
        fn lines_of_plain_values_are_all_taken(text in lines()) {
            let (entries, expected) = (read(&text).map(ours), oracle(&text));
            prop_assert_eq!(entries.as_ref().ok(), expected.as_ref(), "{} {:?}", text, entries);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = read(&text);
        }
    }
}
