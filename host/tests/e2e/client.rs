//! A client of `clawft serve`.

use crate::place::{Place, Running};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The words that start it.
pub(crate) const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// The server, and where it listens.
pub(crate) fn start(place: &Place) -> (Running, String) {
    let mut host = place.start(&SERVE);
    let line = host.line();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    (host, address)
}

/// Sends this; an answer is waited for so long.
pub(crate) fn send(address: &str, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// A request for this.
pub(crate) fn get(address: &str, path: &str) -> TcpStream {
    let text = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    send(address, &text)
}

/// The whole answer.
pub(crate) fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn ask(address: &str, path: &str) -> String {
    answer(get(address, path))
}
