//! Search, and what a record says.
//!
//! Why: texts stay in the file and are read only for what is given. A use is noted here and
//! written with the next change, so that a search need not take the lease. The nearest vector
//! may be far: what shares no word with the question has to be near it as well.
//!
//! What it must never do: find what is in quarantine, or let that take the place of another; give
//! nothing because one record is damaged.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use clawft_store::memory::{Memory as Store, Recall, Refusal};

use super::Memory;
use super::gated::is_quarantined;
use super::refused::is_damage;
use crate::failure::Failure;
use crate::json::Json;

/// Cosine below which a text that shares no word with the question is no answer to it: a nearest
/// one there always is. With the static model, of the pairs in `data/paraphrases.jsonl` fewer than
/// one in twenty is below it, and of unrelated pairs about seven in ten.
const FLOOR: f32 = 0.1;
/// Bytes of text after which no more memories are given: what becomes of them takes some times as
/// much, and everything has to fit 16 MiB.
const MOST_FOUND: usize = 512 << 10;

/// A memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Memo {
    /// Its id.
    pub id: u64,
    /// What it says.
    pub text: String,
    /// When it was made or last corrected, ms since 1970.
    pub created: u64,
    /// What sort of memory it is: `fact`, `said`, `past`, or the name of an imported file.
    pub kind: String,
    /// The session that it comes from; often empty.
    pub session: String,
    /// Whether no policy may take it away.
    pub pinned: bool,
    /// How well it answers, about 0 to 1; 0 where nothing was asked.
    pub score: f32,
}

impl Memo {
    /// Members of it, for programs.
    pub(crate) fn write(&self, json: &mut Json) {
        json.count("id", self.id);
        json.text("text", &self.text);
        json.count("created", self.created);
        json.text("kind", &self.kind);
        json.text("session", &self.session);
        json.truth("pinned", self.pinned);
    }
}

/// What a record says.
pub(super) fn memo(store: &Store, id: u64, score: f32) -> Result<Memo, Refusal> {
    let fields = store.try_fields(id)?;
    Ok(Memo {
        id,
        text: store.try_text(id)?,
        created: fields.created(),
        kind: fields.kind().into(),
        session: fields.session().into(),
        pinned: fields.pinned(),
        score,
    })
}

/// As [`memo`]; `None` for a record that the file has not whole any more.
pub(super) fn whole(store: &Store, id: u64, score: f32) -> Result<Option<Memo>, Refusal> {
    match memo(store, id, score) {
        Err(why) if is_damage(&why) => Ok(None),
        done => done.map(Some),
    }
}

impl Memory<'_> {
    /// The vectors of texts.
    pub(super) fn embed(&self, texts: &[&str]) -> Result<Vec<f32>, Failure> {
        let embedder = self.embedder.clone()?;
        let mut vectors = vec![0.0; texts.len() * embedder.dim()];
        embedder.embed(&self.platform, texts, &mut vectors)?;
        Ok(vectors)
    }

    /// The memories that answer `query` best, at most `k`, the best first. Those that would have more
    /// than half a MiB of text are left out.
    ///
    /// # Errors
    /// Those of the embedder and of opening.
    pub fn recall(&mut self, query: &str, k: usize) -> Result<Vec<Memo>, Failure> {
        if k == 0 || query.trim().is_empty() || self.reading()?.is_none_or(|s| s.is_empty()) {
            return Ok(Vec::new());
        }
        let vector = self.embed(&[query])?;
        let Some(store) = self.reading()? else { return Ok(Vec::new()) };
        let mut asked = Recall { vector: Some(&vector), text: Some(query), k, ..Recall::default() };
        let mut memos = Vec::new();
        let mut find = |asked: &Recall<'_>| -> Result<bool, Refusal> {
            memos.clear();
            let (mut hidden, mut left) = (false, MOST_FOUND);
            let all = store.try_recall(asked)?;
            let more = all.len() == asked.k;
            for found in all {
                if memos.len() < k && (found.words > 0.0 || found.similarity >= FLOOR) {
                    let memo = match whole(store, found.id, found.score)? {
                        Some(memo) if !is_quarantined(store, found.id)? => memo,
                        _ => {
                            hidden = true;
                            continue;
                        }
                    };
                    left = left.saturating_sub(memo.text.len());
                    if left == 0 {
                        return Ok(false);
                    }
                    memos.push(memo);
                }
            }
            Ok(hidden && more && memos.len() < k)
        };
        // What is in quarantine, or damaged, takes nobody's place.
        while find(&asked)? {
            asked.k = asked.k.saturating_mul(2);
        }
        Ok(memos)
    }

    /// Counts a use of these memories. It is kept with the next change.
    pub fn touch(&mut self, ids: &[u64]) {
        self.used.extend_from_slice(ids);
    }

    /// The memory of an id, if there is one.
    ///
    /// # Errors
    /// Those of opening and reading.
    pub fn get(&mut self, id: u64) -> Result<Option<Memo>, Failure> {
        let Some(store) = self.reading()?.filter(|store| store.contains(id)) else {
            return Ok(None);
        };
        Ok(Some(memo(store, id, 0.0)?))
    }
}
