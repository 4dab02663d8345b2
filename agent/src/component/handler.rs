//! `wasi:http/incoming-handler`: requests as `serve` takes them.
//!
//! Why: a host may take a new instance for each request, so each opens the memory by the
//! config of the data folder, never by one that `init` was given. The guard looks at the
//! headers before the body is read. An answer is begun once: with the first events, where
//! there are any, otherwise whole.
//!
//! What it must never do: read the body of one who may not ask, or end in a trap because nobody
//! listens any more.

use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cell::RefCell;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{OutputStream, StreamError};

use super::Component;
use crate::command::setup::Setup;
use crate::memory::Memory;
use crate::platform::wasi::Wasi;
use crate::platform::wasi_p2::raw;
use crate::platform::{Platform, Unattended};
use crate::provider::Flow;
use crate::serve::{Asked, Guard, MOST, Reply, Server, Talk, Work, answer};

/// Bytes that are read or written at once; a blocking write takes no more.
const PART: usize = 4096;
/// What is answered is nobody's script, and for nobody's cache.
const NO_SCRIPT: (&str, &str) = ("x-content-type-options", "nosniff");
const NO_CACHE: (&str, &str) = ("cache-control", "no-store");

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let wasi = Wasi::new();
        // Whoever started the server is not the one who asks.
        let terminal = &Unattended(wasi.platform().terminal);
        let platform = Platform { terminal, ..wasi.platform() };
        let guard = Guard::new(platform.environment);
        let server = Instance { platform, out: RefCell::new(Out::Waits(out)) };
        let reply = match asked(&request, &guard) {
            Ok(asked) => answer(&asked, &guard, &server),
            Err(reply) => reply,
        };
        if !reply.note.is_empty() {
            wasi.platform().terminal.note(&["clawft: ", &reply.note, "\n"].concat());
        }
        match server.out.into_inner() {
            Out::Waits(out) => send(out, &reply),
            Out::Streams { body, stream } => {
                drop(stream);
                raw::finish(body);
            }
            Out::Gone => {}
        }
    }
}

/// Where the answer goes.
enum Out {
    /// Nothing was sent yet.
    Waits(ResponseOutparam),
    /// Events are. The stream is dropped before the body that it is of.
    Streams { stream: OutputStream, body: OutgoingBody },
    /// Nobody listens any more.
    Gone,
}

/// This instance, for one request.
struct Instance<'a> {
    platform: Platform<'a>,
    out: RefCell<Out>,
}

impl Instance<'_> {
    /// What was committed stays, whether what is derived could be saved or not: that is for who runs it.
    fn finish(&self, memory: &mut Memory<'_>) {
        if let Err(why) = memory.finish() {
            self.platform.terminal.note(&["clawft: ", &why.sentence, "\n"].concat());
        }
    }
}

impl Server for Instance<'_> {
    fn with_memory(&self, work: &mut Work<'_>) -> Reply {
        let setup = match Setup::of_config(&self.platform, None) {
            Ok(setup) => setup,
            Err(failure) => return failure.into(),
        };
        let mut memory = setup.memory();
        let reply = work(&mut memory);
        self.finish(&mut memory);
        reply
    }

    fn with_agent(&self, talk: &mut Talk<'_>) -> Reply {
        let setup = Setup::of_config(&self.platform, None);
        let asked = setup.and_then(|setup| setup.provider().map(|provider| (setup, provider)));
        let (setup, (provider, model)) = match asked {
            Ok(asked) => asked,
            Err(failure) => return failure.into(),
        };
        let mut memory = setup.memory();
        let reply = talk(&mut setup.agent(&*provider, &model, &mut memory));
        self.finish(&mut memory);
        reply
    }

    fn send(&self, events: &str) -> Flow {
        let mut out = self.out.borrow_mut();
        *out = match core::mem::replace(&mut *out, Out::Gone) {
            Out::Waits(waiting) => begin(waiting),
            begun => begun,
        };
        let Out::Streams { stream, .. } = &*out else { return Flow::Halt };
        for part in events.as_bytes().chunks(PART) {
            if stream.blocking_write_and_flush(part).is_err() {
                return Flow::Halt;
            }
        }
        Flow::Go
    }
}

/// Begins an answer of events.
fn begin(out: ResponseOutparam) -> Out {
    let fields = Fields::new();
    let own = [("content-type", "text/event-stream"), NO_SCRIPT, NO_CACHE];
    for (name, value) in own {
        let _ = fields.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(fields);
    let Ok(body) = response.body() else { return Out::Gone };
    raw::set(out, response);
    match body.write() {
        Ok(stream) => Out::Streams { stream, body },
        Err(()) => Out::Gone,
    }
}

/// Takes in a request. Nobody waits for the body of one whose headers are refused, and a body is read
/// only so far that it is known to be too long.
fn asked(request: &IncomingRequest, guard: &Guard) -> Result<Asked, Reply> {
    let method = match request.method() {
        // The host leaves the body out.
        Method::Get | Method::Head => "GET".into(),
        Method::Post => "POST".into(),
        Method::Put => "PUT".into(),
        Method::Delete => "DELETE".into(),
        Method::Other(other) => other,
        _ => String::from("other"),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = request.headers();
    let mut headers: Vec<_> = fields
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), text(&value)))
        .collect();
    drop(fields);
    // Hosts keep the name by which somebody comes apart from the headers.
    if let Some(authority) = request.authority() {
        headers.retain(|(name, _)| name != "host");
        headers.push(("host".into(), authority));
    }
    let path = request.path_with_query().unwrap_or_default();
    let mut asked = Asked { method, path, headers, body: None };
    guard.check(&asked)?;
    asked.body = body(request)?;
    Ok(asked)
}

/// The body; `None` where it is too long.
fn body(request: &IncomingRequest) -> Result<Option<Vec<u8>>, Reply> {
    let broken = |()| Reply::refusal(400, "the request ended before it was complete");
    let incoming = request.consume().map_err(broken)?;
    let stream = incoming.stream().map_err(broken)?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(PART as u64) {
            Ok(part) if body.len() + part.len() > MOST => return Ok(None),
            Ok(part) => body.extend_from_slice(&part),
            Err(StreamError::Closed) => return Ok(Some(body)),
            Err(StreamError::LastOperationFailed(_)) => return Err(broken(())),
        }
    }
}

/// Sends a reply; where nobody waits for it any more, that is all there is to it.
fn send(out: ResponseOutparam, reply: &Reply) {
    let fields = Fields::new();
    let bytes = reply.body.as_bytes();
    let len = bytes.len().to_string();
    let own = [
        ("content-type", "application/json"),
        ("content-length", len.as_str()),
        NO_SCRIPT,
        NO_CACHE,
    ];
    for (name, value) in own.iter().chain(&reply.headers) {
        // They are ours, and valid.
        let _ = fields.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(reply.status);
    let Ok(body) = response.body() else { return };
    raw::set(out, response);
    if let Ok(stream) = body.write() {
        for part in bytes.chunks(PART) {
            if stream.blocking_write_and_flush(part).is_err() {
                break;
            }
        }
    }
    raw::finish(body);
}
