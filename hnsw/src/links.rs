//! Reading and writing a slot's neighbours on a level.
//!
//! A list is dense: links first, [`EMPTY`] behind. The diverse links come before the
//! fillers, and their number is kept beside the list. Level 0 has a list for each slot;
//! above it a slot has a chain of blocks, one a level, which name their owner, so that a
//! block is found free, or checked, without a second structure.

use crate::graph::{Edit, View, read_u32, write_u32};
use crate::layout::{BLOCK_HEADER, MAX_LINKS};
use crate::{EMPTY, Slot};

/// A list of links, taken out of the buffer to be worked on.
#[derive(Clone, Copy, Debug)]
pub struct Links {
    slots: [Slot; MAX_LINKS],
    len: u8,
    /// How many of the links, from the first, are diverse; the others are fillers.
    pub diverse: u8,
}

impl Links {
    /// No links.
    #[must_use]
    pub const fn new() -> Self {
        Links { slots: [EMPTY; MAX_LINKS], len: 0, diverse: 0 }
    }

    /// The links, diverse ones first.
    #[must_use]
    pub fn as_slice(&self) -> &[Slot] {
        &self.slots[..self.len as usize]
    }

    /// Adds a filler; a list of [`MAX_LINKS`] stays as it is.
    pub fn push(&mut self, slot: Slot) {
        if (self.len as usize) < MAX_LINKS {
            self.slots[self.len as usize] = slot;
            self.len += 1;
        }
    }

    /// Makes the link at `i`, a filler, the last of the diverse ones.
    pub fn promote(&mut self, i: usize) {
        self.slots[..self.len as usize].swap(self.diverse as usize, i);
        self.diverse += 1;
    }

    /// Makes the link at `i`, a diverse one, a filler.
    pub fn demote(&mut self, i: usize) {
        self.diverse -= 1;
        self.slots[..self.len as usize].swap(self.diverse as usize, i);
    }

    /// Takes the link at `i` out.
    pub fn take(&mut self, mut i: usize) {
        if i < self.diverse as usize {
            self.demote(i);
            i = self.diverse as usize;
        }
        self.len -= 1;
        self.slots.swap(i, self.len as usize);
        self.slots[self.len as usize] = EMPTY;
    }

    /// Where `slot` stands in the list.
    #[must_use]
    #[inline(never)]
    pub fn position(&self, slot: Slot) -> Option<usize> {
        self.as_slice().iter().position(|&s| s == slot)
    }
}

impl Default for Links {
    fn default() -> Self {
        Self::new()
    }
}

/// Offsets of a list: its links, and the byte that counts its diverse ones.
#[derive(Clone, Copy)]
struct Place {
    links: usize,
    diverse: usize,
}

