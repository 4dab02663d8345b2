//! A memory that lies, whatever way it is called, to see that the checks of [`MEMORY`] can fail.

use super::Seen;
use crate::abi::Call;
use crate::memory::{Memories, Options, Question, Record, Records, Stored};
use crate::suite::{MEMORY, Sample};
use std::path::Path;

/// What is done to the calls of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lie {
    /// It is not called, and succeeds.
    Skipped(&'static str),
    /// It is called, and said to have succeeded.
    Praised(&'static str),
    /// Something of what it gives is changed.
    Changed(&'static str),
    /// This condition is taken from a question's filter.
    Without(&'static str),
}

use Lie::{Changed, Praised, Skipped, Without};

/// For a check, a lie.
const LIES: [(&str, Lie); 27] = [
    ("insert, search", Changed("recall")),
    ("insert, search", Changed("get")),
    ("insert, search", Changed("next")),
    ("filters", Without("kinds")),
    ("filters", Without("sessions")),
    ("filters", Without("created")),
    ("filters", Without("used")),
    ("filters", Without("metadata")),
    ("filters", Without("ids")),
    ("remove", Skipped("forget")),
    ("remove", Skipped("compact")),
    ("remove", Changed("contains")),
    ("remove", Changed("recall")),
    ("snapshot", Skipped("save")),
    ("snapshot", Skipped("close")),
    ("bad input", Praised("remember")),
    ("bad input", Praised("recall")),
    ("bad input", Praised("forget")),
    ("bad input", Changed("count")),
    ("full store", Praised("remember")),
    ("full store", Changed("recall")),
    ("full store", Skipped("commit")),
    ("durable file", Skipped("commit")),
    ("durable file", Skipped("rollback")),
    ("durable file", Skipped("compact")),
    ("durable file", Praised("forget")),
    ("durable file", Changed("get")),
];

/// Tells each lie to its check.
pub fn tell(memories: &mut dyn Memories, sample: &Sample) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (name, lie) in LIES {
        let outcome = match MEMORY.iter().find(|check| check.0 == name) {
            None => Err("there is no such check".into()),
            Some((_, check)) => match check(&mut Liars { memories, lie }, sample) {
                Ok(passed) => Err(format!("it passed: {}", passed.note)),
                Err(_) => Ok(()),
            },
        };
        seen.push((format!("{name}: {lie:?}"), outcome));
    }
    seen
}

struct Liars<'a> {
    memories: &'a mut dyn Memories,
    lie: Lie,
}

struct Liar {
    memory: Box<dyn Records>,
    lie: Lie,
}

impl Memories for Liars<'_> {
    fn open(&mut self, folder: &Path, options: &Options) -> Call<Box<dyn Records>> {
        let memory = self.memories.open(folder, options)?;
        Ok(Box::new(Liar { memory, lie: self.lie }))
    }

    fn taken(&self) -> u32 {
        self.memories.taken()
    }
}

impl Liar {
    /// What a call gives, or what the lie makes of it.
    fn told<T: Default>(
        &mut self,
        name: &'static str,
        call: impl FnOnce(&mut dyn Records) -> Call<T>,
        change: impl FnOnce(&mut T),
    ) -> Call<T> {
        match self.lie {
            Skipped(of) if of == name => Ok(T::default()),
            Praised(of) if of == name => Ok(call(&mut *self.memory).unwrap_or_default()),
            Changed(of) if of == name => call(&mut *self.memory).map(|mut given| {
                change(&mut given);
                given
            }),
            _ => call(&mut *self.memory),
        }
    }
}

impl Records for Liar {
    fn remember(&mut self, record: &Record<'_>) -> Call<()> {
        self.told("remember", |memory| memory.remember(record), |()| ())
    }

    fn forget(&mut self, id: u64) -> Call<()> {
        self.told("forget", |memory| memory.forget(id), |()| ())
    }

    fn recall(&mut self, mut question: Question<'_>) -> Call<Vec<(u64, f32)>> {
        match self.lie {
            Without("kinds") => question.filter.kinds = None,
            Without("sessions") => question.filter.sessions = None,
            Without("created") => question.filter.created = None,
            Without("used") => question.filter.used = None,
            Without("metadata") => question.filter.metadata = &[],
            Without("ids") => question.filter.ids = None,
            _ => {}
        }
        let change = |found: &mut Vec<(u64, f32)>| found.iter_mut().for_each(|one| one.0 ^= 1);
        self.told("recall", |memory| memory.recall(question), change)
    }

    fn get(&mut self, id: u64) -> Call<Stored> {
        self.told("get", |memory| memory.get(id), |stored| stored.used ^= 1)
    }

    fn contains(&mut self, id: u64) -> Call<bool> {
        self.told("contains", |memory| memory.contains(id), |is_there| *is_there = !*is_there)
    }

    fn next(&mut self, from: u64) -> Call<Option<u64>> {
        self.told("next", |memory| memory.next(from), |next| *next = next.map(|id| id + 1))
    }

    fn count(&mut self) -> Call<u64> {
        self.told("count", |memory| memory.count(), |count| *count += 1)
    }

    fn commit(&mut self) -> Call<()> {
        self.told("commit", |memory| memory.commit(), |()| ())
    }

    fn rollback(&mut self) -> Call<()> {
        self.told("rollback", |memory| memory.rollback(), |()| ())
    }

    fn save(&mut self) -> Call<()> {
        self.told("save", |memory| memory.save(), |()| ())
    }

    fn compact(&mut self) -> Call<()> {
        self.told("compact", |memory| memory.compact(), |()| ())
    }

    fn close(self: Box<Self>) -> Call<()> {
        if self.lie == Skipped("close") { Ok(()) } else { self.memory.close() }
    }

    fn size(&mut self) -> usize {
        self.memory.size()
    }
}
