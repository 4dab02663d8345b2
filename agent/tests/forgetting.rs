//! What is forgotten is gone: it needs a person who wants it, is found wherever a session says it,
//! and does not come back.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use clawft_agent::command;
use clawft_agent::memory::{Memory, New};
use clawft_agent::platform::{HttpClient, HttpError, Request, Response};
use clawft_agent::provider::{Message, Offline, ToolCall};
use clawft_agent::session::{Gone, Saying, Session, that_say};
use support::full_disk::FullDisk;
use support::turns::{Room, Script, calls, memory, puts_away, says};
use support::{Folder, World, response};

#[test]
fn forgetting_needs_a_person_who_says_yes() {
    for (interactive, line, left) in
        [(false, "yes", 1), (true, "no", 1), (true, "", 1), (true, "yes", 0)]
    {
        let (mut world, folder) = (World::default(), Folder::new("confirm"));
        world.screen.interactive = interactive;
        world.screen.lines.borrow_mut().push_back(line.into());
        let room = Room::new(&world, &folder);
        let mut memory = memory(&world, &folder);
        let imported = New { source: "import", ..New::fact("Tea is at five") };
        let id = memory.remember(&imported).unwrap().id;
        let script =
            Script::of([calls("memory_forget", &format!("{{\"ids\":[{id}]}}")), says("ok")]);
        let mut session = room.session("s");
        room.turn(&script, &mut memory, &mut session, "forget tea", true).1.unwrap();
        assert_eq!(memory.stats().unwrap().records, left, "{interactive} {line}");
        let asked = script.asked.borrow();
        let Some(Message::Result { content, .. }) = asked[1].messages.last() else { panic!() };
        assert_eq!(content.contains("comes back with its next import"), left == 0, "{content}");
        let shown = world.screen.shown.borrow();
        assert_eq!(
            shown.contains(&format!("{id}")) && shown.contains("Tea is at five"),
            interactive
        );
    }
}

#[test]
fn a_text_of_two_lines_that_a_tool_gave_is_found_in_the_session_and_taken_out() {
    let (world, folder) = (World::default(), Folder::new("lines"));
    let room = Room::new(&world, &folder);
    let mut memory = memory(&world, &folder);
    let text = "# Key\nunder the \"blue\" mat";
    memory.remember(&New::fact(text)).unwrap();
    let mut session = room.session("s");
    let script = Script::of([calls("memory_search", "{\"query\":\"key mat\"}"), says("Found.")]);
    room.turn(&script, &mut memory, &mut session, "where is it?", false).1.unwrap();
    let (platform, data) = (world.platform(), folder.path());
    let gone = [Gone { id: 0, text: text.to_string() }];
    assert_eq!(that_say(&platform, data, &gone).unwrap().sessions, ["s"]);
    session.redact(&gone[0]);
    session.save(&platform, data).unwrap();
    let saved = std::fs::read_to_string(folder.0.join("sessions/s.json")).unwrap();
    assert!(!saved.contains("blue") && saved.contains("[forgotten]"), "{saved}");
    assert!(that_say(&platform, data, &gone).unwrap() == Saying::default());
}

