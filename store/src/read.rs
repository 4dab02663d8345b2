//! Reading records: from the batch that is not committed yet, from the journal, or from the base,
//! wherever the newest version is. What it must never do: give out bytes before their check.

use alloc::string::String;
use alloc::vec::Vec;

use crate::batch::REMOVED;
use crate::error::Fault;
use crate::ledger::{JOURNAL, MEMORY, Place};
use crate::record::{Fields, get_vector, part_check};
use crate::room;
use crate::rvf::segment::{RECORDS, TEXT, VEC};
use crate::source::Source;
use crate::wire::{set_u64, u32_at, u64_at};
use crate::{Damage, DamageKind, DurableFile, Error};

impl DurableFile {
    /// Where the newest version of a record is.
    pub(crate) fn newest(&self, id: u64) -> Result<Place, Fault> {
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

    /// Whether there are fewer records than `most`. Looks at each pending change only where it is close.
    pub(crate) fn is_below(&self, most: usize) -> bool {
        self.ledger.len() + self.batch.changes.len() < most || self.len() < most
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

    /// Where a part of a record stands: `at` in the payload of a segment; or, where the record
    /// stands in one piece, `behind` the beginning of its entry.
    fn offset(&self, place: &Place, (kind, segment): (u8, u32), at: u64, behind: u64) -> u64 {
        if place.in_one_piece() {
            return u64::from(place.entry_at) + behind;
        }
        // Places are checked against the directory when they are read.
        self.directory.get(kind, segment).map_or(0, |segment| segment.start() + at)
    }

    /// `len` bytes of a record, at an [`offset`](Self::offset); fewer where they end before.
    fn part(&self, place: &Place, at: u64, len: usize, into: &mut Vec<u8>) -> Result<(), Fault> {
        let mut file = self.base;
        // What stands in memory is copied as well.
        room::ask(&*self.storage, len.saturating_mul(2))?;
        if place.vector_segment == MEMORY {
            take_part(&self.batch.bytes, at, len, into);
            return Ok(());
        }
        if place.in_journal() {
            // On the disk the bit is still turned, until the fold that opening makes.
            let before = self.repaired.partition_point(|(start, _)| *start <= at);
            if let Some((start, bytes)) = self.repaired[..before].last() {
                take_part(bytes, at - start, len, into);
                if into.len() == len {
                    return Ok(());
                }
            }
            let Some(journal) = &self.journal else { return Err(Error::Stopped.into()) };
            file = journal.file;
        }
        Source { storage: &*self.storage, file }.fill(at, len, into)
    }

    /// The fields of a record.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Storage`], [`Error::Damaged`], [`Error::Memory`].
    pub fn fields(&self, id: u64) -> Result<Fields, Error> {
        Ok(self.try_fields(id)?)
    }

    pub(crate) fn try_fields(&self, id: u64) -> Result<Fields, Fault> {
        let mut fields = Fields::NONE;
        self.fields_at(id, &self.newest(id)?, &mut fields)?;
        Ok(fields)
    }

    pub(crate) fn fields_at(&self, id: u64, place: &Place, into: &mut Fields) -> Result<(), Fault> {
        #[cfg(feature = "foreign")]
        if place.entry_segment == MEMORY {
            let fields = self.foreign.get(id).ok_or_else(|| Fault::from(Error::UnknownId(id)))?;
            into.clone_from(fields);
            return Ok(());
        }
        let at = self.offset(place, (RECORDS, place.entry_segment), place.entry_at.into(), 0);
        self.part(place, at, place.entry_len as usize, &mut into.bytes)?;
        match into.is_sound() && into.id() == id && !into.is_removal() {
            true => Ok(()),
            false => Err(DamageKind::Records.at(at)),
        }
    }

    /// The vector of a record, into as many components as the file has.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Dimension`], [`Error::Storage`], [`Error::Damaged`],
    /// [`Error::Memory`].
    pub fn vector(&self, id: u64, into: &mut [f32]) -> Result<(), Error> {
        Ok(self.try_vector(id, into)?)
    }

    pub(crate) fn try_vector(&self, id: u64, into: &mut [f32]) -> Result<(), Fault> {
        if into.len() != self.dim() {
            let (expected, found) = (self.dim() as u32, into.len() as u32);
            return Err(Error::Dimension { expected, found }.into());
        }
        let place = self.newest(id)?;
        let (mut fields, mut vector) = (Fields::NONE, Vec::new());
        self.fields_at(id, &place, &mut fields)?;
        self.vector_at(&fields, &place, &mut vector)?;
        get_vector(&vector[8..], into);
        Ok(())
    }

    /// Where the vector of a record stands, behind 8 bytes: in a segment its id, else the end of the
    /// entry.
    pub(crate) fn vector_start(&self, place: &Place) -> u64 {
        let at = 6 + u64::from(place.vector_index) * (8 + self.dim() as u64 * 4);
        let behind = u64::from(place.entry_len).saturating_sub(8);
        self.offset(place, (VEC, place.vector_segment), at, behind)
    }

    /// The bytes of the vector, checked, behind the record's id.
    pub(crate) fn vector_at(
        &self,
        fields: &Fields,
        place: &Place,
        into: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let (id, len) = (fields.id(), 8 + self.dim() * 4);
        let at = self.vector_start(place);
        self.part(place, at, len, into)?;
        let named = place.in_one_piece() || u64_at(into, 0) == id;
        let sound = named && into.len() == len;
        if !sound || part_check(id, &into[8..]) != fields.vector_check() {
            return Err(DamageKind::Vector.at(at));
        }
        set_u64(into, 0, id);
        Ok(())
    }

    /// The text of a record.
    ///
    /// # Errors
    /// [`Error::UnknownId`], [`Error::Storage`], [`Error::Damaged`], [`Error::Memory`].
    pub fn text(&self, id: u64) -> Result<String, Error> {
        Ok(self.try_text(id)?)
    }

    pub(crate) fn try_text(&self, id: u64) -> Result<String, Fault> {
        let place = self.newest(id)?;
        let (mut fields, mut text) = (Fields::NONE, String::new());
        self.fields_at(id, &place, &mut fields)?;
        self.text_at(&fields, &place, &mut text)?;
        Ok(text)
    }

    /// The text, checked.
    pub(crate) fn text_at(
        &self,
        fields: &Fields,
        place: &Place,
        into: &mut String,
    ) -> Result<(), Fault> {
        let len = fields.text_len() as usize;
        into.clear();
        if len == 0 {
            return Ok(());
        }
        let parts = fields.parts();
        let behind = u64::from(place.entry_len) + self.dim() as u64 * 4;
        let at = self.offset(place, (TEXT, parts.text_segment), parts.text_at.into(), behind);
        let mut text = core::mem::take(into).into_bytes();
        self.part(place, at, len, &mut text)?;
        let sound = text.len() == len && part_check(fields.id(), &text) == fields.text_check();
        match String::from_utf8(text) {
            Ok(text) if sound => *into = text,
            _ => return Err(DamageKind::Text.at(at)),
        }
        Ok(())
    }

    /// Reads everything that counts, and gives the first `most` damages, none when all is sound.
    /// Takes the time of reading the file, and a memory that does not depend on its size.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Memory`].
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
        if !note(self.manifest_at.expect(&self.base(), ours, DamageKind::Manifest))? {
            return Ok(found);
        }
        let mut record = Stored::NONE;
        for (id, place) in self.ledger.iter() {
            if !note(self.stored(id, place, &mut record))? {
                break;
            }
        }
        Ok(found)
    }

    /// All of the newest version of a record.
    pub(crate) fn try_stored(&self, id: u64, into: &mut Stored) -> Result<(), Fault> {
        self.stored(id, &self.newest(id)?, into)
    }

    /// All of a record.
    pub(crate) fn stored(&self, id: u64, place: &Place, into: &mut Stored) -> Result<(), Fault> {
        self.fields_at(id, place, &mut into.fields)?;
        self.vector_at(&into.fields, place, &mut into.vector)?;
        self.text_at(&into.fields, place, &mut into.text)
    }
}

/// A record as it was read.
pub(crate) struct Stored {
    pub(crate) fields: Fields,
    /// The bytes of its vector, behind its id.
    pub(crate) vector: Vec<u8>,
    pub(crate) text: String,
}

impl Stored {
    /// No record: what one is read into.
    pub(crate) const NONE: Self =
        Self { fields: Fields::NONE, vector: Vec::new(), text: String::new() };
}

/// The part of `bytes` from `at` on, as far as it is there.
fn take_part(bytes: &[u8], at: u64, len: usize, into: &mut Vec<u8>) {
    into.clear();
    let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    into.extend_from_slice(&rest[..len.min(rest.len())]);
}
