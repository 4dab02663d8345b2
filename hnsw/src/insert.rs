//! Insertion: algorithm 1 of the paper.

use crate::beam::{Pool, key, key_slot, set_bit};
use crate::diversity::select;
use crate::graph::Edit;
use crate::layout::MAX_LINKS;
use crate::level;
use crate::scratch::Scratch;
use crate::search::UPPER_WIDTH;
use crate::{EMPTY, Probe, Slot, Space};
use core::fmt;

/// Why a slot cannot be inserted or removed. The graph is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotError {
    /// The slot is not below the capacity.
    OutOfRange {
        /// The slot that was given.
        slot: Slot,
        /// How many slots there are.
        capacity: u32,
    },
    /// The slot to insert is in use.
    InUse(Slot),
    /// The slot to remove is free.
    Free(Slot),
    /// The scratch is smaller than the graph's parameters ask for.
    SmallScratch,
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            SlotError::OutOfRange { slot, capacity } => {
                write!(f, "slot {slot} is not below the capacity of {capacity}")
            }
            SlotError::InUse(slot) => write!(f, "slot {slot} is in use already"),
            SlotError::Free(slot) => write!(f, "slot {slot} is free"),
            SlotError::SmallScratch => f.write_str("the scratch was made for a smaller graph"),
        }
    }
}

impl core::error::Error for SlotError {}

impl Edit<'_> {
    /// Inserts `slot`, which must be free. `probe` gives distances from its vector, which
    /// may be estimates, for the walk; `space` must know the vector already, and chooses.
    ///
    /// # Errors
    /// [`SlotError`]; the graph is then as it was.
    pub(crate) fn insert(
        &mut self,
        slot: Slot,
        probe: &mut dyn Probe,
        space: &mut dyn Space,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), SlotError> {
        let params = self.layout.params;
        if slot >= params.capacity {
            return Err(SlotError::OutOfRange { slot, capacity: params.capacity });
        }
        if self.view().is_live(slot) {
            return Err(SlotError::InUse(slot));
        }
        let width = (params.ef_construction as usize).min(scratch.max_ef());
        if width == 0 || scratch.visited.len() < self.view().live().len() {
            return Err(SlotError::SmallScratch);
        }
        let drawn = level::draw(params.seed, self.view().draws(), params.m);
        self.set_draws(self.view().draws().wrapping_add(1));
        let level = self.take_blocks(slot, drawn);
        self.set_level(slot, Some(level));
        self.set_parent(slot, EMPTY);
        self.set_len(self.view().len() + 1);
        let entry = self.view().entry();
        let Some(top) = self.view().level(entry) else {
            self.set_entry(slot);
            self.set_root(slot);
            return Ok(());
        };
        let visited = &mut *scratch.visited;
        let mut pool = Pool::new(scratch.pool, UPPER_WIDTH);
        self.view().approach(level.min(top), probe, visited, &mut pool);
        for l in (0..=level.min(top)).rev() {
            pool.resize(width);
            pool.restart(visited);
            set_bit(visited, slot);
            self.view().walk(l, width, None, probe, visited, &mut pool);
            // The next level begins where this one came nearest by the walk's distances; the
            // links are chosen by the space's.
            let mut starts = [0; UPPER_WIDTH];
            let n = pool.len().min(UPPER_WIDTH);
            starts[..n].copy_from_slice(&pool.keys()[..n]);
            refine(space, slot, pool.keys());
            self.connect(space, slot, l, pool.keys());
            pool.resize(n);
            pool.keys().copy_from_slice(&starts[..n]);
        }
        if level > top {
            self.set_entry(slot);
        }
        Ok(())
    }

    /// Chooses links among `candidates`, sorted by distance, and offers `slot` to each.
    fn connect(&mut self, space: &mut dyn Space, slot: Slot, level: u8, candidates: &[u64]) {
        let links = select(space, level, candidates, self.layout.params.m as usize);
        self.set_links(slot, level, &links);
        if level == 0 {
            let parent = candidates.iter().map(|&k| key_slot(k)).find(|&c| self.view().has_room(c));
            match parent {
                Some(parent) => self.adopt(space, parent, slot),
                None => self.attach(space, slot, &[]),
            }
        }
        for &link in links.as_slice() {
            self.link(space, level, link, slot, false);
        }
    }
}

/// Measures the candidates by the space and sorts them, nearest first.
fn refine(space: &mut dyn Space, slot: Slot, candidates: &mut [u64]) {
    let mut slots = [EMPTY; MAX_LINKS];
    let mut distances = [0.0; MAX_LINKS];
    for chunk in candidates.chunks_mut(MAX_LINKS) {
        let n = chunk.len();
        for (slot, &k) in slots.iter_mut().zip(chunk.iter()) {
            *slot = key_slot(k);
        }
        space.between(slot, &slots[..n], &mut distances[..n]);
        for (i, k) in chunk.iter_mut().enumerate() {
            *k = key(distances[i], slots[i]);
        }
    }
    shell_sort(candidates);
}

/// Shell's sort with Ciura's gaps: a few dozen bytes of code where the library's sort takes
/// kilobytes, and fast on lists that are nearly sorted, as estimates leave them.
pub(crate) fn shell_sort(keys: &mut [u64]) {
    for gap in [701, 301, 132, 57, 23, 10, 4, 1] {
        for i in gap..keys.len() {
            let key = keys[i];
            let mut j = i;
            while j >= gap && keys[j - gap] > key {
                keys[j] = keys[j - gap];
                j -= gap;
            }
            keys[j] = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn shell_sort_sorts(mut keys: Vec<u64>) {
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            shell_sort(&mut keys);
            prop_assert_eq!(keys, sorted);
        }
    }
}
