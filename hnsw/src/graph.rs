//! The graph over its buffer: fields of the header and of the slots.
//!
//! Everything that reads or writes a byte of the buffer stands here and in
//! [`links`](crate::links); the algorithms speak in slots and levels.

use core::ops::{Deref, DerefMut};

use crate::insert::SlotError;
use crate::layout::{HEADER, Layout, MAGIC, MAX_LINKS, OpenError, Params, VERSION};
use crate::scratch::Scratch;
use crate::search::Request;
use crate::verify::Report;
use crate::{EMPTY, Probe, Slot, Space};

const DRAWS: usize = 24;
const LEN: usize = 32;
const ENTRY: usize = 36;
const ROOT: usize = 40;

/// A graph over a buffer `B`: `&[u8]` to read it, `&mut [u8]` to change it too.
///
/// What a call does is written for [`View`] and [`Edit`], so that there is one copy of it in
/// a program, whatever `B` is.
#[derive(Debug)]
pub struct Graph<B> {
    pub(crate) bytes: B,
    pub(crate) layout: Layout,
}

/// A graph to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) layout: &'a Layout,
}

/// A graph to change.
#[derive(Debug)]
pub(crate) struct Edit<'a> {
    pub(crate) bytes: &'a mut [u8],
    pub(crate) layout: &'a Layout,
}

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// The graph that `bytes` holds, laid out as `layout` says, without a check of its
    /// contents: for buffers that [`Graph::init`] or [`Graph::open`] has passed.
    ///
    /// # Errors
    /// [`OpenError::Misaligned`] and [`OpenError::TooShort`].
    pub fn over(layout: &Layout, bytes: B) -> Result<Self, OpenError> {
        if !bytes.as_ptr().addr().is_multiple_of(64) {
            return Err(OpenError::Misaligned);
        }
        if bytes.len() < layout.bytes {
            return Err(OpenError::TooShort { needed: layout.bytes, found: bytes.len() });
        }
        Ok(Graph { bytes, layout: *layout })
    }

    /// As [`Graph::over`] for a caller that has already passed the same buffer, laid out in the
    /// same way: no check, and no error to handle on every call.
    #[must_use]
    pub fn again(layout: &Layout, bytes: B) -> Self {
        debug_assert!(bytes.len() >= layout.bytes);
        Graph { bytes, layout: *layout }
    }

    /// Opens the graph in `bytes` and checks every section before it trusts one.
    ///
    /// # Errors
    /// An [`OpenError`] that names what is wrong.
    pub fn open(bytes: B) -> Result<Self, OpenError> {
        if bytes.len() < HEADER {
            return Err(OpenError::TooShort { needed: HEADER, found: bytes.len() });
        }
        if bytes[..4] != MAGIC {
            return Err(OpenError::NotAGraph);
        }
        if read_u16(&bytes, 4) != VERSION {
            return Err(OpenError::Version(read_u16(&bytes, 4)));
        }
        let params = Params {
            m: read_u16(&bytes, 6),
            capacity: read_u32(&bytes, 8),
            ef_construction: read_u32(&bytes, 12),
            seed: read_u64(&bytes, 16),
        };
        let layout = Layout::new(&params).ok_or(OpenError::BadParams)?;
        let graph = Graph::over(&layout, bytes)?;
        graph.view().check()?;
        Ok(graph)
    }

    /// Checks every section, and that the header is that of a graph laid out in this way: what
    /// [`Graph::open`] does for a caller that has laid it out already.
    ///
    /// # Errors
    /// [`OpenError::BadParams`] for another header, else [`OpenError::Corrupt`].
    pub fn check(&self) -> Result<(), OpenError> {
        if self.bytes.first_chunk() != Some(&head(&self.layout.params)) {
            return Err(OpenError::BadParams);
        }
        self.view().check()
    }

    /// The layout.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Slots in use.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.view().len()
    }

    /// Is no slot in use?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots there are.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.layout.params.capacity
    }

    /// Where walks begin, or [`EMPTY`].
    #[must_use]
    pub fn entry(&self) -> Slot {
        self.view().entry()
    }

    /// The one slot without a parent, or [`EMPTY`].
    #[must_use]
    pub fn root(&self) -> Slot {
        self.view().root()
    }

    /// The highest level of `slot`, or `None` where it is free or out of range.
    #[must_use]
    pub fn level(&self, slot: Slot) -> Option<u8> {
        self.view().level(slot)
    }

    /// Is `slot` in use?
    #[must_use]
    pub fn is_live(&self, slot: Slot) -> bool {
        self.view().level(slot).is_some()
    }

    /// One bit a slot, least significant first: set where it is in use.
    #[must_use]
    pub fn live(&self) -> &[u64] {
        self.view().live()
    }

    /// The lowest free slot, or `None` when the graph is full.
    #[must_use]
    pub fn free_slot(&self) -> Option<Slot> {
        self.view().free_slot()
    }

    /// Copies the neighbours of `slot` on `level` to `out`; returns how many there are.
    /// A slot that does not reach `level` has none.
    pub fn neighbours(&self, slot: Slot, level: u8, out: &mut [Slot; MAX_LINKS]) -> usize {
        self.view().neighbours(slot, level, out)
    }

    /// Looks for the slots nearest by `probe`; returns how many candidates it left in the
    /// scratch (see [`Scratch::candidates`]): at least `min(k, matching)`, and `max(k, ef)`
    /// or, where some are tied, a few more; all limited by the scratch.
    pub fn search(
        &self,
        probe: &mut dyn Probe,
        request: &Request<'_>,
        scratch: &mut Scratch<'_>,
    ) -> usize {
        self.view().search(probe, request, scratch)
    }

    /// Checks every invariant and walks level 0 from the entry to every slot.
    pub fn verify(&self, scratch: &mut Scratch<'_>) -> Report {
        self.view().verify(scratch)
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { bytes: &self.bytes, layout: &self.layout }
    }
}

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Makes an empty graph in `bytes`; what they held is lost.
    ///
    /// # Errors
    /// [`OpenError::BadParams`], [`OpenError::Misaligned`], [`OpenError::TooShort`]; the
    /// buffer is then as it was.
    pub fn init(params: &Params, bytes: B) -> Result<Self, OpenError> {
        let layout = Layout::new(params).ok_or(OpenError::BadParams)?;
        let mut graph = Graph::over(&layout, bytes)?;
        let b = &mut graph.bytes[..layout.bytes];
        b.fill(0);
        write(b, 0, &head(params));
        write_u32(b, ENTRY, EMPTY);
        write_u32(b, ROOT, EMPTY);
        write_u32(b, 44, layout.block_count);
        b[layout.links..layout.diverse].fill(0xFF);
        b[layout.blocks..].fill(0xFF);
        Ok(graph)
    }

    /// Inserts `slot`, which must be free. `probe` gives distances from its vector, which
    /// may be estimates, for the walk; `space` must know the vector already, and chooses.
    ///
    /// # Errors
    /// [`SlotError`]; the graph is then as it was.
    pub fn insert(
        &mut self,
        slot: Slot,
        probe: &mut dyn Probe,
        space: &mut dyn Space,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), SlotError> {
        self.edit().insert(slot, probe, space, scratch)
    }

    /// Removes `slot` and repairs the lists that pointed to it. `space` must still know
    /// the slot's vector.
    ///
    /// # Errors
    /// [`SlotError::OutOfRange`], [`SlotError::Free`]; the graph is then as it was.
    pub fn remove(&mut self, slot: Slot, space: &mut dyn Space) -> Result<(), SlotError> {
        self.edit().remove(slot, space)
    }

    /// Makes this graph, which must be empty, a copy of `other`.
    ///
    /// # Errors
    /// [`OpenError::BadParams`] where this graph is not empty, is smaller, or was made with
    /// other parameters than `other` but for the capacity; it is then as it was.
    pub fn copy_from<C: Deref<Target = [u8]>>(
        &mut self,
        other: &Graph<C>,
    ) -> Result<(), OpenError> {
        self.edit().copy_from(other.view())
    }

    fn edit(&mut self) -> Edit<'_> {
        Edit { bytes: &mut self.bytes, layout: &self.layout }
    }
}

