//! Ctrl-C, and what a service is ended by.

use crate::place::{Place, Server};
use std::process::Stdio;
use std::time::Duration;

const INTERRUPTED: Option<i32> = Some(130);
const TERMINATED: Option<i32> = Some(143);

#[test]
fn computing_that_does_not_end_is_ended() {
    let place = Place::new();
    let mut host = place.start(&["spin"]);
    assert_eq!(host.line(), "spinning\n");
    host.signal("-INT");
    let (ran, time) = host.end();
    assert_eq!(ran.exit, INTERRUPTED, "{ran:?}");
    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn a_second_one_ends_at_once() {
    let place = Place::new();
    let mut host = place.start(&["spin"]);
    assert_eq!(host.line(), "spinning\n");
    host.signal("-INT");
    std::thread::sleep(Duration::from_millis(300));
    host.signal("-INT");
    let (ran, time) = host.end();
    assert_eq!(ran.exit, INTERRUPTED, "{ran:?}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

/// Well before the host would end what goes on.
#[test]
fn it_wakes_who_sleeps() {
    let place = Place::new();
    let mut host = place.start(&["sleep", "60"]);
    assert_eq!(host.line(), "sleeping\n");
    std::thread::sleep(Duration::from_millis(300));
    host.signal("-INT");
    let (ran, time) = host.end();
    assert_eq!((ran.exit, &*ran.out), (INTERRUPTED, "awake\n"), "{ran:?}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

/// A service is ended so, and its session is to be written.
#[test]
fn sigterm_ends_the_turn_too() {
    let place = Place::new();
    let mut host = place.start(&["sleep", "60"]);
    assert_eq!(host.line(), "sleeping\n");
    std::thread::sleep(Duration::from_millis(300));
    host.signal("-TERM");
    let (ran, time) = host.end();
    assert_eq!((ran.exit, &*ran.out), (TERMINATED, "awake\n"), "{ran:?}");
    assert!(time < Duration::from_secs(2), "{time:?}");
}

/// The loop of events waits for the reader, who never comes.
#[test]
fn who_writes_to_nobody_hears_the_second_one() {
    let place = Place::new();
    let long = place.folder.join("long.txt");
    std::fs::write(&long, vec![b'x'; 1 << 20]).unwrap();
    let mut host = place.host(&["import", "long.txt"]);
    let mut host = host.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let interrupt = || {
        std::thread::sleep(Duration::from_millis(500));
        let process = host.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-INT", &process]).status().unwrap().success());
    };
    interrupt();
    interrupt();
    let begun = std::time::Instant::now();
    let exit = loop {
        match host.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if begun.elapsed() > Duration::from_secs(2) => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let _ = host.kill();
    assert_eq!(exit, INTERRUPTED);
}

#[test]
fn a_sleep_takes_its_time() {
    let place = Place::new();
    let begun = std::time::Instant::now();
    let ran = place.run(&["sleep", "1"]);
    assert_eq!((ran.exit, &*ran.out), (Some(0), "sleeping\nawake\n"), "{ran:?}");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

/// A server that does not answer, and one that stops in the middle of its answer.
#[test]
fn it_ends_the_turn_and_the_session_goes_on() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun"] {
        let (place, server) = (Place::new(), Server::new(begun));
        place.config(&format!("[tools]\nhosts = [\"{}\"]", server.address));
        let mut host = place.start(&["chat", &server.url()]);
        for turn in ["one", "two"] {
            host.say(&format!("{turn}\n"));
            assert_eq!(host.line(), format!("> heard {turn}\n"));
            assert!(server.is_asked(Duration::from_secs(5)));
            if begun.is_empty() {
                host.signal("-INT");
            }
            assert!(host.line().starts_with("no answer: "));
        }
        let (ran, _) = host.end();
        assert_eq!((ran.exit, &*ran.out), (Some(0), "> session kept\n"), "{ran:?}");
    }
}

#[test]
fn whoever_waits_for_a_line_gets_the_end_of_the_input() {
    let place = Place::new();
    let mut host = place.start(&["chat", "http://localhost/"]);
    // The refusal of the host shows that the first line is through.
    host.say("one\n");
    assert_eq!(host.line(), "> heard one\n");
    assert!(host.line().starts_with("no answer: "));
    std::thread::sleep(Duration::from_millis(100));
    host.signal("-INT");
    let mut rest = host.line();
    assert_eq!(rest, "> session kept\n");
    rest = host.line();
    assert_eq!(rest, "");
    assert_eq!(host.end().0.exit, INTERRUPTED);
}
