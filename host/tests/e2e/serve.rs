//! `clawft serve`.

use crate::client::{SERVE, answer, ask, get, send, start};
use crate::place::{Place, Running};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

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

/// Who watches over it would take a server that waits for a model for one that hangs.
#[test]
fn whether_it_runs_is_said_while_it_works() {
    let place = Place::new();
    let (host, address) = start(&place);
    // An answer is waited for less long than that.
    let mut busy = get(&address, "/begun/sleep/60");
    assert!(busy.read(&mut [0; 1024]).unwrap() > 0);
    let health = |method: &str, name: &str| {
        let head =
            format!("{method} /health HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        answer(send(&address, &head))
    };
    for (method, status, says) in [
        ("GET", 200, "{\"status\":\"ok\""),
        ("HEAD", 200, "\r\n\r\n"),
        ("POST", 405, "GET expected"),
    ] {
        let said = health(method, &address);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(says), "{said}");
    }
    assert!(health("HEAD", &address).ends_with("\r\n\r\n"));
    assert!(health("GET", "example.org").starts_with("HTTP/1.1 403 "));
    drop(busy);
    host.signal("-INT");
    host.end();
}

/// What is done by then is told to who asked for it, or it would be asked for again.
#[test]
fn the_last_answers_are_sent_before_it_ends() {
    for (signal, exit) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let (host, address) = start(&place);
        let at_work = get(&address, "/sleep/60");
        std::thread::sleep(Duration::from_millis(300));
        let waiting: Vec<_> = (0..5).map(|_| get(&address, "/")).collect();
        std::thread::sleep(Duration::from_millis(300));
        host.signal(signal);
        let done = answer(at_work);
        assert!(done.starts_with("HTTP/1.1 200 ") && done.contains("slept"), "{done:?}");
        for waiting in waiting {
            let refused = answer(waiting);
            assert!(refused.starts_with("HTTP/1.1 503 "), "{refused:?}");
        }
        assert_eq!(host.end().0.exit, Some(exit));
    }
}

/// It ends before it listens, and says why.
#[track_caller]
fn never_listens(host: Command, exit: i32, says: &str) {
    let mut host = Running::of(host);
    let said = host.line();
    if !said.is_empty() {
        host.signal("-KILL");
    }
    let (ran, _) = host.end();
    assert_eq!(said, "", "{says:?} expected: {ran:?}");
    ran.ended(exit, says);
}

/// Whoever starts it learns what is wrong, and not the first who asks.
#[test]
fn it_listens_only_with_what_it_can_be_granted() {
    let (place, links) = (Place::new(), Place::new());
    let notes = place.home().join("notes");
    std::fs::create_dir_all(&notes).unwrap();
    let link = links.folder.join("link");
    symlink(&notes, &link).unwrap();
    let none = links.folder.join("none");
    for (folder, exit, says) in [(none, 1, "/none: "), (link, 3, "leads into the data folder")] {
        place.config(&format!("[tools]\nfolders = [{folder:?}]"));
        never_listens(place.host(&SERVE), exit, says);
    }
    place.config("");
    for (name, value) in [("CLAWFT_TIME_LIMIT", "soon"), ("CLAWFT_TOKEN", "0123456789abcdef\n")] {
        let mut host = place.host(&SERVE);
        host.env(name, value);
        never_listens(host, 2, name);
    }
}

/// A folder may go and come back, on a drive for example.
#[test]
fn it_goes_on_where_no_new_instance_can_be_made() {
    let place = Place::new();
    let notes = place.folder.join("notes");
    std::fs::create_dir(&notes).unwrap();
    place.config(&format!("[tools]\nfolders = [{notes:?}]"));
    let (host, address) = start(&place);
    std::fs::remove_dir(&notes).unwrap();
    for path in ["/trap", "/", "/"] {
        let answer = ask(&address, path);
        assert!(answer.starts_with("HTTP/1.1 500 "), "{path}: {answer}");
    }
    // Whoever watches over it sees that.
    assert!(ask(&address, "/health").starts_with("HTTP/1.1 500 "));
    std::fs::create_dir(&notes).unwrap();
    // And that it goes on, where nobody else asks.
    assert!(ask(&address, "/health").starts_with("HTTP/1.1 200 "));
    assert!(ask(&address, "/").contains(" / 2\n"));
    assert!(ask(&address, "/health").contains("{\"status\":\"ok\""));
    host.signal("-INT");
    host.end().0.ended(130, "/notes: ");
}

/// Whoever begins a request and says no more holds up nobody, and gets the answer in the end.
#[test]
fn a_silent_client_keeps_others_from_nothing() {
    let place = Place::new();
    let (host, address) = start(&place);
    let head = "POST /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 9\r\n";
    let _headless = send(&address, head);
    let mut silent = send(&address, &format!("{head}\r\n"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(ask(&address, "/").contains("0 Method::Get / 1\n"));
    silent.write_all(b"the whole").unwrap();
    assert!(answer(silent).contains("9 Method::Post /x 2\n"));
    let large = "x".repeat(300 << 10);
    let large = send(
        &address,
        &format!(
            "POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{large}",
            large.len()
        ),
    );
    let mut answer = [0; 12];
    (&large).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    host.signal("-INT");
    host.end();
}

/// Who is refused for the headers is not waited for.
#[test]
fn nobody_waits_for_the_body_of_who_may_not_ask() {
    let place = Place::new();
    let (host, address) = start(&place);
    for (name, origin) in [("evil.example", ""), ("localhost", "origin: http://evil.example\r\n")] {
        let text = format!(
            "POST /x HTTP/1.1\r\nhost: {name}\r\n{origin}connection: close\r\n\
             content-length: 9\r\n\r\n"
        );
        let answer = answer(send(&address, &text));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
    }
    assert!(ask(&address, "/").contains(" / 1\n"), "the component was not asked");
    host.signal("-INT");
    host.end();
}

/// A request without a host's name is wrong, which is not the instance's fault.
#[test]
fn a_request_without_a_host_is_refused() {
    let place = Place::new();
    let (host, address) = start(&place);
    assert!(ask(&address, "/").contains(" / 1\n"));
    for host in ["", "host: \u{fc}\r\n"] {
        let text = format!("GET / HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        let answer = answer(send(&address, &text));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(ask(&address, "/").contains(" / 2\n"));
    host.signal("-INT");
    host.end();
}

/// Sentences that nobody takes end nothing.
#[test]
fn it_serves_where_nobody_reads_what_it_says() {
    let place = Place::new();
    let (mut host, address) = start(&place);
    drop(host.child.stderr.take());
    assert!(ask(&address, "/trap").starts_with("HTTP/1.1 500 "));
    assert!(ask(&address, "/").contains(" / 1\n"));
    host.signal("-INT");
    host.end();
}

#[test]
fn the_network_needs_a_token() {
    let place = Place::new();
    place.run(&["serve", "--listen", "0.0.0.0:0"]).ended(2, "CLAWFT_TOKEN must hold a token");
}

/// What one may hold is little, and so are all together.
#[test]
fn whoever_comes_when_all_places_are_taken_waits_for_one() {
    let place = Place::new();
    let (host, address) = start(&place);
    let mut silent: Vec<_> = (0..128).map(|_| send(&address, "GET")).collect();
    std::thread::sleep(Duration::from_millis(300));
    let mut late = send(&address, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    late.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(late.read(&mut [0]).is_err(), "a place was free");
    late.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    silent.pop();
    assert!(answer(late).starts_with("HTTP/1.1 200 "));
    host.signal("-INT");
    host.end();
}
