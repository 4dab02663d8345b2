//! Remember, correct, pin, forget.
//!
//! Why: a vector is made before the lease is taken, as an endpoint may need longer than a
//! lease lasts. What is done under the lease is done again after a conflict, so it begins from
//! nothing each time. An id is a hash of the text: the same text is found again without a
//! search. In forgetting, sessions come first: one that cannot be marked would bring the text
//! back.
//!
//! What it must never do: ask an embedder under the lease, put a text whose secrets were not
//! taken out, or make one memory of two texts that are not `alike`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use clawft_store::Record;
use clawft_store::memory::{Memory as Store, Recall, Refusal};
use xxhash_rust::xxh64::xxh64;

use super::gated::{is_quarantined, said_by};
use super::recall::whole;
use super::redact::MARK;
use super::refused::is_damage;
use super::{Memo, Memory, alike, redact};
use crate::failure::{Exit, Failure};
use crate::json::Json;
use crate::session::{self, Gone, Saying, Session};

/// Most bytes of a text that is remembered in one piece.
pub const MOST_TEXT: usize = 16 << 10;
/// Most bytes of texts that are forgotten at once: all of them are handed back.
const MOST_FORGOTTEN: usize = 1 << 20;
/// Neighbours that are looked at for the same text.
pub(super) const NEIGHBOURS: usize = 8;
/// Cosine from which a neighbour is worth showing beside what is new: it may contradict it.
const NEAR: f32 = 0.6;

/// What is to be remembered.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// What it says.
    pub text: &'a str,
    /// What sort of memory it is.
    pub kind: &'a str,
    /// The session that it comes from.
    pub session: &'a str,
    /// Who says so: `user`, `model`, `import`.
    pub source: &'a str,
    /// When it was said, ms; 0: now.
    pub created: u64,
    /// Whether it is never to be taken away by a policy.
    pub pinned: bool,
}

impl<'a> New<'a> {
    /// Something that the person said outright.
    #[must_use]
    pub fn fact(text: &'a str) -> Self {
        Self { text, kind: "fact", session: "", source: "user", created: 0, pinned: false }
    }
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// The id of the memory.
    pub id: u64,
    /// Whether a memory said the same already.
    pub merged: bool,
    /// Secrets that were taken out.
    pub redacted: usize,
    /// Memories near to it, which may contradict it. Both are kept, with their dates.
    pub near: Vec<Memo>,
    /// What the gate says: deferred is in quarantine, denied is not there.
    #[cfg(feature = "coherence")]
    pub verdict: crate::gate::Verdict,
    /// Why, where it was not permitted.
    #[cfg(feature = "coherence")]
    pub reason: String,
}

impl Remembered {
    /// Members of it, for programs. Those near to it come behind: how they score is written in two
    /// ways.
    pub(crate) fn write(&self, json: &mut Json) {
        json.count("id", self.id);
        json.truth("merged", self.merged);
        json.count("redacted", self.redacted as u64);
    }
}

/// What there is to say where the file could not be written anew without what was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stays {
    /// That the bytes stay, and until when.
    pub note: &'static str,
    /// Why: for who runs the agent, as it may name files.
    pub why: String,
}

impl Stays {
    /// All of it, for who runs the agent.
    #[must_use]
    pub fn sentence(&self) -> String {
        [self.note, ": ", &self.why].concat()
    }
}

/// The id that a text gets; `attempt` where another text has it.
pub(super) fn id_of(text: &str, attempt: u64) -> u64 {
    // 32 bits: short enough to be typed and cited, exact in every JSON reader.
    (xxh64(text.as_bytes(), attempt) & 0xFFFF_FFFF).max(1)
}

/// What stands for a text that was corrected, so that importing it again does not bring it back.
fn mark_of(text: &str) -> String {
    xxh64(text.as_bytes(), 0).to_string()
}

/// The id of the memory that holds this very text, otherwise one that is free; and whether it
/// holds it. With `corrected`, a memory counts that held it before it was corrected.
pub(super) fn place(store: &Store, text: &str, corrected: bool) -> Result<(u64, bool), Refusal> {
    let mark = mark_of(text);
    let mut attempt = 0;
    loop {
        let id = id_of(text, attempt);
        if !store.contains(id) {
            return Ok((id, false));
        }
        let was = || -> Result<bool, Refusal> {
            Ok(store.try_fields(id)?.metadata().any(|(key, value)| key == "was" && value == mark))
        };
        let same = match store.try_text(id) {
            // Told again, it is whole again.
            Err(why) if is_damage(&why) => return Ok((id, corrected && was().unwrap_or_default())),
            there => there? == text,
        };
        if same || corrected && was()? {
            return Ok((id, true));
        }
        attempt += 1;
    }
}

