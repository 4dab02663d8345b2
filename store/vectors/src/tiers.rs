//! Tiers: full codes of 8, 7, 5 or 3 bits, as a record's use deserves.
//!
//! An image with [`Params::hot`](crate::Params::hot) has a class of pages for each tier, and
//! notes of use for each slot. [`Image::touch`] counts uses; [`Image::tick`] goes round the slots
//! and moves codes down, by the [policy](crate::tier_policy). The short codes and the graph stay
//! as they are, whatever the tier.
//!
//! What a colder code has lost stays lost: moving it up without the vector would cost bytes and
//! give nothing back. So a tick names the records that deserve better, and
//! [`Image::restore`] takes the vector from whoever has kept it. Until then
//! [`Image::is_lossy`] says that there is less than there was.
//!
//! Pages are kept for all that is still to come: a tier above the coldest gets a new page only if
//! those left hold the rest of the capacity in the coldest, and there is one for each colder tier
//! that has no room, to move records by. So an image that is full of hot codes goes on with cold
//! ones.
//!
//! Notes of use are hints, in steps of 1024 ms. A record's time begins with the first touch or
//! tick that meets it, as inserts know no clock. To a tick times that lie ahead are now.
//!
//! What it must never do: refuse a vector for which the capacity has promised room, or make a
//! hotter code of a colder one.

use core::ops::{Deref, DerefMut};

use crate::Error;
use crate::header::Field;
use crate::image::Image;
use crate::layout::Section;
use crate::query::Query;
use crate::scratch::Scratch;
use crate::tier_policy::{Policy, Tier, Use};
use crate::view::{Edit, View};
use crate::write::Forms;

/// From milliseconds to steps of time, a shift.
const STEP: u32 = 10;
/// The tier, in the highest byte of the last word of a use.
const TIER: u32 = 3 << 24;
/// Never cools below its importance.
const PINNED: u32 = 4 << 24;

/// How much a tick may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Slots that it looks at.
    pub records: u32,
    /// Bytes of codes that it writes. Less than one code's: it moves nothing.
    pub bytes: u64,
}

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Slots that it looked at.
    pub looked: u32,
    /// Records that it moved to a colder tier.
    pub moved: u32,
    /// Records whose time begins with it: that had none, or one that lies ahead of it.
    pub begun: u32,
    /// Bytes of codes that it wrote.
    pub bytes: u64,
    /// Records that deserve a hotter tier, as many as there was room to name.
    pub wanting: usize,
}

/// The tier of a slot, out of the section of uses; the hot one where that is empty.
#[inline(always)]
pub(crate) fn tier(slot: u32, uses: &[[u32; 3]]) -> Tier {
    uses.get(slot as usize).map_or(Tier::Hot, tier_in)
}

/// The tier in the words of a use.
fn tier_in(&[_, _, word]: &[u32; 3]) -> Tier {
    Tier::ALL[(word >> 24 & 3) as usize]
}

fn to_steps(ms: u64) -> u32 {
    u32::try_from(ms >> STEP).unwrap_or(u32::MAX).max(1)
}

/// The words of a use, for the policy.
fn use_in([last, since, word]: [u32; 3]) -> Use {
    Use {
        count: word & 0xFFFF,
        last: u64::from(last) << STEP,
        importance: (word >> 16) as u8,
        pinned: word & PINNED != 0,
        since: u64::from(since) << STEP,
    }
}

impl<B: Deref<Target = [u8]>> Image<B> {
    /// The tier of `id`; the hot one, where there are no tiers.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn tier(&self, id: u64) -> Result<Tier, Error> {
        let view = self.view();
        Ok(view.tier(view.find(id)?))
    }

    /// Is less left of `id` than the image's encoding holds? Only [`Image::restore`] helps.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn is_lossy(&self, id: u64) -> Result<bool, Error> {
        Ok(self.tier(id)? != Tier::Hot)
    }

    /// What is noted of the use of `id`; all zero where there are no tiers.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn use_of(&self, id: u64) -> Result<Use, Error> {
        let view = self.view();
        Ok(use_in(view.use_at(view.find(id)?)))
    }

    /// Records in each tier, the hottest first. Takes a look at every slot.
    pub fn tier_counts(&self) -> [u32; 4] {
        let (mut counts, view) = ([0; 4], self.view());
        for slot in view.slots() {
            if view.is_live(slot) {
                counts[view.tier(slot) as usize] += 1;
            }
        }
        counts
    }
}

