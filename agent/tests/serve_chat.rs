//! Requests of an OpenAI client: answered with memory behind them, whole or as a stream, and
//! nothing of the conversation is left on the disk but what a turn keeps in memory.

mod support;

use std::cell::RefCell;

use clawft_agent::config::Config;
use clawft_agent::memory::{Limits, Memory, New};
use clawft_agent::platform::Platform;
use clawft_agent::provider::{
    Answer, Error, Flow, Message, Offline, Provider, Question, Stop, ToolCall, Usage,
};
use clawft_agent::serve::{Asked, Guard, Reply, Server, Talk, Work, answer};
use clawft_agent::turn::Agent;
use serde_json::{Value, json};
use support::{Folder, Variables, WORDS, World};

/// Answers "Miro, of [ID]" in two parts, or breaks after the first.
struct Script {
    breaks: bool,
    stop: Stop,
    systems: RefCell<Vec<String>>,
    histories: RefCell<Vec<Vec<Message>>>,
    limits: RefCell<Vec<(u32, Option<f32>, bool)>>,
}

impl Script {
    fn new() -> Self {
        Self {
            breaks: false,
            stop: Stop::End,
            systems: RefCell::default(),
            histories: RefCell::default(),
            limits: RefCell::default(),
        }
    }
}

impl Provider for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        self.systems.borrow_mut().push(question.system.into());
        self.histories.borrow_mut().push(question.messages.to_vec());
        let limits = (question.max_tokens, question.temperature, question.stream);
        self.limits.borrow_mut().push(limits);
        if show("Miro, ") == Flow::Halt {
            let usage = Usage::default();
            return Ok(Answer { text: "Miro, ".into(), calls: vec![], stop: self.stop, usage });
        }
        if self.breaks {
            let sentence = "the connection ended".into();
            return Err(Error { sentence, partial: "Miro, ".into(), status: None });
        }
        show("the cat");
        let usage = Usage { input: 30, output: 4 };
        Ok(Answer { text: "Miro, the cat".into(), calls: vec![], stop: self.stop, usage })
    }
}

struct Room<'a> {
    folder: &'a Folder,
    provider: &'a dyn Provider,
    sent: RefCell<String>,
    /// Parts after which nobody listens.
    listens: usize,
    config: Config,
}

impl<'a> Room<'a> {
    fn new(folder: &'a Folder, provider: &'a dyn Provider) -> Self {
        let config = Config::default();
        Self { folder, provider, sent: RefCell::default(), listens: usize::MAX, config }
    }

    fn memory<'m>(&self, world: &'m World) -> Memory<'m> {
        let limits = Limits::from(&self.config);
        Memory::new(&world.platform(), self.folder.path(), Ok(&WORDS), limits)
    }

    fn reply(&self, body: &Value) -> Reply {
        let headers = [("host", "localhost:8080"), ("content-type", "application/json")];
        let asked = Asked {
            method: "POST".into(),
            path: "/v1/chat/completions".into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: Some(body.to_string().into_bytes()),
        };
        answer(&asked, &Guard::new(&Variables::default()), self)
    }

    /// The events of a stream, without the mark of its end; and whether that was there.
    fn events(&self) -> (Vec<Value>, bool) {
        let sent = self.sent.borrow();
        assert!(sent.is_empty() || sent.ends_with("\n\n"));
        let mut events: Vec<&str> = sent.split_terminator("\n\n").collect();
        let ended = events.pop_if(|event| *event == "data: [DONE]").is_some();
        let json = |event: &&str| serde_json::from_str(event.strip_prefix("data: ").unwrap());
        (events.iter().map(json).collect::<Result<_, _>>().unwrap(), ended)
    }
}

