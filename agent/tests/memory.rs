//! The agent's memory: what is told stays, what is forgotten is gone, and nothing is written
//! twice.

mod support;

use clawft_agent::config::Config;
use clawft_agent::failure::Exit;
use clawft_agent::memory::{Format, Limits, Memory, NAME, New, Verdict};
use clawft_agent::platform::Clock;
use clawft_agent::session::Gone;
use clawft_store::Lease;
use support::memories::{limits, memory, tell, texts};
use support::turns::{Room, Script, says};
use support::{Folder, WORDS, WordHashes, World};

#[test]
fn what_is_told_is_found_after_a_restart_and_what_is_forgotten_is_gone_from_the_disk() {
    let (world, folder) = (World::default(), Folder::new("restart"));
    let mut first = memory(&world, &folder);
    assert!(texts(&mut first, "tea").is_empty(), "nothing is there, and nothing is made");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
    let tea = tell(&mut first, "Ada drinks oolong tea at five");
    tell(&mut first, "The bicycle is in the cellar");
    first.finish().unwrap();

    let mut second = memory(&world, &folder);
    assert_eq!(texts(&mut second, "oolong")[0], "Ada drinks oolong tea at five");
    assert!(folder.holds("oolong"));
    let gone = second.forget(&[tea.id]).unwrap();
    assert_eq!(gone, [Gone { id: tea.id, text: "Ada drinks oolong tea at five".into() }]);
    assert!(texts(&mut second, "oolong").is_empty());
    second.finish().unwrap();
    assert!(!folder.holds("oolong"), "no byte is left");

    let mut third = memory(&world, &folder);
    assert!(texts(&mut third, "oolong").is_empty());
    assert_eq!(third.forget(&[tea.id]).unwrap_err().exit, Exit::Nothing);
    assert_eq!(texts(&mut third, "bicycle"), ["The bicycle is in the cellar"]);
}

#[test]
fn the_same_is_merged_and_a_contradiction_is_kept() {
    let (world, folder) = (World::default(), Folder::new("merge"));
    let mut memory = memory(&world, &folder);
    let first = tell(&mut memory, "The user lives in Berlin.");
    assert_eq!((first.merged, first.near.len()), (false, 0));
    let again = tell(&mut memory, "The user lives in BERLIN");
    assert_eq!((again.merged, again.id), (true, first.id));
    let moved = tell(&mut memory, "The user lives in Paris.");
    assert!(!moved.merged && moved.id != first.id);
    assert_eq!(moved.near[0].id, first.id, "it is shown beside");
    assert_eq!(memory.stats().unwrap().records, 2);
    let found = memory.recall("where does the user live", 5).unwrap();
    assert!(found.iter().all(|memo| memo.created > 1_764_028_800_000));
    assert_ne!(found[0].created, found[1].created);
    // Told again, it is the later of the two.
    let back = tell(&mut memory, "The user lives in Berlin!");
    assert_eq!((back.merged, back.id), (true, first.id));
    let date = |memory: &mut Memory<'_>, id| memory.get(id).unwrap().unwrap().created;
    let (berlin, paris) = (date(&mut memory, first.id), date(&mut memory, moved.id));
    assert!(berlin > paris, "{berlin} {paris}");
    // What was said before that, and moves here later, is no news.
    let old = New { created: paris - 1, ..New::fact("The user lives in Berlin.") };
    assert!(memory.remember(&old).unwrap().merged);
    assert_eq!(date(&mut memory, first.id), berlin);
    // A date that is still to come, of a clock that ran ahead, gives way.
    world.clock.sleep(1 << 40);
    tell(&mut memory, "The user lives in Berlin!");
    let ahead = date(&mut memory, first.id);
    world.clock.0.set(ahead - (1 << 39));
    tell(&mut memory, "The user lives in Berlin!");
    assert!(date(&mut memory, first.id) < ahead - (1 << 38));
}

#[test]
fn the_later_spelling_counts_and_the_earlier_one_does_not_come_back() {
    let (world, folder) = (World::default(), Folder::new("spelling"));
    let mut memory = memory(&world, &folder);
    let id = tell(&mut memory, "My name is Soren").id;
    let again = tell(&mut memory, "My name is Søren.");
    assert_eq!((again.merged, again.id), (true, id));
    assert_eq!(memory.get(id).unwrap().unwrap().text, "My name is Søren.");
    assert_eq!(texts(&mut memory, "name"), ["My name is Søren."]);
    // A note of before that has the earlier one.
    let old = New { created: 1, ..New::fact("my name is soren") };
    assert!(memory.remember(&old).unwrap().merged);
    let note = folder.0.join("note.txt");
    std::fs::write(&note, "My name is Soren\n").unwrap();
    let done = memory.import(note.to_str().unwrap(), Format::Text, &mut |_| {}).unwrap();
    assert_eq!(done.added, 0);
    assert_eq!(memory.get(id).unwrap().unwrap().text, "My name is Søren.");
    // Of a code each letter counts.
    let code = tell(&mut memory, "The locker code is b7X");
    assert!(!tell(&mut memory, "The locker code is B7x").merged && !code.merged);
    assert_eq!(memory.stats().unwrap().records, 3);
}

