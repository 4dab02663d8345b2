//! The graph over its buffer: fields of the header and of the slots.
//!
//! Everything that reads or writes a byte of the buffer stands here and in
//! [`links`](crate::links); the algorithms speak in slots and levels.
//!
//! A read past the buffer's end gives zeros and a write there does nothing. Neither happens in
//! a buffer that [`Graph::open`] has passed, and a check that answers so is a few bytes
//! where one that panics is a few dozen.
//!
//! What it must never do: hold anything of the graph outside the buffer. The layout beside it
//! follows from the header's parameters, so that a byte copy is the whole graph.

use core::ops::{Deref, DerefMut};

use crate::layout::{HEADER, Layout, MAX_LINKS, OpenError, Params};
use crate::verify::Damage;
use crate::{EMPTY, Slot};

// Offsets of the header's fields: the drawing in `layout` has all of them.
const DRAWS: usize = 24;
const LEN: usize = 32;
const ENTRY: usize = 36;
const ROOT: usize = 40;
pub(crate) const BLOCKS: usize = 44;

/// A graph over a buffer `B`: `&[u8]` to read it, `&mut [u8]` to change it too.
#[derive(Debug)]
pub struct Graph<B> {
    pub(crate) bytes: B,
    pub(crate) layout: Layout,
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
        let layout = Layout::read(&bytes)?;
        let graph = Graph::over(&layout, bytes)?;
        graph.check()?;
        Ok(graph)
    }

    /// The graph as searches have it, for the walks of an insert: so a module has walks once, for
    /// both. Where a copy of the layout is no single instruction, it is no less than that.
    #[cfg(any(not(target_family = "wasm"), target_feature = "bulk-memory"))]
    #[inline(never)]
    pub(crate) fn walker(&self) -> Graph<&[u8]> {
        Graph { bytes: &self.bytes, layout: self.layout }
    }

    /// The graph itself.
    #[cfg(not(any(not(target_family = "wasm"), target_feature = "bulk-memory")))]
    pub(crate) fn walker(&self) -> &Self {
        self
    }

    /// Checks every section, and that the header is that of a graph laid out in this way: what
    /// [`Graph::open`] does for a caller that has laid it out already.
    ///
    /// # Errors
    /// [`OpenError::BadParams`] for another header, else [`OpenError::Corrupt`].
    pub fn check(&self) -> Result<(), OpenError> {
        self.damage().map_err(|damage| match damage {
            Damage::Header => OpenError::BadParams,
            damage => OpenError::Corrupt(damage.sentence()),
        })
    }

    /// The layout.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Slots in use.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.word(LEN)
    }

    /// Is no slot in use?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots there are.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.layout.capacity()
    }

    /// Where walks begin, or [`EMPTY`].
    #[must_use]
    pub fn entry(&self) -> Slot {
        self.word(ENTRY)
    }

    /// The one slot without a parent, or [`EMPTY`].
    #[must_use]
    pub fn root(&self) -> Slot {
        self.word(ROOT)
    }

    /// The highest level of `slot`, or `None` where it is free or out of range.
    #[must_use]
    pub fn level(&self, slot: Slot) -> Option<u8> {
        (self.lists(slot) as u8).checked_sub(1)
    }

    /// Is `slot` in use?
    #[must_use]
    pub fn is_live(&self, slot: Slot) -> bool {
        self.lists(slot) > 0
    }

    /// One bit a slot, least significant first: set where it is in use.
    #[must_use]
    pub fn live(&self) -> &[u64] {
        let bytes = self.layout.words() * 8;
        let bytes = self.bytes.get(self.layout.live..self.layout.live + bytes);
        bytes.and_then(|b| bytemuck::try_cast_slice(b).ok()).unwrap_or(&[])
    }

    /// The lowest free slot, or `None` when the graph is full.
    #[must_use]
    pub fn free_slot(&self) -> Option<Slot> {
        if self.len() >= self.capacity() {
            return None;
        }
        let words = self.live();
        // Slots fill from below: begin where the live ones would end if there were no gaps,
        // unless a gap has been left below.
        let dense = (self.len() / 64) as usize;
        let full = |w: &u64| *w == u64::MAX;
        let first = if words.iter().take(dense).all(full) { dense } else { 0 };
        let (i, word) = words.iter().enumerate().skip(first).find(|(_, word)| !full(word))?;
        let slot = (i as u32) * 64 + word.trailing_ones();
        (slot < self.capacity()).then_some(slot)
    }

    /// Copies the neighbours of `slot` on `level` to `out`; returns how many there are.
    /// A slot that does not reach `level` has none.
    pub fn neighbours(&self, slot: Slot, level: u8, out: &mut [Slot; MAX_LINKS]) -> usize {
        let mut n = 0;
        for (place, link) in out.iter_mut().zip(self.each(slot, level.into())) {
            *place = link;
            n += 1;
        }
        n
    }

    /// How many levels have been drawn.
    pub(crate) fn draws(&self) -> u64 {
        u64::from(self.word(DRAWS)) | u64::from(self.word(DRAWS + 4)) << 32
    }

    /// How many lists of links `slot` has: one more than its level, or none where it is free or
    /// out of range.
    #[inline(never)]
    pub(crate) fn lists(&self, slot: Slot) -> u32 {
        if slot >= self.capacity() {
            return 0;
        }
        self.byte(self.layout.levels + slot as usize).wrapping_add(1).into()
    }

    /// The parent of `slot` in the tree of protected links.
    pub(crate) fn parent(&self, slot: Slot) -> Slot {
        self.stored(self.layout.parents, slot as usize)
    }

    /// A slot as stored at index `i` of the section at `section`. The word is read whole whatever
    /// the width, which never leads past the end: blocks lie behind all the other slots, and end
    /// in a padding.
    #[inline(never)]
    pub(crate) fn stored(&self, section: usize, i: usize) -> Slot {
        let slot = self.word(section + i * self.layout.width) & self.layout.mask;
        if slot == self.layout.mask { EMPTY } else { slot }
    }

    /// The four bytes at `at`.
    #[inline(never)]
    pub(crate) fn word(&self, at: usize) -> u32 {
        read(&self.bytes, at)
    }

    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.word(at) as u8
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
        graph.clear();
        Ok(graph)
    }

    /// Makes the graph an empty one, header and all.
    pub fn clear(&mut self) {
        self.fill(0, self.layout.bytes, 0);
        self.fill(HEADER, self.layout.diverse, 0xFF);
        self.fill(self.layout.blocks, self.layout.bytes, 0xFF);
        // No entry and no root.
        self.fill(ENTRY, BLOCKS, 0xFF);
        for i in 0..self.layout.header.len() {
            self.set_word(4 * i, self.layout.header[i]);
        }
        self.set_word(BLOCKS, self.layout.block_count);
    }

    pub(crate) fn set_len(&mut self, len: u32) {
        self.set_word(LEN, len);
    }

    pub(crate) fn set_entry(&mut self, slot: Slot) {
        self.set_word(ENTRY, slot);
    }

    pub(crate) fn set_root(&mut self, slot: Slot) {
        self.set_word(ROOT, slot);
    }

    pub(crate) fn set_draws(&mut self, draws: u64) {
        self.set_word(DRAWS, draws as u32);
        self.set_word(DRAWS + 4, (draws >> 32) as u32);
    }

    /// Puts `slot`, a free one, in use with so many lists, or, with none, a used one out of use.
    pub(crate) fn set_lists(&mut self, slot: Slot, lists: u32) {
        self.set_byte(self.layout.levels + slot as usize, (lists as u8).wrapping_sub(1));
        let at = self.layout.live + slot as usize / 32 * 4;
        self.set_word(at, self.word(at) ^ 1u32.wrapping_shl(slot));
    }

    pub(crate) fn set_parent(&mut self, slot: Slot, parent: Slot) {
        self.store(self.layout.parents, slot as usize, parent);
    }

    /// The counterpart of [`Graph::stored`].
    #[inline(never)]
    pub(crate) fn store(&mut self, section: usize, i: usize, slot: Slot) {
        let at = section + i * self.layout.width;
        let mask = self.layout.mask;
        self.set_word(at, self.word(at) & !mask | slot & mask);
    }

    #[inline(never)]
    pub(crate) fn set_word(&mut self, at: usize, value: u32) {
        if let Some(place) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *place = value.to_le_bytes();
        }
    }

    #[inline(never)]
    pub(crate) fn set_byte(&mut self, at: usize, value: u8) {
        if let Some(place) = self.bytes.get_mut(at) {
            *place = value;
        }
    }

    #[inline(never)]
    pub(crate) fn fill(&mut self, from: usize, to: usize, value: u8) {
        if let Some(place) = self.bytes.get_mut(from..to) {
            place.fill(value);
        }
    }
}

/// The four bytes at `at`, inlined.
#[inline(always)]
pub(crate) fn read(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}
