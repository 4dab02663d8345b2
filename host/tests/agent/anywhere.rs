//! What needs no data folder, and folders with names of any bytes.

use crate::place::{Place, Ran};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

#[test]
fn there_is_help_where_no_data_folder_can_be() {
    let place = Place::new();
    for (words, says) in [
        (&[][..], "clawft serve "),
        (&["help"], "clawft serve "),
        (&["recall", "--help"], "clawft serve "),
        (&["version"], env!("CARGO_PKG_VERSION")),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let mut host = place.host(words);
        let ran = Ran::of(host.env("CLAWFT_HOME", "/proc/none").output().unwrap());
        assert!(ran.exit == Some(0) && ran.out.contains(says), "{words:?}: {ran:?}");
    }
    assert!(!place.home().exists());
    let mut host = place.host(&["stats"]);
    let ran = Ran::of(host.env("CLAWFT_HOME", "/proc/none").output().unwrap());
    ran.ended(1, "the data folder /proc/none: ");
}

#[test]
fn a_command_that_takes_no_path_runs_in_a_folder_of_any_name() {
    let place = Place::new();
    let odd = place.folder.join(OsStr::from_bytes(b"\xe9"));
    std::fs::create_dir(&odd).unwrap();
    for words in [&["remember", "The kettle is red"][..], &["recall", "kettle"]] {
        let ran = Ran::of(place.host(words).current_dir(&odd).output().unwrap());
        assert_eq!(ran.exit, Some(0), "{words:?}: {ran:?}");
    }
}
