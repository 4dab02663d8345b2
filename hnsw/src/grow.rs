//! Copying a graph into a larger one: slots, links and levels stay as they are.
//!
//! What it must never do: choose a link or a level anew, or change a byte before it is known that
//! the two fit.

use core::ops::{Deref, DerefMut};

use crate::graph::Graph;
use crate::layout::OpenError;

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Makes this graph, which must be empty, a copy of `other`.
    ///
    /// # Errors
    /// [`OpenError::BadParams`] where this graph is not empty, is smaller, or was made with
    /// other parameters than `other` but for the capacity; it is then as it was.
    pub fn copy_from<C: Deref<Target = [u8]>>(
        &mut self,
        other: &Graph<C>,
    ) -> Result<(), OpenError> {
        let (mut own, theirs) = (self.layout.params(), other.layout.params());
        let fits = own.capacity >= theirs.capacity;
        own.capacity = theirs.capacity;
        if !self.is_empty() || !fits || own != theirs {
            return Err(OpenError::BadParams);
        }
        let mut blocks = 0;
        for slot in 0..other.capacity() {
            let lists = other.lists(slot);
            if lists == 0 {
                continue;
            }
            // A larger graph has at least as many blocks, so the level is not cut.
            let level = self.take_blocks(slot, lists - 1, blocks);
            blocks += level;
            self.set_lists(slot, level + 1);
            self.set_parent(slot, other.parent(slot));
            for l in 0..=level {
                let (to, from) = (self.list_at(slot, l), other.list_at(slot, l));
                for i in 0..self.layout.limit(l) {
                    self.store(to, i, other.stored(from, i));
                }
                self.set_byte(self.diverse_at(slot, l), other.byte(other.diverse_at(slot, l)));
            }
        }
        self.set_len(other.len());
        self.set_entry(other.entry());
        self.set_root(other.root());
        self.set_draws(other.draws());
        Ok(())
    }
}
