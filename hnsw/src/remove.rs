//! Removal with repair: no link to a free slot is left, and no slot is left without a way.
//!
//! Every list that pointed to the slot loses the link and gets a chance at the removed
//! slot's neighbours in its place, as in-place repairs do (IP-DiskANN, arXiv:2502.13826;
//! MN-RU, arXiv:2407.07871). Those find the lists that point to a slot by a search, and
//! miss some; here one pass over the links finds them all, 64 bytes a slot, which costs
//! less than the insert that will take the slot again.

use crate::beam::{key, key_slot};
use crate::graph::{Edit, View};
use crate::insert::{SlotError, shell_sort};
use crate::layout::MAX_LINKS;
use crate::links::Links;
use crate::{EMPTY, Slot, Space};

/// How many of the removed slot's neighbours are offered to a list that pointed to it.
const OFFERS: usize = 3;

impl Edit<'_> {
    /// Removes `slot` and repairs the lists that pointed to it. `space` must still know
    /// the slot's vector.
    ///
    /// # Errors
    /// [`SlotError::OutOfRange`], [`SlotError::Free`]; the graph is then as it was.
    pub(crate) fn remove(&mut self, slot: Slot, space: &mut dyn Space) -> Result<(), SlotError> {
        if slot >= self.view().capacity() {
            return Err(SlotError::OutOfRange { slot, capacity: self.view().capacity() });
        }
        let Some(level) = self.view().level(slot) else { return Err(SlotError::Free(slot)) };
        let children = self.view().children(slot);
        for l in 1..=level {
            self.repair_upper(space, slot, l);
        }
        let neighbours = self.view().links(slot, 0);
        self.set_links(slot, 0, &Links::new());
        for &child in children.as_slice() {
            self.set_parent(child, EMPTY);
        }
        for pointing in 0..self.view().capacity() {
            if self.view().points_to(pointing, slot) {
                self.repair(space, pointing, slot, 0, &neighbours);
            }
        }
        self.drop_blocks(slot, level);
        self.set_level(slot, None);
        self.set_parent(slot, EMPTY);
        self.set_len(self.view().len() - 1);
        let mut orphans = children.as_slice();
        if self.view().root() == slot {
            let heir = orphans.first().copied().unwrap_or(EMPTY);
            self.set_root(heir);
            orphans = orphans.get(1..).unwrap_or(&[]);
        }
        for &orphan in orphans {
            self.attach(space, orphan, neighbours.as_slice());
        }
        if self.view().entry() == slot {
            let highest = (0..self.view().capacity())
                .filter_map(|s| self.view().level(s).map(|l| (l, core::cmp::Reverse(s))))
                .max();
            self.set_entry(highest.map_or(EMPTY, |(_, core::cmp::Reverse(s))| s));
        }
        Ok(())
    }

    fn repair_upper(&mut self, space: &mut dyn Space, slot: Slot, level: u8) {
        let neighbours = self.view().links(slot, level);
        for block in 0..self.layout.block_count {
            let Some((owner, l)) = self.view().block_owner(block) else { continue };
            if l == level && self.view().links(owner, l).position(slot).is_some() {
                self.repair(space, owner, slot, level, &neighbours);
            }
        }
    }

    /// Takes `gone` out of the list of `slot` and offers the nearest of `neighbours`.
    fn repair(
        &mut self,
        space: &mut dyn Space,
        slot: Slot,
        gone: Slot,
        level: u8,
        neighbours: &Links,
    ) {
        let mut links = self.view().links(slot, level);
        let Some(at) = links.position(gone) else { return };
        links.take(at);
        self.set_links(slot, level, &links);
        let mut slots = [EMPTY; MAX_LINKS];
        let mut n = 0;
        for &other in neighbours.as_slice() {
            if other != slot && links.position(other).is_none() {
                slots[n] = other;
                n += 1;
            }
        }
        let mut distances = [0.0; MAX_LINKS];
        space.between(slot, &slots[..n], &mut distances[..n]);
        let mut keys = [0; MAX_LINKS];
        for i in 0..n {
            keys[i] = key(distances[i], slots[i]);
        }
        shell_sort(&mut keys[..n]);
        for &k in keys[..n].iter().take(OFFERS) {
            self.link(space, level, slot, key_slot(k), false);
            self.link(space, level, key_slot(k), slot, false);
        }
    }
}

impl View<'_> {
    /// Is `target` among the level-0 links of `slot`? One pass without an early exit, which
    /// the compiler turns into a few vector compares.
    fn points_to(&self, slot: Slot, target: Slot) -> bool {
        let at = self.layout.links + slot as usize * self.layout.stride;
        let limit = self.layout.limit(0);
        if self.layout.wide {
            let links: &[u32] = bytemuck::cast_slice(&self.bytes[at..at + 4 * limit]);
            links.iter().fold(false, |found, &link| found | (link == target))
        } else {
            let links: &[u16] = bytemuck::cast_slice(&self.bytes[at..at + 2 * limit]);
            links.iter().fold(false, |found, &link| found | (link == target as u16))
        }
    }
}
