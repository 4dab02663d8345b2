//! The machine's own requests, against servers on loopback that do what servers do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clawft_agent::platform::native::NativeHttpClient;
use clawft_agent::platform::{
    HttpClient, HttpError, HttpFailure, Method, Payload, Request, Response, Timeouts,
};

const TIMEOUTS: Timeouts =
    Timeouts { connect: 2_000, first_byte: 600, between_bytes: 300, total: 5_000 };

/// Serves one request with `answer`, and gives what came.
fn serve(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("it can be set");
        let request = read_request(&mut stream);
        answer(&mut stream);
        let _ = sender.send(request);
    });
    (format!("http://{address}/v1/x"), receiver)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = match length {
                Some(length) => body.len() >= length.parse().expect("a number"),
                None => !head.contains("chunked") || body.ends_with("0\r\n\r\n"),
            };
            if whole {
                return text;
            }
        }
        match stream.read(&mut buffer).expect("the request comes") {
            0 => return text,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn post<'a>(url: &'a str, payload: Payload<'a>) -> Result<Response, HttpError> {
    NativeHttpClient.send(Request {
        method: Method::Post,
        url,
        headers: &[("x-key", "secret-value"), ("content-type", "application/json")],
        payload,
        timeouts: TIMEOUTS,
    })
}

fn whole(response: &mut Response) -> Result<String, HttpError> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 7];
    loop {
        match response.body.read(&mut buffer)? {
            0 => return Ok(String::from_utf8(bytes).expect("UTF-8 was sent")),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn failure(outcome: Result<Response, HttpError>, took: Instant) -> HttpError {
    let error = match outcome {
        Ok(mut response) => whole(&mut response).expect_err("a failure was expected"),
        Err(error) => error,
    };
    assert!(took.elapsed() < Duration::from_secs(4), "it ends in time");
    assert!(!error.sentence.contains("secret"), "{error}");
    error
}

#[test]
fn a_request_has_what_was_asked_for_and_nothing_else() {
    let (url, seen) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 429 No\r\nRetry-After: 3\r\nX-Twice: a\r\nx-twice: b\r\nContent-Length: 5\r\n\r\nh\xc3\xa4lt").expect("sent");
    });
    let mut response = post(&url, Payload::Bytes(b"{}")).expect("it is an answer");
    assert_eq!(response.status, 429);
    assert_eq!(response.header("retry-after"), Some("3"));
    let twice: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "x-twice")
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(twice, ["a", "b"]);
    assert_eq!(whole(&mut response).as_deref(), Ok("hält"));

    let request = seen.recv().expect("it was seen");
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert_eq!(body, "{}");
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /v1/x HTTP/1.1"));
    let mut names: Vec<&str> = lines.filter_map(|line| line.split(':').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host", "x-key"]);
}

#[test]
fn a_body_is_sent_in_parts_and_one_that_fails_says_why() {
    let (url, seen) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("sent");
    });
    let mut parts = ["one ", "two"].iter();
    let mut next = |into: &mut [u8]| {
        let part = parts.next().map_or("", |part| part);
        into[..part.len()].copy_from_slice(part.as_bytes());
        Ok(part.len())
    };
    post(&url, Payload::Stream(&mut next)).expect("it is an answer");
    let request = seen.recv().expect("it was seen");
    assert!(request.contains("one ") && request.contains("two") && request.contains("chunked"));

    let (url, _seen) = serve(|_| {});
    let sentence = String::from("the source ran dry");
    let why = HttpError { failure: HttpFailure::Other, sentence };
    let mut fails = |_: &mut [u8]| Err(why.clone());
    let outcome = post(&url, Payload::Stream(&mut fails));
    assert_eq!(outcome.err().as_ref(), Some(&why));
}

#[test]
fn what_comes_is_given_as_it_comes() {
    let (go, wait) = mpsc::channel::<()>();
    let (url, _seen) = serve(move |stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            .expect("sent");
        wait.recv().expect("the first part was read");
        stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").expect("sent");
    });
    let mut response = post(&url, Payload::Empty).expect("it is an answer");
    let mut buffer = [0; 64];
    let count = response.body.read(&mut buffer).expect("the first part");
    assert_eq!(&buffer[..count], b"one");
    go.send(()).expect("it waits");
    assert_eq!(whole(&mut response).as_deref(), Ok("two"));
}

