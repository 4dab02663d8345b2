//! Requests over `ureq`: HTTP/1.1, blocking, no redirects, no proxy, no connection kept.
//!
//! `https` needs the feature `native-https`, which builds rustls: tests speak to loopback only.
//!
//! `ureq` has a limit for the answer's head and one for each read, but that one holds while the
//! head is awaited too, so a model that thinks for a minute could not be told from a stream that
//! stands still. [`Patient`] lies around the connection and sets the limit of reads by what is
//! being waited for.
//!
//! What it must never do: send a header that was not asked for beyond those that HTTP needs
//! (`ureq` would name itself and what it accepts), or put a header's value, or a name and
//! password of the URL, into a sentence.

use std::io::{self, Read};
use std::time::Duration;

use ureq::http::{HeaderValue, Request as Head};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Agent, Error, SendBody, Timeout};

use crate::platform::url::host;
use crate::platform::{
    Body, HttpClient, HttpError, HttpFailure, Method, Payload, Request, Response, Timeouts,
};

/// Bytes that the head of an answer may have.
const MOST_HEAD: usize = 64 << 10;

/// Requests of the machine itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeHttpClient;

impl HttpClient for NativeHttpClient {
    fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        let Request { method, url, headers, payload, timeouts } = request;
        let whom = Whom { host: host(url).into(), timeouts };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let sentence = String::from("an address has to begin with http:// or https://");
            return Err(HttpError { failure: HttpFailure::BadUrl, sentence });
        }
        let mut head = Head::builder().uri(url).method(match method {
            Method::Get => "GET",
            Method::Post => "POST",
        });
        for (name, value) in headers {
            let Ok(mut value) = HeaderValue::from_str(value) else {
                let sentence = format!("the value of the header {name} has a character too many");
                return Err(HttpError { failure: HttpFailure::Denied, sentence });
            };
            value.set_sensitive(true);
            head = head.header(*name, value);
        }
        let agent = agent(&timeouts);
        let response = match payload {
            Payload::Empty if method == Method::Get => agent.run(whom.built(head.body(()))?),
            Payload::Empty => agent.run(whom.built(head.body([].as_slice()))?),
            Payload::Bytes(bytes) => agent.run(whom.built(head.body(bytes))?),
            Payload::Stream(parts) => {
                let mut source = Source { parts };
                agent.run(whom.built(head.body(SendBody::from_reader(&mut source)))?)
            }
        };
        let (head, body) = response.map_err(|error| whom.failed(error))?.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Response {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: Box::new(Incoming { reader: Box::new(body.into_reader()), whom }),
        })
    }
}

fn agent(timeouts: &Timeouts) -> Agent {
    let span = |milliseconds: u32| Some(Duration::from_millis(milliseconds.into()));
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(MOST_HEAD)
        .max_idle_connections(0)
        .timeout_resolve(span(timeouts.connect))
        .timeout_connect(span(timeouts.connect))
        .timeout_recv_response(span(timeouts.first_byte))
        .timeout_global(span(timeouts.total))
        .build();
    let between = Duration::from_millis(timeouts.between_bytes.into());
    let connector = DefaultConnector::default().chain(Patience { between });
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// Puts [`Patient`] around each connection.
#[derive(Debug)]
struct Patience {
    between: Duration,
}

impl<In: Transport> Connector<In> for Patience {
    type Out = Patient<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Patient { inner, between: self.between }))
    }
}

/// A connection whose reads are limited once the head of the answer has come.
#[derive(Debug)]
struct Patient<T> {
    inner: T,
    between: Duration,
}

impl<T: Transport> Transport for Patient<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        if timeout.reason != Timeout::RecvResponse {
            timeout.per_read = Some(self.between.into());
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// A body that is sent part by part.
struct Source<'a> {
    parts: &'a mut dyn FnMut(&mut [u8]) -> Result<usize, HttpError>,
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (self.parts)(into).map_err(io::Error::other)
    }
}

/// A body that comes.
struct Incoming {
    reader: Box<dyn Read>,
    whom: Whom,
}

impl Body for Incoming {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, HttpError> {
        self.reader.read(into).map_err(|error| self.whom.failed(error.into()))
    }
}

/// Who was asked, and how long they had.
struct Whom {
    host: String,
    timeouts: Timeouts,
}

impl Whom {
    fn built<T>(&self, head: Result<T, ureq::http::Error>) -> Result<T, HttpError> {
        head.map_err(|error| self.failed(error.into()))
    }

    fn failed(&self, error: Error) -> HttpError {
        let Self { host, timeouts } = self;
        let seconds = |milliseconds: u32| f64::from(milliseconds) / 1_000.0;
        let (failure, sentence) = match error {
            Error::Io(error) => return self.broken(error),
            Error::Timeout(reason) => {
                let sentence = match reason {
                    Timeout::Resolve | Timeout::Connect => {
                        format!("no connection to {host} within {} s", seconds(timeouts.connect))
                    }
                    Timeout::RecvResponse => {
                        format!("{host} did not answer within {} s", seconds(timeouts.first_byte))
                    }
                    Timeout::PerRead => format!(
                        "{host} stopped in the middle of its answer: nothing came for {} s",
                        seconds(timeouts.between_bytes)
                    ),
                    _ => format!("{host} was not done within {} s", seconds(timeouts.total)),
                };
                (HttpFailure::Timeout, sentence)
            }
            Error::BadUri(_) | Error::Http(_) => {
                (HttpFailure::BadUrl, format!("the address of {host} cannot be used"))
            }
            Error::HostNotFound => {
                (HttpFailure::Unreachable, format!("there is no host of the name {host}"))
            }
            Error::ConnectionFailed => {
                (HttpFailure::Unreachable, format!("no connection to {host}"))
            }
            Error::TlsRequired => (
                HttpFailure::Tls,
                format!("{host} is to be asked over https, which is not built into this program"),
            ),
            Error::Tls(why) => (HttpFailure::Tls, format!("{host} cannot be trusted: {why}")),
            #[cfg(feature = "native-https")]
            Error::Rustls(why) => (HttpFailure::Tls, format!("{host} cannot be trusted: {why}")),
            Error::Protocol(_) | Error::LargeResponseHeader(..) => {
                (HttpFailure::Malformed, format!("what {host} answered is no HTTP"))
            }
            _ => (HttpFailure::Other, format!("the request to {host} failed")),
        };
        HttpError { failure, sentence }
    }

    fn broken(&self, error: io::Error) -> HttpError {
        let host = &self.host;
        let kind = error.kind();
        // What a body's own source said.
        if let Some(inner) = error.into_inner().and_then(|inner| inner.downcast().ok()) {
            return *inner;
        }
        let (failure, sentence) = match kind {
            io::ErrorKind::ConnectionRefused => (
                HttpFailure::Unreachable,
                format!("nobody listens at {host}: the connection was refused"),
            ),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                (HttpFailure::Unreachable, format!("there is no way to {host}: {kind}"))
            }
            // That is how rustls gives its errors through a connection.
            io::ErrorKind::InvalidData => (
                HttpFailure::Tls,
                format!("no secure connection to {host}: no TLS there, or nobody to be trusted"),
            ),
            kind => (HttpFailure::Broken, format!("the connection to {host} broke: {kind}")),
        };
        HttpError { failure, sentence }
    }
}
