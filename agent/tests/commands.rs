//! Commands as a person types them, in a world that goes wrong: configs, sessions and memories
//! that are damaged, folders that may only be read, disks that are full.

#[path = "providers/script.rs"]
mod script;
mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use clawft_agent::platform::FileError;
use clawft_agent::platform::native::NativeFileSystem;
use script::{Reply, Script};
use serde_json::Value;
use support::full_disk::FullDisk;
use support::listening::Listening;
use support::typed::{json, run, tell};
use support::{Folder, World};

#[test]
fn a_memory_without_its_model_file_is_made_by_hashes_only_when_asked_for() {
    let (mut world, folder) = (World::default(), Folder::new("model"));
    let (exit, _, notes) = run(&mut world, &folder, &["remember", "tea", "is", "at", "five"]);
    assert!(exit == 8 && notes.contains("--embedder hashed"), "{exit} {notes}");
    assert!(!folder.0.join("memory.rvf").exists());
    tell(&mut world, &folder, "Tea is at five.");
    // From then on the memory knows its embedder.
    let (exit, shown, _) = run(&mut world, &folder, &["recall", "tea"]);
    assert!(exit == 0 && shown.contains("Tea is at five."));
    assert_eq!(run(&mut world, &folder, &["recall", "volcano"]).0, 4);
}

#[test]
fn ask_answers_from_memory_and_a_session_is_there_afterwards() {
    let (mut world, folder) = (World::default(), Folder::new("ask"));
    let id = tell(&mut world, &folder, "The bicycle is in the cellar.");
    let (exit, answer) =
        json(&mut world, &folder, &["ask", "where is the bicycle", "--session", "a"]);
    assert_eq!((exit, &answer["cited"]), (0, &serde_json::json!([id])));
    assert!(answer["answer"].as_str().unwrap().contains("cellar"));
    let (_, sessions) = json(&mut world, &folder, &["sessions"]);
    assert_eq!(sessions["sessions"], serde_json::json!(["a"]));
    // The session's answer quotes the memory: forgetting says so, and redacts where asked to.
    let (exit, forgotten) = json(&mut world, &folder, &["forget", &id.to_string(), "--redact"]);
    assert_eq!(exit, 0);
    assert_eq!(forgotten["sessions"], serde_json::json!(["a"]));
    assert!(!folder.holds("cellar"));
    let (exit, answer) = json(&mut world, &folder, &["ask", "where is the bicycle"]);
    assert!(exit == 0 && !answer["answer"].as_str().unwrap().contains("cellar"));
    assert_eq!(run(&mut world, &folder, &["forget", &id.to_string()]).0, 4);
}

/// Without a model a memory is cited in one line, and cut where it is long.
#[test]
fn what_was_cited_in_one_line_or_in_part_is_taken_out_too() {
    let (mut world, folder) = (World::default(), Folder::new("one-line"));
    for text in [
        "# Bicycle\n\nin the cellar".to_string(),
        format!("# Bicycle\nin the cellar, {}", "and so on ".repeat(90)),
    ] {
        let id = tell(&mut world, &folder, &text).to_string();
        let (_, answer) =
            json(&mut world, &folder, &["ask", "where is the bicycle", "--session", "a"]);
        assert!(answer["answer"].as_str().unwrap().contains("# Bicycle in the cellar"), "{answer}");
        let (exit, forgotten) = json(&mut world, &folder, &["forget", &id, "--redact"]);
        assert_eq!((exit, &forgotten["sessions"]), (0, &serde_json::json!(["a"])));
        assert!(!folder.holds("cellar"));
    }
}

#[test]
fn a_memory_cannot_write_to_the_terminal_what_it_likes() {
    let (mut world, folder) = (World::default(), Folder::new("escapes"));
    tell(
        &mut world,
        &folder,
        "Tea:\u{1b}]0;title\u{7} oolong\u{1b}[8m, \u{9b}2Jgreen\r\u{8}\u{7f} \u{e4}",
    );
    let asked = ["ask", "Which tea, oolong or green?"];
    let (exit, shown, _) = run(&mut world, &folder, &asked);
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("]0;title  oolong [8m,  2Jgreen"), "{shown:?}");
    assert!(shown.contains('\u{e4}'), "{shown:?}");
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    // A program gets the text as it is.
    let (_, done) = json(&mut world, &folder, &asked);
    assert!(done["answer"].as_str().unwrap().contains("\u{1b}[8m"), "{done}");
}

