//! `serve`, as the command line has it: the host's own, beside the component's commands.

use crate::place::Place;

#[test]
fn the_help_has_it_and_options_that_it_does_not_take_are_refused() {
    let place = Place::new();
    for words in [&[][..], &["help"], &["-h"], &["serve", "--help"]] {
        let ran = place.run(words);
        assert_eq!(ran.exit, Some(0), "{ran:?}");
        assert!(ran.out.starts_with("clawft: an agent"), "{words:?}: {ran:?}");
        assert!(ran.out.contains("\n  clawft serve [--listen "), "{words:?}: {ran:?}");
    }
    let ran = place.run(&["help", "--json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&ran.out).is_ok(), "{ran:?}");
    for words in [
        &["serve", "--provider", "offline"][..],
        &["--embedder", "hashed", "serve"],
        &["serve", "--port", "9000"],
    ] {
        place.run(words).ended(2, "serve takes --listen ADDRESS:PORT and nothing else");
    }
}
