//! What clients of OpenAI were seen to need, beyond what `serve_chat` has: the npm and Python packages
//! of OpenAI, LangChain, the AI SDK, smolagents.

mod support;

use std::cell::RefCell;

use clawft_agent::config::Config;
use clawft_agent::embed::Embedder;
use clawft_agent::failure::{Exit, Failure};
use clawft_agent::memory::{Limits, Memory};
use clawft_agent::platform::Platform;
use clawft_agent::provider::{
    Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall, Usage,
};
use clawft_agent::serve::{Asked, Guard, Reply, Server, Talk, Work, answer};
use clawft_agent::turn::Agent;
use serde_json::{Value, json};
use support::{Folder, Variables, WORDS, World};

/// Calls two tools, one of them without arguments, as Anthropic streams such a call; or is broken.
#[derive(Default)]
struct Two {
    breaks: bool,
    asked: RefCell<Vec<Message>>,
    /// Whether it knows forms of an answer, and with which form and ends it was asked, and whether
    /// with more tools than the two of the client.
    forms: bool,
    form: RefCell<String>,
    /// What it says in place of calls.
    says: &'static str,
}

impl Provider for Two {
    fn name(&self) -> &str {
        "two"
    }

    fn takes_format(&self) -> bool {
        self.forms
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        _: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        *self.asked.borrow_mut() = question.messages.to_vec();
        let Question { format, stops, tools, .. } = question;
        *self.form.borrow_mut() = format!("{format}{stops:?} {}", tools.len() > 2);
        if self.breaks {
            let sentence = "the provider refused the key".into();
            return Err(Error { sentence, partial: String::new(), status: Some(401) });
        }
        if !self.says.is_empty() {
            let text = self.says.into();
            return Ok(Answer { text, calls: vec![], stop: Stop::End, usage: Usage::default() });
        }
        let call = |id: &str, name: &str, arguments: &str| ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        };
        let calls = vec![call("a", "now", ""), call("b", "weather", "{\"town\":\"Ulm\"}")];
        Ok(Answer { text: String::new(), calls, stop: Stop::Tools, usage: Usage::default() })
    }
}

struct Room<'a> {
    folder: &'a Folder,
    provider: &'a dyn Provider,
    sent: RefCell<String>,
    /// Why there is no embedder, where there is none.
    mute: Option<Failure>,
}

impl Server for Room<'_> {
    fn with_memory(&self, _: &mut Work<'_>) -> Reply {
        unreachable!("these requests are for the agent")
    }

    fn with_agent(&self, talk: &mut Talk<'_>) -> Reply {
        let (world, config) = (World::default(), Config::default());
        let limits = Limits::from(&config);
        let embedder = match &self.mute {
            None => Ok(&WORDS as &dyn Embedder),
            Some(failure) => Err(failure.clone()),
        };
        let mut memory = Memory::new(&world.platform(), self.folder.path(), embedder, limits);
        talk(&mut Agent {
            platform: world.platform(),
            data: self.folder.path(),
            config: &config,
            provider: self.provider,
            model: "m-1",
            memory: &mut memory,
        })
    }

    fn send(&self, events: &str) -> Flow {
        self.sent.borrow_mut().push_str(events);
        Flow::Go
    }
}

