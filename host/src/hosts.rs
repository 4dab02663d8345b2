//! Which hosts may be asked, and the sending of what may be sent.
//!
//! A list of names, compared whole: what is not on it is refused before a name is looked up or a
//! connection is made. Redirects are not followed, so an answer cannot lead past the list. A
//! name on the list is trusted with wherever it points to.
//!
//! What it must never do: compare a part of a name; send anything before name and port were
//! found on the list; make an exception for loopback, where services trust whoever reaches
//! them.

use crate::end::End;
use crate::failure::tell;
use bytes::Bytes;
use clawft_agent::config::Config;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{Request, Response, Uri};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The vendors, who need no entry in the config.
const VENDORS: [&str; 2] = ["api.openai.com", "api.anthropic.com"];

/// Hosts that may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Vec<Host>);

/// A name or an address, and a port; without one, those of http and https.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// From `name`, `name:port`, `[address]:port`.
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = format!("http://{}/", text.trim()).parse().ok()?;
        Self::of(&uri)
    }

    fn of(uri: &Uri) -> Option<Self> {
        let name = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self { name, port: uri.port_u16() })
    }

    /// From a base URL, which has one port, written there or not.
    fn of_base(uri: &Uri) -> Option<Self> {
        Some(Self { port: Some(port(uri)), ..Self::of(uri)? })
    }
}

/// The port of a URL; without one, that of its scheme.
fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

impl Hosts {
    /// The vendors, the base URLs of the config, and what it adds.
    pub(crate) fn of(config: &Config) -> Self {
        let mut hosts: Vec<Host> = VENDORS.iter().filter_map(|name| Host::parse(name)).collect();
        for url in [&config.provider.base_url, &config.embedder.base_url] {
            hosts.extend(url.parse().ok().as_ref().and_then(Host::of_base));
        }
        hosts.extend(config.hosts.iter().filter_map(|name| Host::parse(name)));
        Self(hosts)
    }

    fn permit(&self, uri: &Uri) -> bool {
        let Some(asked) = Host::of(uri) else { return false };
        let port = port(uri);
        self.0.iter().any(|host| {
            host.name == asked.name
                && host.port.map_or(matches!(port, 80 | 443), |granted| granted == port)
        })
    }
}

/// Sends the component's requests to the hosts on the list.
pub(crate) struct Outgoing {
    pub(crate) hosts: Hosts,
    pub(crate) end: End,
}

type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Rest), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if !self.hosts.permit(request.uri()) {
            let asked = request.uri().authority().map_or("", |authority| authority.as_str());
            tell(&format!(
                "the host {asked} is not on the list of those that may be asked; `hosts` under \
                 [tools] in config.toml adds it"
            ));
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let end = self.end.clone();
        Box::new(async move {
            let sent = tokio::select! {
                biased;
                () = end.asked() => Err(interrupted()),
                sent = default_send_request(request, options) => sent,
            };
            let (response, rest) = sent?;
            let asked = Box::pin(async move { end.asked().await });
            let body = |body| Stoppable { body: BodyExt::boxed_unsync(body), asked };
            Ok((response.map(|incoming| body(incoming).boxed_unsync()), Box::new(rest) as Rest))
        })
    }
}

fn interrupted() -> Error {
    Error::InternalError(Some("interrupted".into()))
}

/// A body that fails once an end is asked for.
struct Stoppable {
    body: WasiBody,
    asked: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Body for Stoppable {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.asked.as_mut().poll(context).is_ready() {
            // Asked once more it would panic, as a finished future does.
            self.asked = Box::pin(std::future::ready(()));
            return Poll::Ready(Some(Err(interrupted())));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(config: &str, url: &str) -> bool {
        Hosts::of(&Config::parse(config).unwrap()).permit(&url.parse().unwrap())
    }

    #[test]
    fn only_what_is_listed() {
        let base = "[provider]\nname = \"openai\"\nbase_url = \"http://localhost:11434/v1\"";
        let plain = "[provider]\nname = \"openai\"\nbase_url = \"http://llm.example.org/v1\"";
        let secure = "[embedder]\nname = \"openai\"\nbase_url = \"https://llm.example.org/v1\"";
        let added = "[tools]\nhosts = [\"Example.org\", \"[::1]:8080\", \"10.0.0.1:81\"]";
        for (config, url, expected) in [
            ("", "https://api.openai.com/v1/chat/completions", true),
            ("", "https://API.Anthropic.com./v1/messages", true),
            ("", "https://api.openai.com:8443/", false),
            ("", "https://api.openai.com.evil.example/", false),
            ("", "https://evil-api.openai.com/", false),
            ("", "https://api.openai.com@evil.example/", false),
            ("", "http://127.0.0.1:11434/", false),
            ("", "http://localhost/", false),
            (base, "http://localhost:11434/v1/models", true),
            (base, "http://localhost:11435/", false),
            (base, "http://127.0.0.1:11434/", false),
            (plain, "http://llm.example.org/v1/models", true),
            (plain, "http://llm.example.org:80/v1/models", true),
            (plain, "https://llm.example.org/v1/models", false),
            (plain, "http://llm.example.org:443/v1/models", false),
            (secure, "https://llm.example.org/v1/models", true),
            (secure, "http://llm.example.org/v1/models", false),
            (added, "https://example.org/page", true),
            (added, "http://example.org/page", true),
            (added, "https://www.example.org/", false),
            (added, "http://[::1]:8080/", true),
            (added, "http://[::1]/", false),
            (added, "http://10.0.0.1:81/", true),
            (added, "http://10.0.0.1/", false),
        ] {
            assert_eq!(permits(config, url), expected, "{url} with {config:?}");
        }
    }
}