impl Server for Room<'_> {
    fn with_memory(&self, _: &mut Work<'_>) -> Reply {
        unreachable!("these requests are for the agent")
    }

    fn with_agent(&self, talk: &mut Talk<'_>) -> Reply {
        let world = World::default();
        let mut memory = self.memory(&world);
        let reply = talk(&mut Agent {
            platform: world.platform(),
            data: self.folder.path(),
            config: &self.config,
            provider: self.provider,
            model: "m-1",
            memory: &mut memory,
        });
        memory.finish().unwrap();
        reply
    }

    fn send(&self, events: &str) -> Flow {
        self.sent.borrow_mut().push_str(events);
        match self.sent.borrow().matches("\n\n").count() < self.listens {
            true => Flow::Go,
            false => Flow::Halt,
        }
    }
}

/// What a reply says.
fn said(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn told(folder: &Folder, text: &str) -> u64 {
    let world = World::default();
    let mut memory = Room::new(folder, &Offline).memory(&world);
    let id = memory.remember(&New::fact(text)).unwrap().id;
    memory.finish().unwrap();
    id
}

const QUESTION: &str = "What is my cat called?";

#[test]
fn an_answer_has_memory_behind_it_and_leaves_no_session() {
    let folder = Folder::new("chat-whole");
    told(&folder, "my cat is called Miro");
    let script = Script::new();
    let room = Room::new(&folder, &script);
    let reply = room.reply(&json!({
        "model": "whatever", "temperature": 0.5, "max_tokens": 77, "top_p": 1,
        "messages": [
            {"role": "system", "content": "Answer like a pirate."},
            {"role": "user", "content": "Hello, I live in Bergen."},
            {"role": "assistant", "content": "Ahoy."},
            {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        ],
    }));
    assert_eq!((reply.status, reply.is_sent), (200, false), "{}", reply.body);
    let body = said(&reply);
    let choice = &body["choices"][0];
    assert_eq!(choice["message"], json!({"role": "assistant", "content": "Miro, the cat"}));
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "m-1");
    assert_eq!(body["usage"]["total_tokens"], 34);
    let system = script.systems.borrow()[0].clone();
    assert!(system.contains("my cat is called Miro") && system.contains("Answer like a pirate."));
    assert_eq!(script.limits.borrow()[0], (77, Some(0.5), false));
    let history = [
        Message::User("Hello, I live in Bergen.".into()),
        Message::Assistant { text: "Ahoy.".into(), calls: vec![] },
        Message::User(QUESTION.into()),
    ];
    assert_eq!(script.histories.borrow()[0], history);
    assert!(!folder.0.join("sessions").exists());
    assert!(!folder.holds("pirate") && !folder.holds("Bergen"), "only the last is new");
}

#[test]
fn what_a_person_says_of_themselves_is_kept_for_the_next_client() {
    let folder = Folder::new("chat-kept");
    let room = Room::new(&folder, &Offline);
    let say = |text: &str| {
        let body = json!({"messages": [{"role": "user", "content": text}]});
        let reply = room.reply(&body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        said(&reply)["choices"][0]["message"]["content"].as_str().unwrap().to_string()
    };
    say("My cat is called Miro.");
    let answer = say(QUESTION);
    assert!(answer.contains("Miro"), "{answer}");
}

#[test]
fn a_stream_comes_part_by_part_and_ends() {
    let folder = Folder::new("chat-stream");
    let script = Script::new();
    let room = Room::new(&folder, &script);
    let reply = room.reply(&json!({
        "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": QUESTION}],
    }));
    assert!(reply.is_sent);
    let (events, ended) = room.events();
    assert!(ended);
    let deltas: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    assert_eq!(*deltas[0], json!({"role": "assistant", "content": "Miro, "}));
    assert_eq!(*deltas[1], json!({"content": "the cat"}));
    assert_eq!(*deltas[2], json!({}));
    assert_eq!(events[2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(events[3]["choices"], json!([]));
    assert_eq!(events[3]["usage"]["prompt_tokens"], 30);
    assert_eq!(events.len(), 4);
    for event in &events {
        assert_eq!(
            (&event["object"], &event["id"]),
            (&json!("chat.completion.chunk"), &events[0]["id"])
        );
    }
}

#[test]
fn a_stream_that_breaks_says_so_and_does_not_end() {
    let folder = Folder::new("chat-breaks");
    let script = Script { breaks: true, ..Script::new() };
    let room = Room::new(&folder, &script);
    let body = |stream: bool| json!({"stream": stream, "messages": [{"role": "user", "content": QUESTION}]});
    assert!(room.reply(&body(true)).is_sent);
    let (events, ended) = room.events();
    assert!(!ended);
    assert_eq!(events[1]["error"]["message"], "the connection ended");
    let reply = room.reply(&body(false));
    assert_eq!((reply.status, reply.is_sent), (502, false));
}

#[test]
fn where_nobody_listens_the_model_is_halted() {
    let folder = Folder::new("chat-halt");
    let script = Script::new();
    let room = Room { listens: 1, ..Room::new(&folder, &script) };
    let body = json!({"stream": true, "messages": [{"role": "user", "content": QUESTION}]});
    assert!(room.reply(&body).is_sent);
    assert!(!room.sent.borrow().contains("the cat"));
}

#[test]
fn an_answer_that_was_cut_says_so() {
    for (stop, reason) in [(Stop::Length, "length"), (Stop::Refused, "content_filter")] {
        let folder = Folder::new("chat-cut");
        let script = Script { stop, ..Script::new() };
        let body = json!({"messages": [{"role": "user", "content": QUESTION}]});
        let reply = Room::new(&folder, &script).reply(&body);
        assert_eq!(said(&reply)["choices"][0]["finish_reason"], reason);
    }
}

/// Calls the client's tool, then says what that gave. Before, it may look into memory.
#[derive(Default)]
struct Caller {
    /// Whether one answer calls a tool of ours and one of theirs.
    both: bool,
    offered: RefCell<Vec<Vec<String>>>,
    /// Whether it had to call, each time that it was asked.
    must_call: RefCell<Vec<bool>>,
    histories: RefCell<Vec<Vec<Message>>>,
}

impl Provider for Caller {
    fn name(&self) -> &str {
        "caller"
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        self.offered.borrow_mut().push(question.tools.iter().map(|t| t.name.into()).collect());
        self.must_call.borrow_mut().push(question.must_call);
        self.histories.borrow_mut().push(question.messages.to_vec());
        let call = |id: &str, name: &str, arguments: &str| ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        };
        let search = call("ours", "memory_search", "{\"query\":\"cat\"}");
        let weather = call("theirs", "weather", "{\"town\":\"Bergen\"}");
        let (text, calls) = match question.messages.last().unwrap() {
            Message::User(_) if self.both => ("", vec![search, weather]),
            Message::User(_) if question.must_call => ("", vec![weather]),
            Message::User(_) => ("", vec![search]),
            Message::Result { id, .. } if id == "ours" => ("Let me look. ", vec![weather]),
            Message::Result { content, .. } => (&**content, vec![]),
            other => panic!("{other:?}"),
        };
        if !text.is_empty() {
            show(text);
        }
        let stop = if calls.is_empty() { Stop::End } else { Stop::Tools };
        let usage = Usage { input: 10, output: 1 };
        Ok(Answer { text: text.into(), calls, stop, usage })
    }
}

fn with_tools(messages: Value) -> Value {
    let parameters = json!({"type": "object", "properties": {"town": {"type": "string"}}});
    let function = json!({"name": "weather", "description": "Now.", "parameters": parameters});
    json!({"messages": messages, "tools": [{"type": "function", "function": function}]})
}

#[test]
fn a_call_of_the_clients_tool_is_the_clients_and_its_result_goes_on() {
    let folder = Folder::new("chat-tools");
    told(&folder, "my cat is called Miro");
    for both in [false, true] {
        let caller = Caller { both, ..Caller::default() };
        let room = Room::new(&folder, &caller);
        let mut messages = json!([{"role": "user", "content": "Does the cat need a coat?"}]);
        let reply = room.reply(&with_tools(messages.clone()));
        assert_eq!(reply.status, 200, "{}", reply.body);
        let body = said(&reply);
        let choice = &body["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        let calls = json!([{"id": "theirs", "type": "function",
            "function": {"name": "weather", "arguments": "{\"town\":\"Bergen\"}"}}]);
        assert_eq!(choice["message"]["tool_calls"], calls, "ours stay inside");
        assert_eq!(choice["message"]["content"], if both { "" } else { "Let me look. " });
        let offered = caller.offered.borrow()[0].clone();
        assert!(offered.contains(&"memory_search".into()) && offered.contains(&"weather".into()));

        messages.as_array_mut().unwrap().extend([
            choice["message"].clone(),
            json!({"role": "tool", "tool_call_id": "theirs", "content": "It rains."}),
        ]);
        let reply = room.reply(&with_tools(messages.clone()));
        let body = said(&reply);
        let choice = &body["choices"][0];
        assert_eq!(choice["message"], json!({"role": "assistant", "content": "It rains."}));
        assert_eq!(choice["finish_reason"], "stop");
        let history = caller.histories.borrow().last().unwrap().clone();
        assert_eq!(history.len(), 3, "{history:?}");
        assert!(matches!(&history[1], Message::Assistant { calls, .. } if calls[0].id == "theirs"));

        // Without a choice there are none of theirs.
        let mut none = with_tools(messages);
        none["tool_choice"] = "none".into();
        assert_eq!(room.reply(&none).status, 200);
        assert!(!caller.offered.borrow().last().unwrap().contains(&"weather".into()));
    }
}

