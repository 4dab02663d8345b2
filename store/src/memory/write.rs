//! Changes: in all parts or in none.
//!
//! What is derived changes first, as only it can be full; then the file. Where one of them
//! refuses, what was derived of that record is put back. It is read before and held meanwhile: where
//! memory runs short, the file cannot be asked any more.
//!
//! Forgetting goes the other way round: there the file may refuse, and taking out cannot,
//! since its scratch was made before.
//!
//! What it must never do: save what is derived while changes are pending, or after one that
//! could not be undone in it.

use alloc::string::String;
use alloc::vec::Vec;

use clawft_vectors::{Image, Layout, Scratch, scratch_words};

use super::buffer::{Buffer, wipe};
use super::catalog::Entry;
use super::error::{Refusal, kept};
use super::{Error, Memory, saved, uses};
use crate::fold::is_full;
use crate::read::Stored;
use crate::record::Record;
use crate::room;
use crate::sorted::Sorted;
use crate::storage::{done, remove_if_there};

/// Candidates that an insert's working memory is made for: it needs no more.
const ONE: u32 = 1;
/// Bytes that the index of words asks for at a time, and more.
const WORDS: usize = 32 << 10;

impl Memory {
    /// Stores a record, in the place of one of the same id. It is found at once, and durable from
    /// the next [`commit`](Self::commit) on.
    ///
    /// # Errors
    /// [`Error::Vectors`] for a vector that cannot be stored, or a full image;
    /// [`Error::WordsFull`]; those of [`DurableFile::put`](crate::DurableFile::put).
    pub fn remember(&mut self, record: &Record<'_>) -> Result<(), Error> {
        Ok(self.try_remember(record)?)
    }

    /// As [`remember`](Self::remember).
    ///
    /// # Errors
    /// Those of [`remember`](Self::remember).
    pub fn try_remember(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        // Before a word of it is read.
        self.file.writable()?;
        record.check(self.dim())?;
        kept(self.image.check_to_store(record.vector))?;
        self.file.fits(record.bytes())?;
        record.sorted_pairs()?;
        let known = self.file.contains(record.id);
        // Also for those that the image does not have, as the next opening needs room for all.
        if !known && !self.file.is_below(self.image.capacity() as usize) {
            let (len, capacity) = (self.file.len() as u32, self.image.capacity());
            return Err(clawft_vectors::Error::Full { len, capacity }.into());
        }
        self.make_ready()?;
        let (mut old, mut vector) = (Stored::NONE, Vec::new());
        if known {
            self.read(record.id, &mut old, &mut vector)?;
        }
        // Where its vector cannot be read, there is nothing to put back.
        let entry = self.entry(record.id).filter(|_| !vector.is_empty()).cloned();
        // Brought into its forms, and put into the batch, beside what is held of the old one.
        let given = self.file.room_to_put(record.bytes()) + 2 * record.bytes();
        let growth = self.catalog.growth();
        let asked = room::ask(self.file.storage(), given + growth + self.changed.growth(1))
            .and_then(|()| room::whole(self.file.storage(), growth));
        let (mut changed, mut restored) = (Ok(()), Ok(()));
        if asked.is_ok() {
            changed = self
                .replace(record, known, &old.text)
                .and_then(|()| Ok(self.file.try_put(record)?));
            if changed.is_err() {
                restored = self.restore(record, entry, &vector, &old.text);
                self.unsound |= restored.is_err();
            }
        }
        wipe(vector);
        wipe(old.text);
        asked?;
        restored?;
        changed?;
        self.changed.insert(record.id, 0);
        self.stale = true;
        Ok(())
    }

    /// Takes a record out. It is not found any more; its bytes are gone from memory, and from all
    /// files after the next [`compact`](Self::compact).
    ///
    /// # Errors
    /// [`crate::Error::UnknownId`], those of [`DurableFile::remove`](crate::DurableFile::remove), and
    /// [`Error::Memory`].
    pub fn forget(&mut self, id: u64) -> Result<(), Error> {
        Ok(self.try_forget(id)?)
    }

    /// As [`forget`](Self::forget).
    ///
    /// # Errors
    /// Those of [`forget`](Self::forget).
    pub fn try_forget(&mut self, id: u64) -> Result<(), Refusal> {
        self.make_ready()?;
        room::ask(self.file.storage(), self.file.room_to_put(0) + self.changed.growth(1))?;
        let text = self.old_text(id)?;
        self.file.try_remove(id)?;
        let gone = self.withdraw(id, &text);
        wipe(text);
        self.changed.insert(id, 0);
        self.stale = true;
        self.unsound |= gone.is_err();
        gone
    }