impl View<'_> {
    fn use_at(&self, slot: u32) -> [u32; 3] {
        self.numbers(Section::Uses).get(slot as usize).copied().unwrap_or_default()
    }
}

impl Edit<'_> {
    /// Notes where the full code of `slot` lies, and that it has been used once: its insertion.
    pub(crate) fn settle(&mut self, slot: u32, tier: Tier, place: u32) {
        self.set_entry(Section::Places, slot, &place.to_le_bytes());
        self.set_use(slot, [0, 0, 1 | (tier as u32) << 24]);
    }

    fn set_use(&mut self, slot: u32, words: [u32; 3]) {
        if self.layout.is_tiered() {
            self.set_entry(Section::Uses, slot, bytemuck::cast_slice(&words));
        }
    }

    /// A record for a vector that is to come.
    pub(crate) fn room_to_come(&mut self) -> Option<(Tier, u32)> {
        let (first, len) = (self.arrival, self.view().len() + 1);
        if let Some(place) = self.take_of(first, len) {
            return Some((first, place));
        }
        let others = if self.layout.is_tiered() { &Tier::ALL[..] } else { &[] };
        others.iter().rev().find_map(|&tier| Some((tier, self.take_of(tier, len)?)))
    }

    /// A record of `tier`, when so many vectors are stored.
    fn take_of(&mut self, tier: Tier, len: u32) -> Option<u32> {
        self.take(tier, self.reserve(tier, len))
    }

    /// Pages that a record above the coldest tier must leave, when so many vectors are stored.
    fn reserve(&self, tier: Tier, len: u32) -> u32 {
        if tier == Tier::Cold || !self.layout.is_tiered() {
            return 0;
        }
        // What finds room in the new page itself needs no other.
        let here = self.layout.records_per_page(tier) as u32 - 1;
        let to_come = self.layout.params.capacity.saturating_sub(len + here);
        let pages = to_come.div_ceil(self.layout.records_per_page(Tier::Cold) as u32);
        let colder = Tier::ALL.iter().filter(|&&colder| colder > tier);
        pages + colder.filter(|&&colder| !self.has_room(colder)).count() as u32
    }
}

impl<B: DerefMut<Target = [u8]>> Image<B> {
    /// Sets the tier that vectors come into from now on, where it has room; else it is the
    /// coldest. The hot one at first, and wherever there are no tiers. Not part of a snapshot.
    pub fn set_arrival(&mut self, tier: Tier) {
        if self.layout.is_tiered() {
            self.arrival = tier;
        }
    }

    /// Has `tier` room for one more of the records that are here?
    #[must_use]
    pub fn has_room(&mut self, tier: Tier) -> bool {
        let (len, edit) = (self.len(), self.edit());
        edit.has_room(tier) || edit.header(Field::Unused) > edit.reserve(tier, len)
    }

    /// Counts a use of each of the `ids` at `now`, in ms; unknown ids do no harm. Does nothing
    /// where there are no tiers.
    pub fn touch(&mut self, ids: &[u64], now: u64) {
        if !self.layout.is_tiered() {
            return;
        }
        let (now, mut edit) = (to_steps(now), self.edit());
        for &id in ids {
            let Ok(slot) = edit.view().find(id) else { continue };
            edit.unseal();
            let [last, since, word] = edit.view().use_at(slot);
            let word = if word & 0xFFFF < 0xFFFF { word + 1 } else { word };
            let since = if since == 0 { now } else { since };
            edit.set_use(slot, [last.max(now), since, word]);
        }
    }

    /// Notes what is known of the use of `id`; its tier stays. A time of 0 is not known, and
    /// begins with the next touch or tick; a record has at least one use. Nothing is noted where
    /// there are no tiers.
    ///
    /// # Errors
    /// [`Error::UnknownId`].
    pub fn set_use(&mut self, id: u64, known: &Use) -> Result<(), Error> {
        let slot = self.view().find(id)?;
        let mut edit = self.edit();
        edit.unseal();
        let [_, _, word] = edit.view().use_at(slot);
        let step = |ms| if ms == 0 { 0 } else { to_steps(ms) };
        let pinned = if known.pinned { PINNED } else { 0 };
        let word = word & TIER | known.count.clamp(1, 0xFFFF) | u32::from(known.importance) << 16;
        edit.set_use(slot, [step(known.last), step(known.since), word | pinned]);
        Ok(())
    }