#[test]
fn results_that_leave_no_room_are_refused() {
    let folder = Folder::new("chat-tools-long");
    let caller = Caller::default();
    let room = Room::new(&folder, &caller);
    let call = json!({"id": "theirs", "function": {"name": "weather", "arguments": "{}"}});
    let body = |len: usize| {
        with_tools(json!([
            {"role": "user", "content": "a".repeat(90_000)},
            {"role": "user", "content": "Does the cat need a coat?"},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "theirs", "content": "a".repeat(len)},
        ]))
    };
    assert_eq!(room.reply(&body(17_000)).status, 200);
    let reply = room.reply(&body(18_000));
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("at most about 6000 tokens together"), "{}", reply.body);
}

#[test]
fn who_must_have_a_call_is_offered_the_clients_tools_alone() {
    let named = json!({"type": "function", "function": {"name": "weather"}});
    for (choice, offered) in [(json!("required"), &["other", "weather"][..]), (named, &["weather"])]
    {
        let folder = Folder::new("chat-tools-must");
        let caller = Caller::default();
        let room = Room::new(&folder, &caller);
        let mut body = with_tools(json!([{"role": "user", "content": "Does it need a coat?"}]));
        let tools = body["tools"].as_array_mut().unwrap();
        tools.insert(0, json!({"type": "function", "function": {"name": "other"}}));
        body["tool_choice"] = choice;
        let body = said(&room.reply(&body));
        let choice = &body["choices"][0];
        assert_eq!(choice["message"]["tool_calls"][0]["id"], "theirs");
        assert_eq!(*caller.must_call.borrow(), [true]);
        assert_eq!(*caller.offered.borrow(), [offered]);
    }
}

