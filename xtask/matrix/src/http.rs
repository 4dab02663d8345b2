//! The one import of `clawft-agent.core.wasm`: HTTP/1.1 as docs/abi.md says, to a server on loopback.
//!
//! It is what the tests need: no TLS, no body that comes in parts, and bodies that end with their
//! connection or at their length. What else there is is refused with its number.

use crate::guest::{Import, Imports};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const OPEN: u64 = 0;
const READ: u64 = 2;
const CLOSE: u64 = 3;
const WHY: u64 = 4;
const BAD_URL: i32 = -401;
const DENIED: i32 = -402;
const UNREACHABLE: i32 = -403;
const TIMEOUT: i32 = -405;
const BROKEN: i32 = -406;
const OTHER: i32 = -408;
const POST: u32 = 2;
/// Bytes of a request's structure.
const REQUEST: usize = 48;

/// The import.
pub const FUNCTIONS: &[Import] =
    &[Import { module: "clawft", name: "clawft_http", parameters: "iiii", result: "i" }];

/// Requests that are open.
#[derive(Debug, Default)]
pub struct Http {
    open: BTreeMap<u32, Exchange>,
    why: String,
}

#[derive(Debug)]
struct Exchange {
    stream: TcpStream,
    between: Duration,
    /// Bytes of the body that must still come; none: the end is that of the connection, or the head
    /// was not read yet.
    left: Option<u64>,
    head: Vec<u8>,
    has_head: bool,
}

type Refusal = (i32, String);

fn refusal(code: i32, why: impl Into<String>) -> Refusal {
    (code, why.into())
}

/// What a system's failure is in numbers of the import.
fn system(why: &std::io::Error) -> Refusal {
    let code = match why.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => TIMEOUT,
        ErrorKind::ConnectionRefused => UNREACHABLE,
        _ => BROKEN,
    };
    refusal(code, why.to_string())
}

impl Exchange {
    /// Connects and sends.
    fn open(memory: &[u8], at: usize) -> Result<Self, Refusal> {
        let outside = || refusal(OTHER, "an address outside of the memory");
        let part = |at: u32, len: u32| {
            let from = memory.get(at as usize..).ok_or_else(outside)?;
            from.get(..len as usize).ok_or_else(outside)
        };
        let request = part(at as u32, REQUEST as u32)?;
        let field = |number: usize| {
            let b = &request[4 * number..][..4];
            u32::from_le_bytes([b[0], b[1], b[2], b[3]])
        };
        if field(0) as usize != REQUEST || field(7) == u32::MAX {
            return Err(refusal(OTHER, "a request of 48 bytes with its body expected"));
        }
        let limit = |number: usize| Duration::from_millis(u64::from(field(number).max(1)));
        let url = String::from_utf8_lossy(part(field(2), field(3))?).into_owned();
        let rest = url.strip_prefix("http://").ok_or_else(|| refusal(BAD_URL, "http expected"))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let address = host.to_socket_addrs().map_err(|why| refusal(BAD_URL, why.to_string()))?;
        let address = address.into_iter().next().ok_or_else(|| refusal(UNREACHABLE, host))?;
        if !address.ip().is_loopback() {
            return Err(refusal(DENIED, "only loopback is asked"));
        }
        let mut stream =
            TcpStream::connect_timeout(&address, limit(8)).map_err(|why| system(&why))?;
        let method = if field(1) == POST { "POST" } else { "GET" };
        let mut message = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        message.extend(part(field(4), field(5))?);
        message.extend(b"\r\n");
        message.extend(part(field(6), field(7))?);
        let ready = stream.write_all(&message).and_then(|()| stream.set_nodelay(true));
        ready.and_then(|()| stream.set_read_timeout(Some(limit(9)))).map_err(|why| system(&why))?;
        let (left, head, has_head) = (None, Vec::new(), false);
        Ok(Exchange { stream, between: limit(10), left, head, has_head })
    }

    /// Reads what there is, at most as much as fits.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Refusal> {
        if !self.has_head {
            self.read_head()?;
        }
        if !self.head.is_empty() {
            let n = into.len().min(self.head.len());
            into[..n].copy_from_slice(&self.head[..n]);
            self.head.drain(..n);
            return Ok(n);
        }
        let most = self.left.map_or(into.len(), |left| into.len().min(left as usize));
        if most == 0 {
            return Ok(0);
        }
        let n = self.stream.read(&mut into[..most]).map_err(|why| system(&why))?;
        match &mut self.left {
            Some(_) if n == 0 => return Err(refusal(BROKEN, "fewer bytes than were said")),
            Some(left) => *left -= n as u64,
            None => {}
        }
        Ok(n)
    }

    fn read_head(&mut self) -> Result<(), Refusal> {
        let mut byte = [0];
        while !self.head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte).map_err(|why| system(&why))? {
                0 => return Err(refusal(BROKEN, "the head has no end")),
                _ => self.head.push(byte[0]),
            }
        }
        let text = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        if text.contains("\r\ntransfer-encoding:") {
            return Err(refusal(OTHER, "this host reads no chunks"));
        }
        let len = text.split("\r\ncontent-length:").nth(1).and_then(|rest| rest.lines().next());
        self.left = len.and_then(|len| len.trim().parse().ok());
        self.has_head = true;
        let between = self.stream.set_read_timeout(Some(self.between));
        between.map_err(|why| system(&why))
    }
}

