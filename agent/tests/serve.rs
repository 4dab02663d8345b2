//! Requests about a memory on the machine's own files.

mod support;

use clawft_agent::config::Config;
use clawft_agent::failure::{Exit, Failure};
use clawft_agent::memory::{Format, Limits, Memory, New};
use clawft_agent::platform::Platform;
use clawft_agent::platform::native::NativeClock;
use clawft_agent::provider::Flow;
use clawft_agent::serve::{Asked, Guard, Reply, Server, Talk, Work, answer};
use serde_json::{Value, json};
use support::{Folder, Variables, WORDS, World};

/// A request as one who has the token sends it.
fn asked(method: &str, path: &str, body: &str) -> Asked {
    let headers = [
        ("host", "localhost:8080"),
        ("authorization", "Bearer a token of tests"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    Asked {
        method: method.into(),
        path: path.into(),
        headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
        body: Some(body.as_bytes().into()),
    }
}

/// Each request with a memory of its own, as `wasmtime serve` does it.
struct Own<'a>(&'a Folder);

impl Server for Own<'_> {
    fn with_memory(&self, work: &mut Work<'_>) -> Reply {
        let (world, clock) = (World::default(), NativeClock::default());
        // Whoever waits for a lease needs a clock that goes on by itself.
        let platform = Platform { clock: &clock, ..world.platform() };
        let limits = Limits::from(&Config::default());
        let mut reply = work(&mut Memory::new(&platform, self.0.path(), Ok(&WORDS), limits));
        // As who runs it reads them, in one place.
        reply.note.push_str(&world.screen.notes.take());
        reply
    }

    fn with_agent(&self, _: &mut Talk<'_>) -> Reply {
        unreachable!("these requests are about the memory")
    }

    fn send(&self, _: &str) -> Flow {
        Flow::Halt
    }
}

fn reply(folder: &Folder, asked: &Asked) -> Reply {
    reply_of(&Own(folder), asked)
}

fn reply_of(server: &dyn Server, asked: &Asked) -> Reply {
    let variables = [("CLAWFT_TOKEN".into(), "a token of tests".into())].into();
    let environment = Variables { variables, ..Variables::default() };
    answer(asked, &Guard::new(&environment), server)
}

/// What a reply says.
fn said(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn send(folder: &Folder, method: &str, path: &str, body: Value) -> (u16, Value) {
    let reply = reply(folder, &asked(method, path, &body.to_string()));
    (reply.status, said(&reply))
}

#[test]
fn a_memory_is_told_found_corrected_pinned_and_forgotten() {
    let folder = Folder::new("serve");
    let (status, told) =
        send(&folder, "POST", "/v1/memory", json!({"text": "Ada drinks oolong tea"}));
    assert_eq!((status, &told["merged"]), (201, &json!(false)));
    let path = format!("/v1/memory/{}", told["id"]);
    let again = send(&folder, "POST", "/v1/memory", json!({"text": "Ada drinks oolong tea!"}));
    assert_eq!((again.0, &again.1["id"], &again.1["merged"]), (200, &told["id"], &json!(true)));
    let query = json!({"query": "oolong", "limit": 3});
    let (status, found) = send(&folder, "POST", "/v1/memory/search", query.clone());
    assert_eq!((status, &found["memories"][0]["id"]), (200, &told["id"]));
    let change = json!({"text": "Ada drinks green tea", "pinned": true});
    let (status, changed) = send(&folder, "PUT", &path, change);
    assert_eq!((status, &changed["pinned"]), (200, &json!(true)));
    let (_, memo) = send(&folder, "GET", &format!("{path}?x"), Value::Null);
    assert_eq!(memo["text"], "Ada drinks green tea");
    assert_eq!(send(&folder, "GET", "/v1/memory", Value::Null).1["records"], 1);
    let gone = json!({"forgotten": told["id"], "sessions": [], "unread": []});
    assert_eq!(send(&folder, "DELETE", &path, Value::Null), (200, gone));
    assert_eq!(send(&folder, "GET", &path, Value::Null).0, 404);
    assert_eq!(send(&folder, "DELETE", &path, Value::Null).0, 404);
    assert_eq!(send(&folder, "POST", "/v1/memory/search", query).1["memories"], json!([]));
    assert!(!folder.holds("green tea"));
}

#[test]
fn what_comes_back_with_its_file_is_said_to() {
    let folder = Folder::new("serve-file");
    let path = format!("{}/a.txt", folder.path());
    std::fs::write(&path, "A walrus waits").unwrap();
    Own(&folder).with_memory(&mut |memory| {
        assert_eq!(memory.import(&path, Format::Text, &mut |_| {}).unwrap().added, 1);
        memory.finish().unwrap();
        Reply::refusal(404, "nothing")
    });
    let query = json!({"query": "walrus"});
    let (_, found) = send(&folder, "POST", "/v1/memory/search", query);
    let path = format!("/v1/memory/{}", found["memories"][0]["id"]);
    let (status, gone) = send(&folder, "DELETE", &path, Value::Null);
    let note = "what came from a file comes back with its next import";
    assert_eq!((status, &gone["note"]), (200, &json!(note)));
}

/// The same where the file cannot be written anew once it is open.
struct Stuck<'a>(&'a Folder);