/// The memory that says the same as a text of this vector. Those that are near to it and do not go
/// into `near`: they may contradict it.
fn same(
    store: &mut Store,
    text: &str,
    vector: &[f32],
    near: &mut Vec<Memo>,
) -> Result<Option<u64>, Refusal> {
    if store.is_empty() {
        return Ok(None);
    }
    let asked =
        Recall { vector: Some(vector), text: Some(text), k: NEIGHBOURS, ..Recall::default() };
    for found in store.try_recall(&asked)? {
        let memo = match whole(store, found.id, found.score)? {
            Some(memo) if !is_quarantined(store, memo.id)? => memo,
            _ => continue,
        };
        if alike(&memo.text, text) {
            return Ok(Some(memo.id));
        }
        if found.similarity >= NEAR {
            near.push(memo);
        }
    }
    Ok(None)
}

/// Puts a new record with these pairs.
pub(super) fn put(
    store: &mut Store,
    id: u64,
    new: &New<'_>,
    text: &str,
    vector: &[f32],
    now: u64,
    metadata: &[(&str, &str)],
) -> Result<(), Refusal> {
    // They go to models too, and are names: one with a secret in it is worth nothing.
    let clean = |word| if redact(word).1 > 0 { MARK } else { word };
    store.try_remember(&Record {
        id,
        vector,
        text,
        kind: clean(new.kind),
        session: clean(new.session),
        created: if new.created == 0 { now } else { new.created },
        last_used: now,
        uses: 0,
        importance: if new.pinned { 1.0 } else { 0.5 },
        pinned: new.pinned,
        metadata,
    })
}

