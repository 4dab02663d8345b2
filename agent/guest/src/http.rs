//! Requests. For each case `agent/tests/wasi.py` has a server that behaves so.

use clawft_agent::platform::{
    HttpError, HttpFailure, Method, Payload, Platform, Request, Response, Timeouts,
};
use std::time::{Duration, Instant};

const SHORT: u32 = 400;
/// What may come on top of a limit on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

fn timeouts() -> Timeouts {
    Timeouts { connect: 20_000, first_byte: 20_000, between_bytes: 20_000, total: 40_000 }
}

struct Test<'a> {
    platform: &'a Platform<'a>,
    url: &'a str,
    timeouts: Timeouts,
    headers: &'a [(&'a str, &'a str)],
}

impl Test<'_> {
    fn get(&self) -> Result<Response, HttpError> {
        self.send(Method::Get, Payload::Empty)
    }

    fn send<'p>(&'p self, method: Method, payload: Payload<'p>) -> Result<Response, HttpError> {
        let Test { url, headers, timeouts, .. } = *self;
        self.platform.http.send(Request { method, url, headers, payload, timeouts })
    }

    fn fails(&self, failure: HttpFailure) -> String {
        let error = self.get().err().expect("a failure expected");
        self.is(&error, failure)
    }

    /// Its kind, and that it names the host.
    fn is(&self, error: &HttpError, failure: HttpFailure) -> String {
        assert_eq!(error.failure, failure, "{error}");
        let host = self.url.split('/').nth(2).unwrap_or_default();
        assert!(error.sentence.starts_with(&format!("{host}: ")), "{error}");
        println!("{error}");
        error.sentence.clone()
    }
}

/// The rest of a body, in parts as they come.
fn rest(response: &mut Response) -> Result<Vec<Vec<u8>>, HttpError> {
    let mut parts = Vec::new();
    let mut part = vec![0; 100_000];
    loop {
        match response.body.read(&mut part)? {
            0 => return Ok(parts),
            len => parts.push(part[..len].to_vec()),
        }
    }
}

fn text(response: &mut Response) -> String {
    String::from_utf8(rest(response).unwrap().concat()).unwrap()
}

pub(crate) fn run(platform: &Platform<'_>, case: &str, url: &str) {
    let mut test = Test { platform, url, timeouts: timeouts(), headers: &[] };
    let start = Instant::now();
    match case {
        "head" => head(&mut test),
        "parts" => parts(&test),
        "small" => small(&test),
        "statuses" => statuses(&test),
        "upload" => upload(&test),
        "stream" => stream(&test),
        "broken-stream" => broken_stream(&test),
        "early" => early(&test),
        "headers" => headers(&test),
        "refused" => drop(test.fails(HttpFailure::Unreachable)),
        "no-name" => drop(test.fails(HttpFailure::Unreachable)),
        "tls" => drop(test.fails(HttpFailure::Tls)),
        "garbage" => drop(test.fails(HttpFailure::Malformed)),
        "gone" => assert!(test.get().is_err_and(|error| {
            println!("{error}");
            matches!(error.failure, HttpFailure::Malformed | HttpFailure::Broken)
        })),
        "connect" => {
            test.timeouts.connect = SHORT;
            test.fails(HttpFailure::Timeout);
        }
        "first" => {
            test.timeouts.first_byte = SHORT;
            test.fails(HttpFailure::Timeout);
        }
        "first-of-stream" => first_of_stream(&mut test),
        "between" => between(&mut test),
        "total-connect" | "total-first" | "total-tls" => {
            test.timeouts.total = SHORT;
            let sentence = test.fails(HttpFailure::Timeout);
            assert!(sentence.contains("400 ms"), "{sentence}");
        }
        "total-upload" => {
            test.timeouts.total = SHORT;
            let long = vec![0; 9_000_000];
            let sent = test.send(Method::Post, Payload::Bytes(&long));
            test.is(&sent.err().expect("a failure expected"), HttpFailure::Timeout);
        }
        "total-body" => total_body(&mut test),
        "cut" | "cut-chunk" => cut(&test),
        "wrong" => wrong(&mut test),
        other => panic!("unknown case {other}"),
    }
    if test.timeouts != timeouts() {
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(u64::from(SHORT) - 50), "{took:?}");
        assert!(took < SLACK, "{took:?}");
    }
}

