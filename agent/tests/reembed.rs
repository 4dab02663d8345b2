//! A memory whose vectors are made anew by another embedder, in a file of its own.

mod support;

use clawft_agent::config::Config;
use clawft_agent::embed::Embedder;
use clawft_agent::failure::{Exit, Failure};
use clawft_agent::memory::{Limits, Memory, NAME};
use clawft_agent::platform::{Clock, Platform};
use clawft_store::Lease;
use support::memories::{limits, memory, tell, texts};
use support::{Folder, WORDS, WordHashes, World};

#[test]
fn another_embedder_makes_all_vectors_anew_even_when_it_is_interrupted() {
    let (world, folder) = (World::default(), Folder::new("reembed"));
    let mut first = memory(&world, &folder);
    let id = tell(&mut first, "The bicycle is in the cellar").id;
    for n in 0..50 {
        tell(&mut first, &format!("sentence number {n}"));
    }
    first.pin(id, true).unwrap();
    first.finish().unwrap();
    let other = WordHashes { id: "test-words-2", dim: 96 };
    let limits = Limits::from(&Config::default());
    let mut second = Memory::new(&world.platform(), folder.path(), Ok(&other), limits);
    let mut seen = 0;
    assert_eq!(second.reembed(&mut |done, all| seen = done * 1000 + all).unwrap(), 51);
    assert_eq!(seen, 51_051);
    let found = second.recall("bicycle", 3).unwrap();
    assert!(found[0].id == id && found[0].pinned);
    assert_eq!(second.stats().unwrap().dim, 96);
    second.finish().unwrap();

    // As a crash leaves it: the new file is whole, memory.json says so, nothing is in its place.
    let whole = std::fs::read(folder.0.join("memory.rvf")).unwrap();
    let json = std::fs::read_to_string(folder.0.join("memory.json")).unwrap();
    let mut back = memory(&world, &folder);
    back.reembed(&mut |_, _| {}).unwrap();
    std::fs::write(folder.0.join("memory.fresh.rvf"), whole).unwrap();
    std::fs::write(folder.0.join("memory.json"), json.replace("false", "true")).unwrap();
    let mut third = Memory::new(&world.platform(), folder.path(), Ok(&other), limits);
    assert_eq!(third.recall("bicycle", 3).unwrap()[0].id, id);
    assert_eq!(third.stats().unwrap().records, 51);
    assert!(!folder.0.join("memory.fresh.rvf").exists());
}

/// Uses stand in no record: what a memory was used for months must not go first because its vectors are new.
#[test]
fn uses_outlive_a_new_embedder() {
    let (world, folder) = (World::default(), Folder::new("reembed-uses"));
    let limits = Limits { capacity: 16, evict: true, ..limits() };
    let open = |embedder| Memory::new(&world.platform(), folder.path(), Ok(embedder), limits);
    let mut first = open(&WORDS);
    let mut ids = Vec::new();
    for n in 0..16 {
        world.clock.sleep(3_600_000);
        ids.push(tell(&mut first, &format!("thing {n}: number {}", n * 7919 % 1000)).id);
    }
    (0..20).for_each(|_| first.touch(&ids[..1]));
    first.finish().unwrap();
    let other = WordHashes { id: "test-words-3", dim: 96 };
    let mut second = open(&other);
    assert_eq!(second.reembed(&mut |_, _| {}).unwrap(), 16);
    tell(&mut second, "one more");
    assert!(second.evicted().is_some());
    let mut there = |id: u64| second.get(id).unwrap().is_some();
    assert!(there(ids[0]) && !there(ids[1]));
}

/// An endpoint that answers once.
struct Once(std::cell::Cell<bool>);

impl Embedder for Once {
    fn id(&self) -> &str {
        "once"
    }

    fn dim(&self) -> usize {
        WORDS.dim
    }

    fn embed(&self, at: &Platform<'_>, texts: &[&str], into: &mut [f32]) -> Result<(), Failure> {
        if self.0.replace(true) {
            return Err(Failure::new(Exit::Embedder, "no more"));
        }
        WORDS.embed(at, texts, into)
    }
}

