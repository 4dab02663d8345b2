//! Growing: the same vectors and the same graph in a larger image.
//!
//! Most sections have entries of the same size whatever the capacity, and are copied whole. Not
//! so the graph, whose slots may become wider, the table of ids, which is hashed by its own
//! length, and the pages, of which there are more: these are filled anew, slot by slot.
//!
//! What it must never do: choose a link, a level or a slot anew. Links are what costs, and
//! callers may hold slots.

use core::ops::{Deref, DerefMut};

use crate::header::{Field, write_at};
use crate::image::Image;
use crate::layout::Section;
use crate::view::{Edit, View};
use crate::{Error, Params};

/// What is the same in a larger image, with room behind it.
const KEPT: [Section; 6] = [
    Section::Short,
    Section::Sketches,
    Section::Factors,
    Section::Uses,
    Section::Hidden,
    Section::Centres,
];

impl<B: Deref<Target = [u8]>> Image<B> {
    /// Makes a copy of this image with room for `capacity` vectors in `buffer`. Slots and links
    /// stay as they are, so that walks find the same. A scan limit that was the default becomes
    /// that of the larger image.
    ///
    /// # Errors
    /// [`Error::Shrink`] for a capacity below this image's; those of [`Image::create`]. This
    /// image is not changed by any of it.
    pub fn grow_into<C: DerefMut<Target = [u8]>>(
        &self,
        capacity: u32,
        buffer: C,
    ) -> Result<Image<C>, Error> {
        let mut larger = Image::blank(buffer);
        self.grow_here(capacity, &mut larger)?;
        Ok(larger)
    }

    /// The same in a [blank](Image::blank) image.
    ///
    /// # Errors
    /// Those of [`grow_into`](Self::grow_into); the larger image is then good for nothing.
    pub fn grow_here<C: DerefMut<Target = [u8]>>(
        &self,
        capacity: u32,
        larger: &mut Image<C>,
    ) -> Result<(), Error> {
        let params = *self.params();
        if capacity < params.capacity {
            return Err(Error::Shrink { expected: params.capacity, found: capacity });
        }
        let default = Params { scan_limit: None, ..params }.scan_limit_in_force();
        let scan_limit = params.scan_limit.filter(|&limit| limit != default);
        larger.create_here(&Params { capacity, scan_limit, ..params })?;
        (larger.kernels, larger.arrival) = (self.kernels, self.arrival);
        larger.edit().copy(self.view())
    }
}

impl Edit<'_> {
    /// Copies a smaller image into this one, which is empty.
    #[inline(never)]
    fn copy(&mut self, old: View<'_>) -> Result<(), Error> {
        self.split().0.copy_from(&old.graph()).map_err(|_| Error::Params)?;
        for field in [Field::Centred, Field::Since, Field::Hidden, Field::Cursor] {
            self.set_header(field, old.header(field));
        }
        for section in KEPT {
            write_at(self.section(section), 0, old.section(section));
        }
        let ids = old.ids();
        for slot in old.slots() {
            if !old.is_live(slot) {
                continue;
            }
            let tier = old.tier(slot);
            let full = Error::Full { len: old.len(), capacity: self.layout.params.capacity };
            let place = self.take(tier, 0).ok_or(full)?;
            self.set_entry(Section::Places, slot, &place.to_le_bytes());
            let code = old.code(slot);
            write_at(self.record(tier, place), 0, code);
            self.ids().enter(ids.id(slot), slot);
        }
        Ok(())
    }
}
