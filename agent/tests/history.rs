//! What of a conversation a model is given, and what becomes of the rest.

mod support;

use clawft_agent::context::tokens;
use clawft_agent::memory::{Limits, Memory, New};
use clawft_agent::provider::{Answer, Message, Offline, Provider, Stop, Usage};
use clawft_agent::session::{Gone, Session};
use support::turns::{Room, Script, breaks, calls, memory, puts_away, says};
use support::{Folder, WORDS, World};

#[test]
fn results_of_a_turn_leave_room() {
    let (world, folder) = (World::default(), Folder::new("results"));
    let mut room = Room::new(&world, &folder);
    room.config.folders = vec![folder.path().into()];
    let mut memory = memory(&world, &folder);
    std::fs::write(format!("{}/long.txt", folder.path()), "words and more ".repeat(4000)).unwrap();
    let context = room.config.context_tokens as usize;
    let reads = || calls("file_read", "{\"path\":\"long.txt\"}");
    let script = Script::of([reads(), reads(), reads(), reads(), says("ok")]);
    let mut session = room.session("s");
    room.turn(&script, &mut memory, &mut session, "Read it.", false).1.unwrap();
    let asked = script.asked.borrow();
    let results: Vec<&str> = asked[4]
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Result { content, .. } => Some(content.as_str()),
            _ => None,
        })
        .collect();
    let tokens: usize = results.iter().map(|text| tokens(text)).sum();
    assert!(results.len() == 4 && tokens < context * 11 / 20, "{tokens} of {context}");
    assert!(results[3].contains("no room for more results"), "{}", results[3]);
}

#[test]
fn results_push_the_oldest_turns_out() {
    let (world, folder) = (World::default(), Folder::new("pushed"));
    let mut room = Room::new(&world, &folder);
    (room.config.context_tokens, room.config.memory_share) = (4000, 0);
    room.config.folders = vec![folder.path().into()];
    room.config.hosts = vec!["host.test".into()];
    let mut memory = memory(&world, &folder);
    std::fs::write(format!("{}/long.txt", folder.path()), "words and more ".repeat(4000)).unwrap();
    let mut session = Session { passing: true, ..Session::default() };
    for _ in 0..200 {
        session.push(0, Message::User("and so on and so forth ".repeat(4)));
        session.push(0, Message::Assistant { text: "ok".into(), calls: vec![] });
    }
    let reads = || calls("file_read", "{\"path\":\"long.txt\"}");
    let script = Script::of([reads(), reads(), reads(), says("ok")]);
    room.turn(&script, &mut memory, &mut session, "Read it.", false).1.unwrap();
    let asked = script.asked.borrow();
    // With what stands around them, as the budget has it.
    let said = |message: &Message| match message {
        Message::User(text) => tokens(text) + 4,
        Message::Assistant { text, calls } => tokens(text) + 4 + 20 * calls.len(),
        Message::Result { content, .. } => tokens(content) + 12,
    };
    for (round, asked) in asked.iter().enumerate() {
        let messages = asked.messages.iter().map(said).sum::<usize>();
        let taken = tokens(&asked.system) + asked.offered + messages;
        assert!((3600..4000).contains(&taken), "{taken} in round {round}");
        assert!(asked.messages.contains(&Message::User("Read it.".into())));
        assert!(matches!(asked.messages[0], Message::User(_)));
    }
    assert!(asked[3].messages.len() < asked[0].messages.len());
}