impl Server for Stuck<'_> {
    fn with_memory(&self, work: &mut Work<'_>) -> Reply {
        Own(self.0).with_memory(&mut |memory| {
            memory.remember(&New::fact("Ada drinks oolong tea")).unwrap();
            // Nothing can be written under the name of the new file.
            std::fs::create_dir_all(self.0.0.join("memory.rvf.compact/taken")).unwrap();
            work(memory)
        })
    }

    fn with_agent(&self, _: &mut Talk<'_>) -> Reply {
        unreachable!("this request is about the memory")
    }

    fn send(&self, _: &str) -> Flow {
        Flow::Halt
    }
}

/// Who asked has no standard error to read, and would take for gone what is still on the disk.
#[test]
fn bytes_that_stay_are_said_to_who_asked_and_to_who_runs_the_server() {
    let folder = Folder::new("serve-stays");
    let (_, told) = send(&folder, "POST", "/v1/memory", json!({"text": "Ada drinks oolong tea"}));
    let request = asked("DELETE", &format!("/v1/memory/{}", told["id"]), "");
    let gone = reply_of(&Stuck(&folder), &request);
    let note = "it is not found any more, but its bytes stay until `clawft compact`";
    assert_eq!((gone.status, &said(&gone)["note"]), (200, &json!(note)));
    assert!(gone.note.starts_with(&format!("clawft: {note}: ")), "{}", gone.note);
    assert_eq!(gone.note.matches(note).count(), 1, "{}", gone.note);
    assert!(folder.holds("oolong"));
}

#[test]
#[cfg(feature = "coherence")]
fn what_the_gate_defers_is_said_to_be_deferred() {
    let folder = Folder::new("serve-gate");
    let told = |text: &str| send(&folder, "POST", "/v1/memory", json!({ "text": text }));
    assert_eq!(told("The key of the shed hangs behind the door").0, 201);
    let (status, deferred) = told("The key of the shed never hangs behind the door");
    assert_eq!((status, &deferred["verdict"]), (202, &json!("deferred")));
    assert!(deferred["reason"].as_str().is_some_and(|why| why.contains("denies memory")));
}

#[test]
fn health_is_told_and_what_is_not_there_is_not() {
    let folder = Folder::new("health");
    let (status, body) = send(&folder, "GET", "/health", Value::Null);
    assert_eq!((status, &body["status"]), (200, &json!("ok")));
    for (method, path, status) in [
        ("POST", "/health", 405),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/v1/memory2", 404),
        ("PATCH", "/v1/memory", 405),
        ("GET", "/v1/memory/search", 405),
        ("GET", "/v1/memory/", 404),
        ("GET", "/v1/memory/-1", 404),
        ("GET", "/v1/memory/1/2", 404),
        ("POST", "/v1/memory/1", 405),
        ("GET", "/v1/memory/18446744073709551616", 404),
        ("GET", "/v1/memory/7", 404),
    ] {
        let (found, body) = send(&folder, method, path, json!({}));
        assert_eq!(found, status, "{method} {path}");
        assert!(body["error"]["message"].is_string(), "{body}");
    }
}

