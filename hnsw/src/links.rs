//! Reading and writing a slot's neighbours on a level.
//!
//! A list is dense: links first, [`EMPTY`] behind. The diverse links come before the
//! fillers, and their number is kept beside the list. Level 0 has a list for each slot;
//! above it a slot has a chain of blocks, one a level, which name their owner, so that a
//! block is found free, or checked, without a second structure.
//!
//! The offset 0 says that there is no list: the header lies there.
//!
//! What it must never do: leave a gap in a list. Walks stop at the first [`EMPTY`], and would
//! miss what stands behind it.

use core::ops::{Deref, DerefMut};

use crate::beam::slot_key;
use crate::graph::{Graph, read};
use crate::layout::{BLOCK_HEADER, DIVERSE, HEADER, LEVEL, MAX_LINKS, OWNER};
use crate::sort::shell_sort;
use crate::{EMPTY, Slot};

/// Set in a rank that belongs to a filler.
const FILLER: u64 = 1 << 63;

/// A list that is worked on and room for one link more: keys (see [`beam`](crate::beam)), or ranks.
pub(crate) type Keys = [u64; MAX_LINKS + 1];

/// The rank of a key: ranks sort into the order in which a list stands. From the top, a bit that
/// is set for a filler, 32 bits of order within its kind, 31 bits of slot.
pub(crate) fn rank(key: u64, filler: bool) -> u64 {
    key >> 1 | u64::from(filler) << 63
}

/// The slot of a rank.
pub(crate) fn rank_slot(rank: u64) -> Slot {
    rank as u32 & (u32::MAX >> 1)
}

/// Is `target` among the slots of `list`?
#[inline(never)]
fn contains(list: &[u8], mask: u32, target: Slot) -> bool {
    // One in each slot of the word. A slot of zero is the only one that has its highest bit
    // neither before nor after one is taken from it.
    let ones = 1 | !mask & 1 << 16;
    let highest = ones.rotate_right(1);
    let (words, rest) = list.as_chunks();
    let mut zeros = 0;
    for word in words {
        let word = u32::from_le_bytes(*word) ^ target.wrapping_mul(ones);
        zeros |= word.wrapping_sub(ones) & !word;
    }
    // Lists of an odd number of 16-bit slots end in half a word.
    zeros & highest != 0
        || rest.first_chunk().is_some_and(|half| u32::from(u16::from_le_bytes(*half)) == target)
}

