//! Uses, and the tiers that records deserve by them.
//!
//! A use is counted in the catalog, exactly, and in the image, as its policy wants it. A tick
//! moves codes between the tiers as [`tier_policy`](clawft_vectors::tier_policy) says: down from
//! the code that is there, up from the vector in the file, so that a record which comes back is
//! all that it was.
//!
//! What this must never do: read more of the file or move more than its budget allows, or make a
//! hot code of a cold one.

use alloc::vec;

use clawft_vectors::tier_policy::{MOST_IMPORTANT, Tier, Use};
use clawft_vectors::tiers::Limits;

use super::buffer::wipe;
use super::catalog::Entry;
use super::error::{Refusal, kept};
use super::{Error, Memory};
use crate::room;

/// What a tick may do at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Records that it looks at, each in its turn.
    pub records: u32,
    /// Bytes of codes that it writes, and of vectors that it reads. Where less is left than the
    /// vector of one record and its hot code take, it ends.
    pub bytes: u64,
}

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Slots of records that it looked at, empty ones too.
    pub looked: u32,
    /// Records that went to a colder tier.
    pub cooled: u32,
    /// Records that came back to a hotter one.
    pub restored: u32,
    /// Records that should have come back, but whose vectors cannot be read: they stay lossy.
    pub unreadable: u32,
    /// Bytes of codes written and of vectors read.
    pub bytes: u64,
}

/// What the image is to know of the use of a record.
/// Milliseconds by which a time may lie ahead of a clock that is right: a day.
const AHEAD: u64 = 86_400_000;

pub(super) fn use_of(entry: &Entry) -> Use {
    let last = entry.last_used.max(entry.created);
    Use {
        count: entry.uses.saturating_add(1),
        last,
        importance: (entry.importance * f32::from(MOST_IMPORTANT)) as u8,
        pinned: entry.pinned,
        since: last,
    }
}

impl Memory {
    /// Counts a use of each of these records; unknown ones do no harm. A hint: it is kept with
    /// what is derived, and as far as that was saved it outlives a crash.
    pub fn touch(&mut self, ids: &[u64], now: u64) {
        for &id in ids {
            if let Some(entry) = self.entry_mut(id) {
                entry.uses = entry.uses.saturating_add(1);
                // Not the later of both: a clock that ran ahead once would keep it in use for ever.
                entry.last_used = now;
                self.stale = true;
            }
        }
        self.image.touch(ids, now);
    }

    /// How much a record is in use at `now`, in ms, by the policy of tiers: what has least of it is
    /// missed least. `None` for a pinned record, which no policy may take away, and for none.
    #[must_use]
    pub fn heat(&self, id: u64, now: u64) -> Option<u32> {
        let entry = self.entry(id).filter(|entry| !entry.pinned)?;
        let mut known = use_of(entry);
        // Two clocks are never quite the same. Of times that lie further ahead nothing is known.
        let near = now.saturating_add(AHEAD);
        let known_times = [entry.last_used, entry.created].into_iter().filter(|&time| time <= near);
        known.last = known_times.max().unwrap_or(0);
        Some(self.policy.heat(&known, now))
    }

    /// Raises what is counted of a record to no less than this.
    pub(super) fn recount(&mut self, id: u64, uses: u32, last_used: u64) {
        if let Some(entry) = self.entry_mut(id) {
            entry.uses = entry.uses.max(uses);
            entry.last_used = entry.last_used.max(last_used);
            let known = use_of(entry);
            // It is there.
            let _ = self.image.set_use(id, &known);
        }
    }

    /// Looks at the next records in turn, at `now`, in ms: idle ones go to a colder tier, used
    /// ones come back from the file, as far as the hotter tier has room. Without tiers (see
    /// [`MemoryOptions::image`](super::MemoryOptions::image)) there is nothing to do.
    ///
    /// # Errors
    /// [`Error::Memory`]. A vector that cannot be read is none: see [`Work::unreadable`].
    pub fn tick(&mut self, now: u64, budget: Budget) -> Result<Work, Error> {
        Ok(self.try_tick(now, budget)?)
    }

