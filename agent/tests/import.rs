//! What comes from files, and goes back to them: nothing twice, no secret, and no more than was said.

mod support;

use clawft_agent::config::Config;
use clawft_agent::failure::Exit;
use clawft_agent::memory::{Format, Limits, MOST_TEXT, Memory, New};
use support::memories::{memory, tell, texts};
use support::{Folder, WORDS, World};

#[test]
fn nothing_of_a_private_key_is_imported() {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 7_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(letters[(state >> 26) as usize])
    };
    let body: Vec<String> = (0..25).map(|_| (0..64).map(|_| letter()).collect()).collect();
    let key = "RSA PRIVATE KEY-----";
    let text = format!(
        "# Keys\n\nThis one is old:\n-----BEGIN {key}\n{}\n-----END {key}\nIt was for the shed.\n",
        body.join("\n")
    );
    for (name, format) in [("keys.md", Format::Markdown), ("keys.txt", Format::Text)] {
        let (world, folder) = (World::default(), Folder::new(name));
        let other = Folder::new("key-file");
        let path = format!("{}/{name}", other.path());
        std::fs::write(&path, &text).unwrap();
        let mut memory = memory(&world, &folder);
        let done = memory.import(&path, format, &mut |_| {}).unwrap();
        assert_eq!((done.added, done.redacted), (1, 1));
        let kept = memory.recall("shed", 1).unwrap().remove(0).text;
        assert!(kept.ends_with("This one is old:\n[secret]\nIt was for the shed."), "{kept}");
        memory.finish().unwrap();
        for part in body.iter().flat_map(|line| [&line[..16], &line[16..32], &line[48..]]) {
            assert!(!folder.holds(part), "{part}");
        }
    }
}

/// Kinds and sessions go to models as texts do, and the later of two dates counts.
#[test]
fn what_a_file_says_of_its_memories_is_not_taken_for_granted() {
    let (world, folder) = (World::default(), Folder::new("import-says"));
    let other = Folder::new("import-says-file");
    let path = format!("{}/all.jsonl", other.path());
    let lines = "{\"text\": \"A walrus waits\", \"kind\": \"password=hunter2\", \"session\": \"token: \
                 hunter3\", \"created\": 9999999999999, \"pinned\": true}\n{\"text\": \"A seal sits\", \
                 \"kind\": \"animal\", \"created\": 7}\n";
    std::fs::write(&path, lines).unwrap();
    let mut memory = memory(&world, &folder);
    let done = memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap();
    assert_eq!((done.added, done.pinned), (2, 1));
    let walrus = memory.recall("walrus", 1).unwrap().remove(0);
    assert!(walrus.created <= world.clock.0.get(), "{walrus:?}");
    assert_eq!((&*walrus.kind, &*walrus.session), ("[secret]", "[secret]"));
    let seal = memory.recall("seal", 1).unwrap().remove(0);
    assert_eq!((&*seal.kind, seal.created), ("animal", 7));
    let told = tell(&mut memory, "A cat sleeps").id;
    assert!(memory.comes_back(&[told, seal.id]).is_some() && memory.comes_back(&[told]).is_none());
    memory.finish().unwrap();
    assert!(!folder.holds("hunter"));
}

#[test]
fn what_a_file_says_in_another_form_is_not_passed_over() {
    let (world, folder) = (World::default(), Folder::new("import-forms"));
    let other = Folder::new("import-forms-file");
    let path = format!("{}/all.jsonl", other.path());
    let mut memory = memory(&world, &folder);
    let mut import = |member: &str| {
        let line =
            format!("{{\"text\": \"A seal sits\"}}\n{{\"text\": \"A walrus waits\", {member}}}");
        std::fs::write(&path, line).unwrap();
        memory.import(&path, Format::JsonLines, &mut |_| {})
    };
    let long = "k".repeat(256);
    for (member, expected) in [
        ("\"created\": \"2021-05-01\"", "`created` expected, found \"2021-05-01\""),
        ("\"created\": 1620000000000.5", "milliseconds since 1970 as `created` expected"),
        ("\"created\": -1", "found -1"),
        ("\"created\": 1e12", "found 1e12"),
        ("\"pinned\": \"true\"", "true or false as `pinned` expected, found \"true\""),
        ("\"pinned\": 1", "found 1"),
        ("\"kind\": 7", "a text of at most 255 bytes as `kind` expected, found 7"),
        (&format!("\"kind\": \"{long}\""), "found \"kkk"),
        ("\"session\": [\"a\"]", "a text of at most 1024 bytes as `session` expected"),
    ] {
        let failure = import(member).unwrap_err().sentence.clone();
        assert!(failure.contains("line 2: ") && failure.contains(expected), "{member}: {failure}");
        assert!(failure.len() < 300, "{failure}");
    }
    let nothing = "\"kind\": null, \"session\": null, \"created\": null, \"pinned\": null";
    assert_eq!(import(nothing).unwrap().added, 2, "none of the files with a mistake left anything");
    let float = "\"also\": 1, \"created\": 1620000000000.0";
    let line = format!("{{\"text\": \"A mole digs\", {float}}}");
    std::fs::write(&path, line).unwrap();
    memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap();
    assert_eq!(memory.recall("mole digs", 1).unwrap()[0].created, 1_620_000_000_000);
    assert_eq!(&*memory.recall("walrus waits", 1).unwrap()[0].kind, "fact");
}

