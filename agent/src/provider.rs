//! Language models: one question with its history, an answer that comes part by part.
//!
//! | file | what |
//! |---|---|
//! | `openai` | chat completions, of OpenAI and of the many that speak it |
//! | `anthropic` | messages |
//! | `offline` | no model: cites what memory holds, and says so |
//! | `endpoint` | one question to a server: sent, tried again, read as it comes |
//! | `embeddings` | vectors from an endpoint, an [embedder](crate::embed) |
//! | `draft` | what has come of an answer |
//! | `fields` | what a server refuses of a request, so that it is asked in another way |
//! | `sse` | server-sent events out of bytes that split anywhere |
//! | `retry`, `http_date` | what is tried again, and when |
//! | `refusal` | statuses that say no, as sentences |
//!
//! What a provider must never do: let a key or a header's value into an error or an event; repeat
//! a request of which a part of the answer was already shown.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::quoted_len;
use crate::platform::Platform;
use crate::text::first;

pub mod anthropic;
mod draft;
mod embeddings;
mod endpoint;
mod fields;
mod http_date;
mod offline;
pub mod openai;
mod refusal;
mod retry;
mod sse;

pub use anthropic::Anthropic;
pub use embeddings::Embeddings;
pub use endpoint::{Endpoint, Key};
pub use offline::Offline;
pub use openai::OpenAi;
pub use retry::Retry;

/// A call of a tool that the model wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id of the call, to which the result refers.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// JSON, as the model wrote it: it may be invalid.
    pub arguments: String,
}

/// Characters of a tool's name that both vendors accept.
const MOST_NAME: usize = 64;

/// A tool's name with only the characters that both vendors accept. A model may make up any, and the
/// history with it would be refused at each further turn.
fn accepted_name(name: &str) -> String {
    match name.is_empty() {
        true => String::from("unknown"),
        false => accepted(first(name, MOST_NAME)),
    }
}

/// A text with `_` in the place of characters that not both vendors accept in names and ids.
fn accepted(text: &str) -> String {
    let accepted = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    text.chars().map(accepted).collect()
}

/// One message of a history. A result follows the assistant's message that called for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The person's.
    User(String),
    /// The model's.
    Assistant {
        /// What it said; empty where it only called tools.
        text: String,
        /// What it called.
        calls: Vec<ToolCall>,
    },
    /// A tool's.
    Result {
        /// Id of the call.
        id: String,
        /// Name of the tool.
        name: String,
        /// What it gave.
        content: String,
        /// Whether that is an error's sentence.
        failed: bool,
    },
}

/// Bytes of a message in JSON around its texts, at most.
const AROUND: usize = 160;

impl Message {
    /// Sums up its texts.
    fn sum(&self, len: fn(&str) -> usize) -> usize {
        match self {
            Self::User(text) => len(text),
            Self::Assistant { text, calls } => {
                // Arguments that are no object go as a text within a text, which escapes them twice.
                let call =
                    |call: &ToolCall| len(&call.id) + len(&call.name) + 2 * len(&call.arguments);
                calls.iter().fold(len(text), |sum, one| sum + AROUND + call(one))
            }
            Self::Result { id, name, content, .. } => len(id) + len(name) + len(content),
        }
    }

    /// Whether it has nothing that could be sent.
    fn is_empty(&self) -> bool {
        match self {
            Self::User(text) => text.trim().is_empty(),
            Self::Assistant { text, calls } => text.trim().is_empty() && calls.is_empty(),
            Self::Result { .. } => false,
        }
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.sum(str::len)
    }

    /// Bytes that it takes in JSON, at most.
    pub(crate) fn quoted_len(&self) -> usize {
        AROUND + self.sum(quoted_len)
    }
}

/// A tool that the model may call.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    /// Its name: letters, digits, `_`, at most 64.
    pub name: &'a str,
    /// What it does, for the model.
    pub description: &'a str,
    /// JSON schema of its arguments, an object.
    pub parameters: &'a str,
}

