//! `clawft serve`: one instance of the component, and a queue in front of it.
//!
//! Requests come in side by side and are handled one after the other: whole ones, as one
//! who is slow in asking keeps others from nothing. The instance is made before anybody can ask, so
//! that what cannot be granted is said to who starts the server. One that fails is replaced, and the
//! request that broke it gets a 500. Whether the server runs is said at once, by the host: whoever
//! watches over it would take one that waits for a model for one that hangs. Where no
//! instance could be made it is asked as all else is. What is done for a client that has gone is ended (`end`), and its
//! instance goes on. Who may ask is the component's to say, as it is under
//! `wasmtime serve`; its guard is asked here too, before a body is taken in. The host listens beyond
//! loopback only when there is a token.
//!
//! What it must never do: let two instances work at a time, as their leases have one nonce and
//! each would take the other's for its own; queue a request of which a part is still to come; end
//! for what went wrong with one request.

use crate::client::{self, Client, Clock, PATIENCE};
use crate::end::Asker;
use crate::failure::{Failed, failed, tell};
use crate::run::{Grants, Program, Side, sentence};
use crate::stop::Stop;
use bytes::Bytes;
use clawft_agent::platform::Environment;
use clawft_agent::serve::{self, Asked, Guard, HEALTH, MOST, Reply};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use wasmtime::Store;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// Where it listens when nothing is said.
const LISTEN: &str = "127.0.0.1:8787";
/// Requests that wait; more wait in their connections.
const QUEUE: usize = 64;
/// Connections at a time; more wait to be taken. Each may hold a body of [`MOST`] bytes.
const CONNECTIONS: usize = 128;
/// How long connections have to send the last answers before the program ends.
const PARTING: Duration = Duration::from_millis(200);
/// The variable with the token that every request must bring.
pub(crate) const TOKEN: &str = "CLAWFT_TOKEN";

type Answer = Result<Response<HyperOutgoingBody>, ErrorCode>;

struct Job {
    request: Request<HyperOutgoingBody>,
    answer: oneshot::Sender<Answer>,
    asker: Asker,
}

/// What every connection needs.
struct Entrance {
    guard: Guard,
    jobs: mpsc::Sender<Job>,
    /// Whether there was an instance for the last request.
    works: Arc<AtomicBool>,
    stop: Stop,
}

/// What the help says of it, which is the component's and knows nothing of a host.
pub(crate) const HELP: &str = "
With this program:
  clawft serve [--listen 127.0.0.1:8787]    answers over HTTP, as the config says
";

/// Where to listen: `--listen` is taken out of the arguments. Nothing may be left beside the command:
/// all else is the config's to say.
///
/// # Errors
/// Another argument, an address that is none, or one of the network without a token.
pub(crate) fn address(arguments: &mut Vec<String>) -> Result<SocketAddr, Failed> {
    let mut text = LISTEN.to_owned();
    let is_it = |word: &String| word == "--listen" || word.starts_with("--listen=");
    if let Some(at) = arguments.iter().position(is_it) {
        let word = arguments.remove(at);
        text = match word.split_once('=') {
            Some((_, text)) => text.to_owned(),
            None if at < arguments.len() => arguments.remove(at),
            None => String::new(),
        };
    }
    if let Some(other) = arguments.iter().find(|word| *word != "serve") {
        return Err(failed(
            2,
            format!(
                "serve takes --listen ADDRESS:PORT and nothing else, found {other:?}: provider, \
                 embedder and the rest stand in config.toml"
            ),
        ));
    }
    let address: SocketAddr = text.parse().map_err(|_| {
        failed(2, format!("--listen: an address and a port expected, found {text}"))
    })?;
    let has_token = has_token(std::env::var_os(TOKEN))?;
    if !address.ip().is_loopback() && !has_token {
        return Err(failed(
            2,
            format!("{address} can be reached from elsewhere: {TOKEN} must hold a token for that"),
        ));
    }
    Ok(address)
}

/// Whether there is a token; an empty one is none, as the component takes it.
fn has_token(value: Option<OsString>) -> Result<bool, Failed> {
    let token = value.unwrap_or_default();
    // A line end comes with a file or with `echo`, and no header can bring it: nobody would be let in.
    // Passed over, what cannot be read would leave the server without a token.
    match token.as_encoded_bytes().iter().all(u8::is_ascii_graphic) {
        true => Ok(!token.is_empty()),
        false => Err(failed(
            2,
            format!(
                "{TOKEN}: visible ASCII characters expected, found another one: does a blank or \
                 the end of a line stand behind the token?"
            ),
        )),
    }
}