impl<'a> View<'a> {
    /// Slots in use.
    pub(crate) fn len(&self) -> u32 {
        read_u32(self.bytes, LEN)
    }

    /// How many slots there are.
    pub(crate) fn capacity(&self) -> u32 {
        self.layout.params.capacity
    }

    /// Where walks begin, or [`EMPTY`].
    pub(crate) fn entry(&self) -> Slot {
        read_u32(self.bytes, ENTRY)
    }

    /// The one slot without a parent, or [`EMPTY`].
    pub(crate) fn root(&self) -> Slot {
        read_u32(self.bytes, ROOT)
    }

    pub(crate) fn draws(&self) -> u64 {
        read_u64(self.bytes, DRAWS)
    }

    /// The highest level of `slot`, or `None` where it is free or out of range.
    pub(crate) fn level(&self, slot: Slot) -> Option<u8> {
        if slot >= self.capacity() {
            return None;
        }
        match self.bytes.get(self.layout.levels + slot as usize) {
            None | Some(0xFF) => None,
            Some(&level) => Some(level),
        }
    }

    /// Is `slot` in use?
    pub(crate) fn is_live(&self, slot: Slot) -> bool {
        self.level(slot).is_some()
    }

    /// One bit a slot, least significant first: set where it is in use.
    pub(crate) fn live(&self) -> &'a [u64] {
        let words = self.capacity().div_ceil(64) as usize;
        bytemuck::cast_slice(&self.bytes[self.layout.live..self.layout.live + 8 * words])
    }

    /// The lowest free slot, or `None` when the graph is full.
    pub(crate) fn free_slot(&self) -> Option<Slot> {
        if self.len() >= self.capacity() {
            return None;
        }
        let words = self.live();
        // Slots fill from below: begin where the live ones would end if there were no gaps,
        // unless a gap has been left below.
        let dense = (self.len() / 64) as usize;
        let full = |w: &u64| *w == u64::MAX;
        let first = if words[..dense].iter().all(full) { dense } else { 0 };
        for (i, &word) in words.iter().enumerate().skip(first) {
            if word != u64::MAX {
                let slot = (i as u32) * 64 + (!word).trailing_zeros();
                return (slot < self.capacity()).then_some(slot);
            }
        }
        None
    }

    /// A slot as stored at index `i` of the section at `section`.
    #[inline(never)]
    pub(crate) fn stored(&self, section: usize, i: usize) -> Slot {
        if self.layout.wide {
            read_u32(self.bytes, section + 4 * i)
        } else {
            widen(read_u16(self.bytes, section + 2 * i))
        }
    }

    /// The parent of `slot` in the tree of protected links.
    pub(crate) fn parent(&self, slot: Slot) -> Slot {
        self.stored(self.layout.parents, slot as usize)
    }
}