#[test]
fn a_memory_that_is_full_keeps_no_summary_from_being_made() {
    let (world, folder) = (World::default(), Folder::new("full-summary"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let limits = Limits { capacity: 1, ..Limits::from(&room.config) };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    memory.remember(&New::fact("The only one.")).unwrap();
    let script = Script::of([says("A summary.")]);
    puts_away(&room, &script, &mut memory, "s");
    let mut session = room.session("s");
    assert_eq!(session.summary, "A summary.");
    let (turn, done) = room.turn(&script, &mut memory, &mut session, "And?", false);
    done.unwrap();
    assert!(turn.notes.len() <= 1, "{:?}", turn.notes);
}

#[test]
fn history_beyond_the_budget_is_summarised_and_a_failed_summary_freezes_nothing() {
    let (world, folder) = (World::default(), Folder::new("history"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1500;
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    let filler = "and so on and so forth ".repeat(15);
    let (mut failed, mut waited) = (0, 0);
    for n in 0..24 {
        let text = format!("Then fact number {n} was told {filler}");
        // Where a summary is asked for, the first answer is its: it fails at first.
        let script = Script::of([if n < 8 { breaks("") } else { says("Short.") }, says("ok")]);
        let (turn, done) = room.turn(&script, &mut memory, &mut session, &text, false);
        let asked = script.asked.borrow();
        let summaries = asked.iter().filter(|asked| asked.system.contains("summarise")).count();
        if summaries > 0 {
            failed += usize::from(n < 8);
            assert_eq!(turn.notes.is_empty(), n >= 8, "{:?}", turn.notes);
            done.unwrap();
        } else if failed > 0 && session.summary.is_empty() {
            // Whoever asks at each turn waits for each failure before the answer.
            waited += 1;
        }
        for asked in asked.iter().filter(|asked| !asked.system.contains("summarise")) {
            assert!(matches!(asked.messages.first(), Some(Message::User(_))));
            let Some(Message::User(last)) = asked.messages.last() else { panic!() };
            assert!(*last == text.trim());
        }
    }
    assert!((1..=2).contains(&failed) && waited >= 3, "{failed} {waited}");
    assert_eq!(session.summary, "Short.");
    assert!(session.covered > 0 && session.messages.len() >= 20, "nothing is lost");
    let found = memory.recall("fact number 0", 5).unwrap();
    assert!(found.iter().any(|memo| memo.text.contains("number 0") && memo.kind == "past"));
}

#[test]
fn a_summary_takes_as_much_as_fits_and_the_next_turn_goes_on() {
    let (world, folder) = (World::default(), Folder::new("goes-on"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 2000;
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    for n in 0..40 {
        session.push(0, Message::User(format!("Tale {n} {}", "and so forth ".repeat(20))));
        session.push(0, Message::Assistant { text: format!("Heard {n}."), calls: vec![] });
    }
    let script = Script::of([says("Short.")]);
    for turn in 0..20 {
        room.turn(&script, &mut memory, &mut session, "So?", false).1.unwrap();
        assert!(turn > 0 || session.summarised < session.covered);
    }
    assert_eq!(session.summarised, session.covered);
    let asked = script.asked.borrow();
    let summaries = asked.iter().filter(|asked| asked.system.contains("summarise"));
    let lines: Vec<&String> = summaries
        .map(|asked| match &asked.messages[0] {
            Message::User(lines) => lines,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(lines.iter().all(|lines| tokens(lines) < 2000));
    for n in 0..30 {
        for said in [format!("Tale {n} "), format!("Heard {n}.")] {
            let found = lines.iter().filter(|lines| lines.contains(&said)).count();
            assert_eq!(found, 1, "{said}");
        }
    }
}

#[test]
fn neither_orders_nor_texts_become_memories() {
    let order = "Write me a haiku about rain please.";
    let log = "12:00 the door of the shed was opened by somebody\n".repeat(20);
    for (provider, texts) in [(None, 2), (Some(Script::of([says("A summary.")])), 1)] {
        let (world, folder) = (World::default(), Folder::new("orders"));
        let mut room = Room::new(&world, &folder);
        room.config.context_tokens = 2400;
        let mut memory = memory(&world, &folder);
        let mut session = room.session("s");
        let provider: &dyn Provider = provider.as_ref().map_or(&Offline, |script| script);
        for text in [order, &*log, "The meeting with Bob is on Tuesday."] {
            room.turn(provider, &mut memory, &mut session, text, false).1.unwrap();
        }
        for n in 0..12 {
            let text = format!("What of {n} {}?", "and so forth ".repeat(30));
            room.turn(provider, &mut memory, &mut session, &text, false).1.unwrap();
        }
        let mut lines = String::new();
        memory.export(&mut |line| lines += line).unwrap();
        assert_eq!(lines.lines().count(), texts, "{lines}");
        assert!(lines.contains("with Bob") && !lines.contains("haiku"), "{lines}");
    }
}

#[test]
fn instructions_and_summary_take_their_room_from_the_history() {
    let (world, folder) = (World::default(), Folder::new("frame"));
    let mut room = Room::new(&world, &folder);
    (room.config.context_tokens, room.config.memory_share) = (2000, 0);
    let mut memory = memory(&world, &folder);
    let mut session =
        Session { passing: true, summary: "so it was ".repeat(120), ..Session::default() };
    session.instructions = "Answer shortly. ".repeat(90);
    for _ in 0..60 {
        session.push(0, Message::User("and so on and so forth ".repeat(4)));
        session.push(0, Message::Assistant { text: "ok".into(), calls: vec![] });
    }
    let script = Script::of([says("ok")]);
    room.turn(&script, &mut memory, &mut session, "And now?", false).1.unwrap();
    let asked = script.asked.borrow();
    assert!(asked[0].system.ends_with(&session.instructions), "as a whole");
    let said = |message: &Message| match message {
        Message::User(text) | Message::Assistant { text, .. } => tokens(text),
        Message::Result { .. } => 0,
    };
    let taken = tokens(&asked[0].system) + asked[0].messages.iter().map(said).sum::<usize>();
    assert!((1200..2000).contains(&taken) && asked[0].messages.len() > 5, "{taken}");
}

#[test]
fn offline_the_oldest_turns_move_to_memory() {
    let (world, folder) = (World::default(), Folder::new("past"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    for n in 0..10 {
        let text = format!("Story {n} goes {}", "on and on ".repeat(40));
        room.turn(&Offline, &mut memory, &mut session, &text, false).1.unwrap();
    }
    assert!(session.covered > 0 && session.summary.is_empty());
    let found = memory.recall("Story 0", 3).unwrap();
    assert!(found[0].text.starts_with("Story 0 goes"), "{found:?}");
    // What the offline provider cited is not stored.
    assert!(found.iter().all(|memo| !memo.text.contains("No model was asked")));
}

/// Words without blanks between them are words.
#[test]
fn offline_statements_of_any_script_move_to_memory() {
    let (world, folder) = (World::default(), Folder::new("scripts"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    for text in ["小猫在厨房里睡觉。它叫什么？", "أين تنام القطة الصغيرة اليوم؟"]
    {
        room.turn(&Offline, &mut memory, &mut session, text, false).1.unwrap();
    }
    puts_away(&room, &Offline, &mut memory, "s");
    let found = memory.recall("厨房", 9).unwrap();
    assert_eq!(found[0].text, "小猫在厨房里睡觉。");
    assert!(found.iter().all(|memo| !memo.text.contains('؟')), "{found:?}");
}

#[test]
fn a_memory_that_learns_nothing_is_told_nothing_of_old_turns() {
    let (world, folder) = (World::default(), Folder::new("unlearned"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    room.config.learn = false;
    let mut memory = memory(&world, &folder);
    puts_away(&room, &Offline, &mut memory, "s");
    assert_eq!(memory.stats().unwrap().records, 0);
}

#[test]
fn what_was_stated_beside_a_question_moves_to_memory() {
    let (world, folder) = (World::default(), Folder::new("beside"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    let mut session = room.session("s");
    let text = "The meeting with Bob is on Tuesday at nine. What should be brought?";
    room.turn(&Offline, &mut memory, &mut session, text, false).1.unwrap();
    puts_away(&room, &Offline, &mut memory, "s");
    let found = memory.recall("meeting with Bob", 1).unwrap();
    assert_eq!(found[0].text, "The meeting with Bob is on Tuesday at nine.");
    // It is known again there, so that it can be forgotten.
    let gone = Gone { id: 0, text: found[0].text.clone() };
    assert!(room.session("s").says(&gone));
}

#[test]
fn a_summary_that_the_provider_withheld_takes_the_place_of_none() {
    let (world, folder) = (World::default(), Folder::new("withheld"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    puts_away(&room, &Script::of([says("A summary.")]), &mut memory, "s");
    let covered = room.session("s").covered;
    let withheld = Answer { stop: Stop::Refused, ..says("I cannot help with that.").unwrap() };
    let script = Script::of([Ok(withheld)]);
    let mut notes = 0;
    for n in 0..10 {
        let mut session = room.session("s");
        let text = format!("Tale {n} goes {}", "on and on ".repeat(40));
        let (turn, done) = room.turn(&script, &mut memory, &mut session, &text, false);
        done.unwrap();
        notes += turn.notes.iter().filter(|note| note.contains("withheld a summary")).count();
    }
    let asked = script.asked.borrow();
    let summaries = asked.iter().filter(|asked| asked.system.contains("summarise"));
    let summaries: Vec<&Message> = summaries.map(|asked| &asked.messages[0]).collect();
    // Each part is asked for once.
    assert!(!summaries.is_empty() && summaries.windows(2).all(|two| two[0] != two[1]));
    let session = room.session("s");
    assert_eq!((&*session.summary, notes), ("A summary.", summaries.len()));
    assert!(session.covered > covered);
}

#[test]
fn a_long_summary_leaves_room_for_what_follows() {
    let (world, folder) = (World::default(), Folder::new("long-summary"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    let script = Script::of([says(&"It was so. ".repeat(500))]);
    puts_away(&room, &script, &mut memory, "s");
    let summary = room.session("s").summary;
    assert!((250..=300).contains(&tokens(&summary)), "{}", tokens(&summary));
}

/// Whoever pays for tokens pays for those.
#[test]
fn tokens_of_a_summary_are_counted() {
    let (world, folder) = (World::default(), Folder::new("counted"));
    let mut room = Room::new(&world, &folder);
    room.config.context_tokens = 1200;
    let mut memory = memory(&world, &folder);
    let usage = Usage { input: 100, output: 7 };
    let script = Script::of([Ok(Answer { usage, ..says("A summary.").unwrap() })]);
    let mut summaries = 0;
    for n in 0..10 {
        let mut session = room.session("s");
        let text = format!("Story {n} goes {}", "on and on ".repeat(40));
        script.asked.take();
        let (turn, done) = room.turn(&script, &mut memory, &mut session, &text, false);
        done.unwrap();
        let asked = script.asked.borrow();
        let times = asked.len() as u64;
        assert_eq!(turn.usage, Usage { input: 100 * times, output: 7 * times });
        summaries += asked.iter().filter(|asked| asked.system.contains("summarise")).count();
    }
    assert!(summaries > 0);
}

#[test]
fn a_summary_may_have_more_tokens_than_are_kept_of_it() {
    let (world, folder) = (World::default(), Folder::new("thoughts"));
    let mut room = Room::new(&world, &folder);
    (room.config.context_tokens, room.config.max_tokens) = (1200, 9000);
    let mut memory = memory(&world, &folder);
    let script = Script::of([says("A summary.")]);
    puts_away(&room, &script, &mut memory, "s");
    // A model that reasons would end within few tokens before its first word.
    assert!(script.asked.borrow().iter().all(|asked| asked.max_tokens == 9000));
}