/// The environment, as the guard asks for it.
struct Variables;

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn arguments(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Serves until Ctrl-C, and gives the exit code.
///
/// # Errors
/// An address that is taken, a component that cannot serve, a grant that cannot be given.
pub(crate) async fn serve(
    program: &Program,
    grants: &Grants,
    address: SocketAddr,
) -> Result<i32, Failed> {
    let source = Source::new(program, grants)?;
    let first = source.instance().await?;
    let said = |error| failed(1, format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(said)?;
    let bound = listener.local_addr().map_err(said)?;
    // Whoever closed the output can ask all the same.
    let _ = writeln!(std::io::stdout(), "listening on http://{bound}");
    let (jobs, queue) = mpsc::channel(QUEUE);
    let works = Arc::new(AtomicBool::new(true));
    let (guard, stop) = (Guard::new(&Variables), program.stop.clone());
    let entrance = Entrance { guard, jobs, works: works.clone(), stop };
    tokio::select! {
        () = work(&source, first, queue, &works) => {}
        () = accept(listener, Arc::new(entrance)) => {}
        _ = program.stop.overdue() => {}
    }
    // What was answered, and that nothing is any more, is still to be sent.
    tokio::time::sleep(PARTING).await;
    Ok(program.stop.asked().await)
}

/// Takes connections, for ever.
async fn accept(listener: TcpListener, entrance: Arc<Entrance>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // Nobody closes it.
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((client, _)) = listener.accept().await else {
            // Too many open files, most likely: some will be closed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let entrance = entrance.clone();
        let service = service_fn(move |request| {
            let entrance = entrance.clone();
            async move { Ok::<_, std::convert::Infallible>(respond(request, &entrance).await) }
        });
        tokio::spawn(async move {
            // A client that goes away in the middle is nobody's failure.
            let client = Client::new(client, PATIENCE);
            let mut http = http1::Builder::new();
            http.timer(Clock).header_read_timeout(PATIENCE);
            let _ = http.serve_connection(client, service).await;
            drop(place);
        });
    }
}

async fn respond(request: Request<Incoming>, entrance: &Entrance) -> Response<HyperOutgoingBody> {
    let Entrance { guard, jobs, works, stop } = entrance;
    let (head, body) = request.into_parts();
    let named = head.headers.get(HOST).is_some_and(|host| host.to_str().is_ok());
    if !named && head.uri.authority().is_none() {
        return refusal(StatusCode::BAD_REQUEST, "the header host expected");
    }
    // The component asks again. Here nobody is waited for who will get no answer.
    let asked = asked(&head);
    if let Err(reply) = guard.check(&asked) {
        return sent(&reply);
    }
    // Where there was no instance for the last request, this one tries to make one.
    if head.uri.path() == HEALTH && works.load(Relaxed) {
        return sent(&serve::health(&asked));
    }
    let request = match client::body(body, MOST, PATIENCE).await {
        Ok(bytes) => Request::from_parts(head, whole(bytes)),
        Err((status, sentence)) => return refusal(status, sentence),
    };
    let (answer, answered) = oneshot::channel();
    let (asker, waits) = Asker::new();
    if jobs.send(Job { request, answer, asker }).await.is_err() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "the server ends");
    }
    match answered.await {
        Ok(Ok(response)) => response.map(|body| waits.held_by(body)),
        Err(_) if stop.exit().is_some() => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "the server ends")
        }
        _ => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the component failed"),
    }
}

/// The head, as the component will see it: the name by which the client comes is a header, and `HEAD` is
/// answered as `GET`, of which the connection leaves the body out.
fn asked(head: &Parts) -> Asked {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let named = head.uri.authority().map(|name| (String::from("host"), name.to_string()));
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let method = if head.method == Method::HEAD { Method::GET } else { head.method.clone() };
    Asked {
        method: method.as_str().into(),
        headers: named.into_iter().chain(headers).collect(),
        ..Asked::default()
    }
}