    /// Looks at the next slots in turn, at `now`, in ms; moves records that the policy wants in a
    /// colder tier there, and names in `wanting` those that it wants in a hotter one, with that
    /// tier. Does nothing where there are no tiers.
    ///
    /// A record stays where it is as long as the colder tier has no page for it.
    ///
    /// # Errors
    /// [`Error::Scratch`].
    pub fn tick(
        &mut self,
        policy: &Policy,
        now: u64,
        limits: Limits,
        wanting: &mut [(u64, Tier)],
        scratch: &mut Scratch<'_>,
    ) -> Result<Work, Error> {
        scratch.check(&self.layout)?;
        let (mut work, capacity) = (Work::default(), self.capacity());
        if !self.layout.is_tiered() {
            return Ok(work);
        }
        let mut edit = self.edit();
        edit.unseal();
        let mut slot = edit.header(Field::Cursor) % capacity;
        while work.looked < limits.records.min(capacity) {
            if edit.view().is_live(slot)
                && let Some(colder) = edit.look(slot, policy, now, &mut work, wanting)
            {
                let bytes = edit.layout.code_bytes(colder) as u64;
                if work.bytes + bytes > limits.bytes {
                    break;
                }
                edit.view().decode_rotated(slot, scratch.query.rotated);
                if edit.move_to(slot, colder, now, false, scratch) {
                    work.moved += 1;
                    work.bytes += bytes;
                }
            }
            work.looked += 1;
            slot = if slot + 1 < capacity { slot + 1 } else { 0 };
        }
        edit.set_header(Field::Cursor, slot);
        Ok(work)
    }

    /// Puts the code of `id` into `tier` at `now`, in ms, made of its `vector` as it first came
    /// in: nothing is lost but what that tier loses. The hot tier, where there are no others.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Full`] where the tier has no page for it; those of
    /// [`Image::insert`] for a bad vector.
    pub fn restore(
        &mut self,
        id: u64,
        vector: &[f32],
        tier: Tier,
        now: u64,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let view = self.view();
        view.check(vector, scratch)?;
        view.holds(vector)?;
        let slot = view.find(id)?;
        let tier = if self.layout.is_tiered() { tier } else { Tier::Hot };
        Query::new(view, vector, &mut scratch.query);
        if self.edit().move_to(slot, tier, now, true, scratch) {
            return Ok(());
        }
        Err(Error::Full { len: self.len(), capacity: self.capacity() })
    }
}

impl Edit<'_> {
    /// Looks at a live slot; the colder tier that it should go to, if it should.
    fn look(
        &mut self,
        slot: u32,
        policy: &Policy,
        now: u64,
        work: &mut Work,
        wanting: &mut [(u64, Tier)],
    ) -> Option<Tier> {
        let words = self.view().use_at(slot);
        let step = to_steps(now);
        // A clock may go back: a record would stay where it is until it has come as far again.
        let noted = |time| if time == 0 { step } else { step.min(time) };
        let begun = [noted(words[0]), noted(words[1]), words[2]];
        if begun != words {
            self.set_use(slot, begun);
            work.begun += 1;
            return None;
        }
        let current = tier_in(&words);
        let wanted = policy.wanted(&use_in(words), now, current);
        if wanted < current
            && let Some(place) = wanting.get_mut(work.wanting)
        {
            *place = (self.view().ids().id(slot), wanted);
            work.wanting += 1;
        }
        (wanted > current).then_some(wanted)
    }

    /// Makes the full code of `slot` anew, in `tier`, of the vector whose forms are in the scratch,
    /// and clears the old one; the short one too if the vector `is_new`. `false` and nothing
    /// changed, where there is no room.
    fn move_to(
        &mut self,
        slot: u32,
        tier: Tier,
        now: u64,
        is_new: bool,
        scratch: &mut Scratch<'_>,
    ) -> bool {
        let view = self.view();
        let (old_tier, old, [last, _, word]) =
            (view.tier(slot), view.place(slot), view.use_at(slot));
        if tier != old_tier {
            let Some(place) = self.take_of(tier, view.len()) else { return false };
            let now = to_steps(now);
            let last = if last == 0 { now } else { last };
            self.set_entry(Section::Places, slot, &place.to_le_bytes());
            self.set_use(slot, [last, now, word & !TIER | (tier as u32) << 24]);
        }
        self.unseal();
        let (raw, rotated) = (&*scratch.query.raw, &*scratch.query.rotated);
        let raw = raw.get(..self.layout.dim()).unwrap_or_default();
        let forms = Forms { raw, rotated, mean: None, full: true, short: is_new };
        self.encode(slot, &forms, scratch.row);
        if tier != old_tier {
            self.give_back(old_tier, old);
        }
        true
    }
}
