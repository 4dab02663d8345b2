//! JSON, read into a tree and written without one.
//!
//! | file | what |
//! |---|---|
//! | `read` | a text into values, under limits of depth and number |
//! | `write` | straight into a text: no tree is built to be printed |
//!
//! Of our own, since a crate that is made for every use is four times as large here. Numbers stay as
//! they are written until somebody asks what they are worth: so none loses digits on its way
//! through, and decimals need no code unless they are asked for. What a value does not have is
//! `null`, so that one can look for a member of a member without a question in between.
//!
//! What it must never do: take for JSON what is none, recurse as deep as its input says, or write a
//! text that another reader takes for more than one.

mod read;
mod write;

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Index;

pub(crate) use read::{Unread, or_null, read};
pub(crate) use write::{Json, quoted, quoted_len};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Truth(bool),
    /// A number as it is written.
    Number(String),
    Text(String),
    List(Vec<Value>),
    /// Members in the order in which they are written. Of two with the same name the last counts.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// A text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text; empty where it is none.
    pub(crate) fn text(&self) -> &str {
        self.as_text().unwrap_or("")
    }

    /// A whole number from 0 on, without a fraction.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// A number, to within the last bit or two of an f64 before it is rounded to an f32.
    pub(crate) fn as_f32(&self) -> Option<f32> {
        match self {
            Self::Number(number) => Some(decimal(number.as_bytes()) as f32),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The values of a list.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The values of a list; none where it is none.
    pub(crate) fn list(&self) -> &[Self] {
        self.as_list().unwrap_or_default()
    }

    /// The members of an object.
    pub(crate) fn as_object(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A member of an object; `null` where there is none of that name.
impl Index<&str> for Value {
    type Output = Self;

    #[inline(never)]
    fn index(&self, name: &str) -> &Self {
        let members = self.as_object().unwrap_or_default();
        let found = members.iter().rev().find(|(found, _)| found == name);
        found.map_or(&Self::Null, |(_, value)| value)
    }
}

/// What a number in the grammar of JSON is worth. Exact where up to 15 digits and a power of ten up
/// to 22 say it, as both then have an f64 of their own; above, each of the roundings may be off by
/// half a bit.
fn decimal(number: &[u8]) -> f64 {
    let (mut digits, mut power, mut behind) = (0_u64, 0_i32, false);
    let mut rest = number.iter();
    for &byte in rest.by_ref() {
        match byte {
            b'.' => behind = true,
            b'0'..=b'9' => {
                // Digits that a u64 has no room for only say how large it is.
                let room = digits < u64::MAX / 10 - 1;
                if room {
                    digits = digits * 10 + u64::from(byte - b'0');
                }
                power = power.saturating_add(i32::from(!room) - i32::from(behind));
            }
            b'-' => {}
            // The exponent is all that is left.
            _ => break,
        }
    }
    let sign = rest.as_slice().first();
    let exponent = rest.filter(|byte| byte.is_ascii_digit()).fold(0_i32, |sum, byte| {
        sum.saturating_mul(10).saturating_add(i32::from(byte - b'0')).min(9999)
    });
    power = power.saturating_add(if sign == Some(&b'-') { -exponent } else { exponent });
    let (mut scale, mut ten) = (1.0_f64, 10.0_f64);
    let mut bits = power.unsigned_abs();
    while bits > 0 {
        if bits & 1 == 1 {
            scale *= ten;
        }
        ten *= ten;
        bits >>= 1;
    }
    let value = match digits {
        0 => 0.0,
        digits if power < 0 => digits as f64 / scale,
        digits => digits as f64 * scale,
    };
    if number.first() == Some(&b'-') { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_there_is_null() {
        let value = read(br#"{"a":{"b":[1,"x"]},"a2":null,"c":1,"c":2}"#, 100).unwrap();
        assert_eq!(value["a"]["b"].list().len(), 2);
        assert_eq!(value["a"]["b"].list()[1].text(), "x");
        assert_eq!(value["c"].as_u64(), Some(2), "the last counts");
        assert!(value["x"]["y"].is_null() && value["c"]["y"].is_null() && value["a2"].is_null());
        assert_eq!((value["x"].text(), value["x"].list().len()), ("", 0));
    }

    #[test]
    fn numbers_are_whole_or_none() {
        let whole = |text: &str| Value::Number(text.into()).as_u64();
        assert_eq!(whole("18446744073709551615"), Some(u64::MAX));
        for other in ["18446744073709551616", "-1", "1.0", "1e2"] {
            assert_eq!(whole(other), None, "{other}");
        }
    }

    #[test]
    fn decimals_at_their_ends() {
        for (text, value) in
            [("0e999999999999", 0.0), ("-0.0", 0.0), ("1e-400", 0.0), ("1e400", f64::INFINITY)]
        {
            assert_eq!(decimal(text.as_bytes()), value, "{text}");
        }
        assert_eq!(decimal(format!("0.{}1e51", "0".repeat(50)).as_bytes()), 1.0);
        assert_eq!(decimal(format!("1{}e-50", "0".repeat(50)).as_bytes()), 1.0);
        assert!(decimal(b"-12.5e1") == -125.0 && decimal(b"3.25E+2") == 325.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn short_decimals_are_exact(digits in 0..10_u64.pow(15), power in -22..=22_i32) {
            let text = format!("{digits}e{power}");
            prop_assert_eq!(decimal(text.as_bytes()), text.parse::<f64>().unwrap());
        }

        #[test]
        fn decimals_are_close(value: f64) {
            prop_assume!(value.is_finite() && (value == 0.0 || value.abs() > 1e-280));
            for text in [value.to_string(), format!("{value:e}")] {
                let found = decimal(text.as_bytes());
                prop_assert!((found - value).abs() <= value.abs() * 1e-14, "{text}: {found}");
            }
        }

        #[test]
        fn vectors_keep_their_components(value in prop::num::f32::NORMAL) {
            let found = Value::Number(value.to_string()).as_f32().unwrap();
            prop_assert!((found - value).abs() <= value.abs() * f32::EPSILON, "{value} {found}");
        }
    }
}
