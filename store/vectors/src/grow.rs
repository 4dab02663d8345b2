//! Growing: the same vectors and the same graph in a larger image.

use core::ops::{Deref, DerefMut};

use clawft_hnsw::Graph;

use crate::header::{self, Field, HEADER};
use crate::ids::IdsMut;
use crate::image::Image;
use crate::layout::{FACTORS, UNIT};
use crate::pages::Pages;
use crate::{Error, Params};

impl<B: Deref<Target = [u8]>> Image<B> {
    /// Makes a copy of this image with room for `capacity` vectors in `buffer`. Slots and links
    /// stay as they are, so that searches find the same.
    ///
    /// # Errors
    /// [`Error::Shrink`] for a capacity below this image's; those of [`Image::create`]. This
    /// image is not changed by any of it.
    pub fn grow_into<C: DerefMut<Target = [u8]>>(
        &self,
        capacity: u32,
        buffer: C,
    ) -> Result<Image<C>, Error> {
        if capacity < self.params.capacity {
            return Err(Error::Shrink { expected: self.params.capacity, found: capacity });
        }
        let params = Params { capacity, ..self.params };
        let mut larger = Image::create(&params, buffer)?;
        larger.kernels = self.kernels;
        let old = &self.layout;
        let Image { buffer, layout, .. } = &mut larger;
        let bytes = &mut buffer[..layout.bytes];
        Graph::again(&layout.graph, &mut bytes[HEADER..layout.short])
            .copy_from(&self.graph())
            .map_err(|_| Error::Params)?;
        for field in [Field::Centred, Field::Hidden, Field::Cursor] {
            header::set(bytes, field, header::get(&self.buffer, field));
        }
        let mut copy = |to: usize, from: usize, len: usize| {
            bytes[to..to + len].copy_from_slice(&self.buffer[from..from + len]);
        };
        let n = self.params.capacity as usize;
        copy(layout.short, old.short, n * old.short_bytes);
        if layout.sketch_bytes > 0 {
            copy(layout.sketches, old.sketches, old.factors - old.sketches);
        }
        copy(layout.factors, old.factors, n * FACTORS);
        copy(layout.uses, old.uses, n * old.use_bytes);
        copy(layout.hidden, old.hidden, n.div_ceil(64) * 8);
        copy(layout.centres, old.centres, old.pages - old.centres);
        let (ids, codes) = (self.id_table(), self.codes());
        for slot in self.live() {
            let tier = codes.tier(slot);
            let full = Error::Full { len: self.len(), capacity };
            let place = Pages { bytes, layout }.take(tier, 0).ok_or(full)?;
            let at = layout.pool + place as usize * UNIT;
            let code = codes.code(slot);
            bytes[at..at + code.len()].copy_from_slice(code);
            let at = layout.places + 4 * slot as usize;
            bytes[at..at + 4].copy_from_slice(&place.to_le_bytes());
            IdsMut::new(bytes, layout).enter(ids.id(slot), slot);
        }
        Ok(larger)
    }
}
