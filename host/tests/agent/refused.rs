//! A disk without room, a folder that may only be read.

use crate::place::{Place, Ran};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

/// A memory with a few facts, and a session about them.
fn filled() -> Place {
    let place = Place::new();
    for (name, fact) in [("Maria", "key"), ("Tom", "bicycle"), ("Ann", "tent")] {
        let text = format!("The {fact} is with {name}");
        assert_eq!(place.run(&["remember", &text, "--embedder", "hashed"]).exit, Some(0));
    }
    let asked = place.run(&["ask", "Who has the tent?", "--session", "trip"]);
    assert_eq!(asked.exit, Some(0), "{asked:?}");
    place
}

/// Nothing is lost: memory and session are read as before.
fn is_readable(place: &Place) {
    for (fact, name) in [("key", "Maria"), ("bicycle", "Tom"), ("tent", "Ann")] {
        let ran = place.run(&["recall", fact]);
        assert!(ran.exit == Some(0) && ran.out.contains(name), "{ran:?}");
    }
    let sessions = place.run(&["sessions"]);
    assert!(sessions.out.contains("trip"), "{sessions:?}");
    let asked = place.run(&["ask", "Who has the key?", "--session", "trip"]);
    assert!(asked.exit == Some(0) && asked.out.contains("Maria"), "{asked:?}");
    assert!(!asked.err.contains("damaged"), "{asked:?}");
}

/// Runs the host where no file may grow beyond so many blocks of 512 bytes: the writes fail in
/// the middle, as on a full disk.
fn with_limit(place: &Place, blocks: u32, words: &[&str]) -> Ran {
    let host = place.host(words);
    let mut shell = std::process::Command::new("sh");
    // A signal comes with the limit; ignored, the write fails with its error.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    shell.args(["-c", &script, "sh"]).arg(host.get_program()).args(host.get_args());
    shell.env_clear().env("PATH", "/usr/bin:/bin").env("CLAWFT_HOME", place.home());
    shell.stdin(std::process::Stdio::null()).current_dir(&place.folder);
    Ran::of(shell.output().unwrap())
}

fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

#[test]
fn a_disk_without_room_ends_the_turn_with_its_sentence() {
    let place = filled();
    let long = "My answer to all of it is this. ".repeat(200);
    // From no room at all to room for all but the last write.
    for blocks in [0, 1, 2, 4, 8] {
        for words in [&["remember", &long[..4000]][..], &["ask", &long, "--session", "trip"]] {
            let ran = with_limit(&place, blocks, words);
            if ran.exit != Some(0) {
                assert_eq!(ran.exit, Some(1), "{blocks} blocks: {ran:?}");
                assert!(ran.err.contains("space") || ran.err.contains("room"), "{ran:?}");
                assert!(!ran.err.contains("component failed"), "{ran:?}");
            } else if blocks == 0 {
                // An answer that could not be kept is an answer; that it was not kept is said.
                assert_eq!(words[0], "ask", "nothing can be remembered");
                assert!(ran.err.contains("space") || ran.err.contains("trip"), "{ran:?}");
            }
        }
        is_readable(&place);
    }
    assert_ne!(with_limit(&place, 0, &["remember", "no room"]).exit, Some(0));
    assert!(bytes(&place.home().join("memory.rvf")) > 0);
    // With room again, all goes on.
    assert_eq!(place.run(&["remember", "There is room again"]).exit, Some(0));
    is_readable(&place);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_a_full_disk_cuts_short_does_not_end_with_0() {
    let place = filled();
    for words in [&["export"][..], &["recall", "key", "--json"], &["help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(place.host(words).stdout(full).output().unwrap());
        ran.ended(1, "the output could not be written");
    }
    // Whoever has closed a pipe has seen enough.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = Ran::of(place.host(&["export"]).stdout(writer).output().unwrap());
    assert_eq!((ran.exit, &*ran.err), (Some(0), ""), "{ran:?}");
}

#[test]
fn a_new_folder_on_a_disk_without_room_ends_with_1() {
    // No room for the lock, and room for it but not for the model file.
    for blocks in [0, 1] {
        let place = Place::new();
        for words in [&["remember", "one", "--embedder", "hashed"][..], &["remember", "one"]] {
            let ran = with_limit(&place, blocks, words);
            assert_eq!(ran.exit, Some(1), "{blocks} blocks: {ran:?}");
            let is_said = ["full", "room", "space"].iter().any(|word| ran.err.contains(word));
            assert!(is_said, "{ran:?}");
        }
        assert!(!place.home().join("models/static.new").exists());
        let again = place.run(&["remember", "There is room again", "--embedder", "hashed"]);
        assert_eq!(again.exit, Some(0), "{again:?}");
    }
}

/// The rules do not hold for root: then the host runs as nobody.
fn as_reader(place: &Place, words: &[&str]) -> Ran {
    let mut host = place.host(words);
    if std::fs::metadata("/proc/self").is_ok_and(|own| is_root(&own)) {
        host.uid(65534).gid(65534);
    }
    Ran::of(host.output().unwrap())
}

fn is_root(own: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(own) == 0
}

#[test]
fn a_folder_that_may_only_be_read_answers_and_keeps_nothing() {
    let place = filled();
    let set = |mode: u32, folder_mode: u32| {
        let mut folders = vec![place.home()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => {
                        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap()
                    }
                }
            }
            std::fs::set_permissions(folder, PermissionsExt::from_mode(folder_mode)).unwrap();
        }
    };
    // Root gives the folder away where it tests as nobody.
    let _ = chown(place.home(), Some(65534), Some(65534));
    set(0o444, 0o555);
    let recalled = as_reader(&place, &["recall", "key"]);
    assert!(recalled.exit == Some(0) && recalled.out.contains("Maria"), "{recalled:?}");
    assert_eq!(as_reader(&place, &["stats"]).exit, Some(0));
    let refused = as_reader(&place, &["remember", "one more"]);
    assert_eq!(refused.exit, Some(1), "{refused:?}");
    assert!(refused.err.contains("read-only"), "{refused:?}");
    // A question is answered, and what could not be kept is said.
    let asked = as_reader(&place, &["ask", "Who has the key?", "--session", "trip"]);
    assert!(asked.exit == Some(0) && asked.out.contains("Maria"), "{asked:?}");
    assert!(asked.err.contains("trip"), "{asked:?}");
    set(0o644, 0o755);
    let _ = chown(place.home(), Some(0), Some(0));
    is_readable(&place);
}

#[test]
fn a_new_folder_that_may_only_be_read_ends_with_1() {
    let place = Place::new();
    let set = |mode: u32| {
        std::fs::set_permissions(place.home(), PermissionsExt::from_mode(mode)).unwrap();
    };
    std::fs::create_dir(place.home()).unwrap();
    set(0o555);
    // Root gives the folder away where it tests as nobody.
    let _ = chown(place.home(), Some(65534), Some(65534));
    for words in [&["remember", "one", "--embedder", "hashed"][..], &["remember", "one"]] {
        let refused = as_reader(&place, words);
        assert_eq!(refused.exit, Some(1), "{refused:?}");
        assert!(refused.err.contains("read-only"), "{refused:?}");
    }
    let asked = as_reader(&place, &["ask", "Who has the key?", "--embedder", "hashed"]);
    assert!(asked.exit == Some(0) && asked.out.contains("nothing"), "{asked:?}");
    assert_eq!(std::fs::read_dir(place.home()).unwrap().count(), 0);
    set(0o755);
    let _ = chown(place.home(), Some(0), Some(0));
    assert_eq!(place.run(&["remember", "two", "--embedder", "hashed"]).exit, Some(0));
}