#[test]
fn the_mark_that_windows_writes_before_a_text_is_none_of_it() {
    let (world, folder) = (World::default(), Folder::new("import-mark"));
    let other = Folder::new("import-mark-files");
    let mut memory = memory(&world, &folder);
    for (name, format, text) in [
        ("a.jsonl", Format::JsonLines, "{\"text\": \"A walrus waits\"}\r\n"),
        ("a.md", Format::Markdown, "# Seals\r\n\r\nA seal sits"),
        ("a.txt", Format::Text, "A \u{feff}mole digs"),
    ] {
        let path = format!("{}/{name}", other.path());
        std::fs::write(&path, format!("\u{feff}{text}")).unwrap();
        assert_eq!(memory.import(&path, format, &mut |_| {}).unwrap().added, 1, "{name}");
    }
    assert_eq!(texts(&mut memory, "walrus")[0], "A walrus waits");
    assert_eq!(texts(&mut memory, "seal")[0], "# Seals\nA seal sits");
    assert_eq!(texts(&mut memory, "digs")[0], "A \u{feff}mole digs", "inside a text it stays");
}

#[test]
fn a_line_of_a_long_list_is_in_one_memory() {
    let (world, folder) = (World::default(), Folder::new("import-list"));
    let other = Folder::new("import-list-file");
    let mut memory = memory(&world, &folder);
    let line = |n: usize| format!("- Guest number {n} Surname{n}: room {}", n + 100);
    let list: Vec<String> = (0..90).map(line).collect();
    for (name, format) in [("a.txt", Format::Text), ("a.md", Format::Markdown)] {
        let path = format!("{}/{name}", other.path());
        std::fs::write(&path, list.join("\n")).unwrap();
        let done = memory.import(&path, format, &mut |_| {}).unwrap();
        assert_eq!(done.added + done.known, 4, "{name}: {done:?}");
        assert_eq!(memory.import(&path, format, &mut |_| {}).unwrap().added, 0, "{name}");
    }
    let all = texts(&mut memory, "guest");
    for line in &list {
        assert!(all.iter().any(|text| text.lines().any(|of| of == line)), "{line}: {all:?}");
    }
}

#[test]
fn a_section_is_found_by_the_headings_above_it() {
    let (world, folder) = (World::default(), Folder::new("import-headings"));
    let other = Folder::new("import-headings-file");
    let mut memory = memory(&world, &folder);
    let path = format!("{}/a.md", other.path());
    let text =
        "# Berlin office\n## Address\nUnter den Linden 1\n# Rome office\n## Address\nVia 2\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(memory.import(&path, Format::Markdown, &mut |_| {}).unwrap().added, 2);
    assert_eq!(memory.import(&path, Format::Markdown, &mut |_| {}).unwrap().added, 0);
    assert_eq!(texts(&mut memory, "berlin")[0], "# Berlin office > Address\nUnter den Linden 1");
    assert_eq!(texts(&mut memory, "rome")[0], "# Rome office > Address\nVia 2");
}

