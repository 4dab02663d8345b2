//! What clients of OpenAI were seen to need, beyond what `serve_chat` has: the npm and Python packages
//! of OpenAI, LangChain, the AI SDK, smolagents.

mod support;

use std::cell::RefCell;

use clawft_agent::config::Config;
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
}

impl Provider for Two {
    fn name(&self) -> &str {
        "two"
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        _: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        *self.asked.borrow_mut() = question.messages.to_vec();
        if self.breaks {
            let sentence = "the provider refused the key".into();
            return Err(Error { sentence, partial: String::new(), status: Some(401) });
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
}

impl Server for Room<'_> {
    fn with_memory(&self, _: &mut Work<'_>) -> Reply {
        unreachable!("these requests are for the agent")
    }

    fn with_agent(&self, talk: &mut Talk<'_>) -> Reply {
        let (world, config) = (World::default(), Config::default());
        let limits = Limits::from(&config);
        let mut memory = Memory::new(&world.platform(), self.folder.path(), Ok(&WORDS), limits);
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

impl Room<'_> {
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
    let room = Room { folder: &folder, provider: &provider, sent: RefCell::default() };
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
    let room = Room { folder: &folder, provider: &provider, sent: RefCell::default() };
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
    let room = Room { folder: &folder, provider: &provider, sent: RefCell::default() };
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
    let room = Room { folder: &folder, provider: &provider, sent: RefCell::default() };
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
    let room = Room { folder: &folder, provider: &provider, sent: RefCell::default() };
    let (reply, _) = room.chat(&json!({"messages": [{"role": "user", "content": "Hello"}]}));
    assert_eq!((reply.status, &*reply.headers), (502, &[("x-should-retry", "false")][..]));
}
