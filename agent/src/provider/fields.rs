//! What a server refuses of a request, so that it is asked in another way.
//!
//! Why: which model takes which field changes every few months, and each server has models of its
//! own, so a list of names would never be right. A refusal names what it is about; the request
//! is made again without it, and this server is asked so from then on.
//!
//! Sources: OpenAI's API reference (`reasoning_effort`, `max_completion_tokens`), Anthropic's
//! page on migration (`temperature`), the pages of OpenRouter and DeepSeek on reasoning and tools.
//!
//! What it must never do: change a request twice over the same thing: it would be asked for ever.

use core::cell::Cell;

use crate::json::Value;
use crate::text;

/// Something that a server may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Tools beside reasoning: `reasoning_effort` has to say that there is none, or must not.
    Effort = 1,
    /// The name of the limit of tokens: the old or the new one.
    Limit = 2,
    /// A temperature.
    Temperature = 4,
    /// Calls of tools without the thoughts that led to them, which are not kept here.
    Calls = 8,
    /// Texts at which the answer ends.
    Stops = 16,
}

/// What a server has refused so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Cell<u8>);

impl Refused {
    pub(super) fn has(&self, field: Field) -> bool {
        self.0.get() & field as u8 != 0
    }

    /// Notes it; `false` where that was known, so that asking again helps nothing.
    pub(super) fn add(&self, field: Field) -> bool {
        let known = self.has(field);
        self.0.set(self.0.get() | field as u8);
        !known
    }
}

/// Words by which servers ask for the thoughts before a call.
const THOUGHTS: [&str; 4] =
    ["reasoning_content", "reasoning_details", "reasoning details", "thought_signature"];

/// What an error is about. Gateways leave `param` out, and quote the server behind them in `raw`.
pub(super) fn named(error: &Value) -> Option<Field> {
    let param = error["param"].text();
    let words = [error["message"].text(), error["metadata"]["raw"].text()];
    let says = |name: &str| words.iter().any(|words| text::has(words, name));
    let is = |name: &str| param == name || says(name);
    if is("reasoning_effort") {
        Some(Field::Effort)
    } else if is("max_tokens") && says("max_completion_tokens") {
        // Both names: use the one instead of the other. With one alone there are too many of them.
        Some(Field::Limit)
    } else if is("temperature") {
        Some(Field::Temperature)
    } else if THOUGHTS.iter().any(|name| is(name)) {
        Some(Field::Calls)
    } else if param == "stop" || says("'stop'") || says("parameter stop") {
        // The word alone stands in many sentences.
        Some(Field::Stops)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn what_a_refusal_is_about_is_found() {
        let about = |error: &str| named(&read(error.as_bytes(), 100).unwrap());
        for (error, field) in [
            (r#"{"message":"not supported","param":"reasoning_effort"}"#, Some(Field::Effort)),
            (r#"{"message":"set reasoning_effort to 'none'","param":null}"#, Some(Field::Effort)),
            (
                r#"{"message":"Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead.","param":"max_tokens"}"#,
                Some(Field::Limit),
            ),
            // Too many of them: another name would change nothing.
            (r#"{"message":"max_tokens: 9 > 4, which is the most"}"#, None),
            (r#"{"message":"max_tokens is too large: 9","param":"max_tokens"}"#, None),
            (r#"{"message":"above the maximum","param":"max_completion_tokens"}"#, None),
            (
                r#"{"message":"`temperature` is deprecated for this model."}"#,
                Some(Field::Temperature),
            ),
            (r#"{"message":"The `reasoning_content` must be passed back"}"#, Some(Field::Calls)),
            (
                r#"{"message":"Provider returned error","metadata":{"raw":"is missing a thought_signature"}}"#,
                Some(Field::Calls),
            ),
            (
                r#"{"message":"Unsupported parameter: 'stop' is not supported with this model.","param":"stop"}"#,
                Some(Field::Stops),
            ),
            (r#"{"message":"the model does not support parameter stop"}"#, Some(Field::Stops)),
            (r#"{"message":"stop and try again"}"#, None),
            (r#"{"message":"no such model","param":"model"}"#, None),
            (r#""a text""#, None),
        ] {
            assert_eq!(about(error), field, "{error}");
        }
    }

    #[test]
    fn each_is_new_once() {
        let refused = Refused::default();
        for field in [Field::Effort, Field::Limit, Field::Temperature, Field::Calls, Field::Stops] {
            assert!(!refused.has(field));
            assert!(refused.add(field) && refused.has(field) && !refused.add(field));
        }
    }
}