#[test]
fn bad_bodies_are_refused_with_what_was_expected() {
    let folder = Folder::new("bodies");
    let long = "x".repeat(17 << 10);
    for (path, body, expected) in [
        ("/v1/memory", "", "JSON expected"),
        ("/v1/memory", "{\"text\": ", "JSON expected"),
        ("/v1/memory", "[1]", "an object in JSON"),
        ("/v1/memory", "{}", "text: a text expected"),
        ("/v1/memory", "{\"text\": 1}", "text: a text expected"),
        ("/v1/memory", "{\"text\": \"\"}", ""),
        ("/v1/memory", "{\"text\": \"a\", \"pinned\": 1}", "pinned: true or false expected"),
        ("/v1/memory", "{\"text\": \"a\", \"txet\": 1}", "only text, kind"),
        ("/v1/memory", &format!("{{\"text\": \"{long}\"}}"), ""),
        (
            "/v1/memory",
            &format!("{{\"text\": \"a\", \"kind\": \"{long}\"}}"),
            "kind: at most 255 bytes",
        ),
        (
            "/v1/memory",
            &format!("{{\"text\": \"a\", \"session\": \"{long}\"}}"),
            "session: at most 255 bytes",
        ),
        ("/v1/memory/search", "{\"query\": \"a\", \"limit\": 0}", "limit: 1 to 100"),
        ("/v1/memory/search", "{\"query\": \"a\", \"limit\": 1.5}", "limit: 1 to 100"),
        ("/v1/memory/search", "{}", "query: a text expected"),
    ] {
        let reply = reply(&folder, &asked("POST", path, body));
        let answer = said(&reply);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(reply.status, 400, "{body}: {message}");
        assert!(message.contains(expected), "{body}: {message}");
    }
    let deep = format!("{{\"text\": {}", "[".repeat(100_000));
    assert_eq!(reply(&folder, &asked("POST", "/v1/memory", &deep)).status, 400);
    let mut other = asked("POST", "/v1/memory", "{}");
    other.headers[2].1 = "text/plain".into();
    assert_eq!(reply(&folder, &other).status, 415);
    let mut large = asked("POST", "/v1/memory", "");
    large.body = None;
    assert_eq!(reply(&folder, &large).status, 413);
}

#[test]
fn nothing_is_said_without_the_token() {
    let folder = Folder::new("token");
    for path in ["/health", "/v1/memory", "/elsewhere"] {
        let mut without = asked("GET", path, "");
        without.headers.remove(1);
        let reply = reply(&folder, &without);
        assert_eq!((reply.status, reply.headers.len()), (401, 1));
    }
}

#[test]
fn twenty_at_once_lose_nothing() {
    let folder = Folder::new("twenty");
    std::thread::scope(|scope| {
        for writer in 0..20 {
            let folder = &folder;
            scope.spawn(move || {
                let text = format!("number {writer} likes the colour {}", writer * 7);
                // Whoever waited too long for the others is told to try again, and does.
                let answered = (0..10).any(|_| {
                    let (status, body) = send(folder, "POST", "/v1/memory", json!({"text": text}));
                    assert!(status == 201 || status == 503, "{status}: {body}");
                    status == 201
                });
                assert!(answered);
            });
        }
    });
    assert_eq!(send(&folder, "GET", "/v1/memory", Value::Null).1["records"], 20);
}

/// What lies where on the machine is for who runs the server.
#[test]
fn no_error_quotes_the_config_or_a_path() {
    for (exit, sentence, is_told) in [
        (Exit::Config, "/home/u/config.toml: 3: a list expected, found \"hush\"", false),
        (Exit::Damaged, "memory.rvf: a record is damaged", false),
        (Exit::Failed, "the data folder /home/u: not found", false),
        (Exit::Embedder, "/home/u/models/static.table: there is no such file", false),
        (Exit::Failed, "the memory is full", true),
        (Exit::Busy, "another program is writing the memory", true),
    ] {
        let reply = Reply::from(Failure::new(exit, sentence));
        assert_eq!(reply.body.contains(sentence), is_told, "{}", reply.body);
        assert!(is_told || !reply.body.contains("hush") && !reply.body.contains("/home"));
        assert_eq!(reply.note, if is_told { "" } else { sentence });
    }
}
