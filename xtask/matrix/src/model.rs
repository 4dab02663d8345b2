//! A language model on loopback: it says a word, waits until that was shown, and says another.
//!
//! It speaks as OpenAI's chat completions do when they stream. So a test sees both that a whole turn
//! goes through, and that an answer is shown while it is made.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What it says, in two parts.
pub const WORDS: [&str; 2] = ["Miro", " sleeps"];
/// The key that it is asked with, which has nothing to hide.
pub const KEY: &str = "sk-nothing-to-hide";
/// How long it waits for its first word to be shown.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until the process ends.
pub struct Model {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request that it was sent.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its body.
    pub body: Value,
    /// Its `authorization`.
    pub key: String,
    /// Whether the first word was shown before the second was said.
    pub was_shown: bool,
}

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// To the end.
    Whole,
    /// The connection ends after the first word.
    Cut,
}

impl Model {
    /// Starts one. `shown` says whether the first word was seen.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(
        manner: Manner,
        shown: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|why| why.to_string())?;
        let port = listener.local_addr().map_err(|why| why.to_string())?.port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, shown) = (asked.clone(), Arc::new(shown));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, shown) = (seen.clone(), shown.clone());
                // A client that goes away is seen by the test that wanted its answer.
                std::thread::spawn(move || answer(stream, manner, &seen, &*shown));
            }
        });
        Ok(Model { port, asked })
    }

    /// The config of an agent that asks it.
    pub fn config(&self) -> String {
        config(self.port)
    }

    /// What it was sent so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

/// The config of an agent that asks a server at this port.
fn config(port: u16) -> String {
    let url = format!("http://127.0.0.1:{port}/v1");
    let provider = format!("name = \"openai\"\nmodel = \"m\"\nbase_url = \"{url}\"\n");
    format!("[embedder]\nname = \"hashed\"\n[provider]\n{provider}")
}

/// The same for a port at which nobody listens.
///
/// # Errors
/// What the system says.
pub fn nobody() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|why| why.to_string())?;
    Ok(config(listener.local_addr().map_err(|why| why.to_string())?.port()))
}

fn answer(
    stream: TcpStream,
    manner: Manner,
    seen: &Mutex<Vec<Asked>>,
    shown: &(dyn Fn() -> bool + Send + Sync),
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut length, mut key) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => key = value.trim().into(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);

    let mut stream = stream;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    let mut say = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let event = format!("data: {}\n\n", json!({ "choices": [choice] }));
        stream.write_all(event.as_bytes()).and_then(|()| stream.flush()).ok()
    };
    say(json!({ "content": WORDS[0] }), Value::Null)?;
    let begin = Instant::now();
    while !shown() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let was_shown = shown();
    seen.lock().ok()?.push(Asked { body, key, was_shown });
    if manner == Manner::Whole {
        say(json!({ "content": WORDS[1] }), Value::Null)?;
        say(json!({}), json!("stop"))?;
        stream.write_all(b"data: [DONE]\n\n").ok()?;
    }
    Some(())
}