/// Puts a stored record again, with changes. `extra` takes the place of pairs of the same keys.
pub(super) fn put_again(
    store: &mut Store,
    id: u64,
    text: Option<(&str, &[f32])>,
    extra: &[(&str, &str)],
    change: &mut dyn FnMut(&mut Record<'_>),
) -> Result<(), Refusal> {
    let fields = store.try_fields(id)?;
    let (old_text, mut old_vector) = (store.try_text(id)?, alloc::vec![0.0; store.dim()]);
    store.try_vector(id, &mut old_vector)?;
    let (text, vector) = text.unwrap_or((&old_text, &old_vector));
    let (uses, last_used) = store.uses(id).unwrap_or_default();
    let mut metadata = Vec::new();
    for pair in fields.metadata() {
        if extra.iter().all(|other| other.0 != pair.0) {
            metadata.push(pair);
        }
    }
    metadata.extend_from_slice(extra);
    let mut record = Record {
        id,
        vector,
        text,
        kind: fields.kind(),
        session: fields.session(),
        created: fields.created(),
        last_used,
        uses,
        importance: fields.importance(),
        pinned: fields.pinned(),
        metadata: &metadata,
    };
    change(&mut record);
    store.try_remember(&record)
}

/// A text without its secrets, and how many they were. What stands in their places may be longer.
fn checked(text: &str) -> Result<(String, usize), Failure> {
    let text = text.trim();
    let mut found = text.len();
    if (1..=MOST_TEXT).contains(&found) {
        let redacted = redact(text);
        found = redacted.0.len();
        if found <= MOST_TEXT {
            return Ok(redacted);
        }
    }
    Err(Failure::new(
        Exit::Usage,
        format!(
            "a text of 1 to {MOST_TEXT} bytes expected, found {found}: longer ones go through \
             `clawft import`"
        ),
    ))
}

pub(super) fn unknown(id: u64) -> Failure {
    Failure::new(Exit::Nothing, format!("there is no memory {id}"))
}

impl Memory<'_> {
    /// Remembers a text. Where a memory says the same, that one is confirmed, from now on with the
    /// spelling and the date of this one, and no other made.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a text that is empty or too long; those of the embedder and the store.
    pub fn remember(&mut self, new: &New<'_>) -> Result<Remembered, Failure> {
        let (text, redacted) = checked(new.text)?;
        // Another embedder is found out before an endpoint is asked.
        self.reading()?;
        let vector = self.embed(&[&text])?;
        #[cfg(feature = "coherence")]
        if let Some(stopped) = self.stopped(new, &text, &vector, redacted)? {
            return Ok(stopped);
        }
        let mut done = Remembered::default();
        self.change(&mut |store, now| {
            done = Remembered { redacted, ..Remembered::default() };
            let (id, holds) = place(store, &text, false)?;
            done.id = id;
            let there = match holds {
                true => Some(id),
                false => same(store, &text, &vector, &mut done.near)?,
            };
            let Some(same) = there else {
                return put(store, id, new, &text, &vector, now, &[("source", new.source)]);
            };
            done = Remembered { id: same, merged: true, redacted, ..Remembered::default() };
            let told = if new.created == 0 { now } else { new.created };
            let confirmed = now.to_string();
            let mut pairs = Vec::from([("confirmed", &*confirmed)]);
            pairs.extend(said_by(store, same, new.source)?);
            // Told later, it is how it is spelled.
            let (fields, was) = (store.try_fields(same)?, mark_of(&store.try_text(same)?));
            let newer = !holds && told >= fields.created();
            if newer && fields.metadata().all(|pair| pair.0 != "was") {
                pairs.push(("was", &*was));
            }
            let spelled = newer.then_some((&*text, &*vector));
            put_again(store, same, spelled, &pairs, &mut |record| {
                record.uses = record.uses.saturating_add(1);
                record.last_used = now;
                record.pinned |= new.pinned;
                // What is said anew holds anew: of two that contradict each other the later one counts.
                // One that is still to come is of a clock that ran ahead.
                record.created = record.created.min(now).max(told);
            })
        })?;
        Ok(done)
    }

    /// Gives a memory another text. Its id stays, its date is that of the correction. What says the
    /// old text in the sessions is marked, so that it does not come back from there.
    ///
    /// # Errors
    /// [`Exit::Nothing`] for an unknown id, [`Exit::Failed`] where a session cannot be marked, and those
    /// of [`remember`](Self::remember).
    pub fn correct(&mut self, id: u64, text: &str) -> Result<(), Failure> {
        let (text, _) = checked(text)?;
        let Some(old) = self.get(id)? else { return Err(unknown(id)) };
        let vector = self.embed(&[&text])?;
        if !alike(&old.text, &text) {
            self.mark(&[Gone { id, text: old.text.clone() }])?;
        }
        self.change_of(id, &mut |store, now| {
            let known = store.try_fields(id)?;
            let known = known.metadata().find(|pair| pair.0 == "was");
            let was = known.map_or_else(|| mark_of(&old.text), |pair| pair.1.to_owned());
            put_again(store, id, Some((&text, &vector)), &[("was", &was)], &mut |record| {
                record.created = now;
            })
        })
    }

    /// Pins a memory, or no longer.
    ///
    /// # Errors
    /// [`Exit::Nothing`] for an unknown id, and those of the store.
    pub fn pin(&mut self, id: u64, pinned: bool) -> Result<(), Failure> {
        if self.get(id)?.is_none() {
            return Err(unknown(id));
        }
        self.change_of(id, &mut |store, _| {
            put_again(store, id, None, &[], &mut |record| record.pinned = pinned)
        })
    }

    /// Forgets memories for good: they are not found any more, and no byte of them is left in the
    /// memory's files. What says them in the sessions is marked, so that it does not bring them back.
    /// Gives what they said. Where the file cannot be written anew, a note on the terminal says that
    /// their bytes stay, and [`stays`](Self::stays) does where there is none.
    ///
    /// # Errors
    /// [`Exit::Nothing`] where one of the ids is unknown, [`Exit::Failed`] where their texts have more
    /// than 1 MiB or a session cannot be marked. Those of the store. None is forgotten then.
    pub fn forget(&mut self, ids: &[u64]) -> Result<Vec<Gone>, Failure> {
        let (mut all, mut bytes) = (Vec::new(), 0);
        for &id in ids {
            // Of what is damaged nobody knows what it said; it goes all the same.
            let text = match self.reading()?.filter(|store| store.contains(id)) {
                Some(store) => whole(store, id, 0.0)?,
                None => return Err(unknown(id)),
            };
            let text = text.map(|memo| memo.text).unwrap_or_default();
            bytes += text.len();
            if bytes > MOST_FORGOTTEN {
                let why = "the texts to forget have more than 1 MiB together: forget fewer at once";
                return Err(Failure::new(Exit::Failed, why));
            }
            all.push(Gone { id, text });
        }
        if ids.is_empty() {
            return Ok(all);
        }
        self.mark(&all)?;
        self.change(&mut |store, _| {
            for &id in ids {
                // Named twice, it is gone already.
                if store.contains(id) {
                    store.try_forget(id)?;
                }
            }
            Ok(())
        })?;
        // They are forgotten: who is told of a failure would not mark what is in memory.
        if let Err(why) = self.compact() {
            let note = match why.exit {
                Exit::Damaged => {
                    "it is not found any more, but its bytes stay until what is damaged is told again \
                     or forgotten"
                }
                _ => "it is not found any more, but its bytes stay until `clawft compact`",
            };
            let stays = Stays { note, why: why.into_sentence() };
            self.platform.terminal.note(&["clawft: ", &stays.sentence(), "\n"].concat());
            self.stays = Some(stays);
        }
        Ok(all)
    }

    /// What there is to say of bytes that stayed in forgetting since this was asked for last. The terminal
    /// was told, but a server has none: who asked it would take for gone what is still there.
    pub fn stays(&mut self) -> Option<Stays> {
        self.stays.take()
    }

    /// The sessions that say what is gone still.
    ///
    /// # Errors
    /// [`Exit::Failed`].
    pub fn said_in(&self, gone: &[Gone]) -> Result<Saying, Failure> {
        session::that_say(&self.platform, &self.data, gone)
    }

    /// Marks what says it in the sessions.
    fn mark(&self, gone: &[Gone]) -> Result<(), Failure> {
        let Saying { sessions, .. } = self.said_in(gone)?;
        session::change(&self.platform, &self.data, &sessions, gone, &mut Session::mark)
    }
}