/// The server gives back what it got.
fn head(test: &mut Test<'_>) {
    let url = format!("{}/a/b%20c?d=e#fragment", test.url);
    test.headers = &[("x-key", "secret"), ("accept", "text/plain")];
    let request = Request {
        method: Method::Get,
        url: &url,
        headers: test.headers,
        payload: Payload::Empty,
        timeouts: test.timeouts,
    };
    let mut response = test.platform.http.send(request).unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/plain"));
    assert_eq!(response.header("x-mixed"), Some("Case"));
    assert_eq!(response.header("x-none"), None);
    let cookies = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.count(), 2);
    let got = text(&mut response);
    let mut lines: Vec<_> = got.lines().map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "get /a/b%20c?d=e http/1.1");
    lines.retain(|line| !line.is_empty());
    lines.sort();
    let host = test.url.split('/').nth(2).unwrap();
    assert_eq!(lines, ["accept: text/plain", &format!("host: {host}"), "x-key: secret"]);
    // At the end it stays at the end.
    assert_eq!(response.body.read(&mut [0; 9]).unwrap(), 0);
    for (path, expected) in [("", "/"), ("?q", "/?q"), ("#f", "/")] {
        let url = format!("{}{path}", test.url);
        let asked = Test { url: &url, ..*test };
        let got = text(&mut asked.get().unwrap());
        assert!(got.starts_with(&format!("GET {expected} ")), "{got}");
    }
}

/// Two parts with a pause, split within an `é`.
fn parts(test: &Test<'_>) {
    let mut response = test.get().unwrap();
    let start = Instant::now();
    assert_eq!(response.body.read(&mut []).unwrap(), 0);
    let parts = rest(&mut response).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
    assert!(parts.len() >= 2, "{parts:?}");
    assert_eq!(parts[0], b"data: caf\xC3");
    assert_eq!(parts.concat(), "data: café\n\n".as_bytes());
}

/// Read a byte at a time, 200 kB in all at the most convenient size.
fn small(test: &Test<'_>) {
    let mut response = test.get().unwrap();
    let mut head = Vec::new();
    for _ in 0..1000 {
        let mut byte = [0];
        assert_eq!(response.body.read(&mut byte).unwrap(), 1);
        head.push(byte[0]);
    }
    let all = [head, rest(&mut response).unwrap().concat()].concat();
    let expected: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    assert!(all == expected, "{} bytes", all.len());
}

fn statuses(test: &Test<'_>) {
    for status in [204, 302, 404, 429, 529] {
        let url = format!("{}/{status}", test.url);
        let mut response = Test { url: &url, ..*test }.get().unwrap();
        assert_eq!(response.status, status);
        let expected = if status == 204 { "" } else { "text" };
        assert_eq!(text(&mut response), expected, "{status}");
    }
}

/// The server says how long what it got is, and what it was told.
fn upload(test: &Test<'_>) {
    for len in [0, 1, 4096, 4097, 70_000, 3_000_000] {
        let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let mut response = test.send(Method::Post, Payload::Bytes(&bytes)).unwrap();
        let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
        assert_eq!(text(&mut response), format!("POST length {len} got {len} sum {sum}"));
    }
    let mut response = test.send(Method::Post, Payload::Empty).unwrap();
    assert_eq!(text(&mut response), "POST length 0 got 0 sum 0");
}

/// Ten parts, one each 50 ms: the server has the first one long before the last is made.
fn stream(test: &Test<'_>) {
    let mut made = 0;
    let mut next = |into: &mut [u8]| {
        if made == 10 {
            return Ok(0);
        }
        made += 1;
        std::thread::sleep(Duration::from_millis(50));
        into[..7].copy_from_slice(b"a part\n");
        Ok(7)
    };
    let mut response = test.send(Method::Post, Payload::Stream(&mut next)).unwrap();
    let got = text(&mut response);
    let (len, between) = got.split_once(' ').unwrap();
    assert_eq!(len, "70");
    assert!(between.parse::<u64>().unwrap() >= 300, "{got}");
}