    /// Makes the changes since the last commit durable, all or none. `now`, ms, is for the lease.
    ///
    /// # Errors
    /// Those of [`DurableFile::commit`](crate::DurableFile::commit): the changes are then still
    /// pending, but where it says otherwise.
    pub fn commit(&mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_commit(now)?)
    }

    /// As [`commit`](Self::commit).
    ///
    /// # Errors
    /// Those of [`commit`](Self::commit).
    pub fn try_commit(&mut self, now: u64) -> Result<(), Refusal> {
        self.file.try_commit(now)?;
        self.changed.clear();
        // No rollback makes those anew any more.
        self.unsound |= self.half_undone;
        Ok(())
    }

    /// Drops the changes since the last commit, and the uses of what was changed.
    ///
    /// # Errors
    /// Those of reading the file; then what is found may be neither what was nor what was changed:
    /// call it again, or open again.
    pub fn rollback(&mut self) -> Result<(), Error> {
        Ok(self.try_rollback()?)
    }

    /// As [`rollback`](Self::rollback).
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback).
    pub fn try_rollback(&mut self) -> Result<(), Refusal> {
        let changed = core::mem::take(&mut self.changed);
        let undone = self.undo(&changed);
        self.half_undone = undone.is_err();
        if self.half_undone {
            // For the next call, which begins anew: what is done already is done again. Nothing is
            // saved until then, as these are pending.
            self.changed = changed;
        }
        undone
    }

    /// Makes what is derived of these records anew, without the changes since the last commit.
    fn undo(&mut self, changed: &Sorted<u64>) -> Result<(), Refusal> {
        // The texts that are to go are known only before the file forgets them.
        for (id, _) in changed.iter() {
            if self.file.contains(id) {
                let text = self.old_text(id)?;
                self.withdraw(id, &text)?;
                wipe(text);
            }
        }
        self.file.rollback();
        for (id, _) in changed.iter() {
            if self.file.contains(id) {
                self.derive(id)?;
            }
        }
        Ok(())
    }

    /// Writes the file anew with nothing but the live records, and what is derived as well, so
    /// that no byte of what was forgotten is left in any file. Changes that were not committed stay
    /// pending, and what they forget in the file; what is derived is then not beside it until the next
    /// [`save`](Self::save).
    ///
    /// # Errors
    /// Those of [`DurableFile::compact`](crate::DurableFile::compact) and of the storage.
    pub fn compact(&mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_compact(now)?)
    }

    /// As [`compact`](Self::compact).
    ///
    /// # Errors
    /// Those of [`compact`](Self::compact).
    pub fn try_compact(&mut self, now: u64) -> Result<(), Refusal> {
        // Another version of the file, even where nothing derived has changed, and where what comes
        // after its new base fails.
        let before = self.file.version();
        let compacted = self.file.try_compact(now);
        self.stale |= self.file.version() != before;
        compacted?;
        if self.unsound || self.changed.len() > 0 {
            // It is not saved: what is there was saved before, and is not to outlive what was
            // forgotten.
            let storage = self.file.storage();
            remove_if_there(storage, self.file.image_name())?;
            remove_if_there(storage, &self.file.names.fresh_image)?;
            return Ok(done(storage.sync_folder())?);
        }
        self.try_save()
    }

    /// Saves what is derived beside the file, so that opening need not build it anew. Only what
    /// is committed is saved: with changes pending it waits for them, and does nothing.
    ///
    /// # Errors
    /// Those of the storage; the file itself is not touched.
    pub fn save(&mut self) -> Result<(), Error> {
        Ok(self.try_save()?)
    }

    /// As [`save`](Self::save).
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn try_save(&mut self) -> Result<(), Refusal> {
        if self.changed.len() > 0 || !self.stale || self.unsound || self.file.read_only {
            return Ok(());
        }
        self.image.seal();
        saved::write(&self.file, &self.image, &self.words, &self.catalog)?;
        self.stale = false;
        Ok(())
    }

    /// Ends the use of the memory: what was committed is whole in the file, and what is derived
    /// is saved. Changes that were not committed are dropped.
    ///
    /// # Errors
    /// Those of the storage: nothing committed is lost. Where there is no space to fold the journal, it
    /// stays, and what is derived is saved all the same, if that fits.
    pub fn close(mut self, now: u64) -> Result<(), Error> {
        Ok(self.try_close(now)?)
    }

    /// As [`close`](Self::close); the memory is not to be used afterwards.
    ///
    /// # Errors
    /// Those of [`close`](Self::close).
    pub fn try_close(&mut self, now: u64) -> Result<(), Refusal> {
        let undone = self.try_rollback();
        // Folding makes another version of the file: it comes before what is bound to it.
        let version = self.file.version();
        let settled = self.file.try_settle(now);
        self.stale |= self.file.version() != version;
        // What is derived goes by what was committed, folded or not.
        let saved = if settled.is_ok() || is_full(&settled) { self.try_save() } else { Ok(()) };
        let released = self.file.release();
        undone?;
        settled?;
        saved?;
        Ok(released?)
    }

    /// The text of a record that is to go; none where it is damaged, as such a record must be able to
    /// go too.
    fn old_text(&self, id: u64) -> Result<String, Refusal> {
        match self.file.try_text(id) {
            Err(fault) if fault.is_damage() => Ok(String::new()),
            text => Ok(text?),
        }
    }

    /// Takes a record into what is derived, in the place of what is known of it.
    fn replace(&mut self, record: &Record<'_>, known: bool, old: &str) -> Result<(), Refusal> {
        if known {
            self.withdraw(record.id, old)?;
        }
        self.enter(Entry::of_record(record, self.words.seed), record.vector, record.text)
    }

    /// Takes a record into what is derived, which has nothing of it.
    pub(super) fn enter(
        &mut self,
        entry: Entry,
        vector: &[f32],
        text: &str,
    ) -> Result<(), Refusal> {
        let id = entry.id;
        let known = uses::use_of(&entry);
        let slot = self.with_scratch(ONE, |image, scratch| {
            kept(image.insert(id, vector, scratch))?;
            kept(image.set_use(id, &known))?;
            image.slot(id).ok_or_else(Refusal::memory)
        })?;
        self.catalog.put(slot, entry);
        let added = self.words.add(slot, text);
        if added.is_err() {
            // Is it the limit, or memory itself?
            room::ask(self.file.storage(), WORDS)?;
            if self.words.limit == usize::MAX {
                return Err(Refusal::memory());
            }
        }
        Ok(added?)
    }

    /// As [`enter`](Self::enter), for what was accepted before: in another slot, or with what has come
    /// since, its words may take more than the limit, and are not to be lost for that.
    pub(super) fn enter_again(
        &mut self,
        entry: Entry,
        vector: &[f32],
        text: &str,
    ) -> Result<(), Refusal> {
        let limit = core::mem::replace(&mut self.words.limit, usize::MAX);
        let entered = self.enter(entry, vector, text);
        self.words.limit = limit;
        entered
    }

    /// Makes the scratch that changing a record needs: once the file has changed, no change to the
    /// image can be refused for want of memory.
    #[inline(never)]
    fn make_ready(&mut self) -> Result<(), Refusal> {
        lend(&mut self.scratch, self.image.layout(), ONE).map(drop)
    }

    /// Takes a record, whose text this is, out of what is derived, as far as it is there. Refused
    /// only where the scratch is not there, or the image is not sound.
    fn withdraw(&mut self, id: u64, text: &str) -> Result<(), Refusal> {
        let Some(slot) = self.image.slot(id) else { return Ok(()) };
        if !self.words.remove(slot, text) {
            self.words.strike(slot);
        }
        self.catalog.strike(slot);
        self.with_scratch(ONE, |image, scratch| kept(image.remove(id, scratch)))
    }

    /// Puts back what was derived before a change to `refused`: what the catalog had, if anything,
    /// with the uses that were counted, the vector and the text. Reads no file.
    fn restore(
        &mut self,
        refused: &Record<'_>,
        entry: Option<Entry>,
        vector: &[f32],
        text: &str,
    ) -> Result<(), Refusal> {
        self.withdraw(refused.id, refused.text)?;
        let Some(entry) = entry else { return Ok(()) };
        self.enter_again(entry, vector, text)
    }

    /// Lends the image, with working memory for so many candidates.
    pub(super) fn with_scratch<T>(
        &mut self,
        candidates: u32,
        work: impl FnOnce(&mut Image<Buffer>, &mut Scratch<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut scratch = lend(&mut self.scratch, self.image.layout(), candidates.max(ONE))?;
        let done = work(&mut self.image, &mut scratch);
        scratch.clear();
        done
    }
}

/// Makes `words` a scratch for so many candidates.
pub(super) fn lend<'a>(
    words: &'a mut Vec<u64>,
    layout: &Layout,
    candidates: u32,
) -> Result<Scratch<'a>, Refusal> {
    let needed = scratch_words(layout, candidates);
    if words.len() < needed {
        words.try_reserve_exact(needed - words.len()).map_err(|_| Refusal::memory())?;
        if !room::is_left() {
            return Err(Refusal::memory());
        }
        words.resize(needed, 0);
    }
    Scratch::new(layout, words, candidates).ok_or_else(Refusal::memory)
}
