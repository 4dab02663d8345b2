//! Reading records: from the batch that is not committed yet, from the journal, or from the base,
//! wherever the newest version is. What it must never do: give out bytes before their check.

use alloc::string::String;
use alloc::vec::Vec;

use crate::durable::REMOVED;
use crate::error::Fault;
use crate::ledger::{MEMORY, Place};
use crate::record::{Fields, entry_len, get_vector, part_check};
use crate::rvf::segment::{RECORDS, TEXT, VEC};
use crate::source::Source;
use crate::wire::u64_at;
use crate::{Damage, DamageKind, DurableFile, Error};

/// Where the newest version of a record is.
enum Newest {
    Batch(usize),
    File(Place),
}

impl DurableFile {
    fn newest(&self, id: u64) -> Result<Newest, Fault> {
        match self.batch.changes.get(id) {
            Some(&REMOVED) => Err(Error::UnknownId(id).into()),
            Some(&at) => Ok(Newest::Batch(at as usize)),
            None => match self.ledger.get(id) {
                Some(place) => Ok(Newest::File(*place)),
                None => Err(Error::UnknownId(id).into()),
            },
        }
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
        if let Some((start, bytes)) = self.repaired.until(offset) {
            let at = usize::try_from(offset - start).unwrap_or(usize::MAX);
            if let Some(part) = bytes.get(at..at.saturating_add(len).min(bytes.len())) {
                return Ok(part.to_vec());
            }
        }
        let journal = self.journal.as_ref().ok_or_else(|| Fault::from(Error::Stopped))?;
        Source { storage: &*self.storage, file: journal.file }.bytes(offset, len)
    }

    /// `len` bytes at `offset` of the journal, or of the base.
    fn part(&self, in_journal: bool, offset: u64, len: usize) -> Result<Vec<u8>, Fault> {
        match in_journal {
            true => self.journal_bytes(offset, len),
            false => self.base().bytes(offset, len),
        }
    }

    /// The fields of a record.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Storage`], [`Error::Damaged`].
    pub fn fields(&self, id: u64) -> Result<Fields, Error> {
        Ok(self.try_fields(id)?)
    }

    pub(crate) fn try_fields(&self, id: u64) -> Result<Fields, Fault> {
        let place = match self.newest(id)? {
            Newest::Batch(at) => {
                let entry = self.batch.bytes.get(at..).and_then(Fields::parse);
                return entry.ok_or_else(|| Error::UnknownId(id).into());
            }
            Newest::File(place) => place,
        };
        self.fields_at(id, &place)
    }

    pub(crate) fn fields_at(&self, id: u64, place: &Place) -> Result<Fields, Fault> {
        if place.entry_segment == MEMORY {
            return self.foreign.get(id).cloned().ok_or_else(|| Error::UnknownId(id).into());
        }
        let offset = if place.in_journal() {
            place.entry_at.into()
        } else {
            let segment = self.directory.get(RECORDS, place.entry_segment);
            let segment = segment.ok_or_else(|| DamageKind::Records.at(0))?;
            segment.start() + u64::from(place.entry_at)
        };
        let bytes = self.part(place.in_journal(), offset, place.entry_len as usize)?;
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
        match self.newest(id)? {
            Newest::Batch(at) => {
                let entry = self.batch.bytes.get(at..).unwrap_or_default();
                let vector = entry_len(entry).and_then(|len| entry.get(len..));
                get_vector(vector.unwrap_or_default(), into);
            }
            Newest::File(place) => {
                let fields = self.fields_at(id, &place)?;
                get_vector(&self.vector_at(&fields, &place)?, into);
            }
        }
        Ok(())
    }

    /// The vector's bytes, checked.
    pub(crate) fn vector_at(&self, fields: &Fields, place: &Place) -> Result<Vec<u8>, Fault> {
        let (id, len) = (fields.id(), self.dim() * 4);
        let (offset, vector) = if place.in_journal() {
            let offset = u64::from(place.entry_at) + u64::from(place.entry_len);
            (offset, self.journal_bytes(offset, len)?)
        } else {
            let segment = self.directory.get(VEC, place.vector_segment);
            let segment = segment.ok_or_else(|| DamageKind::Vector.at(0))?;
            let offset = segment.start() + 6 + u64::from(place.vector_index) * (8 + len as u64);
            let mut bytes = self.base().bytes(offset, 8 + len)?;
            if bytes.len() < 8 || u64_at(&bytes, 0) != id {
                return Err(DamageKind::Vector.at(offset));
            }
            bytes.drain(..8);
            (offset, bytes)
        };
        match vector.len() == len && part_check(id, &vector) == fields.vector_check() {
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
        let bytes = match self.newest(id)? {
            Newest::Batch(at) => {
                let entry = self.batch.bytes.get(at..).unwrap_or_default();
                let fields =
                    Fields::parse(entry).ok_or_else(|| Fault::from(Error::UnknownId(id)))?;
                let start = fields.bytes().len() + self.dim() * 4;
                let end = start + fields.text_len() as usize;
                entry.get(start..end).unwrap_or_default().to_vec()
            }
            Newest::File(place) => {
                let fields = self.fields_at(id, &place)?;
                self.text_at(&fields, &place)?
            }
        };
        String::from_utf8(bytes).map_err(|_| DamageKind::Text.at(0))
    }

    /// The text's bytes, checked.
    pub(crate) fn text_at(&self, fields: &Fields, place: &Place) -> Result<Vec<u8>, Fault> {
        let len = fields.text_len() as usize;
        if len == 0 {
            return Ok(Vec::new());
        }
        let offset = if place.in_journal() {
            u64::from(place.entry_at) + u64::from(place.entry_len) + self.dim() as u64 * 4
        } else {
            let parts = fields.parts();
            let segment = self.directory.get(TEXT, parts.text_segment);
            let segment = segment.ok_or_else(|| DamageKind::Text.at(0))?;
            segment.start() + u64::from(parts.text_at)
        };
        let text = self.part(place.in_journal(), offset, len)?;
        let sound = text.len() == len && part_check(fields.id(), &text) == fields.text_check();
        match sound && core::str::from_utf8(&text).is_ok() {
            true => Ok(text),
            false => Err(DamageKind::Text.at(offset)),
        }
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