/// The error of whatever makes the body is the caller's.
fn broken_stream(test: &Test<'_>) {
    let own = HttpError { failure: HttpFailure::Other, sentence: "no more".into() };
    let mut made = 0;
    let mut next = |into: &mut [u8]| {
        made += 1;
        into[0] = b'x';
        if made == 3 { Err(own.clone()) } else { Ok(1) }
    };
    let sent = test.send(Method::Post, Payload::Stream(&mut next));
    assert_eq!(sent.err(), Some(own.clone()));
}

/// The server refuses a long body before it has read it.
fn early(test: &Test<'_>) {
    let long = vec![b'x'; 9_000_000];
    let mut response = test.send(Method::Post, Payload::Bytes(&long)).unwrap();
    assert_eq!((response.status, text(&mut response).as_str()), (413, "too long"));
}

/// One header of 60,000 bytes, 80 of 50, and one that is no UTF-8.
fn headers(test: &Test<'_>) {
    let mut response = test.get().unwrap();
    assert_eq!(response.header("x-long").map(str::len), Some(60_000));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "x-many").count(), 80);
    assert_eq!(response.header("x-latin"), Some("caf\u{FFFD}"));
    assert_eq!(text(&mut response), "ok");
}

/// The server reads a slow body, and then says nothing.
fn first_of_stream(test: &mut Test<'_>) {
    test.timeouts.first_byte = SHORT;
    let mut made = 0;
    let mut next = |into: &mut [u8]| {
        made += 1;
        std::thread::sleep(Duration::from_millis(200));
        into[0] = b'x';
        Ok(usize::from(made <= 5))
    };
    let start = Instant::now();
    let sent = test.send(Method::Post, Payload::Stream(&mut next));
    test.is(&sent.err().expect("a failure expected"), HttpFailure::Timeout);
    assert!(start.elapsed() >= Duration::from_millis(1350), "counted from the request's end");
}

/// One part, and then nothing.
fn between(test: &mut Test<'_>) {
    test.timeouts.between_bytes = SHORT;
    let mut response = test.get().unwrap();
    let mut part = [0; 99];
    assert_eq!(response.body.read(&mut part).unwrap(), 5);
    let error = response.body.read(&mut part).unwrap_err();
    test.is(&error, HttpFailure::Timeout);
    // And so it stays.
    assert_eq!(response.body.read(&mut part), Err(error));
}

/// A part each 50 ms, for ever.
fn total_body(test: &mut Test<'_>) {
    test.timeouts.total = SHORT * 2;
    let mut response = test.get().unwrap();
    let error = rest(&mut response).unwrap_err();
    let sentence = test.is(&error, HttpFailure::Timeout);
    assert!(sentence.contains("800 ms"), "{sentence}");
}

/// 10 of 100 bytes.
fn cut(test: &Test<'_>) {
    let mut response = test.get().unwrap();
    let mut part = [0; 99];
    assert_eq!(response.body.read(&mut part).unwrap(), 10);
    let error = response.body.read(&mut part).unwrap_err();
    assert!(matches!(error.failure, HttpFailure::Broken | HttpFailure::Malformed), "{error}");
    println!("{error}");
    assert_eq!(response.body.read(&mut part), Err(error));
}

/// What is refused before anything is sent.
fn wrong(test: &mut Test<'_>) {
    for url in
        ["", "ftp://a/", "http://", "http://me:secret@a/", "http://a/\r\nx: y", "http://a b/"]
    {
        let error = Test { url, ..*test }.get().err().expect("a failure expected");
        assert_eq!(error.failure, HttpFailure::BadUrl, "{url:?}: {error}");
        assert!(!error.sentence.contains("secret"), "{error}");
    }
    for url in ["http://[::1/", "http://a:99999999/"] {
        let error = Test { url, ..*test }.get().err().expect("a failure expected");
        println!("{url}: {:?} {error}", error.failure);
    }
    for headers in [
        [("connection", "secret")],
        [("host", "secret")],
        [("transfer-encoding", "secret")],
        [("x y", "secret")],
        [("x-key", "secret\r\nx: y")],
    ] {
        let refused = Test { headers: &headers, ..*test };
        let sentence = refused.fails(HttpFailure::Denied);
        assert!(sentence.contains(headers[0].0) && !sentence.contains("secret"), "{sentence}");
    }
}