#[test]
fn no_more_is_given_at_once_than_there_is_memory_for() {
    let (world, folder) = (World::default(), Folder::new("at-once"));
    let mut memory = memory(&world, &folder);
    let ids: Vec<u64> = (0..70)
        .map(|i| tell(&mut memory, &format!("{i}{i} {}", format!("tea{i} ").repeat(2500))).id)
        .collect();
    // Of each some 12 to 15 KiB, in half a MiB.
    let found = memory.recall("tea1", 100).unwrap();
    let bytes: usize = found.iter().map(|memo| memo.text.len()).sum();
    assert!(bytes < 512 << 10 && (1..45).contains(&found.len()), "{bytes}, {}", found.len());
    let refused = memory.forget(&[&ids[..], &ids[..]].concat()).unwrap_err();
    assert_eq!((refused.exit, memory.stats().unwrap().records), (Exit::Failed, 70));
    assert_eq!(memory.forget(&ids[..30]).unwrap().len(), 30);
}

#[test]
fn verdicts_move_the_importance_within_its_bounds_and_change_nothing_else() {
    let (world, folder) = (World::default(), Folder::new("feedback"));
    let mut first = memory(&world, &folder);
    let tea = tell(&mut first, "Ada drinks oolong tea at five").id;
    for (verdict, expected) in [
        (Verdict::Used, 0.5),
        (Verdict::Cited, 0.5),
        (Verdict::Good, 0.625),
        (Verdict::Bad, 0.5),
        (Verdict::Corrected, 0.25),
        (Verdict::Corrected, 0.0),
        (Verdict::Bad, 0.0),
    ] {
        assert_eq!(first.feedback(tea, verdict), Ok(expected), "{verdict:?}");
    }
    first.finish().unwrap();
    let mut second = memory(&world, &folder);
    assert_eq!(second.feedback(tea, Verdict::Good), Ok(0.125), "it was kept");
    for _ in 0..9 {
        second.feedback(tea, Verdict::Good).unwrap();
    }
    assert_eq!(second.feedback(tea, Verdict::Used), Ok(1.0));
    assert_eq!(texts(&mut second, "oolong"), ["Ada drinks oolong tea at five"]);
    assert_eq!(second.feedback(tea + 1, Verdict::Good).unwrap_err().exit, Exit::Nothing);
}

#[test]
fn a_corrected_memory_is_found_in_its_new_form_only() {
    let (world, folder) = (World::default(), Folder::new("correct"));
    let mut memory = memory(&world, &folder);
    let old = tell(&mut memory, "The meeting is on Tuesday");
    memory.pin(old.id, true).unwrap();
    memory.correct(old.id, "The meeting is on Thursday").unwrap();
    assert_eq!(texts(&mut memory, "meeting"), ["The meeting is on Thursday"]);
    let memo = memory.get(old.id).unwrap().unwrap();
    assert!(memo.pinned && memo.text.ends_with("Thursday"));
    // Told once more it is meant, and both stand there with their dates.
    let again = tell(&mut memory, "The meeting is on Tuesday");
    assert!(!again.merged && again.id != old.id);
    memory.compact().unwrap();
    assert_eq!(memory.correct(1, "x").unwrap_err().exit, Exit::Nothing);
}

#[test]
fn secrets_are_taken_out_before_anything_is_written() {
    let (world, folder) = (World::default(), Folder::new("secrets"));
    let mut memory = memory(&world, &folder);
    let done = tell(&mut memory, "The staging key is sk-abcdefghijklmnopqrstuv");
    assert_eq!(done.redacted, 1);
    memory.correct(done.id, "Now it is sk-zyxwvutsrqponmlkjihgfe").unwrap();
    memory.finish().unwrap();
    assert!(!folder.holds("sk-abcdef") && !folder.holds("sk-zyx") && folder.holds("[secret]"));
}

#[test]
fn another_embedder_is_refused_with_what_to_do() {
    let (world, folder) = (World::default(), Folder::new("embedder"));
    let mut first = memory(&world, &folder);
    tell(&mut first, "one");
    first.finish().unwrap();
    let other = WordHashes { id: "test-words-2", dim: 96 };
    let limits = Limits::from(&Config::default());
    let mut second = Memory::new(&world.platform(), folder.path(), Ok(&other), limits);
    for failure in
        [second.recall("one", 1).unwrap_err(), second.remember(&New::fact("two")).unwrap_err()]
    {
        assert_eq!(failure.exit, Exit::Embedder);
        assert!(failure.sentence.contains("test-words-1 with 64 components"), "{failure}");
        assert!(failure.sentence.contains("clawft reembed"), "{failure}");
    }
}

