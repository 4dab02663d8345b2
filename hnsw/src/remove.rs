//! Removal with repair: no link to a free slot is left, and no slot is left without a way.
//!
//! Every list that pointed to the slot loses the link and gets a chance at the removed
//! slot's neighbours in its place, as in-place repairs do (IP-DiskANN, arXiv:2502.13826;
//! MN-RU, arXiv:2407.07871). Those find the lists that point to a slot by a search, and
//! miss some; here one pass over the links finds them all, 64 bytes a slot, which costs
//! less than the insert that will take the slot again.
//!
//! The slot's own list on level 0 is cleared last: it names the children that need another
//! parent, and the first candidates for that.
//!
//! What it must never do: look for the lists by a walk. One that it missed would point to a free
//! slot, and later to whatever is put there.

use core::ops::DerefMut;

use crate::beam::key_slot;
use crate::diversity::refine;
use crate::graph::Graph;
use crate::insert::SlotError;
use crate::layout::MAX_LINKS;
use crate::links::Keys;
use crate::{EMPTY, Slot, Space};

/// How many of the removed slot's neighbours are offered to a list that pointed to it.
const OFFERS: usize = 3;

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Removes `slot` and repairs the lists that pointed to it. `space` must still know
    /// the slot's vector.
    ///
    /// # Errors
    /// [`SlotError::OutOfRange`], [`SlotError::Free`]; the graph is then as it was.
    pub fn remove(&mut self, slot: Slot, space: &mut dyn Space) -> Result<(), SlotError> {
        let capacity = self.capacity();
        if slot >= capacity {
            return Err(SlotError::OutOfRange { slot, capacity });
        }
        let lists = self.lists(slot);
        if lists == 0 {
            return Err(SlotError::Free(slot));
        }
        let (mut entry, mut highest) = (EMPTY, 0);
        for other in 0..capacity {
            let theirs = self.lists(other);
            for level in 0..theirs.min(lists) {
                if self.has_link(other, level, slot) {
                    self.repair(space, other, slot, level);
                }
            }
            if theirs > highest && other != slot {
                (entry, highest) = (other, theirs);
            }
        }
        if self.entry() == slot {
            self.set_entry(entry);
        }
        for level in 1..lists {
            self.set_links(slot, level, &mut [], 0);
        }
        self.drop_blocks(slot);
        self.set_lists(slot, 0);
        self.set_len(self.len() - 1);
        self.set_parent(slot, EMPTY);
        let mut keys: Keys = [0; MAX_LINKS + 1];
        let n = self.links(slot, 0, &mut keys);
        // All of them, before the first looks for another parent among the rest.
        for other in keys.iter().take(n).map(|&k| key_slot(k)) {
            if self.parent(other) == slot {
                self.set_parent(other, EMPTY);
                if self.root() == slot {
                    self.set_root(other);
                }
            }
        }
        if self.root() == slot {
            self.set_root(EMPTY);
        }
        for i in 0..n {
            self.links(slot, 0, &mut keys);
            let other = key_slot(keys[i]);
            if self.parent(other) == EMPTY && self.root() != other {
                let keys = &mut keys[..n];
                refine(space, other, keys);
                self.settle(space, other, keys);
            }
        }
        self.set_links(slot, 0, &mut [], 0);
        Ok(())
    }

    /// Takes `gone` out of the list of `slot` on `level` and offers the nearest of its
    /// neighbours there.
    fn repair(&mut self, space: &mut dyn Space, slot: Slot, gone: Slot, level: u32) {
        self.unlink(slot, level, gone);
        let mut keys: Keys = [0; MAX_LINKS + 1];
        let n = self.links(gone, level, &mut keys);
        let mut wanted = 0;
        for i in 0..n {
            let other = key_slot(keys[i]);
            if other != slot && !self.has_link(slot, level, other) {
                keys[wanted] = keys[i];
                wanted += 1;
            }
        }
        let keys = &mut keys[..wanted];
        refine(space, slot, keys);
        for &k in keys.iter().take(OFFERS) {
            self.link(space, level, slot, key_slot(k));
            self.link(space, level, key_slot(k), slot);
        }
    }
}