impl Edit<'_> {
    /// The graph as it stands.
    pub(crate) fn view(&self) -> View<'_> {
        View { bytes: self.bytes, layout: self.layout }
    }

    pub(crate) fn set_len(&mut self, len: u32) {
        write_u32(self.bytes, LEN, len);
    }

    pub(crate) fn set_entry(&mut self, slot: Slot) {
        write_u32(self.bytes, ENTRY, slot);
    }

    pub(crate) fn set_root(&mut self, slot: Slot) {
        write_u32(self.bytes, ROOT, slot);
    }

    pub(crate) fn set_draws(&mut self, draws: u64) {
        write(self.bytes, DRAWS, &draws.to_le_bytes());
    }

    /// Marks `slot` as in use up to `level`, or as free.
    pub(crate) fn set_level(&mut self, slot: Slot, level: Option<u8>) {
        self.bytes[self.layout.levels + slot as usize] = level.unwrap_or(0xFF);
        let at = self.layout.live + slot as usize / 8;
        let bit = 1u8 << (slot % 8);
        if level.is_some() {
            self.bytes[at] |= bit;
        } else {
            self.bytes[at] &= !bit;
        }
    }

    #[inline(never)]
    pub(crate) fn store(&mut self, section: usize, i: usize, slot: Slot) {
        if self.layout.wide {
            write_u32(self.bytes, section + 4 * i, slot);
        } else {
            write(self.bytes, section + 2 * i, &(slot as u16).to_le_bytes());
        }
    }

    pub(crate) fn set_parent(&mut self, slot: Slot, parent: Slot) {
        self.store(self.layout.parents, slot as usize, parent);
    }
}

/// The header up to where it changes.
fn head(params: &Params) -> [u8; 24] {
    let mut head = [0; 24];
    head[..4].copy_from_slice(&MAGIC);
    head[4..6].copy_from_slice(&VERSION.to_le_bytes());
    head[6..8].copy_from_slice(&params.m.to_le_bytes());
    head[8..12].copy_from_slice(&params.capacity.to_le_bytes());
    head[12..16].copy_from_slice(&params.ef_construction.to_le_bytes());
    head[16..].copy_from_slice(&params.seed.to_le_bytes());
    head
}

/// A 16-bit slot as a [`Slot`].
pub(crate) fn widen(stored: u16) -> Slot {
    if stored == u16::MAX { EMPTY } else { Slot::from(stored) }
}

/// The integer at `at`, which lies inside the buffer; 0 if it does not.
#[inline(never)]
pub(crate) fn read_u32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}

/// The same for 16 bits.
pub(crate) fn read_u16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u16::from_le_bytes(*b))
}

/// Writes where there is room, which there is.
pub(crate) fn write(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|b| b.get_mut(..value.len())) {
        place.copy_from_slice(value);
    }
}

#[inline(never)]
pub(crate) fn write_u32(bytes: &mut [u8], at: usize, value: u32) {
    write(bytes, at, &value.to_le_bytes());
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(read_u32(bytes, at)) | u64::from(read_u32(bytes, at + 4)) << 32
}
