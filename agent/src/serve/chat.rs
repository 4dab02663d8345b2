//! `/v1/chat/completions`: what an OpenAI client sends, answered with memory behind it.
//!
//! The client has the history and sends all of it; nothing of it is kept here but what a turn
//! keeps in memory. Model and key are those of the config, whatever the request names. The model
//! has our tools, which search memory before the client sees an answer, and those that the client
//! offers: a call of these ends the answer, and the client's next request brings what came of it.
//!
//! Source: OpenAI's API reference, `POST /chat/completions`, and its stream of chunks.
//!
//! What chooses words is passed over, as clients send a lot of it. Several answers (`n`),
//! `logprobs`, `functions` and forms that the model is not given are refused: the client would look
//! for what is not there.
//!
//! What it must never do: write the conversation into a session's file, or tell the end of a
//! stream whose answer failed: the client would take a half for the whole.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Asked, Reply, client_tools};
use crate::config::Config;
use crate::context::{tokens, tokens_of};
use crate::json::{Json, Value};
use crate::provider::{Flow, Message, Stop, ToolCall};
use crate::session::{Said, Session};
use crate::turn::{self, Agent, Turn};

/// Texts at which an answer may be to end, at most: as many as OpenAI takes.
const MOST_STOPS: usize = 4;

/// What a request asks for.
#[derive(Default)]
struct Wanted {
    session: Session,
    /// The person's last message; without one the results of the client's tools are the last.
    message: Option<String>,
    stream: bool,
    usage: bool,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    /// One call at a time.
    one: bool,
}

/// Answers; a stream is given to `send` part by part, and the reply then says that it was sent.
pub(super) fn answer(
    asked: &Asked,
    agent: &mut Agent<'_, '_>,
    send: &mut dyn FnMut(&str) -> Flow,
) -> Reply {
    let mut wanted = Wanted::default();
    let read = asked.object().and_then(|given| read(&given, &mut wanted));
    match read.and_then(|()| check(&wanted, agent.config)) {
        Ok(()) if !wanted.session.format.is_empty() && !agent.provider.takes_format() => refusal(
            "response_format: text expected, as this server's model is given no other: an answer \
             of a certain form is had by a tool",
        ),
        Ok(()) => complete(&mut wanted, agent, send),
        Err(refusal) => refusal,
    }
}

/// Refuses what the model would not be given whole.
fn check(wanted: &Wanted, config: &Config) -> Result<(), Reply> {
    // A half of them would be other instructions.
    let most = config.context_tokens as usize / 4;
    let found = tokens(&wanted.session.instructions);
    if found > most {
        return Err(refusal(&format!(
            "system messages of at most about {most} tokens expected, found {found}: \
             chat.context_tokens in the config is four times that"
        )));
    }
    let (most, found) = (3 * most, since(&wanted.session));
    if wanted.message.is_none() && found > most {
        return Err(refusal(&format!(
            "a last question, calls and results of at most about {most} tokens together expected, \
             found {found}: chat.context_tokens in the config is a third more"
        )));
    }
    Ok(())
}

