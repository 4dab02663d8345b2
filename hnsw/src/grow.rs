//! Copying a graph into a larger one: slots, links and levels stay as they are.

use crate::graph::{Edit, View};
use crate::layout::OpenError;

impl Edit<'_> {
    /// Makes this graph, which must be empty, a copy of `other`.
    ///
    /// # Errors
    /// [`OpenError::BadParams`] where this graph is not empty, is smaller, or was made with
    /// other parameters than `other` but for the capacity; it is then as it was.
    pub(crate) fn copy_from(&mut self, other: View<'_>) -> Result<(), OpenError> {
        let (mut own, theirs) = (self.layout.params, other.layout.params);
        let fits = own.capacity >= theirs.capacity;
        own.capacity = theirs.capacity;
        if self.view().len() > 0 || !fits || own != theirs {
            return Err(OpenError::BadParams);
        }
        for slot in 0..other.capacity() {
            let Some(level) = other.level(slot) else { continue };
            // A larger graph has at least as many blocks, so the level is not cut.
            let level = self.take_blocks(slot, level);
            self.set_level(slot, Some(level));
            self.set_parent(slot, other.parent(slot));
            for l in 0..=level {
                self.set_links(slot, l, &other.links(slot, l));
            }
        }
        self.set_len(other.len());
        self.set_entry(other.entry());
        self.set_root(other.root());
        self.set_draws(other.draws());
        Ok(())
    }
}
