//! `/v1/memory`.
//!
//! Why: members that nobody knows are refused, not passed over: a `pined` that does nothing
//! would look as if it had been done. What is written here counts as said by the person, as
//! the guard has looked at who asks.
//!
//! What it must never do: forget or correct what is not named by its id: nobody is there to be
//! asked.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Asked, Reply};
use crate::failure::Failure;
use crate::json::{Json, Value};
use crate::memory::{Memo, Memory, New};

/// Results of a search where nothing is said, and at most.
const LIMIT: u64 = 10;
const MOST_RESULTS: u64 = 100;
/// Most bytes of a kind and of a session: what the store has for a kind.
const MOST_NAME: usize = clawft_store::MAX_KIND;

/// Answers what is behind `/v1/memory`.
pub(super) fn answer(asked: &Asked, rest: &str, memory: &mut Memory<'_>) -> Reply {
    let answered = match (asked.method.as_str(), rest) {
        ("GET", "") => stats(memory),
        ("POST", "") => remember(asked, memory),
        (_, "") => return Reply::method("GET, POST"),
        ("POST", "/search") => search(asked, memory),
        (_, "/search") => return Reply::method("POST"),
        (method, rest) => match (method, rest[1..].parse()) {
            (_, Err(_)) => return Reply::refusal(404, "the number of a memory expected"),
            ("GET", Ok(id)) => get(memory, id),
            ("PUT", Ok(id)) => change(asked, memory, id),
            ("DELETE", Ok(id)) => forget(memory, id),
            _ => return Reply::method("GET, PUT, DELETE"),
        },
    };
    answered.unwrap_or_else(|refusal| refusal)
}

/// Members of a memory.
fn write(memo: &Memo, json: &mut Json) {
    memo.write(json);
    json.decimal("score", (memo.score * 1e6 + 0.5) as u64, 6);
}

fn list(name: &str, memos: &[Memo], json: &mut Json) {
    json.begin(name, '[');
    for memo in memos {
        json.open('{');
        write(memo, json);
        json.close('}');
    }
    json.close(']');
}

fn stats(memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let stats = memory.stats()?;
    let mut json = Json::object();
    json.count("records", stats.records);
    json.count("capacity", stats.capacity.into());
    json.count("dimension", stats.dim as u64);
    stats.write_bytes(&mut json);
    Ok(Reply::new(200, json))
}

/// A member that is a text, or what was found instead.
fn text<'a>(object: &'a Value, name: &str) -> Result<Option<&'a str>, Reply> {
    match &object[name] {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        _ => Err(wrong(name, "a text")),
    }
}

/// A member that names something.
fn short<'a>(object: &'a Value, name: &str) -> Result<Option<&'a str>, Reply> {
    match text(object, name)? {
        Some(long) if long.len() > MOST_NAME => Err(wrong(name, "at most 255 bytes")),
        text => Ok(text),
    }
}

fn truth(object: &Value, name: &str) -> Result<Option<bool>, Reply> {
    match &object[name] {
        Value::Null => Ok(None),
        Value::Truth(truth) => Ok(Some(*truth)),
        _ => Err(wrong(name, "true or false")),
    }
}

fn wrong(name: &str, expected: &str) -> Reply {
    Reply::refusal(400, &[name, ": ", expected, " expected"].concat())
}

/// Refuses members that would be passed over.
fn only(object: &Value, known: &[&str]) -> Result<(), Reply> {
    let members = object.as_object().unwrap_or_default();
    if members.iter().all(|(name, _)| known.contains(&name.as_str())) {
        return Ok(());
    }
    Err(Reply::refusal(400, &["only ", &known.join(", "), " expected"].concat()))
}

fn remember(asked: &Asked, memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let given = asked.object()?;
    only(&given, &["text", "kind", "session", "pinned"])?;
    let new = New {
        kind: short(&given, "kind")?.unwrap_or("fact"),
        session: short(&given, "session")?.unwrap_or_default(),
        pinned: truth(&given, "pinned")?.unwrap_or_default(),
        ..New::fact(text(&given, "text")?.ok_or_else(|| wrong("text", "a text"))?)
    };
    let done = memory.remember(&new)?;
    let mut json = Json::object();
    done.write(&mut json);
    list("near", &done.near, &mut json);
    if let Some(note) = memory.evicted() {
        json.text("note", &note);
    }
    #[cfg(feature = "coherence")]
    if done.verdict != crate::gate::Verdict::Permit {
        json.text("verdict", done.verdict.name());
        json.text("reason", &done.reason);
        return Ok(Reply::new(202, json));
    }
    Ok(Reply::new(if done.merged { 200 } else { 201 }, json))
}

fn search(asked: &Asked, memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let given = asked.object()?;
    only(&given, &["query", "limit"])?;
    let query = text(&given, "query")?.ok_or_else(|| wrong("query", "a text"))?;
    let limit = match &given["limit"] {
        Value::Null => LIMIT,
        limit => limit
            .as_u64()
            .filter(|limit| (1..=MOST_RESULTS).contains(limit))
            .ok_or_else(|| wrong("limit", "1 to 100"))?,
    };
    let found: Vec<Memo> = memory.recall(query, limit as usize)?;
    let mut json = Json::object();
    list("memories", &found, &mut json);
    Ok(Reply::new(200, json))
}

fn unknown(id: u64) -> Reply {
    Reply::refusal(404, &["there is no memory ", &id.to_string()].concat())
}

fn get(memory: &mut Memory<'_>, id: u64) -> Result<Reply, Reply> {
    let memo = memory.get(id)?.ok_or_else(|| unknown(id))?;
    let mut json = Json::object();
    write(&memo, &mut json);
    // What a correction made room by.
    if let Some(note) = memory.evicted() {
        json.text("note", &note);
    }
    Ok(Reply::new(200, json))
}

fn change(asked: &Asked, memory: &mut Memory<'_>, id: u64) -> Result<Reply, Reply> {
    let given = asked.object()?;
    only(&given, &["text", "pinned"])?;
    let (text, pinned) = (text(&given, "text")?, truth(&given, "pinned")?);
    if text.is_none() && pinned.is_none() {
        return Err(Reply::refusal(400, "text or pinned expected"));
    }
    if let Some(text) = text {
        memory.correct(id, text)?;
    }
    if let Some(pinned) = pinned {
        memory.pin(id, pinned)?;
    }
    get(memory, id)
}

fn forget(memory: &mut Memory<'_>, id: u64) -> Result<Reply, Reply> {
    let comes_back = memory.comes_back(&[id]);
    let forgotten: Result<_, Failure> = memory.forget(&[id]);
    let saying: Result<_, Failure> = memory.said_in(&forgotten?);
    let saying = saying?;
    let mut json = Json::object();
    json.count("forgotten", id);
    json.texts("sessions", &saying.sessions);
    json.texts("unread", &saying.unread);
    let stays = memory.stays();
    let notes: Vec<&str> = comes_back.into_iter().chain(stays.as_ref().map(|s| s.note)).collect();
    if !notes.is_empty() {
        json.text("note", &notes.join("; "));
    }
    Ok(Reply::new(200, json))
}