    /// As [`tick`](Self::tick).
    ///
    /// # Errors
    /// Those of [`tick`](Self::tick).
    pub fn try_tick(&mut self, now: u64, budget: Budget) -> Result<Work, Refusal> {
        let mut work = Work::default();
        let params = self.image.params();
        let read = 4 * params.dim as usize;
        let dearest = (read + params.encoding.bytes(params.dim as usize)) as u64;
        let capacity = params.capacity;
        if params.hot.is_none() {
            return Ok(work);
        }
        room::ask(self.file.storage(), read)?;
        let mut vector = vec![0.0; self.dim()];
        let Memory { file, image, scratch, policy, stale, .. } = self;
        let (before, mut changed) = (*stale, false);
        let mut scratch = super::write::lend(scratch, image.layout(), 1)?;
        while work.looked < budget.records.min(capacity) && work.bytes + dearest <= budget.bytes {
            let limits = Limits { records: 1, bytes: budget.bytes - work.bytes };
            let mut wanting = [(0, Tier::Cold)];
            let done = kept(image.tick(policy, now, limits, &mut wanting, &mut scratch))?;
            // Also where nothing moves: whose turn is next is saved, otherwise a host that lives for a
            // few ticks looks at the same records each time.
            *stale = true;
            changed |= done.moved + done.begun > 0;
            work.looked += 1;
            work.cooled += done.moved;
            work.bytes += done.bytes;
            let [(id, wanted)] = wanting;
            if done.wanting == 0 {
                continue;
            }
            let current = kept(image.tier(id))?;
            let mut better = Tier::ALL.into_iter().filter(|&tier| wanted <= tier && tier < current);
            let Some(tier) = better.find(|&tier| image.has_room(tier)) else { continue };
            work.bytes += dearest;
            if file.try_vector(id, &mut vector).is_err() {
                work.unreadable += 1;
                continue;
            }
            kept(image.restore(id, &vector, tier, now, &mut scratch))?;
            changed = true;
            work.restored += 1;
        }
        wipe(vector);
        scratch.clear();
        if work.looked == capacity && !changed {
            // Once round: it is the same one's turn again.
            *stale = before;
        }
        Ok(work)
    }

    /// The tier that the record's codes are in; the hot one, where there are no tiers.
    ///
    /// # Errors
    /// [`Error::Vectors`] for an unknown id.
    pub fn tier(&self, id: u64) -> Result<Tier, Error> {
        Ok(self.try_tier(id)?)
    }

    /// As [`tier`](Self::tier).
    ///
    /// # Errors
    /// Those of [`tier`](Self::tier).
    pub fn try_tier(&self, id: u64) -> Result<Tier, Refusal> {
        kept(self.image.tier(id))
    }

    /// Do recalls compare less of the record than the encoding holds? Its vector in the file is
    /// whole all the same, and a tick that can read it brings it back when it is used.
    ///
    /// # Errors
    /// [`Error::Vectors`] for an unknown id.
    pub fn is_lossy(&self, id: u64) -> Result<bool, Error> {
        Ok(self.try_is_lossy(id)?)
    }

    /// As [`is_lossy`](Self::is_lossy).
    ///
    /// # Errors
    /// Those of [`is_lossy`](Self::is_lossy).
    pub fn try_is_lossy(&self, id: u64) -> Result<bool, Refusal> {
        kept(self.image.is_lossy(id))
    }

    /// The vector of a record as recalls compare it: decoded, of length 1 under the cosine.
    ///
    /// # Errors
    /// [`Error::Vectors`] for an unknown id, or another dimension.
    pub fn compared(&mut self, id: u64, into: &mut [f32]) -> Result<(), Error> {
        Ok(self.with_scratch(1, |image, scratch| kept(image.get(id, into, scratch)))?)
    }

    /// Records in each tier, the hottest first. Takes a look at every slot.
    #[must_use]
    pub fn tier_counts(&self) -> [u32; 4] {
        self.image.tier_counts()
    }
}