#[test]
fn two_programs_write_by_turns_and_see_each_other() {
    let (world, folder) = (World::default(), Folder::new("two"));
    let mut one = memory(&world, &folder);
    let mut two = memory(&world, &folder);
    for n in 0..10 {
        tell(&mut one, &format!("apple number {n}"));
        tell(&mut two, &format!("pear number {n}"));
        assert_eq!(one.stats().unwrap().records, 2 * (n + 1));
    }
    let id = tell(&mut one, "plum").id;
    assert_eq!(texts(&mut two, "plum")[0], "plum");
    one.forget(&[id]).unwrap();
    assert!(!texts(&mut two, "plum").contains(&"plum".to_string()));
    one.finish().unwrap();
    two.finish().unwrap();
    assert_eq!(memory(&world, &folder).stats().unwrap().records, 20);
}

#[test]
fn a_lease_that_is_held_is_waited_for_and_one_that_stays_is_a_sentence() {
    let (world, folder) = (World::default(), Folder::new("lease"));
    let mut memory = memory(&world, &folder);
    tell(&mut memory, "one");
    let storage = world.files.storage(folder.path()).unwrap();
    let now = world.clock.0.get();
    // Of a program that was killed: it runs out while it is waited for.
    Lease::take(&*storage, "memory.rvf", 1, now, 3000).unwrap();
    tell(&mut memory, "two");
    let now = world.clock.0.get();
    Lease::take(&*storage, "memory.rvf", 2, now, 1_000_000).unwrap();
    let failure = memory.remember(&New::fact("three")).unwrap_err();
    assert_eq!(failure.exit, Exit::Busy, "{failure}");
    assert_eq!(memory.stats().unwrap().records, 2);
}

#[test]
fn a_damaged_file_is_not_opened_and_not_touched() {
    let (world, folder) = (World::default(), Folder::new("damaged"));
    let mut first = memory(&world, &folder);
    for n in 0..20 {
        tell(&mut first, &format!("sentence number {n}"));
    }
    first.finish().unwrap();
    let path = folder.0.join("memory.rvf");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, &bytes).unwrap();
    let mut second = memory(&world, &folder);
    for failure in
        [second.recall("one", 1).unwrap_err(), second.remember(&New::fact("two")).unwrap_err()]
    {
        assert_eq!(failure.exit, Exit::Damaged, "{failure}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// As behind a link to a disk that is unplugged: an export that is empty would be taken for a backup.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_looked_at_is_no_empty_memory() {
    let (world, folder) = (World::default(), Folder::new("elsewhere"));
    std::os::unix::fs::symlink("memory.rvf", folder.0.join("memory.rvf")).unwrap();
    let mut memory = memory(&world, &folder);
    for failure in [
        memory.recall("tea", 3).unwrap_err(),
        memory.export(&mut |_| ()).map(drop).unwrap_err(),
        memory.remember(&New::fact("Ada drinks tea")).map(drop).unwrap_err(),
        memory.compact().unwrap_err(),
    ] {
        assert_eq!(failure.exit, Exit::Failed, "{failure}");
        assert!(failure.sentence.contains("memory.rvf: "), "{failure}");
    }
    assert!(!folder.0.join("memory.json").exists());
}

#[test]
fn long_vectors_take_fewer_records_instead_of_more_memory() {
    let (world, folder) = (World::default(), Folder::new("long"));
    let long = WordHashes { id: "test-long", dim: 1536 };
    let limits = Limits::from(&Config::default());
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&long), limits);
    tell(&mut memory, "one");
    memory.finish().unwrap();
    let small = memory.stats().unwrap();
    assert!(small.image < 1 << 20, "a small memory is small: {small:?}");
    // As if it had grown: not all would fit, in full or cold.
    let path = folder.0.join("memory.json");
    let json = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, json.replace("512", "20000")).unwrap();
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&long), limits);
    let stats = memory.stats().unwrap();
    assert!(stats.image <= limits.image, "{stats:?}");
    assert!((1000..10_000).contains(&stats.capacity), "{stats:?}");
    assert!(!texts(&mut memory, "one").is_empty());
}