/// Does the rank belong to a filler?
pub(crate) fn is_filler(rank: u64) -> bool {
    rank & FILLER != 0
}

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// Copies the neighbours of `slot` on `level` to `out`, as keys that know no distance yet;
    /// returns how many there are.
    #[inline(never)]
    pub(crate) fn links(&self, slot: Slot, level: u32, out: &mut Keys) -> usize {
        let mut n = 0;
        self.each_link(slot, level, |link| {
            if let Some(out) = out.get_mut(n) {
                *out = slot_key(link);
                n += 1;
            }
        });
        n
    }

    /// The neighbours of `slot` on `level`, by a call for each: small where it is used, for
    /// what is not done on every step of a walk.
    #[inline(always)]
    pub(crate) fn each(&self, slot: Slot, level: u32) -> impl Iterator<Item = Slot> + '_ {
        let at = self.list_at(slot, level);
        let limit = if at == 0 { 0 } else { self.layout.limit(level) };
        (0..limit).map(move |i| self.stored(at, i)).filter(|&link| link != EMPTY)
    }

    /// Calls `act` with each neighbour of `slot` on `level`, without a copy of the list.
    #[inline(always)]
    pub(crate) fn each_link(&self, slot: Slot, level: u32, mut act: impl FnMut(Slot)) {
        let at = self.list_at(slot, level);
        if at == 0 {
            return;
        }
        let mask = self.layout.mask;
        for i in 0..self.layout.limit(level) {
            let link = read(&self.bytes, at + i * self.layout.width) & mask;
            if link == mask {
                break;
            }
            act(link);
        }
    }

    /// Is `target` a neighbour of `slot` on `level`? Removal asks it of every slot, so it looks at
    /// a word of the list at a time, be that one slot or two.
    #[inline(never)]
    pub(crate) fn has_link(&self, slot: Slot, level: u32, target: Slot) -> bool {
        let at = self.list_at(slot, level);
        // Where there is no list, there are no bytes of one.
        let bytes = if at == 0 { 0 } else { self.layout.limit(level) * self.layout.width };
        contains(self.bytes.get(at..at + bytes).unwrap_or(&[]), self.layout.mask, target)
    }

    /// Offset of the list of `slot` on `level`, or 0 where there is none.
    #[inline(never)]
    pub(crate) fn list_at(&self, slot: Slot, level: u32) -> usize {
        if level == 0 {
            if slot >= self.capacity() {
                return 0;
            }
            return HEADER + slot as usize * self.layout.stride;
        }
        if level >= self.lists(slot) {
            return 0;
        }
        let mut block = self.stored(self.layout.upper, slot as usize);
        for _ in 1..level {
            block = self.word(self.block_at(block));
        }
        self.block_at(block) + BLOCK_HEADER
    }

    /// Offset of the byte that counts the diverse links of `slot` on `level`.
    pub(crate) fn diverse_at(&self, slot: Slot, level: u32) -> usize {
        if level == 0 {
            self.layout.diverse + slot as usize
        } else {
            self.list_at(slot, level).wrapping_sub(BLOCK_HEADER - DIVERSE)
        }
    }

    /// Offset of upper block number `block`; a number that is none stands for the last.
    #[inline(never)]
    pub(crate) fn block_at(&self, block: u32) -> usize {
        let block = block.min(self.layout.block_count - 1);
        self.layout.blocks + block as usize * self.layout.block_bytes
    }

    /// The slot that owns upper block number `block`, or [`EMPTY`].
    pub(crate) fn owner(&self, block: u32) -> Slot {
        self.word(self.block_at(block) + OWNER)
    }
}

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Writes the list of `slot` on `level`, which the slot must reach: the first `limit` of
    /// `ranks`, or all where they are fewer, in order.
    #[inline(never)]
    pub(crate) fn set_links(&mut self, slot: Slot, level: u32, ranks: &mut [u64], limit: usize) {
        shell_sort(ranks);
        let at = self.list_at(slot, level);
        if at == 0 {
            return;
        }
        let mut ranks = ranks.iter().take(limit);
        let mut diverse = 0;
        for i in 0..self.layout.limit(level) {
            let rank = ranks.next().copied();
            diverse += u8::from(rank.is_some_and(|rank| !is_filler(rank)));
            self.store(at, i, rank.map_or(EMPTY, rank_slot));
        }
        self.set_byte(self.diverse_at(slot, level), diverse);
    }

    /// Takes `gone` out of the list of `slot` on `level`; the others keep their order.
    pub(crate) fn unlink(&mut self, slot: Slot, level: u32, gone: Slot) {
        let (at, count) = (self.list_at(slot, level), self.diverse_at(slot, level));
        let mut diverse = self.byte(count);
        let mut kept = 0;
        for i in 0..self.layout.limit(level) {
            let link = self.stored(at, i);
            self.store(at, i, EMPTY);
            if link == gone {
                diverse -= u8::from(i < diverse.into());
            } else {
                self.store(at, kept, link);
                kept += 1;
            }
        }
        self.set_byte(count, diverse);
    }

    /// Gives `slot` blocks for levels 1 to `level`, of those from `first` on; returns the level that the
    /// free ones among them allow.
    pub(crate) fn take_blocks(&mut self, slot: Slot, level: u32, first: u32) -> u32 {
        let (mut taken, mut before) = (0, 0);
        for block in first..self.layout.block_count {
            if taken == level {
                break;
            }
            if self.owner(block) != EMPTY {
                continue;
            }
            if taken == 0 {
                self.store(self.layout.upper, slot as usize, block);
            } else {
                self.set_word(before, block);
            }
            taken += 1;
            before = self.block_at(block);
            self.fill(before, before + self.layout.block_bytes, 0xFF);
            self.set_word(before + OWNER, slot);
            // It sets the bytes behind the level as well: no link is diverse yet.
            self.set_word(before + LEVEL, taken);
        }
        taken
    }

    /// Gives the blocks of `slot` back.
    pub(crate) fn drop_blocks(&mut self, slot: Slot) {
        let mut block = self.stored(self.layout.upper, slot as usize);
        for _ in 1..self.lists(slot) {
            let at = self.block_at(block);
            block = self.word(at);
            self.set_word(at + OWNER, EMPTY);
        }
        self.store(self.layout.upper, slot as usize, EMPTY);
    }
}