impl Http {
    fn answer(&mut self, memory: &mut [u8], given: &[u64]) -> Result<i32, Refusal> {
        let (op, handle) = (given[0], given[1] as u32);
        let (at, len) = (given[2] as usize, given[3] as usize);
        let unknown = || refusal(OTHER, "no such request");
        match op {
            OPEN => {
                let exchange = Exchange::open(memory, at)?;
                let free = (0..).find(|number| !self.open.contains_key(number)).unwrap_or(0);
                self.open.insert(free, exchange);
                Ok(free as i32)
            }
            READ | WHY => {
                let place = memory.get_mut(at..).and_then(|rest| rest.get_mut(..len));
                let place = place.ok_or_else(|| refusal(OTHER, "bytes outside of the memory"))?;
                if op == READ {
                    let exchange = self.open.get_mut(&handle).ok_or_else(unknown)?;
                    return exchange.read(place).map(|n| n as i32);
                }
                let n = place.len().min(self.why.len());
                place[..n].copy_from_slice(&self.why.as_bytes()[..n]);
                Ok(n as i32)
            }
            CLOSE => self.open.remove(&handle).map(|_| 0).ok_or_else(unknown),
            _ => Err(refusal(OTHER, "this host does not know the operation")),
        }
    }
}

impl Imports for Http {
    fn functions(&self) -> &'static [Import] {
        FUNCTIONS
    }

    fn call(&mut self, _: usize, memory: &mut [u8], arguments: &[u64]) -> u64 {
        let code = self.answer(memory, arguments).unwrap_or_else(|(code, why)| {
            self.why = why;
            code
        });
        code as u32 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Manner, Model, WORDS};

    /// A request lies at 0, its parts behind it; what is read goes to 1,000.
    fn memory(url: &str) -> Vec<u8> {
        let body = b"{}";
        let headers = "content-length: 2\r\n";
        let (url_at, headers_at, body_at) = (100, 400, 600);
        let mut memory = vec![0; 5000];
        let limits = [2000; 4];
        let fields = [
            [REQUEST as u32, POST, url_at, url.len() as u32],
            [headers_at, headers.len() as u32, body_at, body.len() as u32],
            limits,
        ];
        let bytes = fields.concat().into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>();
        let parts = [
            (0, bytes.as_slice()),
            (url_at, url.as_bytes()),
            (headers_at, headers.as_bytes()),
            (body_at, body),
        ];
        for (at, part) in parts {
            memory[at as usize..][..part.len()].copy_from_slice(part);
        }
        memory
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let model = Model::start(Manner::Whole, || true).unwrap();
        let config = model.config();
        let url = config.split('"').find(|part| part.starts_with("http")).unwrap();
        let (mut http, mut memory) = (Http::default(), memory(&format!("{url}/chat/completions")));
        let handle = http.call(0, &mut memory, &[OPEN, 0, 0, REQUEST as u64]);
        assert_eq!(handle, 0);
        let mut all = Vec::new();
        loop {
            let n = http.call(0, &mut memory, &[READ, handle, 1000, 4000]) as u32 as i32;
            assert!(n >= 0, "{n}");
            if n == 0 {
                break;
            }
            all.extend(&memory[1000..][..n as usize]);
        }
        let text = String::from_utf8(all).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(
            WORDS.iter().all(|word| text.contains(&format!("\"content\":\"{word}\""))),
            "{text}"
        );
        assert_eq!(http.call(0, &mut memory, &[CLOSE, handle, 0, 0]), 0);
        assert_eq!(model.asked().len(), 1);
    }

    #[test]
    fn what_cannot_be_asked_has_a_number_and_a_sentence() {
        let mut http = Http::default();
        let mut said = |url: &str| {
            let mut memory = memory(url);
            let code = http.call(0, &mut memory, &[OPEN, 0, 0, 48]) as u32 as i32;
            assert!(http.call(0, &mut memory, &[WHY, 0, 1000, 200]) > 0, "{url}");
            code
        };
        assert_eq!(said("https://127.0.0.1/"), BAD_URL);
        assert_eq!(said("http://192.0.2.1:80/"), DENIED);
        let config = crate::model::nobody().unwrap();
        let nobody = config.split('"').find(|part| part.starts_with("http")).unwrap();
        assert_eq!(said(nobody), UNREACHABLE);
    }
}
