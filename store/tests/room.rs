//! A memory under a cap: whatever the cap, each call ends, with what it was to do or with its
//! error, and what was committed is there. Rust ends the process where a collection gets no memory,
//! in WebAssembly the instance: so each cap is a process of its own, whose allocator refuses
//! whatever goes beyond it.

#![cfg(not(any(target_family = "wasm", miri)))]

#[path = "support/capped.rs"]
mod capped;
#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;

use capped::{CAP, IN_USE};
use clawft_store::memory::{Budget, Derived, Error, Filter, Memory, MemoryOptions, Recall};
use clawft_store::storage::native::NativeFolder;
use clawft_store::{Error as FileError, Limits, Options, Record};
use support::{NAME, Owned, Random, options};

const DIM: usize = 160;
/// Records before the cap holds.
const EARLIER: u64 = 400;
const LATER: u64 = 120;
/// Is forgotten under the cap.
const GONE: u64 = 3;
/// Has a long text of one word.
const LONG: u64 = 7;
/// A cap under which nothing is refused.
const MOST: usize = 14_000_000;

fn memory_options(capacity: u32) -> MemoryOptions {
    let limits = Limits { fold: 200_000, compact_times: 2, compact_slack: 100_000 };
    let file = Options { dim: Some(DIM as u16), limits, ..options() };
    MemoryOptions { file, capacity, words: 1 << 21, ..MemoryOptions::default() }
}

fn open(folder: &Path) -> Result<Memory, Error> {
    open_with(folder, 600)
}

fn open_with(folder: &Path, capacity: u32) -> Result<Memory, Error> {
    let storage = NativeFolder::new(folder).unwrap();
    Memory::open(Box::new(storage), NAME, &memory_options(capacity), &mut |_, _| {})
}

fn remember(memory: &mut Memory, id: u64, given: &Owned) -> Result<(), Error> {
    let pairs: Vec<(&str, &str)> =
        given.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    memory.remember(&Record {
        id,
        vector: &given.vector,
        text: &given.text,
        kind: &given.kind,
        session: &given.session,
        created: given.created,
        last_used: given.created,
        uses: given.uses,
        importance: 0.0,
        pinned: given.pinned,
        metadata: &pairs,
    })
}

fn owned(random: &mut Random, id: u64) -> Owned {
    // Some of them are long, and some so long that three fill a segment: words, entries and segments
    // grow by steps of many sizes.
    let text = match id {
        id if id.is_multiple_of(80) => 330_000,
        id if id.is_multiple_of(40) => 60_000,
        _ => 300,
    };
    let mut owned = Owned::random(random, DIM, text);
    if id % 16 == 5 {
        owned.metadata = (0..16).map(|i| (format!("key{i:02}"), "v".repeat(3900))).collect();
    }
    owned
}

/// Is this an answer to too little memory? Else the test is to fail.
fn too_little(error: &Error) -> bool {
    matches!(error, Error::Memory | Error::File(FileError::Memory { .. }) | Error::WordsFull { .. })
}

/// What a process does under its cap: all that changes and reads. Prints what it committed.
fn work(folder: &Path, room: usize) {
    let mut random = Random(77);
    let given: Vec<Owned> = (0..LATER).map(|id| owned(&mut random, id)).collect();
    CAP.store(IN_USE.load(Relaxed) + room, Relaxed);
    let mut memory = match open(folder) {
        Ok(memory) => memory,
        Err(error) => {
            assert!(too_little(&error), "open: {error}");
            CAP.store(usize::MAX, Relaxed);
            return println!("refused to open");
        }
    };
    let mut refused = 0;
    let mut done = |what: &str, done: Result<(), Error>| {
        let error = done.err();
        assert!(error.is_none_or(|error| too_little(&error)), "{what}: {error:?}");
        refused += u32::from(error.is_some());
        error.is_none()
    };
    let mut pending = Vec::new();
    for (id, given) in (EARLIER..).zip(&given) {
        if done("remember", remember(&mut memory, id, given)) {
            pending.push(id.to_string());
        }
        if id % 7 == 0 && done("commit", memory.commit(0)) {
            println!("committed {}", pending.join(" "));
            pending.clear();
        }
        if id % 11 == 0 {
            memory.touch(&[id - 300], 1 << 41);
            let budget = Budget { records: 50, bytes: 1 << 20 };
            done("tick", memory.tick(1 << 41, budget).map(drop));
        }
        if id % 5 == 0 {
            let (vector, text) = (Some(&given.vector[..]), Some("tea rain"));
            let recall = Recall { vector, text, k: 20, ..Recall::default() };
            done("recall", memory.recall(&recall).map(drop));
        }
    }
    done("rollback", memory.rollback());
    if done("forget", memory.forget(GONE)) && done("commit", memory.commit(0)) {
        println!("forgotten");
    }
    done("compact", memory.compact(0));
    done("save", memory.save());
    done("close", memory.close(0));
    CAP.store(usize::MAX, Relaxed);
    println!("refused {refused}");
}

