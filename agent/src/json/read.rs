//! A text into values.
//!
//! Source: RFC 8259. Limits: as many values as the caller allows, since a tree takes twelve times
//! the room of `0,0,0…`; 128 lists and objects in each other, since each takes stack. What the tree
//! takes is asked for before it is taken, so that a text too large for memory is refused.
//!
//! What it must never do: take what the RFC does not (`serde_json` is the oracle of the
//! tests), or grow a text or a list before it has asked for the room.

use alloc::string::String;
use alloc::vec::Vec;

use super::Value;

/// Lists and objects in each other.
const DEEPEST: u32 = 128;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It stops to be JSON, or has too many values: so many bytes before were fine.
    Broken(usize),
    /// Memory does not hold it.
    NoMemory,
}

/// Reads a text that has to be one value, with at most `most` values in it.
///
/// # Errors
/// [`Unread`].
pub(crate) fn read(bytes: &[u8], most: usize) -> Result<Value, Unread> {
    let mut reader = Reader { bytes, at: 0, depth: 0, left: most, has_memory: true };
    let value = reader.value();
    reader.blank();
    match value {
        Some(value) if reader.at == bytes.len() => Ok(value),
        _ if !reader.has_memory => Err(Unread::NoMemory),
        _ => Err(Unread::Broken(reader.at)),
    }
}

/// The same of a text whose length is limited already; `null` where it is no JSON.
pub(crate) fn or_null(bytes: &[u8]) -> Value {
    read(bytes, usize::MAX).unwrap_or(Value::Null)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Lists and objects around.
    depth: u32,
    /// Values that may still come.
    left: usize,
    /// Memory held all of it so far.
    has_memory: bool,
}

