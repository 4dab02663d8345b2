//! `clawft serve`.

use crate::place::{Place, Running};
use std::io::{Read, Write};
use std::net::TcpStream;

fn start(place: &Place) -> (Running, String) {
    let mut host = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let line = host.line();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    (host, address)
}

fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn one_instance_answers_one_request_after_the_other() {
    let place = Place::new();
    let (host, address) = start(&place);
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let address = address.clone();
            std::thread::spawn(move || ask(&address, "/a?b=c"))
        })
        .collect();
    let mut counts: Vec<u32> = Vec::new();
    for client in clients {
        let answer = client.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let at = answer.find("Method::Get /a?b=c ").unwrap();
        let count = answer[at..].lines().next().unwrap().rsplit(' ').next().unwrap();
        counts.push(count.parse().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());

    // An instance that fails is replaced; only the request that broke it is lost.
    assert!(ask(&address, "/trap").starts_with("HTTP/1.1 500 "));
    assert!(ask(&address, "/").contains(" / 1\n"));

    // It is a writer for as long as it serves.
    place.run(&["remember", "x"]).ended(6, "is writing to the memory");

    host.signal("-INT");
    let (ran, _) = host.end();
    assert_eq!(ran.exit, Some(130), "{ran:?}");
}

#[test]
fn the_network_needs_a_token() {
    let place = Place::new();
    place.run(&["serve", "--listen", "0.0.0.0:0"]).ended(2, "CLAWFT_TOKEN must hold a token");
}
