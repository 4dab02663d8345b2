//! JSON straight into a text.
//!
//! A history of hundreds of kilobytes is in memory once, and what is sent needs no tree.
//!
//! Where a comma belongs is seen by the last byte, so nothing is kept of what is open. Room is
//! asked for by `quoted_len` before a long text is written.
//!
//! What it must never do: break a line inside of a string, as one object is one line, or write
//! a string of another length than `quoted_len` says.

use alloc::string::String;

use super::Value;

/// A text in which commas are set where they belong.
pub(crate) struct Json(String);

/// A string alone.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = Json::new();
    json.string(text);
    json.0
}

/// Bytes of a string, with its quotation marks.
pub(crate) fn quoted_len(text: &str) -> usize {
    let more = |c: char| match c {
        '"' | '\\' | '\n' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    };
    text.chars().fold(2, |sum, c| sum + more(c))
}

impl Json {
    /// Begins with nothing; one value has to follow.
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// Begins an object.
    pub(crate) fn object() -> Self {
        Self(String::from("{"))
    }

    /// Begins an object that will take so many bytes, and does not move as it grows up to them.
    pub(crate) fn object_of(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self(text)
    }

    /// The text, the first object closed.
    pub(crate) fn done(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// The same as a line.
    pub(crate) fn line(self) -> String {
        let mut text = self.done();
        text.push('\n');
        text
    }

    /// A name within an object; one value has to follow.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.string(name);
        self.0.push(':');
        self
    }

    /// A member that is a text.
    #[inline(never)]
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.key(name).string(text);
    }

    /// A member that is a whole number.
    #[inline(never)]
    pub(crate) fn count(&mut self, name: &str, number: u64) {
        self.key(name).number(number);
    }

    /// A member that is `true` or `false`.
    #[inline(never)]
    pub(crate) fn truth(&mut self, name: &str, value: bool) {
        self.key(name).boolean(value);
    }

    /// A member that is a list or an object, as the bracket says. It has to be closed.
    #[inline(never)]
    pub(crate) fn begin(&mut self, name: &str, bracket: char) {
        self.key(name).open(bracket);
    }

    /// A member that is a list of texts.
    #[inline(never)]
    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) {
        self.begin(name, '[');
        texts.iter().for_each(|text| self.string(text));
        self.close(']');
    }

    /// A member that is a list of whole numbers.
    #[inline(never)]
    pub(crate) fn counts(&mut self, name: &str, numbers: &[u64]) {
        self.begin(name, '[');
        numbers.iter().for_each(|number| self.number(*number));
        self.close(']');
    }

    /// A string.
    #[inline(never)]
    pub(crate) fn string(&mut self, text: &str) {
        self.comma();
        self.0.push('"');
        self.escaped(text);
    }

    /// Goes on with the string that was written last.
    pub(crate) fn go_on(&mut self, text: &str) {
        self.0.pop();
        self.escaped(text);
    }

    /// The rest of a string.
    #[inline(never)]
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.0.push('\\');
                    self.0.push(c);
                }
                '\n' => self.0.push_str("\\n"),
                // Those above ASCII too: a terminal takes U+009B for the begin of a sequence.
                c if c.is_control() => {
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
    #[inline(never)]
    pub(crate) fn number(&mut self, number: u64) {
        self.comma();
        self.digits(number);
    }

    /// A member with `decimals` digits behind the point, given as a whole number of the last of
    /// them: formatting floats would cost kilobytes.
    pub(crate) fn decimal(&mut self, name: &str, number: u64, decimals: u32) {
        self.key(name);
        let mut one = 10_u64.pow(decimals);
        self.digits(number / one);
        self.0.push('.');
        while one > 1 {
            one /= 10;
            self.digits(number / one % 10);
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// What is JSON already.
    #[inline(never)]
    pub(crate) fn raw(&mut self, json: &str) {
        self.comma();
        self.0.push_str(json);
    }

    /// `{` or `[`.
    #[inline(never)]
    pub(crate) fn open(&mut self, bracket: char) {
        self.comma();
        self.0.push(bracket);
    }

    /// `}` or `]`.
    pub(crate) fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    /// A value that was read. As deep as it was allowed to be there.
    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw("null"),
            Value::Truth(truth) => self.boolean(*truth),
            Value::Number(number) => self.raw(number),
            Value::Text(text) => self.string(text),
            Value::List(values) => {
                self.open('[');
                values.iter().for_each(|value| self.value(value));
                self.close(']');
            }
            Value::Object(members) => {
                self.open('{');
                members.iter().for_each(|(name, value)| self.key(name).value(value));
                self.close('}');
            }
        }
    }

    fn comma(&mut self) {
        // Texts are closed by a quote, so the last byte is never one of a text.
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn digits(&mut self, number: u64) {
        if number > 9 {
            self.digits(number / 10);
        }
        self.0.push(char::from(b'0' + (number % 10) as u8));
    }
}

impl Value {
    /// As JSON.
    pub(crate) fn print(&self) -> String {
        let mut json = Json::new();
        json.value(self);
        json.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Other;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_written_is_read_the_same(
            text in any::<String>(), odd in "[\\x00-\\x1f\"\\\\ä€𝄞,:{}]*", number: u64, flag: bool
        ) {
            let mut json = Json::object();
            json.text(&odd, &text);
            json.begin("list", '[');
            json.string(&odd);
            json.number(number);
            json.boolean(flag);
            json.open('{');
            json.close('}');
            json.close(']');
            json.counts("counts", &[number, 0]);
            json.texts("texts", &[text.clone(), odd.clone()]);
            json.truth("truth", flag);
            json.key("raw").raw("{\"a\":[1]}");
            let value: Other = serde_json::from_str(&json.line()).unwrap();
            prop_assert_eq!(
                value["list"].clone(),
                serde_json::json!([odd, number, flag, {}])
            );
            prop_assert_eq!(&value["raw"]["a"][0], 1);
            prop_assert_eq!(value["counts"].clone(), serde_json::json!([number, 0]));
            prop_assert_eq!(value["texts"].clone(), serde_json::json!([text, odd]));
            prop_assert_eq!(value["truth"].clone(), flag);
            if !["list", "raw", "counts", "texts", "truth"].contains(&&*odd) {
                prop_assert_eq!(value[&odd].as_str(), Some(text.as_str()));
            }
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).unwrap(), text);
        }
    }

    #[test]
    fn no_control_character_goes_out_as_it_is() {
        let odd: String = ('\0'..='\u{a1}').collect();
        let written = quoted(&odd);
        assert!(!written.contains(char::is_control), "{written:?}");
        assert!(written.contains("~\\u007f\\u0080") && written.ends_with("\\u009f\u{a0}¡\""));
        assert_eq!(written.len(), quoted_len(&odd));
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), odd);
    }

    #[test]
    fn decimals_have_their_digits() {
        for (number, decimals, written) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (70, 2, "0.70"),
            (200, 2, "2.00"),
            (61_200, 6, "0.061200"),
        ] {
            let mut json = Json::object();
            json.decimal("n", number, decimals);
            assert_eq!(json.done(), alloc::format!("{{\"n\":{written}}}"));
        }
    }
}
