//! The gate before the memory: what is written is judged, what is deferred is quarantined.
//!
//! A quarantined memory is a record like another, with a mark in its metadata. It is listed and can be
//! allowed or denied by name; [`recall`](Memory::recall) and [`export`](Memory::export) pass it over,
//! and it supports nothing. One that the person allowed, or said as well, counts as theirs.
//!
//! What it must never do: keep a text in the log; let a quarantined memory out without the person; put
//! into quarantine what is theirs because others insist on it.

use alloc::string::String;
use alloc::vec::Vec;

use clawft_codes::arith;
use clawft_store::memory::{Memory as Store, Recall, Refusal};

use super::import::{IMPORTED, Imported};
use super::recall::whole;
use super::write::{id_of, place, put, put_again, unknown};
use super::{Memo, Memory, New, Remembered};
use crate::failure::{Exit, Failure};
use crate::gate::{Decision, Entry, Ledger, Near, Settings, Source, Verdict};
use crate::platform::Terminal;

/// The key of the mark, and what it says.
const MARK: &str = "gate";
const QUARANTINED: &str = "quarantined";
const ALLOWED: &str = "allowed";
/// The pair that a new record gets.
const QUARANTINE: (&str, &str) = (MARK, QUARANTINED);
/// The pair of one that was in quarantine and is permitted after all.
const PERMITTED: (&str, &str) = (MARK, "permitted");
/// Memories that a write is compared with.
const NEAREST: usize = 8;

/// What the mark of a record says.
fn mark(store: &Store, id: u64) -> Result<(bool, Source), Refusal> {
    let fields = store.try_fields(id)?;
    let (mut quarantined, mut source) = (false, Source::Machine);
    for (key, value) in fields.metadata() {
        match (key, value) {
            (MARK, QUARANTINED) => quarantined = true,
            ("source", value) => source = Source::of(value),
            _ => {}
        }
    }
    if fields.metadata().any(|pair| pair == (MARK, ALLOWED)) {
        source = Source::User;
    }
    Ok((quarantined, source))
}

/// Whether a memory is in quarantine.
pub(super) fn is_quarantined(store: &Store, id: u64) -> Result<bool, Refusal> {
    Ok(mark(store, id)?.0)
}

/// The pairs that a memory gets which `source` says as well. What the person says is theirs from then
/// on, wherever it came from; that a file has it too is still known. What was in quarantine is permitted
/// now, as this source's.
pub(super) fn said_by<'a>(
    store: &Store,
    id: u64,
    source: &'a str,
) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
    Ok(match (mark(store, id)?, Source::of(source)) {
        ((false, Source::User), _) => Vec::new(),
        (_, Source::User) => Vec::from([(MARK, ALLOWED)]),
        ((true, _), _) => Vec::from([("source", source), PERMITTED]),
        ((false, _), _) => Vec::new(),
    })
}

/// A memory near to a write.
struct Neighbour {
    memo: Memo,
    similarity: f32,
    quarantined: bool,
    source: Source,
}

fn neighbours(store: &mut Store, text: &str, vector: &[f32]) -> Result<Vec<Neighbour>, Refusal> {
    let asked = Recall { vector: Some(vector), text: Some(text), k: NEAREST, ..Recall::default() };
    let mut all = Vec::new();
    if store.is_empty() {
        return Ok(all);
    }
    for found in store.try_recall(&asked)? {
        let Some(memo) = whole(store, found.id, found.score)? else { continue };
        let (quarantined, source) = mark(store, found.id)?;
        all.push(Neighbour { memo, similarity: found.similarity, quarantined, source });
    }
    Ok(all)
}

/// Puts the memories of a decision into quarantine that belong to the same claim, but for what the
/// person has said since it was judged.
fn quarantine_too(store: &mut Store, decision: &Decision) -> Result<(), Refusal> {
    for &id in &decision.also {
        if store.contains(id)
            && matches!(mark(store, id)?, (false, Source::Import | Source::Machine))
        {
            put_again(store, id, None, &[QUARANTINE], &mut |_| {})?;
        }
    }
    Ok(())
}

/// Of two vectors of any length; 0 where one has none.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let lengths = arith::sqrt(arith::norm2(a)) * arith::sqrt(arith::norm2(b));
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

/// What the gate says of pieces, in their order; none where it is off.
pub(super) type Judged = Vec<Decision>;

