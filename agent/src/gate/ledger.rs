//! What the gate keeps beside the memory: the evidence of claims, and a log of its decisions.
//!
//! `DATA/gate.json`, at most [`MOST_CLAIMS`] claims and [`MOST_ENTRIES`] decisions, the oldest of
//! which goes. No text stands in it: what was forgotten or denied must not live on there.
//!
//! The file is replaced whole: of two programs that write at once, the later one undoes what
//! the other noted since it read the file. Lines of the log and evidence may be lost so, never
//! a memory.
//!
//! What it must never do: hold a text, or take a damaged file for an empty one: all evidence
//! would be gone without a word.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Claim, Decision, Evidence, Gate, MOST_CLAIMS, Settings, Source, Verdict};
use crate::failure::{Exit, Failure};
use crate::json::{self, Json, Value};
use crate::platform::{FileError, Platform};

/// Decisions that the log has.
pub const MOST_ENTRIES: usize = 128;
const VERSION: u64 = 1;
/// Most bytes of the file, and values in it: more than it ever has.
const MOST: u64 = 64 << 10;
const MOST_VALUES: usize = 4096;
/// Stands for no evidence at all, where a sort of source did not speak.
const SILENT: u64 = 255;

/// A decision in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, ms since 1970.
    pub at: u64,
    /// `write`, or the name of the tool.
    pub what: String,
    /// Who wanted it.
    pub source: Source,
    /// What was decided.
    pub verdict: Verdict,
    /// Evidence, a bit each.
    pub evidence: u8,
    /// The e-value of the claim, in thousandths.
    pub e: u64,
    /// The memory that it is about; 0: none.
    pub id: u64,
    /// The memory that it denies or differs from; 0: none.
    pub against: u64,
}

impl Entry {
    /// The line of a decision.
    #[must_use]
    pub fn new(at: u64, what: &str, source: Source, id: u64, decision: &Decision) -> Self {
        let Decision { verdict, evidence, e, against, .. } = *decision;
        let against = against.unwrap_or(0);
        Self { at, what: what.to_owned(), source, verdict, evidence, e, id, against }
    }

    /// Why, in words, with the numbers that it was decided by.
    #[must_use]
    pub fn reason(&self, settings: &Settings) -> String {
        let mut out = String::new();
        for evidence in Evidence::ALL {
            if self.evidence & evidence.bit() != 0 {
                out.push_str(if out.is_empty() { "it " } else { ", it " });
                out.push_str(evidence.sentence());
                if self.against != 0 && matches!(evidence, Evidence::Denies | Evidence::Differs) {
                    out.push_str(&format!(" {}", self.against));
                }
            }
        }
        if out.is_empty() {
            out.push_str(match self.verdict {
                Verdict::Permit => "nothing speaks against it",
                _ => "this claim is in doubt already",
            });
        }
        let deny = 1_000_000 / u64::from(settings.alpha.max(1));
        let tenth = |number: u64| format!("{}.{}", number / 1000, number % 1000 / 100);
        let (e, defer, deny) = (tenth(self.e), tenth(settings.defer.into()), tenth(deny));
        format!("{out} (e-value {e}; deferred from {defer}, denied from {deny})")
    }
}

/// What the gate knows between calls, as `gate.json` keeps it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The gate with its claims.
    pub gate: Gate,
    /// The log, the oldest first.
    pub log: Vec<Entry>,
}

fn path(data: &str) -> String {
    format!("{data}/gate.json")
}

impl Ledger {
    /// Reads it from the data folder; an empty one where there is none.
    ///
    /// # Errors
    /// [`Exit::Damaged`], [`Exit::Failed`].
    pub fn load(platform: &Platform<'_>, data: &str, settings: Settings) -> Result<Self, Failure> {
        let path = path(data);
        let mut ledger = Self { gate: Gate::new(settings), log: Vec::new() };
        let bytes = match platform.files.read(&path, MOST) {
            Ok(bytes) => bytes,
            Err(FileError::NotFound) => return Ok(ledger),
            Err(error) => return Err(Failure::of_file(&path, &error)),
        };
        match ledger.read(&bytes) {
            Some(()) => Ok(ledger),
            None => Err(Failure::new(
                Exit::Damaged,
                format!("{path}: this is no log of the gate: `clawft gate reset` makes it anew"),
            )),
        }
    }

    /// Takes what [`print`](Self::print) gave. `None` for anything else.
    pub fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let value = json::read(bytes, MOST_VALUES).ok()?;
        if value["version"].as_u64() != Some(VERSION) {
            return None;
        }
        let (claims, log) = (value["claims"].as_list()?, value["log"].as_list()?);
        if claims.len() > MOST_CLAIMS || log.len() > MOST_ENTRIES {
            return None;
        }
        self.gate.claims = claims.iter().map(claim).collect::<Option<_>>()?;
        self.log = log.iter().map(entry).collect::<Option<_>>()?;
        Some(())
    }

    /// What is written.
    #[must_use]
    pub fn print(&self) -> String {
        let mut json = Json::object();
        json.count("version", VERSION);
        json.begin("claims", '[');
        for claim in &self.gate.claims {
            json.open('[');
            json.number(claim.key);
            let seen = |seen: &Option<u8>| seen.map_or(SILENT, u64::from);
            claim.seen.iter().for_each(|one| json.number(seen(one)));
            json.close(']');
        }
        json.close(']');
        json.begin("log", '[');
        for entry in &self.log {
            json.open('[');
            let Entry { at, source, verdict, evidence, e, id, against, .. } = *entry;
            let (source, verdict) = (source as u64, verdict as u64);
            [at, source, verdict, evidence.into(), e, id, against]
                .into_iter()
                .for_each(|number| json.number(number));
            json.string(&entry.what);
            json.close(']');
        }
        json.close(']');
        json.line()
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Exit::Failed`].
    pub fn save(&self, platform: &Platform<'_>, data: &str) -> Result<(), Failure> {
        let path = path(data);
        let done = platform.files.replace(&path, self.print().as_bytes());
        done.map_err(|error| Failure::unwritten(&path, &error))
    }

    /// Adds a decision to the log.
    pub fn note(&mut self, entry: Entry) {
        if self.log.len() >= MOST_ENTRIES {
            self.log.remove(0);
        }
        self.log.push(entry);
    }
}

fn claim(value: &Value) -> Option<Claim> {
    let [key, seen @ ..] = value.as_list()? else { return None };
    let mut claim = Claim { key: key.as_u64()?, seen: [None; Source::SORTS] };
    if seen.len() != Source::SORTS {
        return None;
    }
    for (into, seen) in claim.seen.iter_mut().zip(seen) {
        *into = match seen.as_u64()? {
            SILENT => None,
            bits => Some(u8::try_from(bits).ok().filter(|bits| *bits < 1 << Evidence::ALL.len())?),
        };
    }
    Some(claim)
}

fn entry(value: &Value) -> Option<Entry> {
    let [at, source, verdict, evidence, e, id, against, what] = value.as_list()? else {
        return None;
    };
    Some(Entry {
        at: at.as_u64()?,
        what: what.as_text()?.to_owned(),
        source: *Source::ALL.get(usize::try_from(source.as_u64()?).ok()?)?,
        verdict: *Verdict::ALL.get(usize::try_from(verdict.as_u64()?).ok()?)?,
        evidence: u8::try_from(evidence.as_u64()?).ok()?,
        e: e.as_u64()?,
        id: id.as_u64()?,
        against: against.as_u64()?,
    })
}