impl Reader<'_> {
    /// The next byte; 0, which is nowhere allowed, at the end.
    #[inline(never)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Passes a byte over if it is the next one.
    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn blank(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.blank();
        self.left = self.left.checked_sub(1)?;
        match self.peek() {
            b'{' => self.within(Self::object),
            b'[' => self.within(Self::list),
            b'"' => self.string().map(Value::Text),
            b't' => self.word(b"true", Value::Truth(true)),
            b'f' => self.word(b"false", Value::Truth(false)),
            b'n' => self.word(b"null", Value::Null),
            _ => self.number(),
        }
    }

    /// Makes room for so many more in a list.
    fn room<T>(&mut self, list: &mut Vec<T>, more: usize) -> Option<()> {
        self.has_memory = list.try_reserve(more).is_ok();
        self.has_memory.then_some(())
    }

    fn within(&mut self, read: fn(&mut Self) -> Option<Value>) -> Option<Value> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Option<Value> {
        let mut members = Vec::new();
        while self.another(b'}', members.is_empty())? {
            self.blank();
            let name = self.string()?;
            self.blank();
            if !self.eat(b':') {
                return None;
            }
            let value = self.value()?;
            self.room(&mut members, 1)?;
            members.push((name, value));
        }
        Some(Value::Object(members))
    }

    fn list(&mut self) -> Option<Value> {
        let mut values = Vec::new();
        while self.another(b']', values.is_empty())? {
            let value = self.value()?;
            self.room(&mut values, 1)?;
            values.push(value);
        }
        Some(Value::List(values))
    }

    /// Whether another value follows, up to the bracket that closes.
    fn another(&mut self, close: u8, is_first: bool) -> Option<bool> {
        self.blank();
        if self.eat(close) {
            return Some(false);
        }
        (is_first || self.eat(b',')).then_some(true)
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        for &byte in word {
            if !self.eat(byte) {
                return None;
            }
        }
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let begin = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            self.digits()?;
        }
        let number = self.bytes.get(begin..self.at)?;
        let mut text = Vec::new();
        self.room(&mut text, number.len())?;
        text.extend_from_slice(number);
        Some(Value::Number(String::from_utf8(text).ok()?))
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let begin = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > begin).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat(b'"') {
            return None;
        }
        let mut text = Vec::new();
        loop {
            let begin = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0..b' ') {
                self.at += 1;
            }
            let part = self.bytes.get(begin..self.at)?;
            // And for a character that is escaped.
            self.room(&mut text, part.len() + 4)?;
            text.extend_from_slice(part);
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    let c = self.escaped()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return None,
            }
        }
        let text = String::from_utf8(text).ok()?;
        self.at += 1;
        Some(text)
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek();
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unit(),
            _ => return None,
        };
        self.at += 1;
        Some(plain.into())
    }

    /// A character by its number; of one above 0xFFFF, the two halves that UTF-16 has for it.
    fn unit(&mut self) -> Option<char> {
        let mut code = self.hex()?;
        if code & 0xFC00 == 0xD800 {
            if !self.eat(b'\\') {
                return None;
            }
            let low = self.hex()?;
            if low & 0xFC00 != 0xDC00 {
                return None;
            }
            code = 0x1_0000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
        }
        char::from_u32(code)
    }

    /// `u` and four digits.
    fn hex(&mut self) -> Option<u32> {
        if !self.eat(b'u') {
            return None;
        }
        let mut code = 0;
        for _ in 0..4 {
            code = code << 4 | char::from(self.peek()).to_digit(16)?;
            self.at += 1;
        }
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    /// The oracle's value as one of ours.
    fn of(value: &serde_json::Value) -> Value {
        use serde_json::Value as Other;
        match value {
            Other::Null => Value::Null,
            Other::Bool(truth) => Value::Truth(*truth),
            Other::Number(number) => Value::Number(format!("{number}")),
            Other::String(text) => Value::Text(text.clone()),
            Other::Array(values) => Value::List(values.iter().map(of).collect()),
            Other::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.clone(), of(value))).collect(),
            ),
        }
    }

    /// The same without what the two write differently: numbers, and the order of members.
    fn shape(value: &Value) -> Value {
        match value {
            Value::Number(_) => Value::Number("0".into()),
            Value::List(values) => Value::List(values.iter().map(shape).collect()),
            Value::Object(members) => {
                let mut all: Vec<(String, Value)> = Vec::new();
                for (name, value) in members {
                    all.retain(|(found, _)| found != name);
                    all.push((name.clone(), shape(value)));
                }
                all.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(all)
            }
            other => other.clone(),
        }
    }

    fn agree(bytes: &[u8]) {
        let shown = String::from_utf8_lossy(bytes);
        match (read(bytes, usize::MAX), serde_json::from_slice::<serde_json::Value>(bytes)) {
            (Ok(found), Ok(other)) => assert_eq!(shape(&found), shape(&of(&other)), "{shown}"),
            // To the oracle a number above all f64 is none.
            (Ok(_), Err(error)) => assert!(format!("{error}").contains("out of range"), "{shown}"),
            (Err(why), Ok(_)) => panic!("{shown}: {why:?}"),
            (Err(Unread::Broken(at)), Err(_)) => assert!(at <= bytes.len()),
            (Err(Unread::NoMemory), Err(_)) => panic!("{shown} fits"),
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::{Value as Other, json};
        let leaf = prop_oneof![
            Just(Other::Null),
            any::<bool>().prop_map(|truth| json!(truth)),
            any::<i64>().prop_map(|number| json!(number)),
            any::<u64>().prop_map(|number| json!(number)),
            any::<f64>().prop_map(|number| json!(number)),
            any::<String>().prop_map(|text| json!(text)),
            "[\\x00-\\x1f\"\\\\/ä€𝄞]*".prop_map(|text| json!(text)),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|all| json!(all)),
                prop::collection::btree_map("[ab\"é\\\\]{0,2}", inner, 0..6)
                    .prop_map(|all| json!(all)),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn values_are_those_of_the_oracle(value in value(), pretty: bool) {
            let text = match pretty {
                true => format!("{value:#}"),
                false => format!("{value}"),
            };
            let found = read(text.as_bytes(), usize::MAX).unwrap();
            prop_assert_eq!(&found, &of(&value));
            // And what is written of it is the same again.
            prop_assert_eq!(read(found.print().as_bytes(), usize::MAX), Ok(found));
        }

        #[test]
        fn damage_is_seen_where_the_oracle_sees_it(
            value in value(), at: prop::sample::Index, byte: u8, cut: bool,
        ) {
            let mut bytes = format!("{value}").into_bytes();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            agree(&bytes);
        }

        #[test]
        fn noise_too(
            text in "[\\[\\]{}:,\"\\\\0-9eE+.\\-a-fnrtul \n/D8C]{0,12}", bytes: Vec<u8>,
        ) {
            agree(text.as_bytes());
            agree(format!("\"{text}\"").as_bytes());
            agree(&bytes);
        }
    }

    #[test]
    fn escapes_are_whole() {
        for text in [
            r#""\ud834\udd1e\u0000\u00e9\/\b""#,
            r#""\ud834""#,
            r#""\ud834x""#,
            r#""\ud834\n""#,
            r#""\ud834\ud834""#,
            r#""\udd1e""#,
            r#""\u12g4""#,
            r#""\u+123""#,
            r#""\x""#,
            "\"\u{1}\"",
            "\"a\nb\"",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "1e999",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "{1:2}",
            "",
            " ",
            "1 2",
            "tru",
            "nul",
            "\u{feff}1",
            "\0",
        ] {
            agree(text.as_bytes());
        }
        agree(b"\"\xff\"");
        agree(b"\"\xed\xa0\x80\"");
    }

    #[test]
    fn places_are_where_it_breaks() {
        for (text, at) in [("{\"a\" 1}", 5), ("[1, x]", 4), ("1 2", 2), ("", 0), ("\"abc", 4)] {
            assert_eq!(read(text.as_bytes(), 100), Err(Unread::Broken(at)), "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_limited() {
        let deep = |n: usize| ["[".repeat(n), "]".repeat(n)].concat();
        assert!(read(deep(DEEPEST as usize).as_bytes(), usize::MAX).is_ok());
        assert!(read(deep(DEEPEST as usize + 1).as_bytes(), usize::MAX).is_err());
        assert!(read("[".repeat(100_000).as_bytes(), usize::MAX).is_err());
        assert!(read(b"[1,2,3]", 4).is_ok() && read(b"[1,2,3]", 3).is_err());
        assert_eq!(or_null(b"{"), Value::Null);
    }
}
