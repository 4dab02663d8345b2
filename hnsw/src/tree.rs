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

use crate::beam::key;
use crate::graph::{Edit, View};
use crate::layout::MAX_LINKS;
use crate::links::Links;
use crate::{EMPTY, Slot, Space};

impl View<'_> {
    /// The children of `slot`: those neighbours whose parent it is.
    pub(crate) fn children(&self, slot: Slot) -> Links {
        let mut children = Links::new();
        for &link in self.links(slot, 0).as_slice() {
            if self.parent(link) == slot {
                children.push(link);
            }
        }
        children
    }

    /// May `slot` have one child more?
    pub(crate) fn has_room(&self, slot: Slot) -> bool {
        self.children(slot).as_slice().len() < self.layout.limit(0) / 2
    }

    /// Is `slot` equal to `ancestor` or one of its descendants? The climb is bounded, so
    /// that a damaged buffer cannot hold it up.
    fn descends(&self, slot: Slot, ancestor: Slot) -> bool {
        let mut at = slot;
        for _ in 0..=self.len() {
            if at == ancestor {
                return true;
            }
            if at == EMPTY {
                return false;
            }
            at = self.parent(at);
        }
        true
    }

    /// The nearest of `candidates` that may become the parent of `orphan`, as a key.
    fn nearest_parent(
        &self,
        space: &mut dyn Space,
        orphan: Slot,
        candidates: &[Slot],
    ) -> Option<u64> {
        let mut distances = [0.0; MAX_LINKS];
        let candidates = &candidates[..candidates.len().min(MAX_LINKS)];
        space.between(orphan, candidates, &mut distances[..candidates.len()]);
        let mut best: Option<u64> = None;
        for (&slot, &distance) in candidates.iter().zip(&distances) {
            let k = key(distance, slot);
            if best.is_none_or(|b| k < b)
                && self.is_live(slot)
                && self.has_room(slot)
                && !self.descends(slot, orphan)
            {
                best = Some(k);
            }
        }
        best
    }
}

impl Edit<'_> {
    /// Makes `parent` the parent of `child`, and both neighbours of each other.
    pub(crate) fn adopt(&mut self, space: &mut dyn Space, parent: Slot, child: Slot) {
        self.set_parent(child, parent);
        self.link(space, 0, parent, child, true);
        self.link(space, 0, child, parent, true);
    }

    /// Finds a parent for `orphan`: the nearest of its neighbours and of `others` that has
    /// room and does not descend from it, else the nearest such slot of all.
    pub(crate) fn attach(&mut self, space: &mut dyn Space, orphan: Slot, others: &[Slot]) {
        let own = self.view().links(orphan, 0);
        let mut best = None;
        for near in [own.as_slice(), others] {
            best = best.min_some(self.view().nearest_parent(space, orphan, near));
        }
        if best.is_none() {
            let mut batch = Links::new();
            for slot in 0..self.view().capacity() {
                if self.view().is_live(slot) {
                    batch.push(slot);
                }
                if batch.as_slice().len() == MAX_LINKS || slot + 1 == self.view().capacity() {
                    let found = self.view().nearest_parent(space, orphan, batch.as_slice());
                    best = best.min_some(found);
                    batch = Links::new();
                }
            }
        }
        if let Some(k) = best {
            self.adopt(space, crate::beam::key_slot(k), orphan);
        }
    }
}

/// The lesser of two, where either may be missing.
trait MinSome {
    fn min_some(self, other: Self) -> Self;
}

impl MinSome for Option<u64> {
    fn min_some(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
