//! JSON as the providers need it: written straight into a text, read under a limit.
//!
//! Requests are written without a tree in between: a history of hundreds of kilobytes is in memory
//! once. Answers are read into `serde_json`'s tree, but only after their values were counted: a
//! tree takes twelve times the room of `0,0,0…`, and the whole agent has 16 MiB.

use alloc::string::String;

use serde_json::Value;

/// Values that one answer may have. A real one has a few dozen.
const MOST_VALUES: usize = 20_000;

/// A text in which commas are set where they belong.
pub(super) struct Json(String);

impl Json {
    /// Begins an object.
    pub(super) fn object() -> Self {
        Self(String::from("{"))
    }

    /// The text, the first object closed.
    pub(super) fn done(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// A name within an object; one value has to follow.
    pub(super) fn key(&mut self, name: &str) -> &mut Self {
        self.string(name);
        self.0.push(':');
        self
    }

    /// A string.
    pub(super) fn string(&mut self, text: &str) {
        self.comma();
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.0.push('\\');
                    self.0.push(c);
                }
                '\n' => self.0.push_str("\\n"),
                c if c < ' ' => {
                    self.0.push_str("\\u00");
                    for half in [c as u32 >> 4, c as u32 & 15] {
                        self.0.push(char::from_digit(half, 16).unwrap_or('0'));
                    }
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }

    /// A whole number.
    pub(super) fn number(&mut self, number: u32) {
        self.comma();
        self.digits(number);
    }

    /// A number with two decimals, given in hundredths: formatting floats would cost kilobytes.
    pub(super) fn hundredths(&mut self, number: u32) {
        self.comma();
        self.digits(number / 100);
        self.0.push('.');
        self.digits(number / 10 % 10);
        self.digits(number % 10);
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// What is JSON already.
    pub(super) fn raw(&mut self, json: &str) {
        self.comma();
        self.0.push_str(json);
    }

    /// `{` or `[`.
    pub(super) fn open(&mut self, bracket: char) {
        self.comma();
        self.0.push(bracket);
    }

    /// `}` or `]`.
    pub(super) fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    fn comma(&mut self) {
        // Texts are closed by a quote, so the last byte is never one of a text.
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn digits(&mut self, number: u32) {
        if number > 9 {
            self.digits(number / 10);
        }
        self.0.push(char::from_digit(number % 10, 10).unwrap_or('0'));
    }
}

/// Reads JSON; `None` where it is none, or has too many values.
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    let mut values = 0;
    let mut quoted = false;
    let mut escaped = false;
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => values += 1,
            _ => {}
        }
    }
    if values > MOST_VALUES { None } else { serde_json::from_slice(bytes).ok() }
}

/// A text within an object; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// A number within an object, where there is one.
pub(super) fn count(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// The values of a list within an object; none where there is no list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], |list| list.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_the_same(
            text in any::<String>(), odd in "[\\x00-\\x1f\"\\\\ä€𝄞,:{}]*", number: u32, flag: bool
        ) {
            let mut json = Json::object();
            json.key(&odd).string(&text);
            json.key("list").open('[');
            json.string(&odd);
            json.number(number);
            json.boolean(flag);
            json.open('{');
            json.close('}');
            json.close(']');
            json.key("raw").raw("{\"a\":[1]}");
            let value: Value = serde_json::from_str(&json.done()).unwrap();
            prop_assert_eq!(
                value["list"].clone(),
                serde_json::json!([odd, number, flag, {}])
            );
            prop_assert_eq!(&value["raw"]["a"][0], 1);
            if odd != "list" && odd != "raw" {
                prop_assert_eq!(value[&odd].as_str(), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn hundredths_have_two_decimals() {
        for (number, written) in [(0, "0.00"), (5, "0.05"), (70, "0.70"), (200, "2.00")] {
            let mut json = Json::object();
            json.key("n").hundredths(number);
            assert_eq!(json.done(), alloc::format!("{{\"n\":{written}}}"));
        }
    }

    #[test]
    fn a_tree_that_would_fill_the_memory_is_refused() {
        let many = alloc::format!("[{}0]", "0,".repeat(MOST_VALUES));
        assert_eq!(parse(many.as_bytes()), None);
        let quoted = alloc::format!("[\"{}\\\",\"]", "0,".repeat(MOST_VALUES));
        assert!(parse(quoted.as_bytes()).is_some());
        let deep = "[".repeat(1_000);
        assert_eq!(parse(deep.as_bytes()), None);
    }
}
