//! Clients of `clawft serve` that hang up before they have their answer.

use crate::client::{ask, get, start};
use crate::place::{Place, Server};
use std::io::Read;
use std::time::{Duration, Instant};

/// Before an answer, and in the middle of one.
const SILENT: [&str; 2] = ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun"];

/// The server that is asked has no answer for one who has gone, and the next client does not wait for it.
#[test]
fn a_request_to_a_server_is_over_when_its_client_has_gone() {
    for begun in SILENT {
        let (place, server) = (Place::new(), Server::silent(begun));
        place.config(&format!("[tools]\nhosts = [\"{}\"]", server.address));
        let (host, address) = start(&place);
        let client = get(&address, &format!("/get/{}", server.address));
        assert!(server.is_asked(Duration::from_secs(5)));
        drop(client);
        // Another instance would count from 1.
        assert!(ask(&address, "/").contains(" / 2\n"));

        // The same once its own answer has begun.
        let mut client = get(&address, &format!("/begun/get/{}", server.address));
        assert!(server.is_asked(Duration::from_secs(5)));
        assert!(client.read(&mut [0; 1024]).unwrap() > 0);
        drop(client);
        assert!(ask(&address, "/").contains(" / 4\n"));
        host.signal("-INT");
        assert_eq!(host.end().0.exit, Some(130));
    }
}

#[test]
fn a_sleep_is_over_when_its_client_has_gone_and_not_before() {
    let place = Place::new();
    let (host, address) = start(&place);
    for path in ["/sleep/60", "/begun/sleep/60"] {
        let client = get(&address, path);
        std::thread::sleep(Duration::from_millis(300));
        drop(client);
        assert!(ask(&address, "/").starts_with("HTTP/1.1 200 "));
    }
    for path in ["/sleep/1", "/begun/sleep/1"] {
        let begun = Instant::now();
        let answer = ask(&address, path);
        assert!(answer.contains("slept"), "{path}: {answer}");
        assert!(begun.elapsed() >= Duration::from_secs(1), "{path}: {:?}", begun.elapsed());
    }
    // Pauses at a file are no sleeps: a change goes on waiting for its turn.
    let (client, begun) = (get(&address, "/pause/40"), Instant::now());
    std::thread::sleep(Duration::from_millis(300));
    drop(client);
    // All by one instance.
    assert!(ask(&address, "/").contains(" / 8\n"));
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    host.signal("-INT");
    host.end();
}