/// Runs one test in a process of its own. Gives what it said.
fn in_a_process(test: &str, room: usize, folder: &Path) -> String {
    let done = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("ROOM", room.to_string())
        .env("ROOM_FOLDER", folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{room}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Records that fit: the image needs more working memory than any call leaves over.
const MANY: u32 = 20_000;

/// Makes a change with so much memory left. Gives whether it was made.
fn under_cap(
    memory: &mut Memory,
    room: usize,
    change: &dyn Fn(&mut Memory) -> Result<(), Error>,
) -> bool {
    CAP.store(IN_USE.load(Relaxed) + room, Relaxed);
    let done = change(memory);
    CAP.store(usize::MAX, Relaxed);
    assert!(done.as_ref().err().is_none_or(too_little), "{room}: {done:?}");
    done.is_ok()
}

/// Whether this word finds this record.
fn has_word(memory: &mut Memory, id: u64, word: &str) -> bool {
    let recall = Recall { text: Some(word), ..Recall::default() };
    memory.recall(&recall).unwrap().iter().any(|found| found.id == id)
}

/// Changes a record of a memory that was read from beside, whose image has no working memory yet,
/// with so much left. Gives whether both changes were made.
fn change_one(folder: &Path, id: u64, room: usize) -> (bool, bool) {
    let mut memory = open_with(folder, MANY).unwrap();
    assert_eq!(memory.derived(), Derived::Read);
    let (mut vector, words) = (vec![0.0; DIM], memory.text(id).unwrap());
    memory.vector(id, &mut vector).unwrap();
    let recall = Recall { vector: Some(&vector), k: EARLIER as usize, ..Recall::default() };
    let mut other = owned(&mut Random(room as u64), 1);
    other.vector = vector.iter().map(|x| -x).collect();
    other.text = match id {
        // Each sign is a word, and each pair: the index grows by six times the text.
        LONG => ('\u{4E00}'..'\u{8800}').collect(),
        _ => words.clone(),
    };
    other.text.push_str(" xylophone");

    let replaced = under_cap(&mut memory, room, &|memory| remember(memory, id, &other));
    assert_eq!(memory.text(id).unwrap() == words, !replaced);
    assert_eq!(memory.recall(&recall).unwrap()[0].id == id, !replaced, "{room}");
    assert_eq!(has_word(&mut memory, id, "xylophone"), replaced, "{room}");
    assert_eq!(has_word(&mut memory, id, "xyloid"), id == LONG && !replaced, "{room}");
    drop(memory);

    let mut memory = open_with(folder, MANY).unwrap();
    let forgotten = under_cap(&mut memory, room, &|memory| memory.forget(id));
    assert_eq!(memory.contains(id), !forgotten);
    let found = memory.recall(&recall).unwrap();
    assert_eq!(found.len() as u64, EARLIER - u64::from(forgotten), "{room}");
    assert_eq!(found[0].id == id, !forgotten, "{room}");
    remember(&mut memory, id, &other).unwrap();
    (replaced, forgotten)
}

#[test]
fn a_change_needs_all_its_memory_before_it_begins() {
    if let Ok(folder) = std::env::var("ROOM_FOLDER") {
        for (id, rooms) in [
            (GONE, (60_000..500_000).step_by(4_000)),
            // An old text that takes long to read, and a new one that takes much of the memory.
            (LONG, (100_000..1_300_000).step_by(30_000)),
        ] {
            let all = rooms.map(|room| change_one(Path::new(&folder), id, room));
            let all: Vec<(bool, bool)> = all.collect();
            assert!(all.contains(&(false, false)) && all.contains(&(true, true)), "{all:?}");
        }
        return;
    }
    let folder = std::env::temp_dir().join(format!("clawft-ready-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut memory = open_with(&folder, MANY).unwrap();
    let mut random = Random(6);
    for id in 0..EARLIER {
        let mut given = Owned::random(&mut random, DIM, 300);
        if id == LONG {
            given.text = "xyloid ".repeat(15_000);
        }
        remember(&mut memory, id, &given).unwrap();
    }
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    in_a_process("a_change_needs_all_its_memory_before_it_begins", 0, &folder);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_rollback_that_was_refused_is_made_by_the_next_one() {
    const COUNT: u64 = 20;
    if let Ok(folder) = std::env::var("ROOM_FOLDER") {
        let mut memory = open(Path::new(&folder)).unwrap();
        // There is a long text to be read before the file forgets the changes, and one after that.
        let mut other = owned(&mut Random(9), 1);
        remember(&mut memory, COUNT, &other).unwrap();
        other.text = "xylophone ".repeat(30_000);
        remember(&mut memory, GONE, &other).unwrap();
        memory.forget(LONG).unwrap();
        let mut rooms = (60_000..4_000_000).step_by(50_000);
        let mut refused = 0;
        while !under_cap(&mut memory, rooms.next().unwrap(), &Memory::rollback) {
            refused += 1;
        }
        assert!(refused > 2, "{refused}");
        // As it was committed.
        assert_eq!((memory.len() as u64, memory.contains(COUNT)), (COUNT, false));
        assert!(!has_word(&mut memory, GONE, "xylophone"));
        assert!(has_word(&mut memory, LONG, "xyloid"));
        for id in 0..COUNT {
            let mut vector = vec![0.0; DIM];
            memory.vector(id, &mut vector).unwrap();
            let recall = Recall { vector: Some(&vector), k: 99, ..Recall::default() };
            let found = memory.recall(&recall).unwrap();
            assert_eq!((found.len() as u64, found[0].id), (COUNT, id));
        }
        // And saved as such.
        let image = Path::new(&folder).join(format!("{NAME}.image"));
        std::fs::remove_file(&image).unwrap();
        memory.save().unwrap();
        assert!(image.exists());
        drop(memory);
        assert_eq!(open(Path::new(&folder)).unwrap().derived(), Derived::Read);
        return;
    }
    let folder = std::env::temp_dir().join(format!("clawft-rollback-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut memory = open(&folder).unwrap();
    let mut random = Random(10);
    for id in 0..COUNT {
        let mut given = Owned::random(&mut random, DIM, 300);
        if id == LONG {
            given.text = "xyloid ".repeat(70_000);
        }
        remember(&mut memory, id, &given).unwrap();
    }
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    in_a_process("a_rollback_that_was_refused_is_made_by_the_next_one", 0, &folder);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_filter_needs_all_its_memory_before_it_begins() {
    if let Ok(folder) = std::env::var("ROOM_FOLDER") {
        let mut memory = open(Path::new(&folder)).unwrap();
        let (texts, pairs) = (vec!["fact"; 20_000], vec![("key", "value"); 20_000]);
        for filter in [
            Filter { kinds: Some(&texts), ..Filter::default() },
            Filter { sessions: Some(&texts), ..Filter::default() },
            Filter { metadata: &pairs, ..Filter::default() },
        ] {
            let recall = Recall { text: Some("tea"), filter, ..Recall::default() };
            let all = (80_000..500_000).step_by(4_000).map(|room| {
                CAP.store(IN_USE.load(Relaxed) + room, Relaxed);
                let done = memory.recall(&recall).map(drop);
                CAP.store(usize::MAX, Relaxed);
                assert!(done.as_ref().err().is_none_or(too_little), "{room}: {done:?}");
                done.is_ok()
            });
            let all: Vec<bool> = all.collect();
            assert!(all.contains(&false) && all.contains(&true), "{all:?}");
        }
        return;
    }
    let folder = std::env::temp_dir().join(format!("clawft-filter-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut memory = open(&folder).unwrap();
    let mut random = Random(8);
    for id in 0..20 {
        remember(&mut memory, id, &Owned::random(&mut random, DIM, 300)).unwrap();
    }
    memory.commit(0).unwrap();
    memory.close(0).unwrap();
    in_a_process("a_filter_needs_all_its_memory_before_it_begins", 0, &folder);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn each_cap_is_borne() {
    if let Ok(room) = std::env::var("ROOM") {
        let folder = std::env::var("ROOM_FOLDER").unwrap();
        return work(Path::new(&folder), room.parse().unwrap());
    }
    let origin = std::env::temp_dir().join(format!("clawft-room-{}", std::process::id()));
    let folder = origin.with_extension("work");
    std::fs::create_dir_all(&origin).unwrap();
    let mut memory = open(&origin).unwrap();
    let mut random = Random(5);
    for id in 0..EARLIER {
        remember(&mut memory, id, &owned(&mut random, id)).unwrap();
        memory.commit(0).unwrap();
    }
    memory.close(0).unwrap();

    let step = std::env::var("STEP").map_or(299_993, |step| step.parse().unwrap());
    let mut outcomes = [0, 0, 0];
    for room in (40_000..MOST).step_by(step) {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for file in std::fs::read_dir(&origin).unwrap() {
            let file = file.unwrap();
            // At every other cap without what is derived, so that it is built anew.
            if room % 2 == 1 || !file.file_name().to_string_lossy().ends_with(".image") {
                std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
            }
        }
        let said = in_a_process("each_cap_is_borne", room, &folder);
        let refused = said.lines().find_map(|line| line.strip_prefix("refused "));
        outcomes[match refused.unwrap() {
            "to open" => 0,
            "0" => 2,
            _ => 1,
        }] += 1;

        let memory = open(&folder).unwrap();
        let committed = said.lines().filter_map(|line| line.strip_prefix("committed "));
        let committed = committed.flat_map(str::split_whitespace).map(|id| id.parse().unwrap());
        for id in (0..EARLIER).chain(committed).filter(|&id| id != GONE) {
            assert!(memory.text(id).is_ok(), "{room}: {id} is lost");
        }
        assert_ne!(memory.contains(GONE), said.lines().any(|line| line == "forgotten"), "{room}");
    }
    println!("refused to open, refused something, refused nothing: {outcomes:?}");
    assert!(outcomes.iter().all(|&count| count > 0), "{outcomes:?}");
    for folder in [origin, folder] {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_commit_needs_no_room_for_its_padding() {
    const FOLDER: &str = "ROOM_OF_A_COMMIT";
    if let Ok(folder) = std::env::var(FOLDER) {
        let mut memory = open(Path::new(&folder)).unwrap();
        let mut given = Owned::random(&mut Random(1), DIM, 0);
        // One of the two at least ends at no multiple of 8.
        for (id, more) in [(1, 400_000), (2, 1)] {
            given.text.push_str(&"x".repeat(more));
            remember(&mut memory, id, &given).unwrap();
            // Enough to begin, and less than twice the batch.
            CAP.store(IN_USE.load(Relaxed) + 300_000, Relaxed);
            let done = memory.commit(0);
            CAP.store(usize::MAX, Relaxed);
            done.unwrap();
        }
        return;
    }
    let folder = std::env::temp_dir().join(format!("clawft-room-of-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["a_commit_needs_no_room_for_its_padding", "--exact"])
        .env(FOLDER, &folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said} {}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(open(&folder).unwrap().len(), 2);
    std::fs::remove_dir_all(folder).unwrap();
}