#[test]
fn no_text_stays_in_a_new_file_that_takes_no_place() {
    let (world, folder) = (World::default(), Folder::new("left"));
    let mut first = memory(&world, &folder);
    let id = tell(&mut first, "The bicycle is in the cellar").id;
    for n in 0..40 {
        tell(&mut first, &format!("sentence number {n}"));
    }
    first.finish().unwrap();
    let left = || {
        let names = std::fs::read_dir(&folder.0).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("fresh")).count()
    };
    let once = Once(std::cell::Cell::new(false));
    let limits = Limits::from(&Config::default());
    let mut second = Memory::new(&world.platform(), folder.path(), Ok(&once), limits);
    let mut seen = 0;
    second.reembed(&mut |done, _| seen = done.max(left())).unwrap_err();
    assert!(seen > 0 && left() == 0);
    // As a killed program leaves it.
    std::fs::copy(folder.0.join("memory.rvf"), folder.0.join("memory.fresh.rvf")).unwrap();
    std::fs::write(folder.0.join("memory.fresh.rvf.journal"), "The bicycle").unwrap();
    memory(&world, &folder).forget(&[id]).unwrap();
    assert!(left() == 0 && !folder.holds("bicycle"));
}

#[test]
fn vectors_too_long_for_all_memories_are_refused_before_any_is_made() {
    let (world, folder) = (World::default(), Folder::new("too-long"));
    let limits = Limits { image: 128 << 10, ..limits() };
    let mut first = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    for n in 0..100 {
        tell(&mut first, &format!("sentence number {n}"));
    }
    first.finish().unwrap();
    let long = WordHashes { id: "test-long", dim: 1536 };
    let mut second = Memory::new(&world.platform(), folder.path(), Ok(&long), limits);
    let failure = second.reembed(&mut |_, _| panic!("some were made")).unwrap_err();
    assert_eq!(failure.exit, Exit::Failed, "{failure}");
    for said in ["100 memories of 1536 components need ", " KiB: raise memory.image_kib"] {
        assert!(failure.sentence.contains(said), "{failure}");
    }
    assert!(!folder.0.join("memory.fresh.rvf").exists());
    let mut third = Memory::new(&world.platform(), folder.path(), Ok(&WORDS), limits);
    assert!(texts(&mut third, "sentence 7").contains(&"sentence number 7".to_string()));
    // As many as fit when all are cold can be opened.
    let limits = Limits { image: 256 << 10, ..limits };
    let mut second = Memory::new(&world.platform(), folder.path(), Ok(&long), limits);
    assert_eq!(second.reembed(&mut |_, _| {}).unwrap(), 100);
    let stats = second.stats().unwrap();
    assert!(stats.image <= limits.image && stats.capacity >= 100, "{stats:?}");
}

/// An endpoint that takes its time.
struct Slow;

impl Embedder for Slow {
    fn id(&self) -> &str {
        "slow"
    }

    fn dim(&self) -> usize {
        WORDS.dim
    }

    fn embed(&self, at: &Platform<'_>, texts: &[&str], into: &mut [f32]) -> Result<(), Failure> {
        at.clock.sleep(20_000);
        WORDS.embed(at, texts, into)
    }
}

#[test]
fn vectors_are_made_anew_however_long_each_batch_takes() {
    let (world, folder) = (World::default(), Folder::new("slow"));
    let mut first = memory(&world, &folder);
    for n in 0..40 {
        tell(&mut first, &format!("sentence number {n}"));
    }
    first.finish().unwrap();
    let limits = Limits::from(&Config::default());
    let mut slow = Memory::new(&world.platform(), folder.path(), Ok(&Slow), limits);
    assert_eq!(slow.reembed(&mut |_, _| {}).unwrap(), 40);
    // Somebody who takes the lease meanwhile has it.
    let mut again = memory(&world, &folder);
    let storage = world.files.storage(folder.path()).unwrap();
    let mut theirs = None;
    let failure = slow
        .reembed(&mut |_, _| {
            let now = world.clock.now() + 5000;
            theirs = theirs.take().or_else(|| Lease::take(&*storage, NAME, 7, now, 60_000).ok());
        })
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Busy, "{failure}");
    theirs.unwrap().release(&*storage).unwrap();
    assert_eq!(again.recall("sentence", 3).unwrap_err().exit, Exit::Embedder, "it is as it was");
    assert_eq!(slow.stats().unwrap().records, 40);
}
