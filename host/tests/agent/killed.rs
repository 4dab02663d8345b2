//! Writers that are killed, and those that come after them.

use crate::place::Place;
use clawft_store::storage::native::NativeFolder;
use clawft_store::{Error, Lease};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NAME: &str = "memory.rvf";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn found(place: &Place, text: &str) -> bool {
    place.run(&["recall", text]).out.contains(text)
}

/// Kills a writer at many moments of its work; the next one must go on at once every time, and
/// what had been said to be remembered must be there.
#[test]
fn a_killed_writer_blocks_nobody_and_loses_nothing() {
    let place = Place::new();
    let before = "the first fact";
    assert_eq!(place.run(&["remember", before, "--embedder", "hashed"]).exit, Some(0));
    let is_lease = |file: std::fs::DirEntry| file.file_name().to_string_lossy().contains(".lease.");
    let leases = || std::fs::read_dir(place.home()).unwrap().any(|file| is_lease(file.unwrap()));
    let (mut left, mut confirmed, mut said) = (0, 0, vec![before.to_string()]);
    for round in 0..40_u64 {
        let text = format!("fact number {round} of the killed writer");
        let mut first = place.host(&["remember", &text]).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(500 * round));
        first.kill().unwrap();
        let output = first.wait_with_output().unwrap();
        if String::from_utf8_lossy(&output.stdout).contains("remembered") {
            said.push(text);
            confirmed += 1;
        }
        left += u32::from(leases());
        let begin = Instant::now();
        let text = format!("fact number {round} of the next one");
        let next = place.run(&["remember", &text]);
        let time = begin.elapsed();
        assert_eq!(next.exit, Some(0), "{next:?}");
        assert!(time < Duration::from_secs(1), "round {round}: {time:?}");
        said.push(text);
    }
    for text in &said {
        assert!(found(&place, text), "{text}");
    }
    // Otherwise the test has shown nothing.
    println!("{left} leases were left, {confirmed} memories had been confirmed before the kill");
    assert!(left > 0, "no writer was killed while it had the lease");
}

/// A lease of a program that is none of ours may be alive: it is waited for.
#[test]
fn a_lease_of_another_program_is_respected() {
    let place = Place::new();
    assert_eq!(place.run(&["remember", "one", "--embedder", "hashed"]).exit, Some(0));
    let storage = NativeFolder::new(&place.home()).unwrap();

    let _theirs = Lease::take(&storage, NAME, 7, now(), 1500).unwrap();
    let begin = Instant::now();
    assert_eq!(place.run(&["remember", "two"]).exit, Some(0));
    assert!(begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());

    let theirs = Lease::take(&storage, NAME, 8, now(), 60_000).unwrap();
    place.run(&["remember", "three"]).ended(6, "another program is writing");
    // Not even after a kill: it is not the killed one's.
    let mut killed = place.host(&["remember", "four"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    killed.kill().unwrap();
    killed.wait().unwrap();
    place.run(&["remember", "five"]).ended(6, "another program is writing");
    let held = Lease::take(&storage, NAME, 9, now(), 1000);
    assert!(matches!(held, Err(Error::LeaseHeld { .. })), "{held:?}");
    theirs.release(&storage).unwrap();
    assert_eq!(place.run(&["remember", "six"]).exit, Some(0));
}