impl<'a> Room<'a> {
    fn new(folder: &'a Folder, provider: &'a dyn Provider) -> Self {
        Self { folder, provider, sent: RefCell::default(), mute: None }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (Reply, Value) {
        let headers = [("host", "localhost"), ("content-type", "application/json")];
        let asked = Asked {
            method: method.into(),
            path: path.into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: Some(body.to_string().into_bytes()),
        };
        let reply = answer(&asked, &Guard::new(&Variables::default()), self);
        let said = serde_json::from_str(&reply.body).unwrap();
        (reply, said)
    }

    fn chat(&self, body: &Value) -> (Reply, Value) {
        self.ask("POST", "/v1/chat/completions", body)
    }
}

fn with_tools(messages: &Value) -> Value {
    let tools = ["now", "weather"].map(|name| json!({"function": {"name": name}}));
    json!({"messages": messages, "tools": tools})
}

/// Clients parse what they get: `""` is no JSON.
#[test]
fn a_call_without_arguments_has_an_empty_object_of_them() {
    let (folder, provider) = (Folder::new("clients-arguments"), Two::default());
    let room = Room::new(&folder, &provider);
    let mut body = with_tools(&json!([{"role": "user", "content": "How late is it?"}]));
    let (_, said) = room.chat(&body);
    let calls = &said["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls[0]["function"], json!({"name": "now", "arguments": "{}"}));
    assert_eq!(calls[1]["function"]["arguments"], "{\"town\":\"Ulm\"}");
    body["stream"] = true.into();
    room.chat(&body);
    assert!(room.sent.borrow().contains("\"name\":\"now\",\"arguments\":\"{}\""));
}

#[test]
fn who_wants_one_call_at_a_time_gets_the_first() {
    let (folder, provider) = (Folder::new("clients-one"), Two::default());
    let room = Room::new(&folder, &provider);
    let mut body = with_tools(&json!([{"role": "user", "content": "How late is it?"}]));
    for (parallel, calls) in [(json!(null), 2), (json!(true), 2), (json!(false), 1)] {
        body["parallel_tool_calls"] = parallel;
        let (_, said) = room.chat(&body);
        let choice = &said["choices"][0];
        assert_eq!(choice["message"]["tool_calls"].as_array().unwrap().len(), calls);
        assert_eq!(choice["finish_reason"], "tool_calls");
    }
}

/// OpenAI's answer where a model refused is such a message, and clients send it back.
#[test]
fn an_answer_without_a_text_may_stand_in_the_history() {
    let (folder, provider) = (Folder::new("clients-null"), Two::default());
    let room = Room::new(&folder, &provider);
    let body = with_tools(&json!([
        {"role": "user", "content": "Open the door."},
        {"role": "assistant", "content": null, "refusal": "That is not mine to open."},
        {"role": "user", "content": "And the window?"},
    ]));
    let (reply, said) = room.chat(&body);
    assert_eq!(reply.status, 200, "{said}");
    let refused =
        Message::Assistant { text: "That is not mine to open.".into(), calls: Vec::new() };
    assert_eq!(provider.asked.borrow()[1], refused);
    let (reply, _) = room.chat(&json!({"messages": [{"role": "user", "content": null}]}));
    assert_eq!(reply.status, 400, "a question must have one");
}

/// Many clients look there before they ask.
#[test]
fn the_list_of_models_has_the_one_that_answers() {
    let (folder, provider) = (Folder::new("clients-models"), Two::default());
    let room = Room::new(&folder, &provider);
    let (reply, said) = room.ask("GET", "/v1/models", &Value::Null);
    let model = json!({"id": "m-1", "object": "model", "created": 0, "owned_by": "clawft"});
    assert_eq!((reply.status, said), (200, json!({"object": "list", "data": [model]})));
    let (reply, _) = room.ask("POST", "/v1/models", &Value::Null);
    assert_eq!((reply.status, &*reply.headers), (405, &[("allow", "GET")][..]));
}

/// Their own clients would ask twice more, each time as often as was asked here.
#[test]
fn what_the_provider_refused_is_not_to_be_tried_again() {
    let folder = Folder::new("clients-retry");
    let provider = Two { breaks: true, ..Two::default() };
    let room = Room::new(&folder, &provider);
    let (reply, _) = room.chat(&json!({"messages": [{"role": "user", "content": "Hello"}]}));
    assert_eq!((reply.status, &*reply.headers), (502, &[("x-should-retry", "false")][..]));
}

/// With a form the tools are the client's two alone: several servers refuse a form beside tools.
///
/// A schema that no model sees would be an error of the client's, after the answer was paid for.
#[test]
fn where_an_answer_ends_and_its_form_reach_the_model_or_are_refused() {
    let folder = Folder::new("clients-form");
    let schema = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": {}}});
    let asked = |forms: bool, name: &str, value: &Value| {
        let provider = Two { forms, ..Two::default() };
        let room = Room::new(&folder, &provider);
        let mut body = with_tools(&json!([{"role": "user", "content": "How late is it?"}]));
        body[name] = value.clone();
        (room.chat(&body).0.status, provider.form.take())
    };
    for (forms, name, value, status, form) in [
        (true, "response_format", schema.clone(), 200, format!("{schema}[] false")),
        (false, "response_format", schema, 400, String::new()),
        (
            true,
            "response_format",
            json!({"type": "json_object"}),
            200,
            "{\"type\":\"json_object\"}[] false".into(),
        ),
        (false, "response_format", json!({"type": "text"}), 200, "[] true".into()),
        (true, "response_format", json!({"type": "poem"}), 400, String::new()),
        (true, "response_format", json!("json"), 400, String::new()),
        (false, "stop", json!("Observation:"), 200, "[\"Observation:\"] true".into()),
        (
            false,
            "stop",
            json!(["a", "b", "c", "d"]),
            200,
            "[\"a\", \"b\", \"c\", \"d\"] true".into(),
        ),
        (false, "stop", json!(["a", "b", "c", "d", "e"]), 400, String::new()),
        (false, "stop", json!([""]), 400, String::new()),
        (false, "stop", json!(5), 400, String::new()),
        (false, "stop", Value::Null, 200, "[] true".into()),
        (false, "logprobs", json!(false), 200, "[] true".into()),
        (false, "logprobs", json!(true), 400, String::new()),
    ] {
        assert_eq!(asked(forms, name, &value), (status, form), "{name}: {value}");
    }
}

/// In JSON a list of numbers is none of ids, whether the client asked for a form or not.
#[test]
fn numbers_in_a_form_are_no_citations() {
    let folder = Folder::new("clients-numbers");
    let note = "the answer cites 2, 3, 5, which memory did not give";
    for (says, notes) in
        [("{\"primes\":[2,3,5]}", Value::Null), ("It is so [2, 3, 5].", json!([note]))]
    {
        let provider = Two { forms: true, says, ..Two::default() };
        let room = Room::new(&folder, &provider);
        let mut body = json!({"messages": [{"role": "user", "content": "Three primes?"}]});
        let (_, said) = room.chat(&body);
        assert_eq!(said["notes"], notes);
        body["response_format"] = json!({"type": "json_object"});
        let (_, said) = room.chat(&body);
        assert_eq!(said["choices"][0]["message"]["content"], says);
        assert_eq!(said["notes"], Value::Null);
    }
}

/// What the embedder's server says of its key is for who runs this one.
#[test]
fn why_nothing_was_remembered_is_told_to_who_runs_the_server() {
    let folder = Folder::new("clients-mute");
    let provider = Two { says: "Hello, Ada.", ..Two::default() };
    let mute = Failure::new(Exit::Embedder, "host.test refused the key");
    let room = Room { mute: Some(mute), ..Room::new(&folder, &provider) };
    let body = json!({"messages": [{"role": "user", "content": "My name is Ada."}]});
    let (reply, said) = room.chat(&body);
    assert_eq!(reply.note, "not remembered: host.test refused the key");
    assert_eq!(said["notes"], json!(["something failed, which this server's own notes say"]));
}

/// Open WebUI asks for titles with the conversation in the person's message, others with documents:
/// what a model or a document says there is no fact, and what was forgotten stays so.
#[test]
fn transcripts_and_documents_in_a_message_teach_nothing() {
    let folder = Folder::new("clients-pasted");
    let provider = Two { says: "Cats", ..Two::default() };
    let room = Room::new(&folder, &provider);
    let ask = |text: &str| {
        let (reply, _) = room.chat(&json!({"messages": [{"role": "user", "content": text}]}));
        assert_eq!(reply.status, 200);
    };
    let world = World::default();
    let memory = || {
        let limits = Limits::from(&Config::default());
        Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits)
    };
    let title = "### Task:\nGenerate a title.\n<chat_history>\nUSER: My cat is called Miro.\n\
                 ASSISTANT: I don't have anything about your cat.\n</chat_history>";
    let documents = "Use the context.\n<context>\nOur company was founded in 1999.\n</context>\n\
                     When was it founded?";
    ask(title);
    ask(documents);
    assert_eq!(memory().stats().unwrap().records, 0);
    ask("My cat is called Miro.");
    let id = memory().recall("cat Miro", 1).unwrap()[0].id;
    memory().forget(&[id]).unwrap();
    ask(title);
    assert_eq!(memory().stats().unwrap().records, 0);
}

#[test]
fn what_of_a_conversation_the_model_is_not_given_is_said() {
    let folder = Folder::new("clients-long");
    let provider = Two { says: "Fine.", ..Two::default() };
    let room = Room::new(&folder, &provider);
    let long = "a word ".repeat(2000);
    let mut messages = Vec::new();
    for _ in 0..4 {
        messages.push(json!({"role": "user", "content": long}));
        messages.push(json!({"role": "assistant", "content": "Yes."}));
    }
    messages.push(json!({"role": "user", "content": "And now?"}));
    let (_, said) = room.chat(&json!({"messages": messages}));
    let note = said["notes"][0].as_str().unwrap();
    assert!(note.contains("messages were left out: chat.context_tokens"), "{note}");
    let (_, said) = room.chat(&json!({"messages": [messages.last()]}));
    assert_eq!(said["notes"], Value::Null);
}