/// The pairs that the record of piece `at` gets, or none where it is not to be put. Counts what
/// becomes of it; `there`: memory holds it already.
pub(super) fn admit(
    store: &mut Store,
    judged: &Judged,
    at: usize,
    there: bool,
    done: &mut Imported,
) -> Result<Option<&'static [(&'static str, &'static str)]>, Refusal> {
    let mut verdict = Verdict::Permit;
    if let Some(decision) = judged.get(at) {
        quarantine_too(store, decision)?;
        verdict = decision.verdict;
    }
    let (count, pairs): (_, Option<&[_]>) = match verdict {
        Verdict::Deny => (&mut done.denied, None),
        _ if there => (&mut done.known, None),
        Verdict::Defer => (&mut done.deferred, Some(&[IMPORTED, QUARANTINE])),
        Verdict::Permit => (&mut done.added, Some(&[IMPORTED])),
    };
    *count += 1;
    Ok(pairs)
}

impl Memory<'_> {
    /// Its gate and log as they are now; `None` where the gate is off.
    pub(super) fn ledger(&self) -> Result<Option<Ledger>, Failure> {
        match self.limits.gate.on {
            true => Ledger::load(&self.platform, &self.data, self.limits.gate).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn keep(&self, ledger: &Ledger) -> Result<(), Failure> {
        ledger.save(&self.platform, &self.data)
    }

    /// Judges a text of this vector, which would be memory `id`; memory is about to have `besides`.
    fn judge(
        &mut self,
        ledger: &mut Ledger,
        text: &str,
        source: &str,
        vector: &[f32],
        id: u64,
        besides: Vec<Near<'_>>,
    ) -> Result<Decision, Failure> {
        let source = Source::of(source);
        let found = match self.reading()? {
            Some(store) => neighbours(store, text, vector)?,
            None => Vec::new(),
        };
        let mut near = besides;
        near.extend(found.iter().map(|one| Near {
            id: one.memo.id,
            text: &one.memo.text,
            source: one.source,
            similarity: one.similarity,
            quarantined: one.quarantined,
        }));
        near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        near.truncate(NEAREST);
        let decision = ledger.gate.judge(text, source, &near);
        let id = if decision.verdict == Verdict::Deny { 0 } else { id };
        ledger.note(Entry::new(self.platform.clock.now(), "write", source, id, &decision));
        Ok(decision)
    }

    /// Has a text judged that is to be remembered. `None`: it is permitted. Otherwise it is in
    /// quarantine, or nowhere.
    pub(super) fn stopped(
        &mut self,
        new: &New<'_>,
        text: &str,
        vector: &[f32],
        redacted: usize,
    ) -> Result<Option<Remembered>, Failure> {
        let Some(mut ledger) = self.ledger()? else { return Ok(None) };
        let (id, holds) = match self.reading()? {
            Some(store) => place(store, text, false)?,
            None => (id_of(text, 0), false),
        };
        // What memory has of the person already is no new write.
        if holds && new.source == "user" && self.is_theirs(id)? {
            return Ok(None);
        }
        let decision = self.judge(&mut ledger, text, new.source, vector, id, Vec::new())?;
        let reason = ledger.log.last().map(|entry| entry.reason(&self.limits.gate));
        if decision.verdict != Verdict::Permit {
            self.change(&mut |store, now| {
                quarantine_too(store, &decision)?;
                if decision.verdict == Verdict::Defer && !place(store, text, false)?.1 {
                    let pairs = [("source", new.source), QUARANTINE];
                    put(store, id, new, text, vector, now, &pairs)?;
                }
                Ok(())
            })?;
        }
        self.keep(&ledger)?;
        let verdict = decision.verdict;
        // In doubt, of another sort of source, and here: it is no new write, and stays as it is.
        if holds && verdict == Verdict::Defer && self.held(id).is_err() {
            return Ok(None);
        }
        Ok((verdict != Verdict::Permit).then(|| Remembered {
            id: if verdict == Verdict::Deny { 0 } else { id },
            merged: holds,
            redacted,
            near: Vec::new(),
            verdict,
            reason: reason.unwrap_or_default(),
        }))
    }

    /// Whether the person said or allowed this memory.
    fn is_theirs(&mut self, id: u64) -> Result<bool, Failure> {
        let Some(store) = self.reading()? else { return Ok(false) };
        Ok(mark(store, id)? == (false, Source::User))
    }

    /// Judges imported texts, each as if those before it were in memory already: a file must not
    /// say in one batch what it could not say in two. Said again word for word it is no new write.
    pub(super) fn judged(
        &mut self,
        texts: &[&str],
        vectors: &[f32],
        dim: usize,
    ) -> Result<Judged, Failure> {
        let Some(mut ledger) = self.ledger()? else { return Ok(Vec::new()) };
        let mut all: Vec<Decision> = Vec::new();
        for (text, vector) in texts.iter().zip(vectors.chunks_exact(dim)) {
            let before = texts.iter().zip(vectors.chunks_exact(dim)).zip(&all);
            if let Some((_, same)) = before.clone().find(|((before, _), _)| *before == text) {
                let same = same.clone();
                all.push(same);
                continue;
            }
            let let_in = before.filter(|(_, done)| done.verdict != Verdict::Deny);
            let near = let_in.map(|((text, before), done)| Near {
                id: id_of(text, 0),
                text,
                source: Source::Import,
                similarity: cosine(before, vector),
                quarantined: done.verdict == Verdict::Defer,
            });
            let near = near.collect();
            all.push(self.judge(&mut ledger, text, "import", vector, id_of(text, 0), near)?);
        }
        self.keep(&ledger)?;
        Ok(all)
    }

    /// Judges a call of a tool that changes something, by what the model has read in this turn. Gives
    /// the verdict and the reason.
    ///
    /// # Errors
    /// Those of the log.
    pub fn judge_call(&mut self, tool: &str, read: &[&str]) -> Result<(Verdict, String), Failure> {
        let Some(mut ledger) = self.ledger()? else { return Ok((Verdict::Permit, String::new())) };
        let decision = ledger.gate.judge_call(read);
        let entry = Entry::new(self.platform.clock.now(), tool, Source::Machine, 0, &decision);
        let reason = entry.reason(&self.limits.gate);
        ledger.note(entry);
        self.keep(&ledger)?;
        Ok((decision.verdict, reason))
    }

    /// The memories in quarantine.
    ///
    /// # Errors
    /// Those of opening and reading.
    pub fn quarantined(&mut self) -> Result<Vec<Memo>, Failure> {
        let Some(store) = self.reading()? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        let mut find = || -> Result<(), Refusal> {
            let mut next = store.next(0);
            while let Some(id) = next {
                if let Some(memo) = whole(store, id, 0.0)?
                    && is_quarantined(store, id)?
                {
                    all.push(memo);
                }
                next = id.checked_add(1).and_then(|id| store.next(id));
            }
            Ok(())
        };
        find()?;
        Ok(all)
    }

    /// Whether this memory is there and in quarantine.
    fn held(&mut self, id: u64) -> Result<(), Failure> {
        let Some(store) = self.reading()?.filter(|store| store.contains(id)) else {
            return Err(unknown(id));
        };
        match is_quarantined(store, id)? {
            true => Ok(()),
            false => Err(Failure::new(
                Exit::Usage,
                alloc::format!("memory {id} is not in quarantine: see `clawft gate list`"),
            )),
        }
    }

    /// Lets a memory out of quarantine: the person vouches for it.
    ///
    /// # Errors
    /// [`Exit::Nothing`] for an unknown id, [`Exit::Usage`] for one that is not in quarantine.
    pub fn allow(&mut self, id: u64) -> Result<(), Failure> {
        self.held(id)?;
        self.change_of(id, &mut |store, _| {
            put_again(store, id, None, &[(MARK, ALLOWED)], &mut |_| {})
        })
    }

    /// Forgets a memory in quarantine for good. Gives what it said.
    ///
    /// # Errors
    /// Those of [`allow`](Self::allow) and [`forget`](Self::forget).
    pub fn deny(&mut self, id: u64) -> Result<String, Failure> {
        self.held(id)?;
        Ok(self.forget(&[id])?.pop().unwrap_or_default().text)
    }

    /// Asks the person, where one is there, whether to keep what is in doubt, and does as they say.
    /// `None`: nobody was asked, and it stays where it is.
    ///
    /// # Errors
    /// Those of [`deny`](Self::deny).
    pub fn ask(
        &mut self,
        done: &Remembered,
        terminal: &dyn Terminal,
    ) -> Result<Option<bool>, Failure> {
        if done.verdict != Verdict::Defer || !terminal.is_interactive() {
            return Ok(None);
        }
        let reason = &done.reason;
        let question = alloc::format!("\nIn doubt: {reason}.\nKeep it all the same? (yes/no) ");
        let keeps = terminal.confirms(&question);
        match keeps {
            true => self.allow(done.id)?,
            false => drop(self.deny(done.id)?),
        }
        Ok(Some(keeps))
    }

    /// The log of the gate, the oldest decision first.
    ///
    /// # Errors
    /// [`Exit::Damaged`], [`Exit::Failed`].
    pub fn gate_log(&self) -> Result<Vec<Entry>, Failure> {
        Ok(Ledger::load(&self.platform, &self.data, self.limits.gate)?.log)
    }

    /// What the gate goes by.
    #[must_use]
    pub fn gate_settings(&self) -> Settings {
        self.limits.gate
    }

    /// Forgets the evidence and the log of the gate, a damaged one too. What is in quarantine stays
    /// there.
    ///
    /// # Errors
    /// [`Exit::Failed`].
    pub fn gate_reset(&mut self) -> Result<(), Failure> {
        self.keep(&Ledger::default())
    }
}