#[test]
fn a_redirect_is_an_answer() {
    let (url, _seen) = serve(|stream| {
        stream
            .write_all(
                b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            )
            .expect("sent");
    });
    let response = post(&url, Payload::Bytes(b"{}")).expect("it is an answer");
    assert_eq!((response.status, response.header("location")), (307, Some("http://127.0.0.1:1/")));
}

#[test]
fn nobody_listens() {
    let address =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let url = format!("http://name:secret@{address}/");
    let error = failure(post(&url, Payload::Empty), Instant::now());
    assert_eq!(error.failure, HttpFailure::Unreachable);
    assert_eq!(error.sentence, format!("nobody listens at {address}: the connection was refused"));
}

#[test]
fn silence_before_the_answer_and_in_the_middle_of_it_are_told_apart() {
    let (url, _seen) = serve(|_| thread::sleep(Duration::from_millis(1_500)));
    let begun = Instant::now();
    let error = failure(post(&url, Payload::Empty), begun);
    assert_eq!(error.failure, HttpFailure::Timeout);
    assert!(error.sentence.ends_with("did not answer within 0.6 s"), "{error}");
    assert!(begun.elapsed() >= Duration::from_millis(600), "not by the limit between two parts");

    let (url, _seen) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none").expect("sent");
        thread::sleep(Duration::from_millis(1_500));
    });
    let error = failure(post(&url, Payload::Empty), Instant::now());
    assert_eq!(error.failure, HttpFailure::Timeout);
    assert!(
        error.sentence.ends_with("in the middle of its answer: nothing came for 0.3 s"),
        "{error}"
    );
}

#[test]
fn a_body_that_drips_ends_with_the_total_time() {
    let (url, _seen) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("sent");
        while stream.write_all(b".").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let timeouts = Timeouts { total: 1_000, ..TIMEOUTS };
    let request =
        Request { method: Method::Get, url: &url, headers: &[], payload: Payload::Empty, timeouts };
    let error = failure(NativeHttpClient.send(request), Instant::now());
    assert_eq!(error.failure, HttpFailure::Timeout);
    assert!(error.sentence.ends_with("was not done within 1 s"), "{error}");
}

#[test]
fn an_answer_that_breaks_off_or_is_none_is_said_to_be_so() {
    for (answer, expected) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none"[..], HttpFailure::Broken),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", HttpFailure::Broken),
        (b"", HttpFailure::Broken),
        (b"SSH-2.0-server\r\n\r\n", HttpFailure::Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", HttpFailure::Malformed),
    ] {
        let (url, _seen) = serve(move |stream| stream.write_all(answer).expect("sent"));
        let error = failure(post(&url, Payload::Bytes(b"{}")), Instant::now());
        assert_eq!(error.failure, expected, "{error} after {}", String::from_utf8_lossy(answer));
    }
    let (url, _seen) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: and more and more and more\r\n").is_ok() {}
    });
    let error = failure(post(&url, Payload::Empty), Instant::now());
    assert_eq!(error.failure, HttpFailure::Malformed);
}

#[test]
fn what_cannot_be_sent_is_refused_before() {
    for (url, headers, expected) in [
        ("file:///etc/passwd", &[][..], HttpFailure::BadUrl),
        ("http://", &[], HttpFailure::BadUrl),
        ("http://a b/", &[], HttpFailure::BadUrl),
        ("http://127.0.0.1:1/", &[("x", "a\r\ny: b")], HttpFailure::Denied),
    ] {
        let error = failure(
            NativeHttpClient.send(Request {
                method: Method::Get,
                url,
                headers,
                payload: Payload::Empty,
                timeouts: TIMEOUTS,
            }),
            Instant::now(),
        );
        assert_eq!(error.failure, expected, "{url}: {error}");
    }
}

#[test]
fn https_without_tls_says_so() {
    if cfg!(feature = "native-https") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let url = format!("https://{}/", listener.local_addr().expect("it is bound"));
    let error = failure(post(&url, Payload::Empty), Instant::now());
    assert_eq!(error.failure, HttpFailure::Tls, "{error}");
}