/// A person at the terminal may say yes to writing over a file. With `--json` a program reads, and
/// nothing is asked of anybody.
#[test]
fn a_program_is_not_asked() {
    let (mut world, folder) = (World::default(), Folder::new("not-asked"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    let notes = Folder::new("not-asked-notes");
    std::fs::create_dir_all(notes.path()).unwrap();
    let config =
        format!("[provider]\nname = \"openai\"\n[tools]\nfolders = [{:?}]\n", notes.path());
    std::fs::write(folder.0.join("config.toml"), config).unwrap();
    world.environment.variables.insert("OPENAI_API_KEY".into(), script::KEY.into());
    world.screen.interactive = true;
    let event = |delta: &str, end: &str| {
        let choice = format!("{{\"index\":0,\"delta\":{delta},\"finish_reason\":\"{end}\"}}");
        Reply::events(format!("data: {{\"choices\":[{choice}]}}\n\ndata: [DONE]\n\n"))
    };
    let call = r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"file_write","arguments":"{\"path\":\"a.txt\",\"text\":\"new\"}"}}]}"#;
    for (more, expected) in [(&["--json"][..], "old"), (&[], "new")] {
        std::fs::write(notes.0.join("a.txt"), "old").unwrap();
        world.http = Box::new(Script::new([
            event(call, "tool_calls"),
            event(r#"{"content":"done"}"#, "stop"),
        ]));
        world.screen.lines.borrow_mut().push_back("yes".into());
        let line: Vec<&str> = ["ask", "Write."].iter().chain(more).copied().collect();
        let (exit, shown, noted) = run(&mut world, &folder, &line);
        assert_eq!(exit, 0, "{shown} {noted}");
        assert_eq!(std::fs::read_to_string(notes.0.join("a.txt")).unwrap(), expected);
        assert_eq!(shown.contains("Type yes"), more.is_empty(), "{shown}");
    }
}

