//! Room in a full memory: what is being changed stays, and what is taken away is of use.

mod support;

use clawft_agent::memory::{Format, Imported, Limits, Memory, New, Verdict};
use clawft_agent::platform::Clock;
use support::memories::{limits, tell};
use support::{Folder, WORDS, World};

/// The memory in use least is as a rule the one that somebody has to put right: it must not make room for
/// its own correction.
#[test]
fn a_memory_that_is_changed_makes_no_room_for_itself() {
    let world = World::default();
    for what in ["corrected", "pinned", "praised"] {
        let folder = Folder::new("evict-changed");
        let open = |limits| Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
        let mut wide = open(limits());
        let id = tell(&mut wide, "The key of the shed is under the mat").id;
        for n in 0..200 {
            world.clock.sleep(60_000);
            let words: String = (0..60).map(|i| format!(" w{}x", n * 60 + i)).collect();
            tell(&mut wide, &format!("line {n}{words}"));
        }
        wide.finish().unwrap();
        // What is there takes more than this: whatever is put again needs room.
        let mut narrow = open(Limits { words: 64 << 10, evict: true, ..limits() });
        match what {
            "corrected" => narrow.correct(id, "The key of the shed hangs behind the door"),
            "pinned" => narrow.pin(id, true),
            _ => narrow.feedback(id, Verdict::Good).map(drop),
        }
        .unwrap();
        assert!(narrow.evicted().is_some(), "{what}: nothing had to make room");
        let text = narrow.get(id).unwrap().unwrap().text;
        assert_eq!(text.contains("behind the door"), what == "corrected", "{text}");
    }
}

/// Half of a small memory is fewer than a batch of an import.
#[test]
fn an_import_into_a_small_memory_comes_in_and_what_is_pinned_stays() {
    let world = World::default();
    for (capacity, pinned) in [(1, 0), (3, 2), (40, 0), (40, 39)] {
        let folder = Folder::new("evict-small");
        let limits = Limits { capacity, evict: true, ..limits() };
        let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
        let mut ids = Vec::new();
        for n in 0..capacity {
            let text = format!("thing {n} is number {}", n * 7919 % 1000);
            let new = New { pinned: n < pinned, ..New::fact(&text) };
            ids.push(memory.remember(&new).unwrap().id);
        }
        let path = format!("{}/more.jsonl", folder.path());
        let line = |n| format!("{{\"text\": \"line {n} of many\"}}\n");
        std::fs::write(&path, (0..70).map(line).collect::<String>()).unwrap();
        let done = memory.import(&path, Format::JsonLines, &mut |_| {}).unwrap();
        assert_eq!(done.added, 70, "{capacity} {pinned}");
        let mut there = |id: u64| memory.get(id).unwrap().is_some();
        assert!(ids[..pinned as usize].iter().all(|id| there(*id)), "{capacity} {pinned}");
        let left = memory.stats().unwrap().records;
        assert!(left > u64::from(pinned) && left <= u64::from(capacity), "{left} of {capacity}");
        assert!(memory.recall("line 69 of many", 3).unwrap()[0].text.contains("69"));
    }
}

/// What was counted of a batch that did not get in is not in.
#[test]
fn an_import_counts_what_is_in_when_it_breaks_off() {
    let (world, folder) = (World::default(), Folder::new("import-full"));
    let limits = Limits { capacity: 40, ..limits() };
    let mut memory = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    let path = format!("{}/more.jsonl", folder.path());
    let line = |n| format!("{{\"text\": \"line {n} of many\"}}\n");
    std::fs::write(&path, (0..64).map(line).collect::<String>()).unwrap();
    let mut done = Imported::default();
    let failed = memory.import_too(&path, Format::JsonLines, &mut done, &mut |_| {});
    assert!(failed.unwrap_err().sentence.contains("the memory is full"));
    assert_eq!((done.added as u64, memory.stats().unwrap().records), (32, 32));
}