fn complete(
    wanted: &mut Wanted,
    agent: &mut Agent<'_, '_>,
    send: &mut dyn FnMut(&str) -> Flow,
) -> Reply {
    let config = Config {
        max_tokens: wanted.max_tokens.unwrap_or(agent.config.max_tokens),
        temperature: wanted.temperature.or(agent.config.temperature),
        // Events go out all the same, of an answer that came whole.
        stream: wanted.stream && agent.config.stream,
        ..agent.config.clone()
    };
    let head = Head::of(agent);
    let mut agent = Agent {
        platform: agent.platform,
        data: agent.data,
        config: &config,
        provider: agent.provider,
        model: agent.model,
        memory: &mut *agent.memory,
    };
    let mut turn = Turn::default();
    let mut begun = false;
    let mut show = |part: &str| {
        if !wanted.stream {
            return Flow::Go;
        }
        let first = !core::mem::replace(&mut begun, true);
        send(&head.chunk(first, Some(part), &[], None))
    };
    let session = &mut wanted.session;
    let done = match &wanted.message {
        Some(message) => turn::answer(&mut agent, session, message, false, &mut show, &mut turn),
        None => turn::go_on(&mut agent, session, &mut show, &mut turn),
    };
    if wanted.one {
        // What the model would have called besides, it calls when it has seen this one's result.
        turn.calls.truncate(1);
    }
    match done {
        Ok(()) if wanted.stream => head.end(begun, wanted.usage, &mut turn, send),
        Ok(()) => head.whole(&mut turn),
        Err(failure) if begun => {
            // The status is gone already: the error is the last event, and no end is told.
            let mut reply = Reply::from(failure);
            send(&event(core::mem::take(&mut reply.body)));
            Reply::sent(core::mem::take(&mut reply.note))
        }
        Err(failure) => failure.into(),
    }
}

/// Who answers: the model, or what does without one.
fn model<'a>(agent: &Agent<'a, '_>) -> &'a str {
    match agent.model {
        "" => agent.provider.name(),
        model => model,
    }
}

/// The models, of which there is one whatever a request names. Many clients look at the list before
/// they ask.
pub(super) fn models(agent: &Agent<'_, '_>) -> Reply {
    let mut json = Json::object();
    json.text("object", "list");
    json.begin("data", '[');
    json.open('{');
    json.text("id", model(agent));
    json.text("object", "model");
    json.count("created", 0);
    json.text("owned_by", "clawft");
    json.close('}');
    json.close(']');
    Reply::new(200, json)
}

/// Tokens of what a model is given in any case: the person's last message, and the calls and results
/// since.
fn since(session: &Session) -> usize {
    let is_user = |said: &Said| matches!(said.message, Message::User(_));
    let last = session.messages.iter().rposition(is_user).unwrap_or_default();
    session.messages.iter().skip(last).map(|said| tokens_of(&said.message)).sum()
}

/// Why an answer ends.
fn finish(turn: &Turn) -> &'static str {
    match (turn.calls.is_empty(), turn.cut) {
        (false, _) => "tool_calls",
        (true, None) => "stop",
        (true, Some(Stop::Refused)) => "content_filter",
        (true, Some(_)) => "length",
    }
}

/// Kind of a part of an answer.
const CHUNK: &str = "chat.completion.chunk";

fn event(json: String) -> String {
    ["data: ", &json, "\n\n"].concat()
}

/// What the person should know, where there is any. What is for who runs the server is given back, and so is
/// a note with the path of a file.
fn notes(turn: &mut Turn, json: &mut Json) -> String {
    let notes = core::mem::take(&mut turn.notes);
    let (paths, shown): (Vec<_>, Vec<_>) =
        notes.into_iter().partition(|note| crate::text::has(note, "/"));
    turn.notes = shown;
    let mut own = core::mem::take(&mut turn.own);
    own.extend(paths);
    if !own.is_empty() {
        turn.notes.push("something failed, which this server's own notes say".to_string());
    }
    if !turn.notes.is_empty() {
        json.texts("notes", &turn.notes);
    }
    own.join("; ")
}

fn usage(turn: &Turn, json: &mut Json) {
    let (input, output) = (turn.usage.input, turn.usage.output);
    json.begin("usage", '{');
    json.count("prompt_tokens", input);
    json.count("completion_tokens", output);
    json.count("total_tokens", input.saturating_add(output));
    json.close('}');
}

/// The one choice that there is: what is said, under the name that its kind of answer has for it.
fn choice(
    name: &str,
    is_first: bool,
    content: Option<&str>,
    calls: &[ToolCall],
    finish: Option<&str>,
    json: &mut Json,
) {
    json.open('{');
    json.count("index", 0);
    json.begin(name, '{');
    if is_first {
        json.text("role", "assistant");
    }
    if let Some(content) = content {
        json.text("content", content);
    }
    if !calls.is_empty() {
        // In a stream they are numbered.
        client_tools::write(calls, name == "delta", json);
    }
    json.close('}');
    match finish {
        Some(finish) => json.text("finish_reason", finish),
        None => json.key("finish_reason").raw("null"),
    }
    json.close('}');
}