#[test]
fn a_memory_grows_until_it_is_full() {
    let (world, folder) = (World::default(), Folder::new("full"));
    let limits = Limits { capacity: 600, ..Limits::from(&Config::default()) };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    for n in 0..600 {
        tell(&mut memory, &format!("thing {n} is number {}", n * 7919 % 1000));
    }
    let failure = memory.remember(&New::fact("one too many")).unwrap_err();
    assert!(failure.exit == Exit::Failed && failure.sentence.contains("600"), "{failure}");
    assert_eq!(memory.stats().unwrap().records, 600);
    memory.finish().unwrap();
    assert!(texts(&mut memory, "thing 599").contains(&"thing 599 is number 481".to_string()));
}

#[test]
fn a_full_memory_may_forget_what_is_in_use_least() {
    let (world, folder) = (World::default(), Folder::new("evict"));
    let limits = Limits { capacity: 320, evict: true, ..Limits::from(&Config::default()) };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    let hour = 3_600_000;
    let mut ids = Vec::new();
    for n in 0..320 {
        ids.push(tell(&mut memory, &format!("thing {n} is number {}", n * 7919 % 1000)).id);
        world.clock.0.set(world.clock.0.get() + hour);
    }
    assert_eq!(memory.evicted(), None);
    // Of the eldest ten, one is pinned and two were used.
    memory.pin(ids[3], true).unwrap();
    memory.touch(&[ids[5], ids[6], ids[6]]);
    let new = tell(&mut memory, "one more");
    assert_eq!(memory.stats().unwrap().records, 301, "a sixteenth went at once");
    let said = memory.evicted().unwrap();
    assert_eq!(said, "the memory was full: the 20 memories in use least were forgotten");
    assert_eq!(memory.evicted(), None, "it is said once");
    let mut there = |id: u64| memory.get(id).unwrap().is_some();
    assert!(there(new.id) && there(ids[3]) && there(ids[5]) && there(ids[6]));
    let gone: Vec<usize> = (0..320).filter(|n| !there(ids[*n])).collect();
    let eldest: Vec<usize> = (0..23).filter(|n| ![3, 5, 6].contains(n)).collect();
    assert_eq!(gone, eldest);

    // An import brings more than there is room for at once; what is pinned is never touched.
    let path = format!("{}/more.jsonl", folder.path());
    let lines: String = (0..500).map(|n| format!("{{\"text\": \"line {n} of many\"}}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    assert_eq!(memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap().added, 500);
    assert!(memory.evicted().is_some() && memory.stats().unwrap().records <= 320);
    assert!(memory.get(ids[3]).unwrap().is_some());
    memory.finish().unwrap();

    // With nothing but pinned memories, it refuses as without the option.
    let folder = Folder::new("evict-pinned");
    let limits = Limits { capacity: 16, ..limits };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    for n in 0..16 {
        let text = format!("pinned {n}");
        memory.remember(&New { pinned: true, ..New::fact(&text) }).unwrap();
    }
    let failure = memory.remember(&New::fact("one too many")).unwrap_err();
    assert!(failure.sentence.contains("the memory is full (16 records)"), "{failure}");
    assert_eq!((memory.stats().unwrap().records, memory.evicted()), (16, None));
}

#[test]
fn what_answers_cite_is_in_use_whether_or_not_they_change_anything() {
    let world = World::default();
    let limits = Limits { capacity: 16, evict: true, ..limits() };
    for (asked, others) in
        [("What is the cat called?", 15), ("My name is Ada. What is the cat called?", 14)]
    {
        let folder = Folder::new("cited");
        let room = Room::new(&world, &folder);
        let open = || Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
        let mut first = open();
        let cat = tell(&mut first, "The cat is called Miro").id;
        for n in 0..others {
            world.clock.sleep(3_600_000);
            tell(&mut first, &format!("thing {n}: number {}", n * 7919 % 1000));
        }
        first.finish().unwrap();
        let script = Script::of([says(&format!("Miro [{cat}]."))]);
        for day in ["monday", "tuesday"] {
            let mut asking = open();
            let mut session = room.session(day);
            let (turn, done) = room.turn(&script, &mut asking, &mut session, asked, false);
            done.unwrap();
            assert_eq!(turn.cited, [cat]);
            asking.finish().unwrap();
        }
        let mut last = open();
        tell(&mut last, "one more");
        assert!(last.evicted().is_some() && last.get(cat).unwrap().is_some(), "{asked}");
        last.finish().unwrap();
        // While another one writes, nobody waits for a use, and nothing fails.
        let storage = world.files.storage(folder.path()).unwrap();
        let _theirs = Lease::take(&*storage, NAME, 1, world.clock.now(), 1_000_000).unwrap();
        let mut late = open();
        assert!(late.get(cat).unwrap().is_some());
        late.touch(&[cat]);
        let begin = world.clock.now();
        late.finish().unwrap();
        assert!(world.clock.now() < begin + 50);
    }
}