impl View<'_> {
    /// Copies the neighbours of `slot` on `level` to `out`; returns how many there are.
    /// A slot that does not reach `level` has none.
    #[inline(never)]
    pub(crate) fn neighbours(&self, slot: Slot, level: u8, out: &mut [Slot; MAX_LINKS]) -> usize {
        let mut n = 0;
        self.each_link(slot, level, |link| {
            if let Some(out) = out.get_mut(n) {
                *out = link;
                n += 1;
            }
        });
        n
    }

    /// Calls `act` with each neighbour of `slot` on `level`, without a copy of the list.
    #[inline(always)]
    pub(crate) fn each_link(&self, slot: Slot, level: u8, mut act: impl FnMut(Slot)) {
        let Some(place) = self.place(slot, level) else { return };
        let limit = self.layout.limit(level);
        if self.layout.wide {
            let bytes = &self.bytes[place.links..place.links + 4 * limit];
            for &link in bytemuck::cast_slice::<u8, u32>(bytes) {
                if link == EMPTY {
                    break;
                }
                act(link);
            }
        } else {
            let bytes = &self.bytes[place.links..place.links + 2 * limit];
            for &link in bytemuck::cast_slice::<u8, u16>(bytes) {
                if link == u16::MAX {
                    break;
                }
                act(Slot::from(link));
            }
        }
    }

    /// The list of `slot` on `level`.
    #[inline(never)]
    pub(crate) fn links(&self, slot: Slot, level: u8) -> Links {
        let mut links = Links::new();
        links.len = self.neighbours(slot, level, &mut links.slots) as u8;
        links.slots[links.len as usize..].fill(EMPTY);
        if let Some(place) = self.place(slot, level) {
            links.diverse = self.bytes[place.diverse].min(links.len);
        }
        links
    }

    #[inline(never)]
    fn place(&self, slot: Slot, level: u8) -> Option<Place> {
        if level == 0 {
            if slot >= self.capacity() {
                return None;
            }
            return Some(Place {
                links: self.layout.links + slot as usize * self.layout.stride,
                diverse: self.layout.diverse + slot as usize,
            });
        }
        if self.level(slot)? < level {
            return None;
        }
        let mut block = self.stored(self.layout.upper, slot as usize);
        for _ in 1..level {
            block = read_u32(self.bytes, self.block(block)?);
        }
        let at = self.block(block)?;
        Some(Place { links: at + BLOCK_HEADER, diverse: at + 9 })
    }

    /// Offset of upper block number `block`.
    pub(crate) fn block(&self, block: u32) -> Option<usize> {
        (block < self.layout.block_count)
            .then(|| self.layout.blocks + block as usize * self.layout.block_bytes)
    }

    /// Owner and level of upper block number `block`; `None` where it is free.
    pub(crate) fn block_owner(&self, block: u32) -> Option<(Slot, u8)> {
        let at = self.block(block)?;
        let owner = read_u32(self.bytes, at + 4);
        (owner != EMPTY).then(|| (owner, self.bytes[at + 8]))
    }
}

impl Edit<'_> {
    /// Writes the list of `slot` on `level`, which the slot must reach.
    #[inline(never)]
    pub(crate) fn set_links(&mut self, slot: Slot, level: u8, links: &Links) {
        let Some(place) = self.view().place(slot, level) else { return };
        for i in 0..self.layout.limit(level) {
            self.store(place.links, i, links.slots[i]);
        }
        self.bytes[place.diverse] = links.diverse;
    }

    /// Gives `slot` blocks for levels 1 to `level`; returns the level that the free blocks
    /// allow.
    pub(crate) fn take_blocks(&mut self, slot: Slot, level: u8) -> u8 {
        let mut previous = None;
        let mut free = 0;
        for l in 1..=level {
            while free < self.layout.block_count && self.view().block_owner(free).is_some() {
                free += 1;
            }
            let Some(at) = self.view().block(free) else { return l - 1 };
            let bytes = &mut self.bytes[at..at + self.layout.block_bytes];
            bytes.fill(0xFF);
            write_u32(bytes, 4, slot);
            bytes[8..BLOCK_HEADER].copy_from_slice(&[l, 0, 0, 0]);
            match previous {
                None => self.store(self.layout.upper, slot as usize, free),
                Some(before) => write_u32(self.bytes, before, free),
            }
            previous = Some(at);
        }
        level
    }

    /// Gives the blocks of `slot` back.
    pub(crate) fn drop_blocks(&mut self, slot: Slot, level: u8) {
        let mut block = self.view().stored(self.layout.upper, slot as usize);
        for _ in 0..level {
            let Some(at) = self.view().block(block) else { break };
            block = read_u32(self.bytes, at);
            self.bytes[at..at + self.layout.block_bytes].fill(0xFF);
        }
        self.store(self.layout.upper, slot as usize, EMPTY);
    }
}

impl View<'_> {
    /// Has the list of `slot` on `level` its `n` links in front and nothing behind, with no
    /// more diverse ones than links?
    pub(crate) fn is_dense(&self, slot: Slot, level: u8, n: usize) -> bool {
        let Some(place) = self.place(slot, level) else { return false };
        (0..self.layout.limit(level)).all(|i| (self.stored(place.links, i) != EMPTY) == (i < n))
            && usize::from(self.bytes[place.diverse]) <= n
    }
}