/// What all parts of an answer begin with.
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    /// Those of the next answer.
    fn of(agent: &Agent<'_, '_>) -> Self {
        let mut random = [0; 8];
        agent.platform.random.fill(&mut random);
        Self {
            id: format!("chatcmpl-{:016x}", u64::from_le_bytes(random)),
            created: agent.platform.clock.now() / 1000,
            model: model(agent).to_string(),
        }
    }

    /// Up to the choices, a list that has to be closed.
    fn begin(&self, kind: &str) -> Json {
        let mut json = Json::object();
        json.text("id", &self.id);
        json.text("object", kind);
        json.count("created", self.created);
        json.text("model", &self.model);
        json.begin("choices", '[');
        json
    }

    /// A part, as an event.
    fn chunk(
        &self,
        is_first: bool,
        content: Option<&str>,
        calls: &[ToolCall],
        finish: Option<&str>,
    ) -> String {
        let mut json = self.begin(CHUNK);
        choice("delta", is_first, content, calls, finish, &mut json);
        json.close(']');
        event(json.done())
    }

    /// The whole answer.
    fn whole(&self, turn: &mut Turn) -> Reply {
        let mut body = self.begin("chat.completion");
        choice("message", true, Some(&turn.text), &turn.calls, Some(finish(turn)), &mut body);
        body.close(']');
        usage(turn, &mut body);
        let note = notes(turn, &mut body);
        Reply::new(200, body).with_note(note)
    }

    /// What follows the parts of a stream: calls, why it ends, what it took where that is wanted.
    fn end(
        &self,
        begun: bool,
        wants_usage: bool,
        turn: &mut Turn,
        send: &mut dyn FnMut(&str) -> Flow,
    ) -> Reply {
        if !begun {
            send(&self.chunk(true, Some(""), &[], None));
        }
        if !turn.calls.is_empty() {
            send(&self.chunk(false, None, &turn.calls, None));
        }
        let mut last = self.begin(CHUNK);
        choice("delta", false, None, &[], Some(finish(turn)), &mut last);
        last.close(']');
        let note = notes(turn, &mut last);
        send(&event(last.done()));
        if wants_usage {
            let mut last = self.begin(CHUNK);
            last.close(']');
            usage(turn, &mut last);
            send(&event(last.done()));
        }
        send("data: [DONE]\n\n");
        Reply::sent(note)
    }
}

pub(super) fn refusal(sentence: &str) -> Reply {
    Reply::refusal(400, sentence)
}

/// Reads a request. What says how words are chosen (`top_p` and its kind) is passed over; what
/// would change the shape of the answer is refused.
fn read(given: &Value, wanted: &mut Wanted) -> Result<(), Reply> {
    let is_filled = match &given["functions"] {
        Value::Null => false,
        Value::List(values) => !values.is_empty(),
        _ => true,
    };
    if is_filled {
        return Err(refusal("tools expected in the place of functions"));
    }
    let n = &given["n"];
    if !n.is_null() && n.as_u64() != Some(1) {
        return Err(refusal("n: 1 expected"));
    }
    wanted.stream = match &given["stream"] {
        Value::Null => false,
        stream => stream.as_bool().ok_or_else(|| refusal("stream: true or false expected"))?,
    };
    wanted.usage = given["stream_options"]["include_usage"].as_bool() == Some(true);
    wanted.one = given["parallel_tool_calls"].as_bool() == Some(false);
    if given["logprobs"].as_bool() == Some(true) {
        return Err(refusal("logprobs: false expected"));
    }
    wanted.session.stops = stops(&given["stop"])?;
    wanted.session.format = form(&given["response_format"])?;
    wanted.max_tokens = max_tokens(given)?;
    wanted.temperature = match &given["temperature"] {
        Value::Null => None,
        value => match value.as_f32() {
            Some(value) if (0.0..=2.0).contains(&value) => Some(value),
            _ => return Err(refusal("temperature: 0 to 2 expected")),
        },
    };
    let Some(messages) = given["messages"].as_list() else {
        return Err(refusal("messages: a list expected"));
    };
    let session = &mut wanted.session;
    session.passing = true;
    client_tools::offers(given, session)?;
    for message in messages {
        say(message, session)?;
    }
    match session.messages.pop() {
        Some(Said { message: Message::User(message), .. }) => wanted.message = Some(message),
        Some(last @ Said { message: Message::Result { .. }, .. }) => session.messages.push(last),
        _ => return Err(refusal("a last message of the role user or tool expected")),
    }
    Ok(())
}

