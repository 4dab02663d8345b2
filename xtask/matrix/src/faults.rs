//! An engine that lies, to see that the checks can fail.
//!
//! Each lie is about one export: its result is changed, or what it wrote, or it is not called at all.
//! The check that the lie is for must not pass. [`memory`] does the same one level higher, where there is
//! no export to lie about.

pub mod memory;

use crate::Kind;
use crate::guest::{Engine, Guest, Outside, Value};
use crate::suite::{Sample, checks};

/// What is done to the calls of an export.
#[derive(Debug, Clone, Copy)]
enum Lie {
    /// It is not called, and succeeds.
    Skipped,
    /// It is called, and said to have succeeded.
    Praised,
    /// The word at its argument of this number is cleared before the call, so far behind it.
    Cleared(usize, u32),
    /// The word there is changed after the call.
    Changed(usize, u32),
}

/// For a check, a lie about an export.
type Fault = (&'static str, &'static str, Lie);

const KERNEL: [Fault; 18] = [
    // The nearest is another one.
    ("insert, search", "clawft_search", Lie::Changed(4, 0)),
    // One result fewer.
    ("insert, search", "clawft_search", Lie::Changed(6, 0)),
    ("metrics, encodings", "clawft_search", Lie::Changed(4, 0)),
    ("other calls", "clawft_get", Lie::Changed(2, 0)),
    ("other calls", "clawft_get_batch", Lie::Changed(3, 0)),
    ("other calls", "clawft_ids", Lie::Changed(1, 0)),
    ("other calls", "clawft_search_range", Lie::Changed(7, 0)),
    ("other calls", "clawft_set_ef", Lie::Skipped),
    ("other calls", "clawft_set_scan_limit", Lie::Skipped),
    ("other calls", "clawft_upsert_batch", Lie::Skipped),
    ("other calls", "clawft_set_replace_deleted", Lie::Skipped),
    // The filter is not looked at.
    ("filters", "clawft_search", Lie::Cleared(3, 16)),
    ("remove", "clawft_remove", Lie::Skipped),
    ("remove", "clawft_verify", Lie::Changed(1, 8)),
    ("snapshot", "clawft_open", Lie::Praised),
    ("snapshot", "clawft_snapshot", Lie::Changed(1, 4096)),
    ("bad input", "clawft_search", Lie::Praised),
    ("full store", "clawft_insert", Lie::Praised),
];

const STORE: [Fault; 8] = [
    ("insert, search", "clawft_recall", Lie::Changed(2, 0)),
    ("filters", "clawft_recall", Lie::Cleared(1, 44)),
    ("remove", "clawft_compact", Lie::Skipped),
    ("remove", "clawft_forget", Lie::Skipped),
    ("snapshot", "clawft_memory_close", Lie::Skipped),
    ("bad input", "clawft_remember", Lie::Praised),
    ("full store", "clawft_commit", Lie::Praised),
    ("durable file", "clawft_commit", Lie::Skipped),
];

const AGENT: [Fault; 7] = [
    ("insert, search", "clawft_output", Lie::Skipped),
    ("bad input", "clawft_run", Lie::Praised),
    ("remove", "clawft_run", Lie::Praised),
    ("full store", "clawft_run", Lie::Praised),
    ("durable file", "clawft_run", Lie::Skipped),
    ("chat turn", "clawft_run", Lie::Skipped),
    ("chat turn that fails", "clawft_run", Lie::Praised),
];

/// What became of a lie: the check with its export, and an error where the check passed.
pub type Seen = (String, Result<(), String>);

/// Tells each lie for a kind of module.
pub(crate) fn tell(engine: &mut dyn Engine, kind: Kind, sample: &Sample) -> Vec<Seen> {
    let faults: &[Fault] = match kind {
        Kind::Kernel => &KERNEL,
        Kind::Store => &STORE,
        Kind::Agent => &AGENT,
    };
    let mut seen = Vec::new();
    for (name, export, lie) in faults {
        let what = format!("{name}: {export} {lie:?}");
        let outcome = match checks(kind).iter().find(|check| check.0 == *name) {
            None => Err("there is no such check".into()),
            Some((_, check)) => match check(&mut Liar { engine, export, lie: *lie }, sample) {
                Ok(passed) => Err(format!("it passed: {}", passed.note)),
                Err(_) => Ok(()),
            },
        };
        seen.push((what, outcome));
    }
    seen
}

struct Liar<'a> {
    engine: &'a mut dyn Engine,
    export: &'static str,
    lie: Lie,
}

struct LyingGuest {
    guest: Box<dyn Guest>,
    export: &'static str,
    lie: Lie,
}

impl Engine for Liar<'_> {
    fn instantiate(&mut self, outside: Outside) -> Result<Box<dyn Guest>, String> {
        let guest = self.engine.instantiate(outside)?;
        Ok(Box::new(LyingGuest { guest, export: self.export, lie: self.lie }))
    }
}

impl LyingGuest {
    /// Changes a word, if the argument is an address of one.
    fn word(&mut self, arguments: &[Value], argument: usize, behind: u32, change: fn(u32) -> u32) {
        let Some(Value::I32(at)) = arguments.get(argument) else { return };
        let place = at.wrapping_add(behind) as usize;
        if let Some(bytes) = self.guest.memory().get_mut(place..place.saturating_add(4)) {
            let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bytes.copy_from_slice(&change(word).to_le_bytes());
        }
    }
}

impl Guest for LyingGuest {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<u64, String> {
        if name != self.export {
            return self.guest.call(name, arguments);
        }
        match self.lie {
            Lie::Skipped => Ok(0),
            Lie::Praised => self.guest.call(name, arguments).map(|_| 0),
            Lie::Cleared(argument, behind) => {
                self.word(arguments, argument, behind, |_| 0);
                self.guest.call(name, arguments)
            }
            Lie::Changed(argument, behind) => {
                let outcome = self.guest.call(name, arguments);
                self.word(arguments, argument, behind, |word| word ^ 1);
                outcome
            }
        }
    }

    fn memory(&mut self) -> &mut [u8] {
        self.guest.memory()
    }
}