#[test]
fn a_chat_goes_on_after_what_fails() {
    let (mut world, folder) = (World::default(), Folder::new("chat"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    let lines = [
        "My cat is called Miro.",
        "/memory cat",
        "/forget 1",
        "/nothing",
        "/session other",
        "What is my cat called?",
        "/session ../x",
        "/session",
        "/quit",
        "never read",
    ];
    world.screen.lines.borrow_mut().extend(lines.map(String::from));
    let (exit, shown, notes) = run(&mut world, &folder, &["chat"]);
    assert_eq!(exit, 0, "{notes}");
    assert!(shown.contains("Miro") && shown.ends_with("other\n"), "{shown}");
    for note in ["there is no memory 1", "there is no /nothing", "a session's name"] {
        assert!(notes.contains(note), "{notes}");
    }
    assert!(folder.0.join("sessions/default.json").exists());
    assert!(folder.0.join("sessions/other.json").exists());
    assert_eq!(world.screen.lines.borrow().len(), 1);
}

/// A program that writes a line and reads an object would else wait for ever.
#[test]
fn a_chat_for_programs_answers_each_line() {
    let (mut world, folder) = (World::default(), Folder::new("chat-json"));
    let lines = ["/session other", "", "/nothing", "/forget", "/session", "/memory x", "hello"];
    world.screen.lines.borrow_mut().extend(lines.map(String::from));
    let line = ["chat", "--json", "--embedder", "hashed"];
    let (exit, shown, notes) = run(&mut world, &folder, &line);
    let shown: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((exit, shown.len()), (0, lines.len() - 1), "{shown:?} {notes}");
    assert_eq!(
        (&shown[0]["session"], &shown[3]["session"]),
        (&shown[5]["session"], &shown[0]["session"])
    );
    assert_eq!(shown[0]["session"], "other");
    for (at, word) in [(1, "/nothing"), (2, "/forget")] {
        assert!(shown[at]["error"].as_str().unwrap().contains(word) && shown[at]["exit"] == 2);
    }
}

#[test]
fn a_config_that_is_wrong_is_a_sentence_with_line_and_key() {
    let (mut world, folder) = (World::default(), Folder::new("config"));
    let path = folder.0.join("config.toml");
    for (text, sentence) in [
        ("version = 2\n", "line 1, key version: version 1 expected, found 2"),
        ("version = 1\n[memory]\ncapacity = true\n", "line 3, key memory.capacity"),
        ("\n[chat]\nnothing = 1\n", "line 3, key chat.nothing: there is no such key"),
        ("[chat\n", "line 1: `]` expected"),
    ] {
        std::fs::write(&path, text).unwrap();
        let (exit, _, notes) = run(&mut world, &folder, &["stats"]);
        assert!(exit == 3 && notes.contains(sentence) && notes.contains("config.toml"), "{notes}");
    }
    std::fs::write(&path, b"\xff").unwrap();
    assert_eq!(run(&mut world, &folder, &["stats"]).0, 3);
    std::fs::write(&path, "[provider]\napi_key_env = \"MY_KEY\"\n").unwrap();
    world.environment.variables.insert("MY_KEY".into(), "sk-very-secret".into());
    let (exit, shown, _) = run(&mut world, &folder, &["config"]);
    assert!(exit == 0 && shown.contains("api_key_env = \"MY_KEY\"") && !shown.contains("secret"));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(run(&mut world, &folder, &["config"]).0, 0);
}

#[test]
fn a_session_that_is_cut_off_is_set_aside() {
    let (mut world, folder) = (World::default(), Folder::new("cut"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    run(&mut world, &folder, &["ask", "where is the bicycle", "--session", "a"]);
    let path = folder.0.join("sessions/a.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let (exit, shown, notes) = run(&mut world, &folder, &["ask", "where is it", "--session", "a"]);
    assert!(exit == 0 && notes.contains("a.json.damaged-"), "{shown} {notes}");
    let aside = std::fs::read_dir(folder.0.join("sessions")).unwrap();
    let aside = aside.map(|entry| entry.unwrap().path());
    let aside = aside.into_iter().find(|p| p.to_str().unwrap().contains("damaged")).unwrap();
    assert_eq!(std::fs::read_to_string(aside).unwrap(), text[..text.len() / 2]);
}

#[test]
fn on_a_full_disk_and_in_a_folder_that_may_only_be_read_questions_are_answered_all_the_same() {
    for (error, said) in
        [(FileError::NoSpace, "the disk is full"), (FileError::ReadOnly, "it is read-only")]
    {
        let (mut world, folder) = (World::default(), Folder::new("no-space"));
        let config = "[memory]\nwhen_full = \"evict\"\n";
        std::fs::write(folder.0.join("config.toml"), config).unwrap();
        let id = tell(&mut world, &folder, "The bicycle is in the cellar.");
        let before = folder.bytes();
        world.files = Box::new(FullDisk(Cell::new(Some(error)), Cell::new(false)));
        let question = "My name is Ada. Where is the bicycle?";
        let (exit, shown, notes) = run(&mut world, &folder, &["ask", question]);
        assert!(exit == 0 && shown.contains("cellar"), "{exit} {shown} {notes}");
        assert!(notes.contains(said) && notes.contains("not remembered"), "{notes}");
        for line in [&["remember", "tea"][..], &["forget", &id.to_string()], &["compact"]] {
            let (exit, shown, notes) = run(&mut world, &folder, line);
            assert!(exit == 1 && !notes.is_empty(), "{line:?} {exit} {shown} {notes}");
        }
        assert!(folder.bytes() == before, "nothing was written");
        world.files = Box::new(NativeFileSystem);
        assert_eq!(run(&mut world, &folder, &["recall", "bicycle"]).0, 0);
    }
}

#[test]
fn one_damaged_text_takes_no_other_with_it_and_can_be_told_again() {
    let (mut world, folder) = (World::default(), Folder::new("flip"));
    let texts = ["The bicycle is in the cellar.", "The skates are in the cellar."];
    for text in texts {
        tell(&mut world, &folder, text);
    }
    let path = folder.0.join("memory.rvf");
    let flip = |image: bool| {
        let mut bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(texts[1].len()).rposition(|at| at == texts[1].as_bytes());
        bytes[found.unwrap()] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        if !image {
            std::fs::remove_file(folder.0.join("memory.rvf.image")).unwrap();
        }
    };
    for image in [false, true] {
        flip(image);
        let (exit, shown, notes) = run(&mut world, &folder, &["recall", "cellar"]);
        assert!(exit == 0 && shown.contains("bicycle") && !shown.contains("kates"), "{shown}");
        assert!(image || notes.contains("the text at byte"), "{notes}");
        let (exit, shown, notes) = run(&mut world, &folder, &["export", "--json"]);
        assert!(exit == 7 && shown.lines().count() == 1, "{exit} {shown}");
        let (_, id) = notes.split_once("damaged, and not in this export: ").unwrap();
        let id = id.split('.').next().unwrap().to_string();
        let (exit, _, notes) = run(&mut world, &folder, &["reembed", "--embedder", "hashed"]);
        assert!(exit == 7 && notes.contains(&format!("clawft forget {id}")), "{notes}");
        tell(&mut world, &folder, texts[1]);
        let (_, shown, notes) = run(&mut world, &folder, &["recall", "skates"]);
        assert!(shown.contains(texts[1]) && !notes.contains("damaged"), "{shown} {notes}");
    }
    // Or it is taken away, by the id that the export names.
    flip(true);
    let (_, _, notes) = run(&mut world, &folder, &["export"]);
    let (_, id) = notes.split_once("damaged, and not in this export: ").unwrap();
    assert_eq!(run(&mut world, &folder, &["forget", id.split('.').next().unwrap()]).0, 0);
    for line in [&["compact"][..], &["reembed", "--embedder", "hashed"]] {
        let (exit, _, notes) = run(&mut world, &folder, line);
        assert_eq!((exit, notes.contains("damaged")), (0, false), "{line:?}: {notes}");
    }
}

#[test]
fn a_command_whose_output_cannot_be_written_does_not_end_with_0() {
    let (mut world, folder) = (World::default(), Folder::new("lost"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    world.screen.lost = true;
    for line in [&["export"][..], &["recall", "bicycle"], &["stats", "--json"], &["help"]] {
        let (exit, _, notes) = run(&mut world, &folder, line);
        let said = "clawft: the output could not be written\n";
        assert_eq!((exit, &*notes), (1, said), "{line:?}");
    }
    // What fails otherwise keeps its number.
    assert_eq!(run(&mut world, &folder, &["pin", "7"]).0, 4);
}

#[test]
fn an_import_that_breaks_off_says_that_it_took_the_place_of_others() {
    let (mut world, folder) = (World::default(), Folder::new("breaks-off"));
    let config = "[memory]\ncapacity = 80\nwhen_full = \"evict\"\n";
    std::fs::write(folder.0.join("config.toml"), config).unwrap();
    // Three batches, of which the last does not fit any more.
    let lines: String = (0..96).map(|n| format!("{{\"text\": \"line {n} of many\"}}\n")).collect();
    let path = folder.0.join("lines.jsonl");
    std::fs::write(&path, lines + "broken\n").unwrap();
    let line = ["import", path.to_str().unwrap(), "--embedder", "hashed"];
    let (exit, _, notes) = run(&mut world, &folder, &line);
    assert!(exit == 2 && notes.contains("line 97"), "{exit} {notes}");
    assert!(notes.contains("in use least were forgotten"), "{notes}");
}

/// An index of words that is over a limit made smaller makes room with each record that is put again.
#[test]
fn no_command_takes_a_memory_away_without_a_word() {
    let (mut world, folder) = (World::default(), Folder::new("evicts"));
    let path = folder.0.join("config.toml");
    let lines: String = (0..600)
        .map(|n| {
            let words: String = (0..30).map(|i| format!(" w{}x", n * 30 + i)).collect();
            format!("{{\"text\": \"line {n}{words}\"}}\n")
        })
        .collect();
    std::fs::write(folder.0.join("lines.jsonl"), lines).unwrap();
    let line = ["import", &format!("{}/lines.jsonl", folder.path()), "--embedder", "hashed"];
    assert_eq!(run(&mut world, &folder, &line).0, 0);
    std::fs::write(path, "[memory]\nwords_kib = 64\nwhen_full = \"evict\"\n").unwrap();
    let (_, shown, _) = run(&mut world, &folder, &["recall", "line 599", "--json"]);
    let id = shown.split("\"id\":").nth(1).unwrap().split(',').next().unwrap().to_string();
    let mut ever = false;
    for line in [&["pin", &id][..], &["feedback", &id, "good"]] {
        let before = json(&mut world, &folder, &["stats"]).1["records"].as_u64().unwrap();
        let (_, _, notes) = run(&mut world, &folder, line);
        let after = json(&mut world, &folder, &["stats"]).1["records"].as_u64().unwrap();
        let said = notes.contains("in use least were forgotten");
        assert_eq!(said, after < before, "{line:?}: {before} {after} {notes}");
        ever |= said;
    }
    assert!(ever, "none of them needed room");
}

#[test]
fn a_memory_that_is_damaged_is_named_and_left_alone() {
    let (mut world, folder) = (World::default(), Folder::new("torn"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    let path = folder.0.join("memory.rvf");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 100);
    std::fs::write(&path, &bytes).unwrap();
    for line in [&["recall", "bicycle"][..], &["ask", "x"], &["remember", "tea"], &["stats"]] {
        let (exit, _, notes) = run(&mut world, &folder, line);
        assert!(exit == 7 && notes.contains("memory.rvf"), "{line:?} {exit} {notes}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn the_embedder_is_changed_by_reembedding() {
    let (mut world, folder) = (World::default(), Folder::new("change"));
    tell(&mut world, &folder, "The bicycle is in the cellar.");
    std::fs::write(folder.0.join("config.toml"), "[embedder]\nname = \"hashed\"\ndim = 256\n")
        .unwrap();
    let (exit, _, notes) = run(&mut world, &folder, &["recall", "bicycle"]);
    assert!(exit == 8 && notes.contains("clawft reembed"), "{notes}");
    let (exit, done) = json(&mut world, &folder, &["reembed"]);
    assert_eq!((exit, &done["reembedded"]), (0, &Value::from(1)));
    assert_eq!(run(&mut world, &folder, &["recall", "bicycle"]).0, 0);
}

#[test]
fn a_vendors_key_goes_to_that_vendor_alone() {
    let (mut world, folder) = (World::default(), Folder::new("vendors"));
    let asked = Rc::new(RefCell::default());
    world.http = Box::new(Listening(Rc::clone(&asked)));
    for (name, key) in [("OPENAI_API_KEY", "open"), ("ANTHROPIC_API_KEY", "anth")] {
        world.environment.variables.insert(name.into(), key.into());
    }
    let own = "name = \"openai\"\nmodel = \"m\"\nbase_url = \"http://192.168.0.9:11434/v1\"\n\
               api_key_env = \"OPENAI_API_KEY\"";
    let anthropic = "https://api.anthropic.com/v1/messages anth";
    for (config, provider, goes) in [
        (own, None, "http://192.168.0.9:11434/v1/chat/completions Bearer open"),
        (own, Some("openai"), "http://192.168.0.9:11434/v1/chat/completions Bearer open"),
        (own, Some("anthropic"), anthropic),
        (own, Some("auto"), "https://api.openai.com/v1/chat/completions Bearer open"),
        ("name = \"anthropic\"\napi_key_env = \"ANTHROPIC_API_KEY\"", None, anthropic),
        ("", None, "https://api.openai.com/v1/chat/completions Bearer open"),
    ] {
        let config = format!("[embedder]\nname = \"hashed\"\n[provider]\n{config}\n");
        std::fs::write(folder.0.join("config.toml"), &config).unwrap();
        let option = provider.map(|name| format!("--provider={name}"));
        let line: Vec<&str> = ["ask", "hi"].into_iter().chain(option.as_deref()).collect();
        assert_eq!(run(&mut world, &folder, &line).0, 5, "{config} {provider:?}");
        assert_eq!(asked.take(), [goes], "{config} {provider:?}");
    }
    for config in ["api_key_env = \"ANTHROPIC_API_KEY\"", "base_url = \"http://127.0.0.1:1\""] {
        let config = format!("[embedder]\nname = \"hashed\"\n[provider]\n{config}\n");
        std::fs::write(folder.0.join("config.toml"), &config).unwrap();
        for line in [&["ask", "hi"][..], &["ask", "hi", "--provider=openai"]] {
            let (exit, _, notes) = run(&mut world, &folder, line);
            assert!(exit == 3 && notes.contains("provider.name"), "{line:?}: {exit} {notes}");
        }
        assert_eq!(run(&mut world, &folder, &["ask", "hi", "--provider=offline"]).0, 0);
        assert_eq!(asked.take(), [""; 0], "{config}");
    }
}

#[test]
fn an_endpoint_is_asked_for_a_dimension_only_where_the_config_names_one() {
    for (config, is_asked) in
        [("", false), ("[embedder]\ndim = 4\n", true), ("[embedder]\nname = \"openai\"\n", false)]
    {
        let (mut world, folder) = (World::default(), Folder::new("dimension"));
        let asked = Rc::new(RefCell::default());
        world.http = Box::new(Listening(Rc::clone(&asked)));
        std::fs::write(folder.0.join("config.toml"), config).unwrap();
        // The second command finds in memory.json what made the memory, whether the config names it
        // or not, and asks for nothing but its vector. What makes all anew asks what the model gives.
        for (line, requests) in [
            (&["remember", "tea", "--embedder", "openai"][..], 2),
            (&["recall", "tea"], 1),
            (&["reembed", "--embedder", "openai"], 2),
        ] {
            let (exit, _, notes) = run(&mut world, &folder, line);
            assert_eq!(exit, 0, "{notes}");
            let bodies: Vec<String> = asked.take();
            assert_eq!(bodies.len(), if is_asked { 1 } else { requests }, "{config} {line:?}");
            for body in bodies {
                assert_eq!(body.contains("\"dimensions\":4"), is_asked, "{line:?} {body}");
            }
        }
    }
}

#[cfg(feature = "coherence")]
#[test]
fn what_is_in_doubt_is_listed_logged_allowed_and_denied() {
    let (mut world, folder) = (World::default(), Folder::new("gate-commands"));
    let id = tell(&mut world, &folder, "The key of the shed hangs behind the door");
    let denial = "The key of the shed never hangs behind the door";
    let (exit, done) = json(&mut world, &folder, &["remember", denial]);
    assert_eq!((exit, &done["verdict"]), (0, &Value::from("deferred")), "{done}");
    let held = done["id"].to_string();
    let (_, listed) = json(&mut world, &folder, &["gate", "list"]);
    assert_eq!(listed["found"][0]["text"], denial);
    let (exit, log) = json(&mut world, &folder, &["gate", "log"]);
    let last = &log["log"][1];
    assert_eq!((exit, last["against"].as_u64()), (0, Some(id)), "{log}");
    assert_eq!(last["evidence"], serde_json::json!(["denies"]));
    let (_, shown, _) = run(&mut world, &folder, &["gate", "log"]);
    assert!(shown.contains("denied from 20.0") && !shown.contains("shed"), "{shown}");
    assert_eq!(run(&mut world, &folder, &["gate", "allow", &held]).0, 0);
    assert_eq!(run(&mut world, &folder, &["gate", "deny", &held]).0, 2, "it is out already");
    assert_eq!(run(&mut world, &folder, &["gate", "deny", "7"]).0, 4);
    assert_eq!(run(&mut world, &folder, &["gate"]).0, 2);
    assert_eq!(run(&mut world, &folder, &["gate", "reset"]).0, 0);
    assert_eq!(json(&mut world, &folder, &["gate", "log"]).1["log"], serde_json::json!([]));
    // Where somebody is there, they are asked.
    world.screen.interactive = true;
    let other = "The key of the shed is never behind the door, it hangs in the hall";
    world.screen.lines.borrow_mut().push_back("no".into());
    let (exit, shown, _) = run(&mut world, &folder, &["remember", other]);
    assert!(exit == 0 && shown.contains("Keep it all the same?"), "{shown}");
    assert!(!folder.holds("in the hall"), "what was refused is gone");
}
