//! Exit codes, memory, time.

use crate::place::Place;

#[test]
fn exit_codes_pass_through() {
    let place = Place::new();
    for code in [0, 1, 4, 8, 255] {
        assert_eq!(place.run(&["exit", &code.to_string()]).exit, Some(code));
    }
    assert_eq!(place.run(&["args", "a", "b c"]).out, "[\"a\", \"b c\"]\n");
    place.run(&["nonsense"]).ended(1, "guest: a thing to try expected");
}

#[test]
fn memory_ends_at_its_limit_with_a_sentence() {
    let place = Place::new();
    assert_eq!(place.run(&["grow", "12"]).out, format!("{}\n", 12 << 20));
    place.run(&["grow", "16"]).ended(1, "16 MiB is all that it may have");
}

#[test]
fn computing_ends_at_its_limit_with_a_sentence() {
    let place = Place::new();
    let spin = |limit: &str| place.host(&["spin"]).env("CLAWFT_TIME_LIMIT", limit).output();
    let output = spin("1").unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("it computed for 1 seconds without an end"), "{said}");
    let output = spin("soon").unwrap();
    assert_eq!(output.status.code(), Some(2));
}
