//! The command line: what is typed wrong is said, and changes nothing.

mod support;

use serde_json::Value;
use support::typed::{json, run, tell};
use support::{Folder, World};

#[test]
fn words_that_mean_nothing_to_a_command_are_not_passed_over() {
    let (mut world, folder) = (World::default(), Folder::new("words"));
    tell(&mut world, &folder, "Tea is at five.");
    for command in ["chat", "export", "sessions", "stats", "compact", "reembed", "config"] {
        let (exit, shown, notes) = run(&mut world, &folder, &[command, "all.jsonl"]);
        assert_eq!((exit, &*shown), (2, ""), "{command}");
        assert!(notes.contains(&format!("nothing expected after `clawft {command}`")), "{notes}");
    }
    let line = ["remember", "Coffee", "is", "at", "two", "--session", "../x"];
    let (exit, _, notes) = run(&mut world, &folder, &line);
    assert!(exit == 2 && notes.contains("a session's name"), "{exit} {notes}");
    assert_eq!(run(&mut world, &folder, &["recall", "coffee"]).0, 4);
}

#[test]
fn what_is_typed_wrong_is_usage() {
    let (mut world, folder) = (World::default(), Folder::new("usage"));
    for line in [
        &["nothing"][..],
        &["ask"],
        &["remember", " "],
        &["forget"],
        &["forget", "x"],
        &["recall", "x", "--depth"],
        &["import"],
        &["import", "a.pdf"],
        &["correct", "1"],
        &["feedback", "1"],
        &["feedback", "1", "great"],
        &["feedback", "x", "good"],
        &["ask", "x", "--provider", "someone"],
        &["ask", "x", "--session", "../x"],
        &["reembed"],
    ] {
        let (exit, _, notes) = run(&mut world, &folder, line);
        assert!(exit == 2 && notes.starts_with("clawft: "), "{line:?} {exit} {notes}");
    }
    let (exit, shown) = json(&mut world, &folder, &["nothing"]);
    assert_eq!((exit, &shown["exit"]), (2, &Value::from(2)));
    assert!(run(&mut world, &folder, &[]).1.contains("Exit codes"));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "nothing was written");
}

/// Ten thousand memories of the first file would else stay without an image, and without a word.
#[test]
fn a_file_that_cannot_be_imported_is_found_before_the_first() {
    let (mut world, folder) = (World::default(), Folder::new("import-names"));
    let files = Folder::new("import-names-files");
    let path = |name: &str| format!("{}/{name}", files.path());
    std::fs::write(path("good.txt"), "A walrus waits").unwrap();
    let import = |world: &mut World, names: [&str; 2]| {
        let [first, second] = names.map(path);
        run(world, &folder, &["import", &first, &second, "--embedder", "hashed"])
    };
    let (exit, _, notes) = import(&mut world, ["good.txt", "typo.pdf"]);
    assert!(exit == 2 && notes.contains("typo.pdf"), "{exit} {notes}");
    assert!(!folder.0.join("memory.rvf").exists(), "nothing was imported");
    // What is found only when it is read leaves the memory ready to be read.
    let (exit, shown, notes) = import(&mut world, ["good.txt", "missing.txt"]);
    assert!(exit == 1 && notes.contains("missing.txt") && shown.is_empty(), "{exit} {notes}");
    assert!(notes.contains("1 were added before that"), "{notes}");
    assert!(folder.0.join("memory.rvf.image").exists());
    assert_eq!(run(&mut world, &folder, &["recall", "walrus"]).0, 0);
}

/// A text with such a word is a text, and one behind two dashes asks for nothing.
#[test]
fn words_of_a_text_are_no_options() {
    let (mut world, folder) = (World::default(), Folder::new("dashes"));
    tell(&mut world, &folder, "Tea is at five.");
    let said = ["remember", "use", "df", "-h", "to", "see", "free", "space"];
    assert_eq!(run(&mut world, &folder, &said).0, 0);
    let (_, shown, _) = run(&mut world, &folder, &["recall", "free", "space"]);
    assert!(shown.contains("use df -h to see free space"), "{shown}");
    let (exit, shown, _) = run(&mut world, &folder, &["remember", "--", "--json", "is", "fine"]);
    assert!(exit == 0 && shown.contains("] remembered"), "{shown}");
    assert!(run(&mut world, &folder, &["remember", "-h"]).1.contains("Exit codes"));
    for (line, word) in [
        (&["recall", "--session", "work", "tea"][..], "--session"),
        (&["pin", "1", "--redact"], "--redact"),
        (&["remember", "git", "has", "--version"], "--version"),
    ] {
        let (exit, shown, notes) = run(&mut world, &folder, line);
        assert!(exit == 2 && notes.contains(word) && shown.is_empty(), "{line:?} {exit} {notes}");
    }
}

/// However it is forgotten, the person hears that its file has it still.
#[test]
fn what_comes_back_with_its_file_is_said_to() {
    let (mut world, folder) = (World::default(), Folder::new("comes-back"));
    let files = Folder::new("comes-back-file");
    let path = format!("{}/a.txt", files.path());
    std::fs::write(&path, "A walrus waits").unwrap();
    let back = "what came from a file comes back";
    let told = tell(&mut world, &folder, "Tea is at five.").to_string();
    let (exit, _, notes) = run(&mut world, &folder, &["forget", &told]);
    assert!(exit == 0 && !notes.contains(back), "{notes}");
    for way in ["forget", "--json", "chat"] {
        run(&mut world, &folder, &["import", &path]);
        let (_, found) = json(&mut world, &folder, &["recall", "walrus"]);
        let id = found["found"][0]["id"].to_string();
        let line = match way {
            "chat" => {
                world.screen.lines.borrow_mut().push_back(format!("/forget {id}"));
                vec!["chat"]
            }
            "--json" => vec!["forget", &id, "--json"],
            _ => vec!["forget", &id],
        };
        let (exit, shown, notes) = run(&mut world, &folder, &line);
        assert!(exit == 0 && shown.contains("forgotten"), "{way}: {shown}");
        assert!(notes.contains(back), "{way}: {notes}");
        assert_eq!(run(&mut world, &folder, &["recall", "walrus"]).0, 4);
    }
}