#[test]
fn who_must_have_a_call_gets_no_text_where_no_model_is() {
    let folder = Folder::new("chat-tools-offline");
    let room = Room::new(&folder, &Offline);
    let mut body = with_tools(json!([{"role": "user", "content": "Does it need a coat?"}]));
    assert_eq!(room.reply(&body).status, 200);
    body["tool_choice"] = "required".into();
    let reply = room.reply(&body);
    let answer = said(&reply);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(reply.status == 502 && message.contains("without a model"), "{answer}");
}

#[test]
fn a_stream_has_the_calls_too() {
    let folder = Folder::new("chat-tools-stream");
    let caller = Caller::default();
    let room = Room::new(&folder, &caller);
    let mut body = with_tools(json!([{"role": "user", "content": "Does it need a coat?"}]));
    body["stream"] = true.into();
    assert!(room.reply(&body).is_sent);
    let (events, ended) = room.events();
    assert!(ended);
    let choices: Vec<&Value> = events.iter().map(|event| &event["choices"][0]).collect();
    assert_eq!(choices[0]["delta"]["content"], "Let me look. ");
    let call = json!([{"index": 0, "id": "theirs", "type": "function",
        "function": {"name": "weather", "arguments": "{\"town\":\"Bergen\"}"}}]);
    assert_eq!(choices[1]["delta"]["tool_calls"], call);
    assert_eq!(choices[2]["finish_reason"], "tool_calls");
    assert_eq!(choices.len(), 3);
}

