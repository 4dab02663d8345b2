//! Room in a full memory: what is being changed stays.

mod support;

use clawft_agent::memory::{Limits, Memory, Verdict};
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