#[test]
fn an_import_that_fills_the_memory_leaves_it_ready_to_be_read() {
    let (world, folder) = (World::default(), Folder::new("import-full"));
    let other = Folder::new("import-full-file");
    let path = format!("{}/all.jsonl", other.path());
    let lines: String = (0..150).map(|n| format!("{{\"text\": \"line {n} of many\"}}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    let limits = Limits { capacity: 100, ..support::memories::limits() };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    let failure = memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap_err();
    assert!(failure.sentence.contains("the memory is full"), "{failure}");
    memory.finish().unwrap();
    // Without it each reader would build the graph anew.
    assert!(folder.0.join("memory.rvf.image").exists());
    assert_eq!(memory.stats().unwrap().records, 96, "whole batches are in");
    assert!(texts(&mut memory, "line 95 of many").contains(&"line 95 of many".to_string()));
    assert!(!texts(&mut memory, "line 97 of many").contains(&"line 97 of many".to_string()));
}

#[test]
fn an_import_knows_what_a_corrected_memory_says() {
    let (world, folder) = (World::default(), Folder::new("import-same"));
    let other = Folder::new("import-same-file");
    let path = format!("{}/all.jsonl", other.path());
    // With its gate, where it has one: to be told what it knows moves nothing.
    let limits = Limits::from(&Config::default());
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    let said = New { source: "import", ..New::fact("The meeting is on Tuesday") };
    let id = memory.remember(&said).unwrap().id;
    memory.correct(id, "The meeting is on Thursday").unwrap();
    let mut lines = String::new();
    memory.export(&mut |line| lines += line).unwrap();
    lines += "{\"text\": \"A walrus waits\"}\n";
    std::fs::write(&path, lines).unwrap();
    let done = memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap();
    assert_eq!((done.added, done.known), (1, 1), "{done:?}");
    assert_eq!(texts(&mut memory, "walrus")[0], "A walrus waits");
    memory.forget(&[id]).unwrap();
    let left = texts(&mut memory, "The meeting is on Thursday");
    assert!(left.iter().all(|text| text == "A walrus waits"), "{left:?}");
    assert_eq!(memory.stats().unwrap().records, 1);
}

#[test]
fn an_import_goes_on_where_it_was_and_an_export_comes_back_the_same() {
    let (world, folder) = (World::default(), Folder::new("import"));
    let mut first = memory(&world, &folder);
    let path = format!("{}/notes.md", folder.path());
    let mut text = String::new();
    for n in 0..100 {
        text += &format!("# Part {n}\n\nParagraph {n} says {}.\n\n", n * n);
    }
    // Broken off in the middle of a character.
    let whole = format!("{text}# End\nThe token: abcdef\nand é");
    let cut = whole.len() - 1;
    std::fs::write(&path, &whole.as_bytes()[..cut]).unwrap();
    let failure = first.import(&path, Format::Markdown, &mut |_| {}).unwrap_err();
    assert!(failure.sentence.contains("line 403: text in UTF-8"), "{failure}");
    let before = first.stats().unwrap().records as usize;
    assert_eq!(before, 96, "whole batches are in");
    std::fs::write(&path, &whole).unwrap();
    let mut last = 0;
    let done = first.import(&path, Format::Markdown, &mut |p| last = p.read * 100 / p.all).unwrap();
    assert_eq!((done.added, done.known, done.redacted, last), (5, 96, 1, 100));
    // One is corrected, and stays so.
    let memo = first.recall("paragraph 7 says", 1).unwrap().remove(0);
    first.correct(memo.id, "Paragraph 7 says nothing.").unwrap();
    let again = first.import(&path, Format::Markdown, &mut |_| {}).unwrap();
    assert_eq!((again.added, again.known), (0, 101));
    let mut lines = String::new();
    assert!(first.export(&mut |line| lines += line).unwrap().is_empty());
    assert_eq!(lines.lines().count(), 101);

    let other = Folder::new("export");
    let jsonl = format!("{}/all.jsonl", other.path());
    std::fs::write(&jsonl, &lines).unwrap();
    let mut second = memory(&world, &other);
    assert_eq!(second.import(&jsonl, Format::JsonLines, &mut |_| {}).unwrap().added, 101);
    // But for ids: that of a corrected memory is from what it said at first.
    let sorted = |memory: &mut Memory<'_>| {
        let mut all = Vec::new();
        let mut keep = |line: &str| {
            let mut memo: serde_json::Value = serde_json::from_str(line).unwrap();
            memo.as_object_mut().unwrap().remove("id");
            all.push(memo.to_string());
        };
        memory.export(&mut keep).unwrap();
        all.sort();
        all
    };
    assert!(sorted(&mut second) == sorted(&mut first));
    std::fs::write(&jsonl, "{\"text\": 1}\n").unwrap();
    let failure = second.import(&jsonl, Format::JsonLines, &mut |_| {}).unwrap_err();
    assert!(failure.sentence.contains("line 1: a `text`"), "{failure}");
    // What is too long for a memory keeps nothing behind it out.
    let long = "A long story has many sentences. ".repeat(800);
    let line = serde_json::json!({"text": long, "kind": "story", "created": 7});
    std::fs::write(&jsonl, format!("{line}\n{{\"text\": \"A walrus waits\"}}\n")).unwrap();
    let done = second.import(&jsonl, Format::JsonLines, &mut |_| {}).unwrap();
    assert!(done.added >= 2, "{done:?}");
    let found = second.recall("long story sentences", 1).unwrap().remove(0);
    assert_eq!((&*found.kind, found.created), ("story", 7));
    assert!(second.recall("walrus", 1).unwrap()[0].text.contains("walrus"));
}

/// What is exported comes back as what it was, not in pieces beside it.
#[test]
fn a_text_that_is_longer_without_its_secrets_is_no_longer_than_a_memory() {
    let (world, folder) = (World::default(), Folder::new("longer"));
    let mut memory = memory(&world, &folder);
    let full = "word ".repeat(MOST_TEXT / 5) + "abcd";
    assert_eq!(full.len(), MOST_TEXT);
    let secret = full.replacen("word word word", "word pwd=a word", 1);
    for (text, fits) in [(&full, true), (&secret, false), (&"pwd=a ".repeat(2730), false)] {
        let done = memory.remember(&New::fact(&text[..MOST_TEXT.min(text.len())]));
        assert_eq!(done.map_err(|failure| failure.exit).err(), (!fits).then_some(Exit::Usage));
    }
    let lines = folder.path().to_owned() + "/long.jsonl";
    std::fs::write(&lines, format!("{{\"text\":\"{}\"}}", &secret[..MOST_TEXT])).unwrap();
    assert!(memory.import(&lines, Format::JsonLines, &mut |_| {}).unwrap().added > 1);
    let found = memory.recall("word", 100).unwrap();
    assert!(found.iter().all(|memo| memo.text.len() <= MOST_TEXT));
}
