//! Insertion: algorithm 1 of the paper.
//!
//! In the paper each walk begins where the one above it ended. Here each level has a walk of its
//! own from the top, the lowest level first, so that no walk comes by the new slot, which is
//! linked only below. Walks may go by estimates; `Space` measures again what they found, and by
//! it alone links are chosen.
//!
//! What it must never do: choose a link by an estimate, or change a byte before the last check.

use core::fmt;
use core::ops::DerefMut;

use crate::beam::Pool;
use crate::diversity::refine;
use crate::graph::Graph;
use crate::level;
use crate::scratch::Scratch;
use crate::{EMPTY, Probe, Slot, Space};

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

impl<B: DerefMut<Target = [u8]>> Graph<B> {
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
        let params = self.layout.params();
        if slot >= params.capacity {
            return Err(SlotError::OutOfRange { slot, capacity: params.capacity });
        }
        if self.is_live(slot) {
            return Err(SlotError::InUse(slot));
        }
        let width = (params.ef_construction as usize).min(scratch.max_ef());
        if scratch.visited.len() < self.layout.words() {
            return Err(SlotError::SmallScratch);
        }
        let draws = self.draws();
        self.set_draws(draws.wrapping_add(1));
        let drawn = level::draw(params.seed, draws, params.m);
        let lists = 1 + self.take_blocks(slot, drawn.into(), 0);
        self.set_lists(slot, lists);
        self.set_len(self.len() + 1);
        let top = self.lists(self.entry());
        if top == 0 {
            self.set_root(slot);
        } else {
            self.connect(slot, lists.min(top), width, probe, space, scratch);
        }
        if lists > top {
            self.set_entry(slot);
        }
        Ok(())
    }

    /// Finds and makes the links of `slot` on the lowest `lists` levels.
    fn connect(
        &mut self,
        slot: Slot,
        lists: u32,
        width: usize,
        probe: &mut dyn Probe,
        space: &mut dyn Space,
        scratch: &mut Scratch<'_>,
    ) {
        let visited = &mut *scratch.visited;
        // From below, so that no walk comes by the slot itself: those above are not linked yet.
        for level in 0..lists {
            let mut pool = Pool::new(scratch.pool);
            self.walker().approach(level, probe, visited, &mut pool);
            pool.resize(width);
            self.walker().walk(level, width, None, probe, visited, &mut pool);
            refine(space, slot, pool.keys());
            self.select(space, level, slot, pool.keys());
            if level == 0 {
                self.settle(space, slot, pool.keys());
            }
            let list = self.list_at(slot, level);
            for i in 0..self.layout.limit(level) {
                let link = self.stored(list, i);
                if link == EMPTY {
                    break;
                }
                self.link(space, level, link, slot);
            }
        }
    }
}