/// What the host says by itself, as the component would send it.
fn sent(reply: &Reply) -> Response<HyperOutgoingBody> {
    let mut response = Response::new(whole(reply.body.clone().into()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::FORBIDDEN);
    let own = [
        ("content-type", "application/json"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ];
    for &(name, value) in own.iter().chain(&reply.headers) {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response
}

fn refusal(status: StatusCode, sentence: &str) -> Response<HyperOutgoingBody> {
    sent(&Reply::refusal(status.as_u16(), sentence))
}

fn whole(bytes: Bytes) -> HyperOutgoingBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Handles one request after the other, until Ctrl-C.
async fn work(
    source: &Source<'_>,
    first: Instance,
    mut queue: mpsc::Receiver<Job>,
    works: &AtomicBool,
) {
    let Program { stop, time, .. } = source.program;
    let mut instance = Some(first);
    loop {
        let job = tokio::select! {
            biased;
            _ = stop.asked() => None,
            job = queue.recv() => job,
        };
        let Some(job) = job else { return };
        if job.asker.has_gone() {
            continue;
        }
        time.restart();
        let made = match instance.take() {
            Some(instance) => Ok(instance),
            None => source.instance().await,
        };
        works.store(made.is_ok(), Relaxed);
        let mut worker = match made {
            Ok(worker) => worker,
            // The job is dropped, which its client learns. What is missing may be there for the next one.
            Err(failure) => {
                tell(&failure.sentence);
                continue;
            }
        };
        match worker.handle(job).await {
            Ok(()) => instance = Some(worker),
            Err(error) => tell(&sentence(&error, &worker.store)),
        }
    }
}

/// Where instances come from.
struct Source<'a> {
    program: &'a Program,
    grants: &'a Grants,
    ready: ProxyPre<Side>,
}

impl<'a> Source<'a> {
    fn new(program: &'a Program, grants: &'a Grants) -> Result<Self, Failed> {
        let ready = program.linker.instantiate_pre(&program.component).and_then(ProxyPre::new);
        Ok(Self { program, grants, ready: ready.map_err(unusable)? })
    }

    /// One with all that is granted.
    async fn instance(&self) -> Result<Instance, Failed> {
        let mut store = self.program.store(self.grants)?;
        let proxy = self.ready.instantiate_async(&mut store).await.map_err(unusable)?;
        Ok(Instance { store, proxy })
    }
}

fn unusable(error: wasmtime::Error) -> Failed {
    failed(1, format!("the component: {error:#}"))
}

/// The component, at work.
struct Instance {
    store: Store<Side>,
    proxy: Proxy,
}

impl Instance {
    async fn handle(&mut self, job: Job) -> wasmtime::Result<()> {
        self.store.data_mut().works_for(job.asker);
        let mut http = self.store.data_mut().http();
        let request = http.new_incoming_request(Scheme::Http, job.request)?;
        let out = http.new_response_outparam(job.answer)?;
        self.proxy.wasi_http_incoming_handler().call_handle(&mut self.store, request, out).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_token_that_nobody_can_send_is_no_missing_one() {
        let has = |bytes: &[u8]| {
            use std::os::unix::ffi::OsStringExt;
            has_token(Some(OsString::from_vec(bytes.into()))).map_err(|failed| failed.exit)
        };
        assert_eq!((has(b""), has(b"0123456789abcdef")), (Ok(false), Ok(true)));
        assert!(!has_token(None).unwrap());
        for wrong in [&b"\xff"[..], b"\n", b"0123456789abcdef\n", b" 0123456789", b"\xc3\xa9"] {
            assert_eq!(has(wrong), Err(2), "{wrong:?}");
        }
    }

    #[test]
    fn the_network_is_listened_on_only_with_a_token() {
        let address = |text: &str| address(&mut text.split(' ').map(str::to_owned).collect());
        assert_eq!(address("serve").unwrap().to_string(), LISTEN);
        assert_eq!(address("serve --listen=[::1]:1").unwrap().to_string(), "[::1]:1");
        assert_eq!(address("serve --listen 127.0.0.1:0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(address("--listen=[::1]:1 serve").unwrap().to_string(), "[::1]:1");
        for wrong in [
            "serve --listen",
            "serve --listen here",
            "serve --listen 0.0.0.0:80",
            "serve --port 9000",
            "serve --provider offline",
            "--embedder=hashed serve",
            "serve 127.0.0.1:9000",
        ] {
            assert_eq!(address(wrong).unwrap_err().exit, 2, "{wrong}");
        }
    }
}
