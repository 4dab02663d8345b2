//! One writer.

use crate::place::Place;

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let place = Place::new();
    let mut first = place.start(&["remember", "one"]);
    assert_eq!(first.line(), "ready\n");
    let process = first.child.id();
    place.run(&["remember", "two"]).ended(6, &format!("process {process} is writing"));
    // Reading goes on.
    let ran = place.run(&["recall"]);
    assert_eq!((ran.exit, &*ran.out), (Some(0), "one"), "{ran:?}");
    // Another folder is another memory.
    assert_eq!(Place::new().run(&["remember", "three"]).exit, Some(0));
    assert_eq!(first.end().0.exit, Some(0));
    assert_eq!(place.run(&["remember", "two"]).exit, Some(0));
    assert_eq!(place.run(&["recall"]).out, "two");
    assert!(!place.home().join("memory.rvf.lock").exists());
}

#[test]
fn a_program_that_asked_for_json_is_refused_in_json() {
    let place = Place::new();
    let mut first = place.start(&["remember", "one"]);
    assert_eq!(first.line(), "ready\n");
    for (words, exit, says) in [
        (&["remember", "two", "--json"][..], 6, "is writing"),
        (&["--json", "import", "none.md"], 1, "none.md: No such file"),
    ] {
        let ran = place.run(words);
        assert_eq!((ran.exit, &*ran.err), (Some(exit), ""), "{ran:?}");
        let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(said["exit"], exit, "{said}");
        assert!(said["error"].as_str().unwrap().contains(says), "{said}");
    }
    // Behind two dashes it is a word like any other.
    place.run(&["remember", "--", "--json"]).ended(6, "is writing");
    assert_eq!(first.end().0.exit, Some(0));
}

#[test]
fn a_killed_writer_blocks_nobody() {
    let place = Place::new();
    let mut first = place.start(&["remember", "one"]);
    assert_eq!(first.line(), "ready\n");
    first.signal("-KILL");
    first.child.wait().unwrap();
    assert!(place.home().join("memory.rvf.lock").exists());
    let begin = std::time::Instant::now();
    assert_eq!(place.run(&["remember", "two"]).exit, Some(0));
    assert!(begin.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(place.run(&["recall"]).out, "two");
}