/// A memory as it was given to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// Its id, which an answer cites.
    pub id: u64,
    /// The day it is of, as a person reads it.
    pub date: String,
    /// What it says.
    pub text: String,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Who the assistant is, and what memory holds.
    pub system: &'a str,
    /// The memories that `system` quotes, the best first. Models read them there; `offline`, which
    /// reads nothing, cites them from here.
    pub memories: &'a [Cited],
    /// The history; the last is the person's or a tool's.
    pub messages: &'a [Message],
    /// Tools on offer.
    pub tools: &'a [Tool<'a>],
    /// Whether one of them must be called.
    pub must_call: bool,
    /// Tokens that the answer may have.
    pub max_tokens: u32,
    /// Between 0 and 2; `None`: the model's own.
    pub temperature: Option<f32>,
    /// Whether the answer is wanted part by part.
    pub stream: bool,
}

impl Question<'_> {
    /// Bytes that it takes in JSON, at most.
    fn quoted_len(&self) -> usize {
        let tool = |tool: &Tool<'_>| {
            AROUND + tool.name.len() + quoted_len(tool.description) + tool.parameters.len()
        };
        let messages = self.messages.iter().map(Message::quoted_len).sum::<usize>();
        let tools = self.tools.iter().map(tool).sum::<usize>();
        2 * AROUND + self.model.len() + quoted_len(self.system) + messages + tools
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// It was complete.
    End,
    /// Tools are called.
    Tools,
    /// The most tokens were reached.
    Length,
    /// The provider withheld the rest.
    Refused,
}

/// Tokens that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was said.
    pub text: String,
    /// What was called.
    pub calls: Vec<ToolCall>,
    /// Why it ended.
    pub stop: Stop,
    /// What it took; 0 where the provider did not say.
    pub usage: Usage,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// A sentence for a person, without secrets.
    pub sentence: String,
    /// What had come of the text before.
    pub partial: String,
    /// The status, where there was one.
    pub status: Option<u16>,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl core::error::Error for Error {}

/// Whether to go on after a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More, please.
    Go,
    /// The person has had enough: what has come is the answer.
    Halt,
}

/// A language model.
pub trait Provider {
    /// As the config calls it.
    fn name(&self) -> &str;

    /// Asks. `show` gets each part of the text as it comes.
    ///
    /// # Errors
    /// [`Error`], in time: retries, the limits of [`Timeouts`](crate::platform::Timeouts) and of
    /// the answer's length hold.
    fn ask(
        &self,
        platform: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error>;
}

#[cfg(test)]
mod tests {
    use super::endpoint::Wire;
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[\\x00-\\x1f\"\\\\ä€𝄞a-z ]{0,80}", any::<String>()]
    }

    fn call() -> impl Strategy<Value = ToolCall> {
        let arguments = prop_oneof![text(), Just(String::from("{\"a\":1}"))];
        (text(), text(), arguments).prop_map(|(id, name, arguments)| ToolCall {
            id,
            name,
            arguments,
        })
    }

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            text().prop_map(Message::User),
            (text(), prop::collection::vec(call(), 0..4))
                .prop_map(|(text, calls)| Message::Assistant { text, calls }),
            (text(), text(), text(), any::<bool>()).prop_map(|(id, name, content, failed)| {
                Message::Result { id, name, content, failed }
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Room for a request is asked for before it is made: it must not need more.
        #[test]
        fn a_request_is_no_longer_than_reckoned(
            messages in prop::collection::vec(message(), 0..8),
            texts in prop::collection::vec(text(), 4),
            tools in 0_usize..3, must_call: bool, stream: bool, temperature in 0.0_f32..2.0,
        ) {
            let tool = Tool { name: "look", description: &texts[0], parameters: "{\"type\":\"object\"}" };
            let tools = vec![tool; tools];
            let question = Question {
                model: "m",
                system: &texts[1],
                memories: &[],
                messages: &messages,
                tools: &tools,
                must_call,
                max_tokens: u32::MAX,
                temperature: Some(temperature),
                stream,
            };
            let endpoint = Endpoint::new("https://example.org", None, "KEY");
            let most = question.quoted_len();
            let openai = OpenAi::new(endpoint.clone()).body(&question);
            let anthropic = Anthropic::new(endpoint).body(&question);
            for body in [openai, anthropic] {
                prop_assert!(body.len() <= most, "{} of {most}: {body}", body.len());
                prop_assert_eq!(body.capacity(), most);
            }
        }
    }
}
