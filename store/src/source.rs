//! A file that is read: exactly, or as a stream through one small buffer.
//!
//! Why: files of any size are read in a small memory; and a medium may say that it has more
//! bytes than it has, so that a file ends where reading ends.
//!
//! What it must never do: allocate without having asked `room`, or take the medium's word for
//! how much there is.

use alloc::vec::Vec;

use crate::DamageKind;
use crate::error::Fault;
use crate::room;
use crate::storage::{Handle, Storage, read_full};
use crate::wire::extend_with_zeros;

/// Bytes of a stream's buffer: more than the largest entry, so that what is taken at once fits.
pub(crate) const BUFFER: usize = 128 << 10;

/// An open file, for reading.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) storage: &'a dyn Storage,
    pub(crate) file: Handle,
}

impl<'a> Source<'a> {
    /// Fills `into` from `offset`; false when the file ends before.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<bool, Fault> {
        Ok(read_full(self.storage, self.file, offset, into)? == into.len())
    }

    /// `len` bytes from `offset`; fewer when the file ends before. `len` is bounded by the
    /// caller.
    pub(crate) fn bytes(&self, offset: u64, len: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.fill(offset, len, &mut bytes)?;
        Ok(bytes)
    }

    /// [`bytes`](Self::bytes), in the place of what is in `into`.
    #[inline(never)]
    pub(crate) fn fill(&self, offset: u64, len: usize, into: &mut Vec<u8>) -> Result<(), Fault> {
        into.clear();
        if len > into.capacity() {
            // Whoever takes them apart may need as much once more.
            room::ask(self.storage, len.saturating_mul(2))?;
            into.reserve_exact(len);
        }
        extend_with_zeros(into, len);
        let read = read_full(self.storage, self.file, offset, into)?;
        into.truncate(read);
        Ok(())
    }

    /// A stream of the bytes from `offset` to `end`, which end with `damage` where they should
    /// go on.
    pub(crate) fn stream(self, offset: u64, end: u64, damage: (DamageKind, u64)) -> Stream<'a> {
        Stream { source: self, next: offset, end, buffer: Vec::new(), used: 0, damage }
    }
}

/// Bytes of a file in their order.
pub(crate) struct Stream<'a> {
    source: Source<'a>,
    /// Where the bytes behind the buffer stand in the file.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken.
    used: usize,
    #[cfg_attr(not(feature = "foreign"), expect(dead_code, reason = "nothing else is taken"))]
    damage: (DamageKind, u64),
}

impl Stream<'_> {
    /// Where in the file the next byte stands.
    pub(crate) fn at(&self) -> u64 {
        self.next - (self.buffer.len() - self.used) as u64
    }

    /// Bytes left until the end.
    pub(crate) fn left(&self) -> u64 {
        self.end.saturating_sub(self.at())
    }

    /// Looks at the next bytes, `len` or as many as are left. `len` is at most [`BUFFER`].
    pub(crate) fn peek(&mut self, len: usize) -> Result<&[u8], Fault> {
        if self.buffer.len() - self.used < len {
            if self.buffer.capacity() == 0 {
                room::ask(self.source.storage, 2 * BUFFER)?;
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            let had = self.buffer.len();
            let left = self.end.saturating_sub(self.next);
            let want = left.min((BUFFER - had) as u64) as usize;
            extend_with_zeros(&mut self.buffer, had + want);
            let Source { storage, file } = self.source;
            let read = read_full(storage, file, self.next, &mut self.buffer[had..])?;
            self.buffer.truncate(had + read);
            self.next += read as u64;
            if read < want {
                self.end = self.next;
            }
        }
        let there = &self.buffer[self.used..];
        Ok(&there[..len.min(there.len())])
    }

    /// Takes the next `len` bytes; that there are fewer is the damage.
    #[cfg(feature = "foreign")]
    pub(crate) fn take(&mut self, len: usize) -> Result<&[u8], Fault> {
        if len > BUFFER || self.peek(len)?.len() < len {
            return Err(self.damaged());
        }
        let at = self.used;
        self.used += len;
        Ok(&self.buffer[at..at + len])
    }

    /// That what stands here is not what may stand here.
    #[cfg(feature = "foreign")]
    pub(crate) fn damaged(&self) -> Fault {
        self.damage.0.at(self.damage.1)
    }

    /// Leaves out `len` bytes; false when fewer are left.
    pub(crate) fn skip(&mut self, len: u64) -> bool {
        let Some(at) = self.at().checked_add(len).filter(|&at| at <= self.end) else {
            return false;
        };
        let there = (self.buffer.len() - self.used) as u64;
        if len <= there {
            self.used += len as usize;
        } else {
            self.buffer.clear();
            (self.used, self.next) = (0, at);
        }
        true
    }
}
