//! The tree of protected links, which keeps every slot reachable.
//!
//! Pruning may take a slot's last incoming link, and removal may cut a bridge; published
//! repairs make that rare. Here it cannot happen: each slot but the root has a *parent*
//! among its level-0 neighbours, parent and child link to each other, and those links are
//! never pruned. A walk from any slot can therefore reach any other along the tree, if
//! nothing shorter leads there. A slot has at most half a list of children, so that the
//! other half and more is free for links that serve the search.
//!
//! When a slot is removed its children look for a new parent that does not descend from
//! them. There always is one with room: a finite tree has leaves.
//!
//! What it must never do: give a slot a parent that descends from it. They would hang on nothing
//! but each other.

use core::ops::{Deref, DerefMut};

use crate::beam::key_slot;
use crate::graph::Graph;
use crate::{EMPTY, Slot, Space};

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// Are the two parent and child?
    pub(crate) fn is_kin(&self, a: Slot, b: Slot) -> bool {
        self.parent(a) == b || self.parent(b) == a
    }

    /// How many neighbours have `slot` for their parent.
    #[inline(never)]
    fn children(&self, slot: Slot) -> usize {
        self.each(slot, 0).filter(|&link| self.parent(link) == slot).count()
    }

    /// Does `slot` neither equal `ancestor` nor descend from it? The climb is bounded, so that a
    /// damaged buffer cannot hold it up.
    fn is_apart(&self, slot: Slot, ancestor: Slot) -> bool {
        let mut at = slot;
        for _ in 0..=self.len() {
            if at == EMPTY || at == ancestor {
                return at == EMPTY;
            }
            at = self.parent(at);
        }
        false
    }
}

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Finds a parent for `orphan`: the first of `sorted` that may be, else the first of all.
    /// Makes both neighbours of each other.
    ///
    /// Of all, that is, from the middle of the slots below it on. Where the nearest have no room it is
    /// since all are copies, and the lowest slots are full first: a look that began there would go by
    /// more of them with each copy.
    pub(crate) fn settle(&mut self, space: &mut dyn Space, orphan: Slot, sorted: &[u64]) {
        // A leaf is nobody's ancestor: a climb would only show that.
        let leaf = self.children(orphan) == 0;
        let mut sorted = sorted.iter();
        let (middle, capacity) = (orphan / 2, self.capacity());
        let slot = |at: Slot| if at < capacity { at } else { at - capacity };
        let mut all = (middle..middle + capacity).map(slot);
        while let Some(parent) = sorted.next().map(|&k| key_slot(k)).or_else(|| all.next()) {
            if parent != orphan
                && self.is_live(parent)
                && self.children(parent) < self.layout.limit(1)
                && (leaf || self.is_apart(parent, orphan))
            {
                self.set_parent(orphan, parent);
                self.link(space, 0, parent, orphan);
                self.link(space, 0, orphan, parent);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, Probe, Scratch};

    /// Points that are all the same.
    struct Copies;

    impl Probe for Copies {
        fn distances(&mut self, _: &[Slot], out: &mut [f32]) {
            out.fill(0.0);
        }
    }

    impl Space for Copies {
        fn between(&mut self, _: Slot, _: &[Slot], out: &mut [f32]) {
            out.fill(0.0);
        }
    }

    /// How many slots are looked at for a parent does not grow with the copies that are there.
    #[test]
    fn a_copy_has_its_parent_near() {
        let count = if cfg!(miri) { 200 } else { 4000 };
        let params = Params { m: 4, ef_construction: 4, ..Params::new(count) };
        let layout = crate::Layout::new(&params).unwrap();
        let mut bytes = std::vec![0; layout.bytes + 64];
        let from = bytes.as_ptr().align_offset(64);
        let mut graph = Graph::init(&params, &mut bytes[from..]).unwrap();
        let mut words = std::vec![0; Scratch::words(&layout, 4)];
        let mut scratch = Scratch::new(&layout, &mut words).unwrap();
        for slot in 0..count {
            graph.insert(slot, &mut Copies, &mut Copies, &mut scratch).unwrap();
        }
        for slot in count / 2..count {
            let parent = graph.parent(slot);
            assert!((slot / 2..slot / 2 + 10).contains(&parent), "{slot} under {parent}");
        }
        assert!(graph.verify(&mut scratch).is_sound());
    }
}
