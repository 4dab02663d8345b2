//! Reading records: from the batch that is not committed yet, from the journal, or from the base,
//! wherever the newest version is. What it must never do: give out bytes before their check.

use alloc::string::String;
use alloc::vec::Vec;

use crate::durable::REMOVED;
use crate::error::Fault;
use crate::ledger::{JOURNAL, MEMORY, Place};
use crate::record::{Fields, get_vector, part_check};
use crate::rvf::segment::{RECORDS, TEXT, VEC};
use crate::source::Source;
use crate::wire::{u32_at, u64_at};
use crate::{Damage, DamageKind, DurableFile, Error};

impl DurableFile {
    /// Where the newest version of a record is.
    fn newest(&self, id: u64) -> Result<Place, Fault> {
        let place = match self.batch.changes.get(id) {
            Some(&REMOVED) => None,
            Some(&at) => Some(Place {
                vector_segment: MEMORY,
                vector_index: 0,
                entry_segment: JOURNAL,
                entry_at: at as u32,
                entry_len: u32_at(&self.batch.bytes, at as usize),
                text_len: 0,
            }),
            None => self.ledger.get(id).copied(),
        };
        place.ok_or_else(|| Error::UnknownId(id).into())
    }

    /// Whether a record has this id.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.newest(id).is_ok()
    }

    /// Records, with those not yet committed.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut len = self.ledger.len();
        for (id, change) in self.batch.changes.iter() {
            match (*change != REMOVED, self.ledger.get(id).is_some()) {
                (true, false) => len += 1,
                (false, true) => len -= 1,
                _ => {}
            }
        }
        len
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The smallest id from `id` on: `next(0)` is the first one, and so on with the last one
    /// plus 1. That goes through all records in a memory that does not depend on their number.
    #[must_use]
    pub fn next(&self, id: u64) -> Option<u64> {
        let mut from = id;
        loop {
            let filed = self.ledger.from(from);
            let pending = self.batch.changes.from(from);
            match (filed, pending) {
                (Some(filed), Some((id, _))) if filed < *id => return Some(filed),
                (_, Some(&(id, REMOVED))) => from = id.checked_add(1)?,
                (_, Some((id, _))) => return Some(*id),
                (filed, None) => return filed,
            }
        }
    }

    pub(crate) fn base(&self) -> Source<'_> {
        Source { storage: &*self.storage, file: self.base }
    }

    /// `len` bytes of the journal from `offset` on.
    fn journal_bytes(&self, offset: u64, len: usize) -> Result<Vec<u8>, Fault> {
        // On the disk the bit is still turned, until the fold that opening makes.
        let before = self.repaired.partition_point(|(start, _)| *start <= offset);
        if let Some((start, bytes)) = self.repaired[..before].last() {
            let at = usize::try_from(offset - start).unwrap_or(usize::MAX);
            if let Some(part) = bytes.get(at..at.saturating_add(len).min(bytes.len())) {
                return Ok(part.to_vec());
            }
        }
        let journal = self.journal.as_ref().ok_or_else(|| Fault::from(Error::Stopped))?;
        Source { storage: &*self.storage, file: journal.file }.bytes(offset, len)
    }

    /// `len` bytes of a record and where they stand: `at` in the payload of a segment; or, where
    /// the record stands in one piece, `behind` the beginning of its entry.
    fn part(
        &self,
        place: &Place,
        (kind, segment, at): (u8, u32, u64),
        behind: u64,
        len: usize,
    ) -> Result<(u64, Vec<u8>), Fault> {
        let offset = u64::from(place.entry_at) + behind;
        if place.vector_segment == MEMORY {
            let rest = self.batch.bytes.get(offset as usize..).unwrap_or_default();
            return Ok((offset, rest.get(..len).unwrap_or_default().to_vec()));
        }
        if place.in_journal() {
            return Ok((offset, self.journal_bytes(offset, len)?));
        }
        // Places are checked against the directory when they are read.
        let segment = self.directory.get(kind, segment);
        let segment = segment.ok_or_else(|| DamageKind::Segment.at(0))?;
        let offset = segment.start() + at;
        Ok((offset, self.base().bytes(offset, len)?))
    }

    /// The fields of a record.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Storage`], [`Error::Damaged`].
    pub fn fields(&self, id: u64) -> Result<Fields, Error> {
        Ok(self.try_fields(id)?)
    }

    pub(crate) fn try_fields(&self, id: u64) -> Result<Fields, Fault> {
        self.fields_at(id, &self.newest(id)?)
    }

    pub(crate) fn fields_at(&self, id: u64, place: &Place) -> Result<Fields, Fault> {
        #[cfg(feature = "foreign")]
        if place.entry_segment == MEMORY {
            return self.foreign.get(id).cloned().ok_or_else(|| Error::UnknownId(id).into());
        }
        let segment = (RECORDS, place.entry_segment, place.entry_at.into());
        let (offset, bytes) = self.part(place, segment, 0, place.entry_len as usize)?;
        match Fields::parse(&bytes) {
            Some(fields) if fields.id() == id && !fields.is_removal() => Ok(fields),
            _ => Err(DamageKind::Records.at(offset)),
        }
    }

    /// The vector of a record, into as many components as the file has.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Dimension`], [`Error::Storage`], [`Error::Damaged`].
    pub fn vector(&self, id: u64, into: &mut [f32]) -> Result<(), Error> {
        Ok(self.try_vector(id, into)?)
    }

    pub(crate) fn try_vector(&self, id: u64, into: &mut [f32]) -> Result<(), Fault> {
        if into.len() != self.dim() {
            let (expected, found) = (self.dim() as u32, into.len() as u32);
            return Err(Error::Dimension { expected, found }.into());
        }
        let place = self.newest(id)?;
        let fields = self.fields_at(id, &place)?;
        get_vector(&self.vector_at(&fields, &place)?, into);
        Ok(())
    }

    /// The vector's bytes, checked.
    pub(crate) fn vector_at(&self, fields: &Fields, place: &Place) -> Result<Vec<u8>, Fault> {
        let (id, len) = (fields.id(), self.dim() * 4);
        // In a segment its id stands before it.
        let before = if place.in_one_piece() { 0 } else { 8 };
        let at = 6 + u64::from(place.vector_index) * (8 + len as u64);
        let segment = (VEC, place.vector_segment, at);
        let behind = place.entry_len.into();
        let (offset, mut vector) = self.part(place, segment, behind, before + len)?;
        let named = before == 0 || u64_at(&vector, 0) == id;
        vector.drain(..before.min(vector.len()));
        let sound = named && vector.len() == len;
        match sound && part_check(id, &vector) == fields.vector_check() {
            true => Ok(vector),
            false => Err(DamageKind::Vector.at(offset)),
        }
    }

    /// The text of a record.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Storage`], [`Error::Damaged`].
    pub fn text(&self, id: u64) -> Result<String, Error> {
        Ok(self.try_text(id)?)
    }

    pub(crate) fn try_text(&self, id: u64) -> Result<String, Fault> {
        let place = self.newest(id)?;
        self.text_at(&self.fields_at(id, &place)?, &place)
    }

    /// The text, checked.
    pub(crate) fn text_at(&self, fields: &Fields, place: &Place) -> Result<String, Fault> {
        let len = fields.text_len() as usize;
        if len == 0 {
            return Ok(String::new());
        }
        let parts = fields.parts();
        let segment = (TEXT, parts.text_segment, parts.text_at.into());
        let behind = u64::from(place.entry_len) + self.dim() as u64 * 4;
        let (offset, text) = self.part(place, segment, behind, len)?;
        let sound = text.len() == len && part_check(fields.id(), &text) == fields.text_check();
        let text = String::from_utf8(text).ok().filter(|_| sound);
        text.ok_or_else(|| DamageKind::Text.at(offset))
    }

    /// Reads everything that counts, and gives the first `most` damages, none when all is sound.
    /// Takes the time of reading the file, and a memory that does not depend on its size.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn verify(&self, most: usize) -> Result<Vec<Damage>, Error> {
        Ok(self.damages(most)?)
    }

    fn damages(&self, most: usize) -> Result<Vec<Damage>, Fault> {
        let mut found = Vec::new();
        let mut note = |result: Result<(), Fault>| match result {
            Ok(()) => Ok(true),
            Err(fault) => match fault.error() {
                Error::Damaged(damage) => {
                    found.push(damage);
                    Ok(found.len() < most)
                }
                _ => Err(fault),
            },
        };
        let ours = !self.report.foreign;
        for segment in self.directory.listed() {
            let sound = segment.verify(&self.base(), ours)?
                && (!ours || segment.is_padded(&self.base())?);
            let result = if sound { Ok(()) } else { Err(DamageKind::Segment.at(segment.offset)) };
            if !note(result)? {
                return Ok(found);
            }
        }
        // Its padding may have been torn: nothing depends on it.
        if !note(self.manifest.expect(&self.base(), ours, DamageKind::Manifest))? {
            return Ok(found);
        }
        for (id, place) in self.ledger.iter() {
            let read = self.fields_at(id, place).and_then(|fields| {
                self.vector_at(&fields, place)?;
                self.text_at(&fields, place).map(drop)
            });
            if !note(read)? {
                break;
            }
        }
        Ok(found)
    }
}