/// Where it has no room left, a memory that was not kept is no secret.
#[test]
fn what_a_turn_could_not_do_is_told() {
    let folder = Folder::new("chat-notes");
    let script = Script::new();
    let config = Config { capacity: 1, ..Config::default() };
    let room = Room { config, ..Room::new(&folder, &script) };
    let body = |stream: bool| {
        let said = "My cat is called Miro. My dog is called Rex.";
        json!({"stream": stream, "messages": [{"role": "user", "content": said}]})
    };
    let reply = room.reply(&body(false));
    let body_of = said(&reply);
    let note = body_of["notes"][0].as_str().unwrap();
    assert!(note.starts_with("not remembered: the memory is full"), "{body_of}");
    room.reply(&body(true));
    let (events, ended) = room.events();
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert!(ended && last["notes"][0] == note, "{last}");
    assert!(before.iter().all(|event| event["notes"].is_null()));
}

#[test]
fn what_cannot_be_answered_is_refused_with_what_was_expected() {
    let folder = Folder::new("chat-bad");
    let room = Room::new(&folder, &Offline);
    let user = json!([{"role": "user", "content": "a"}]);
    let mut named = with_tools(user.clone());
    named["tool_choice"] = json!({"type": "function", "function": {"name": "wether"}});
    for (body, expected) in [
        (json!({}), "messages: a list"),
        (json!({"messages": []}), "a last message of the role user"),
        (json!({"messages": [{"role": "assistant", "content": "a"}]}), "a last message"),
        (json!({"messages": [{"role": "tool", "content": "a"}]}), "tool_call_id: one of"),
        (
            json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": "a"}]}),
            "one of the calls before it",
        ),
        (json!({"messages": [{"role": "fool", "content": "a"}]}), "role: system"),
        (json!({"messages": [7]}), "content: a text"),
        (json!({"messages": [{"role": "user", "content": 7}]}), "content: a text"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
            "content: a text",
        ),
        (json!({"messages": [{"role": "user", "content": ""}]}), "a message of 1 to"),
        (
            json!({"messages": [{"role": "system", "content": "a".repeat(6100)}, user[0]]}),
            "system messages of at most about 2000 tokens",
        ),
        (json!({"messages": user, "stream": 1}), "stream: true or false"),
        (json!({"messages": user, "n": 2}), "n: 1"),
        (json!({"messages": user, "max_tokens": 0}), "max_tokens: 1 or more"),
        (json!({"messages": user, "temperature": 3}), "temperature: 0 to 2"),
        (json!({"messages": user, "functions": [{"name": "a"}]}), "tools expected"),
        (json!({"messages": user, "tools": [{"type": "function"}]}), "tools: names"),
        (
            json!({"messages": user, "tools": [{"function": {"name": "memory_search"}}]}),
            "other than the memory's",
        ),
        (json!({"messages": user, "tools": [{"function": {"name": "a b"}}]}), "tools: names"),
        (json!({"messages": user, "tool_choice": "must"}), "tool_choice: auto, none, required"),
        (json!({"messages": user, "tool_choice": {}}), "tool_choice: auto, none, required"),
        (json!({"messages": user, "tool_choice": "required"}), "one of the tools"),
        (named, "one of the tools"),
    ] {
        let reply = room.reply(&body);
        let answer = said(&reply);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(reply.status, 400, "{body}: {message}");
        assert!(message.contains(expected), "{body}: {message}");
    }
    assert!(room.sent.borrow().is_empty());
}