/// A model quotes as many sentences as it likes, across blanks and lines.
#[test]
fn some_sentences_that_a_model_quoted_are_found_where_the_person_said_them() {
    let (world, folder) = (World::default(), Folder::new("quoted"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let told = "The door code is 4711.  It changes\ton Monday.\nThe shed is green.";
    let quote = "{\"quote\":\"code is 4711. It changes on Monday\"}";
    let script = Script::of([calls("memory_write", quote), says("Noted.")]);
    let mut session = room.session("s");
    room.turn(&script, &mut memory, &mut session, told, false).1.unwrap();
    let stored = memory.recall("door code", 1).unwrap().remove(0);
    assert_eq!(stored.text, "The door code is 4711.  It changes\ton Monday.");
    // One that was told in other letters and merged is found as well.
    let same = Gone { id: 0, text: "the door code is 4711! it changes on monday".into() };
    assert!(session.says(&same) && session.says(&Gone { id: 0, text: stored.text.clone() }));
    memory.forget(&[stored.id]).unwrap();
    let mut session = room.session("s");
    assert!(session.messages[0].forgotten);
    puts_away(&room, &Offline, &mut memory, "s");
    let back = memory.recall("door code", 9).unwrap();
    assert!(back.iter().all(|memo| !memo.text.contains("4711")), "{back:?}");
    session.redact(&same);
    let Message::User(left) = &session.messages[0].message else { panic!() };
    assert_eq!(left, "[forgotten]\nThe shed is green.");
    let Message::Assistant { calls, .. } = &session.messages[1].message else { panic!() };
    assert_eq!(calls[0].arguments, "{\"quote\":\"[forgotten]\"}");
}

/// A quote is a part of what is stored, in other letters and escapes, and in a later turn.
#[test]
fn what_a_model_quoted_goes_out_of_the_session_with_what_was_stored_of_it() {
    for (told, quote) in [
        ("The door code is 4711.  It changes on Monday.", "CODE is  4711.\\nIt CHANGES on"),
        ("Das Café Zoé öffnet mit 4711.", "Caf\\u00e9 Zo\\u00e9 \\u00f6ffnet mit 4711"),
    ] {
        let (world, folder) = (World::default(), Folder::new("part"));
        let room = Room::new(&world, &folder);
        let mut memory = memory(&world, &folder);
        let mut session = room.session("s");
        let script = Script::of([says("Aha.")]);
        room.turn(&script, &mut memory, &mut session, told, false).1.unwrap();
        let quote = format!("{{\"quote\":\"{quote}\"}}");
        let script = Script::of([calls("memory_write", &quote), says("Noted.")]);
        room.turn(&script, &mut memory, &mut session, "Please keep that.", false).1.unwrap();
        let stored = memory.recall("4711", 1).unwrap().remove(0);
        assert_eq!(stored.text, told);
        let gone = memory.forget(&[stored.id]).unwrap();
        let mut session = room.session("s");
        assert!(session.messages[3].forgotten && !session.messages[2].forgotten);
        session.redact(&gone[0]);
        assert!(!session.says(&gone[0]));
        session.save(&world.platform(), folder.path()).unwrap();
        assert!(!folder.holds("4711"), "{told}");
    }
}

#[test]
fn more_sessions_than_can_be_listed_keep_nothing_from_being_forgotten() {
    let (mut world, folder) = (World::default(), Folder::new("many-sessions"));
    world.files = Box::new(FullDisk(Cell::new(None), Cell::new(true)));
    let mut memory = memory(&world, &folder);
    let id = memory.remember(&New::fact("Tea is at five")).unwrap().id;
    memory.forget(&[id]).unwrap();
    assert!(!folder.holds("Tea"));
    let saying = memory.said_in(&[Gone { id, text: "Tea is at five".into() }]).unwrap();
    assert!(saying.sessions.is_empty() && saying.unread[0].contains("too many"), "{saying:?}");
}

#[test]
fn what_was_forgotten_does_not_come_back_when_its_message_is_put_away() {
    let (world, folder) = (World::default(), Folder::new("back"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    let told = "My door code is 4711. The cat sleeps in the barn.";
    let (turn, done) = room.turn(&Offline, &mut memory, &mut session, told, false);
    done.unwrap();
    memory.forget(&[turn.learned[0].id]).unwrap();
    // What is asked to be forgotten is no statement, and neither is what is said with it.
    let mut session = room.session("s");
    let request = "Please forget: the door code is 4712. My window code is 4713.";
    room.turn(&Offline, &mut memory, &mut session, request, true).1.unwrap();
    let told = "The cow stands in the meadow.";
    room.turn(&Offline, &mut memory, &mut session, told, false).1.unwrap();
    let script = Script::of([says("A summary.")]);
    puts_away(&room, &script, &mut memory, "s");
    let said: Vec<_> =
        memory.recall("code", 20).unwrap().into_iter().map(|memo| memo.text).collect();
    assert!(said.iter().all(|text| !text.contains("code")), "{said:?}");
    assert_eq!(memory.recall("cow meadow", 3).unwrap()[0].text, told);
    // Nor in a summary; a model that still sees the message cannot write it either.
    let asked = script.asked.borrow();
    let mut summaries = asked.iter().filter(|asked| asked.system.contains("summarise")).peekable();
    assert!(summaries.peek().is_some());
    for summary in summaries {
        let Message::User(lines) = &summary.messages[0] else { panic!() };
        assert!(!lines.contains("code"), "{lines}");
    }
    let quote = calls("memory_write", "{\"quote\":\"My door code is 4711.\"}");
    let mut session = room.session("s");
    room.turn(&Script::of([quote, says("ok")]), &mut memory, &mut session, "so?", false).1.unwrap();
    let result = &session.messages[session.messages.len() - 2].message;
    assert!(matches!(result, Message::Result { failed: true, .. }), "{result:?}");
}

#[test]
fn a_summary_of_what_was_forgotten_is_made_anew_without_it() {
    let (world, folder) = (World::default(), Folder::new("anew"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let told = "My door code is 4711.";
    let script = Script::of([says("So 4711 opens it.")]);
    let (turn, done) = room.turn(&script, &mut memory, &mut room.session("s"), told, false);
    done.unwrap();
    puts_away(&room, &Script::of([says("Go on.")]), &mut memory, "s");
    let mut before = room.session("s");
    assert!(!before.summary.is_empty() && before.summarised == before.covered);
    before.summary = "The person's door opens with 4711.".into();
    before.save(&world.platform(), folder.path()).unwrap();
    memory.forget(&[turn.learned[0].id]).unwrap();
    let mut session = room.session("s");
    assert_eq!((&*session.summary, session.summarised), ("", 0));
    assert_eq!(session.covered, before.covered, "nothing of it is given whole again");
    let script = Script::of([says("Stories.")]);
    for _ in 0..20 {
        room.turn(&script, &mut memory, &mut session, "And then?", false).1.unwrap();
        session = room.session("s");
    }
    assert_eq!(&*session.summary, "Stories.");
    assert!(session.summarised >= before.covered);
    let asked = script.asked.borrow();
    let all: Vec<&Message> = asked.iter().flat_map(|asked| &asked.messages).collect();
    let has = |text: &str| {
        let is_in =
            |message: &&Message| matches!(message, Message::User(said) if said.contains(text));
        all.iter().any(is_in)
    };
    assert!(has("Story 0") && !has("4711"));
    assert!(asked.iter().all(|asked| !asked.system.contains("4711")));
}

#[test]
fn an_answer_in_words_of_the_models_own_is_found_by_the_id_that_it_cites() {
    let (world, folder) = (World::default(), Folder::new("cited"));
    let room = Room::new(&world, &folder);
    let mut memory = memory(&world, &folder);
    let id = memory.remember(&New::fact("My spare key is with Maria.")).unwrap().id;
    let script = Script::of([says(&format!("Maria has it [{id}]."))]);
    room.turn(&script, &mut memory, &mut room.session("b"), "Who has it?", false).1.unwrap();
    let gone = memory.forget(&[id]).unwrap();
    assert_eq!(memory.said_in(&gone).unwrap().sessions, ["b"]);
    let mut session = room.session("b");
    assert!(session.messages[1].forgotten && !session.messages[0].forgotten);
    session.redact(&gone[0]);
    session.save(&world.platform(), folder.path()).unwrap();
    assert!(!folder.holds("Maria"));
}

#[test]
fn what_cannot_be_compacted_is_forgotten_all_the_same() {
    let (mut world, folder) = (World::default(), Folder::new("uncompacted"));
    world.screen.interactive = true;
    world.screen.lines.borrow_mut().push_back("yes".into());
    let room = Room::new(&world, &folder);
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    let script = Script::of([says("Noted.")]);
    let told = "My door code is 4711.";
    let (turn, _) = room.turn(&script, &mut memory, &mut session, told, false);
    let id = turn.learned[0].id;
    // Nothing can be written under the name of the new file.
    std::fs::create_dir_all(folder.0.join("memory.rvf.compact/taken")).unwrap();
    let script = Script::of([calls("memory_forget", &format!("{{\"ids\":[{id}]}}")), says("ok")]);
    let (turn, done) = room.turn(&script, &mut memory, &mut session, "forget it", true);
    done.unwrap();
    assert_eq!(turn.forgotten, [Gone { id, text: told.into() }]);
    assert_eq!(memory.stats().unwrap().records, 0);
    let notes = world.screen.notes.borrow();
    assert!(notes.contains("its bytes stay until `clawft compact`"), "{notes}");
    // The turn wrote its session over the file: the mark is in both.
    assert!(session.messages[0].forgotten && room.session("s").messages[0].forgotten);
}

/// A conversation that outgrows its room soon.
fn small<'a>(world: &'a World, folder: &'a Folder) -> Room<'a> {
    let mut room = Room::new(world, folder);
    room.config.context_tokens = 1200;
    room
}

/// A message of which a turn keeps one sentence: its memory.
fn tell_of_cat(room: &Room<'_>, memory: &mut Memory<'_>) -> u64 {
    let told = "Hi there. My cat is called Miro. The shed has a green roof.";
    let (turn, done) = room.turn(&Offline, memory, &mut room.session("s"), told, false);
    done.unwrap();
    turn.learned[0].id
}

#[test]
fn what_was_corrected_does_not_come_back_when_its_message_is_put_away() {
    let (world, folder) = (World::default(), Folder::new("corrected"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let cat = tell_of_cat(&room, &mut memory);
    memory.correct(cat, "My cat is called Mira.").unwrap();
    puts_away(&room, &Offline, &mut memory, "s");
    let all = memory.recall("cat Miro", 50).unwrap();
    assert!(all.iter().all(|memo| !memo.text.contains("Miro")), "{all:?}");
}

#[test]
fn what_a_turn_kept_is_no_part_of_another_memory() {
    let (world, folder) = (World::default(), Folder::new("parts"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let cat = tell_of_cat(&room, &mut memory);
    puts_away(&room, &Offline, &mut memory, "s");
    let rest = &memory.recall("shed roof", 1).unwrap()[0];
    assert_eq!((&*rest.text, &*rest.kind), ("Hi there. The shed has a green roof.", "past"));
    let rest = rest.id;
    memory.forget(&[cat]).unwrap();
    let all = memory.recall("cat Miro", 50).unwrap();
    assert!(all.iter().all(|memo| !memo.text.contains("Miro")), "{all:?}");
    // Nor is what is left of the message without it unknown to its session.
    let text = memory.forget(&[rest]).unwrap();
    assert_eq!(memory.said_in(&text).unwrap().sessions, ["s"]);
    let mut session = room.session("s");
    session.redact(&text[0]);
    let Message::User(told) = &session.messages[0].message else { panic!() };
    assert!(told.contains("Miro") && !told.contains("roof"), "{told}");
}

#[test]
fn a_secret_below_its_name_is_no_memory_when_its_message_is_put_away() {
    let (world, folder) = (World::default(), Folder::new("below"));
    let room = small(&world, &folder);
    let mut memory = memory(&world, &folder);
    let told = "My wifi password is:\nhunter2x\nplease remember that \nThe router is in the hall.";
    room.turn(&Offline, &mut memory, &mut room.session("s"), told, false).1.unwrap();
    puts_away(&room, &Offline, &mut memory, "s");
    assert!(memory.recall("router hall", 1).unwrap()[0].text.contains("router"));
    let mut lines = String::new();
    memory.export(&mut |line| lines += line).unwrap();
    assert!(!lines.contains("hunter2x"), "{lines}");
}

#[test]
fn a_session_that_says_it_with_a_secret_or_in_other_letters_is_marked() {
    let (world, folder) = (World::default(), Folder::new("otherwise"));
    let room = Room::new(&world, &folder);
    let mut memory = memory(&world, &folder);
    for (name, told, again) in [
        ("s", "My wifi password is swordfish.", "My wifi password is swordfish."),
        ("c", "My cat is called Miro.", "my CAT is called miro!"),
    ] {
        let (turn, done) = room.turn(&Offline, &mut memory, &mut room.session(name), told, false);
        done.unwrap();
        let other = format!("{name}-other");
        room.turn(&Offline, &mut memory, &mut room.session(&other), again, false).1.unwrap();
        memory.forget(&[turn.learned[0].id]).unwrap();
        for name in [name, &other] {
            assert!(room.session(name).messages[0].forgotten, "{name}");
        }
    }
}

/// Two words may be of anything, three of a text are of it.
#[test]
fn a_quote_of_a_word_or_two_says_nothing_of_another_text() {
    let moved = Gone { id: 0, text: "I moved from Berlin to Rome in 2020".into() };
    for (quote, text, says) in [
        ("Berlin", &*moved.text, false),
        ("from Berlin", &moved.text, false),
        ("from berlin  to", &moved.text, true),
        ("We drink tea at five", "Tea.", false),
        ("tea", "Tea.", true),
    ] {
        let mut session = Session::new("s").unwrap();
        let arguments = format!("{{\"quote\":\"{quote}\"}}");
        let call = ToolCall { id: "c".into(), name: "memory_write".into(), arguments };
        session.push(1, Message::Assistant { text: String::new(), calls: vec![call] });
        assert_eq!(session.says(&Gone { id: 0, text: text.into() }), says, "{quote}");
    }
}

#[test]
fn files_of_sessions_that_nobody_can_read_are_named() {
    let (world, folder) = (World::default(), Folder::new("unread"));
    let (platform, data) = (world.platform(), folder.path());
    let sessions = format!("{data}/sessions");
    std::fs::create_dir_all(&sessions).unwrap();
    for name in ["cut.json", "old.json.damaged-7", "other.txt", "late.json.4f1c.new"] {
        std::fs::write(format!("{sessions}/{name}"), "{\"version\": 1, ").unwrap();
    }
    // A session may have such a name.
    let mut named = Session::new("a.damaged-1").unwrap();
    named.push(1, Message::User("Nothing of it.".into()));
    named.save(&platform, data).unwrap();
    let mut found =
        that_say(&platform, data, &[Gone { id: 0, text: "My cat is called Miro.".into() }])
            .unwrap();
    found.unread.sort();
    assert_eq!(
        (found.sessions.len(), &found.unread[..]),
        (0, &["cut.json", "late.json.4f1c.new", "old.json.damaged-7"].map(String::from)[..])
    );
}

/// A model that gives these answers, one to a request.
struct Model(RefCell<VecDeque<String>>);

impl HttpClient for Model {
    fn send(&self, _: Request<'_>) -> Result<Response, HttpError> {
        let message = self.0.borrow_mut().pop_front().expect("one request too many");
        let body =
            format!("{{\"choices\":[{{\"message\":{message},\"finish_reason\":\"stop\"}}]}}");
        Ok(response::json(body))
    }
}

/// A chat with a person who types `lines`, and a model that answers with `answers`.
fn chat(folder: &Folder, lines: &[&str], answers: &[String]) -> (String, String) {
    let mut world = World::default();
    world.screen.interactive = true;
    let home = [("CLAWFT_HOME", folder.path()), ("OPENAI_API_KEY", "sk-test")];
    world.environment.variables = home.map(|(name, value)| (name.into(), value.into())).into();
    world.environment.arguments = ["chat", "--embedder", "hashed"].map(String::from).into();
    world.screen.lines.borrow_mut().extend(lines.iter().map(ToString::to_string));
    world.http = Box::new(Model(RefCell::new(answers.iter().cloned().collect())));
    assert_eq!(command::run(&world.platform()), 0);
    assert!(world.screen.lines.borrow().is_empty(), "{:?}", world.screen.lines);
    (world.screen.shown.take(), world.screen.notes.take())
}

fn said(text: &str) -> String {
    format!("{{\"content\":\"{text}\"}}")
}

fn forgets(id: &str) -> String {
    format!(
        "{{\"tool_calls\":[{{\"id\":\"c1\",\"type\":\"function\",\"function\":\
         {{\"name\":\"memory_forget\",\"arguments\":\"{{\\\"ids\\\":[{id}]}}\"}}}}]}}"
    )
}

#[test]
fn who_forgets_in_a_chat_is_told_what_still_says_it_and_may_have_it_taken_out() {
    let told = "My door code is 4711.";
    for (by_id, wanted) in [(true, "yes"), (true, "no"), (false, "yes"), (false, "no")] {
        let folder = Folder::new("settled");
        let lines = [told, "/session other", told, "/memory door code"];
        let (shown, _) = chat(&folder, &lines, &[said("Noted."), said("I know.")]);
        let (_, line) = shown.rsplit_once('[').unwrap();
        let (id, _) = line.split_once(']').unwrap();
        // By its id it is forgotten between turns: another one writes the session over its file.
        let (lines, answers) = match by_id {
            true => {
                let lines = vec![format!("/forget {id}"), wanted.into(), "And now?".into()];
                (lines, vec![said("Nothing.")])
            }
            false => {
                let lines = vec!["/forget the door code".into(), "yes".into(), wanted.into()];
                (lines, vec![forgets(id), said("Done.")])
            }
        };
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (shown, notes) = chat(&folder, &lines, &answers);
        assert!(shown.contains("Take it out? (yes/no)"), "{shown}");
        assert_eq!(notes.contains("these sessions still say it: "), wanted == "no", "{notes}");
        assert_eq!(folder.holds("code is 4711"), wanted == "no");
        for name in ["default", "other"] {
            assert_eq!(notes.contains(name), wanted == "no", "{notes}");
            let world = World::default();
            let (session, _) = Session::load(&world.platform(), folder.path(), name).unwrap();
            let first = &session.messages[0];
            assert!(first.forgotten, "it would be put away and come back");
            let text = if wanted == "yes" { "[forgotten]" } else { told };
            assert_eq!(first.message, Message::User(text.into()));
        }
        let (shown, _) = chat(&folder, &["/memory door code"], &[]);
        assert!(shown.contains("memory holds nothing about this"), "{shown}");
    }
}