/// The most tokens of the answer, under the new name or the old one.
fn max_tokens(given: &Value) -> Result<Option<u32>, Reply> {
    let names = ["max_completion_tokens", "max_tokens"];
    let limit = names.iter().map(|name| &given[*name]).find(|value| !value.is_null());
    let Some(limit) = limit else { return Ok(None) };
    match limit.as_u64().and_then(|limit| u32::try_from(limit).ok()) {
        Some(limit @ 1..) => Ok(Some(limit)),
        _ => Err(refusal("max_tokens: 1 or more expected")),
    }
}

/// Where the answer is to end: one text, or some.
fn stops(given: &Value) -> Result<Vec<String>, Reply> {
    let texts = match given {
        Value::Null => return Ok(Vec::new()),
        Value::List(texts) => texts,
        text => core::slice::from_ref(text),
    };
    let is_fine = |text: &Value| !text.text().is_empty();
    if texts.len() > MOST_STOPS || !texts.iter().all(is_fine) {
        return Err(refusal("stop: up to four texts expected"));
    }
    Ok(texts.iter().map(|text| text.text().to_string()).collect())
}

/// The form that the answer is wanted in; empty where it is prose.
fn form(given: &Value) -> Result<String, Reply> {
    match given["type"].text() {
        "" if given.is_null() => Ok(String::new()),
        "text" => Ok(String::new()),
        "json_object" | "json_schema" => Ok(given.print()),
        _ => Err(refusal("response_format: of type text, json_object or json_schema expected")),
    }
}

/// Adds a message of the history, or what the client tells the model.
fn say(message: &Value, session: &mut Session) -> Result<(), Reply> {
    let calls = client_tools::called(message)?;
    let content = &message["content"];
    let role = message["role"].text();
    let text = match content {
        // Beside calls there is often no text, and in the place of one there may be a refusal.
        Value::Null if role == "assistant" => message["refusal"].text().to_string(),
        content => text(content)?,
    };
    let message = match role {
        "system" | "developer" => {
            session.instructions.push_str(&text);
            session.instructions.push('\n');
            return Ok(());
        }
        "user" => Message::User(text),
        "assistant" => Message::Assistant { text, calls },
        "tool" => {
            let id = message["tool_call_id"].text().to_string();
            if !client_tools::waits(session, &id) {
                return Err(refusal("tool_call_id: one of the calls before it expected"));
            }
            Message::Result { id, name: String::new(), content: text, failed: false }
        }
        _ => return Err(refusal("role: system, developer, user, assistant or tool expected")),
    };
    session.push(0, message);
    Ok(())
}

/// The text of a message: a text, or a list of parts that are texts.
fn text(content: &Value) -> Result<String, Reply> {
    let joined = |parts: &Value| -> Option<String> {
        let mut text = String::new();
        for part in parts.as_list()? {
            text.push_str(part["text"].as_text()?);
        }
        Some(text)
    };
    match content {
        Value::Text(text) => Ok(text.clone()),
        parts => {
            joined(parts).ok_or_else(|| refusal("content: a text, or a list of texts, expected"))
        }
    }
}
