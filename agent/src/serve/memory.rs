//! `/v1/memory`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::{Asked, Reply, object};
use crate::failure::Failure;
use crate::memory::{Memo, Memory, New};

/// Results of a search where nothing is said, and at most.
const LIMIT: u64 = 10;
const MOST_RESULTS: u64 = 100;

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

fn json(memo: &Memo) -> Value {
    object([
        ("id", memo.id.into()),
        ("text", memo.text.as_str().into()),
        ("created", memo.created.into()),
        ("kind", memo.kind.as_str().into()),
        ("session", memo.session.as_str().into()),
        ("pinned", memo.pinned.into()),
        ("score", memo.score.into()),
    ])
}

fn list(memos: &[Memo]) -> Value {
    Value::Array(memos.iter().map(json).collect())
}

fn stats(memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let stats = memory.stats()?;
    let body = object([
        ("records", stats.records.into()),
        ("capacity", stats.capacity.into()),
        ("dimension", stats.dim.into()),
        ("image_bytes", stats.image.into()),
        ("file_bytes", stats.file.into()),
        ("live_bytes", stats.live.into()),
        ("journal_bytes", stats.journal.into()),
    ]);
    Ok(Reply::new(200, body))
}

/// A member that is a text, or what was found instead.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Reply> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "a text")),
    }
}

fn truth(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, Reply> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(_) => Err(wrong(name, "true or false")),
    }
}

fn wrong(name: &str, expected: &str) -> Reply {
    Reply::refusal(400, &[name, ": ", expected, " expected"].concat())
}

/// Refuses members that would be passed over.
fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), Reply> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(_) => Err(Reply::refusal(400, &["only ", &known.join(", "), " expected"].concat())),
        None => Ok(()),
    }
}

fn remember(asked: &Asked, memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let given = asked.object()?;
    only(&given, &["text", "kind", "session", "pinned"])?;
    let new = New {
        kind: text(&given, "kind")?.unwrap_or("fact"),
        session: text(&given, "session")?.unwrap_or_default(),
        pinned: truth(&given, "pinned")?.unwrap_or_default(),
        ..New::fact(text(&given, "text")?.ok_or_else(|| wrong("text", "a text"))?)
    };
    let done = memory.remember(&new)?;
    let body = object([
        ("id", done.id.into()),
        ("merged", done.merged.into()),
        ("redacted", done.redacted.into()),
        ("near", list(&done.near)),
        ("note", memory.evicted().into()),
    ]);
    Ok(Reply::new(if done.merged { 200 } else { 201 }, body))
}

fn search(asked: &Asked, memory: &mut Memory<'_>) -> Result<Reply, Reply> {
    let given = asked.object()?;
    only(&given, &["query", "limit"])?;
    let query = text(&given, "query")?.ok_or_else(|| wrong("query", "a text"))?;
    let limit = match given.get("limit") {
        None => LIMIT,
        Some(limit) => limit
            .as_u64()
            .filter(|limit| (1..=MOST_RESULTS).contains(limit))
            .ok_or_else(|| wrong("limit", "1 to 100"))?,
    };
    let found: Vec<Memo> = memory.recall(query, limit as usize)?;
    Ok(Reply::new(200, object([("memories", list(&found))])))
}

fn unknown(id: u64) -> Reply {
    Reply::refusal(404, &["there is no memory ", &id.to_string()].concat())
}

fn get(memory: &mut Memory<'_>, id: u64) -> Result<Reply, Reply> {
    let memo = memory.get(id)?.ok_or_else(|| unknown(id))?;
    Ok(Reply::new(200, json(&memo)))
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
    let forgotten: Result<_, Failure> = memory.forget(&[id]);
    forgotten?;
    Ok(Reply::new(200, object([("forgotten", id.into())])))
}
