//! The id table: from the caller's ids to slots.
//!
//! Open addressing with linear probing; a removal shifts the entries behind it back, so that
//! there are no tombstones and a miss stays as cheap as it was. The table holds slots only; the
//! id of a slot stands in the section of ids.
//!
//! An entry is a third of the size without its id, which is wanted by slot anyway. At most five
//! eighths are in use, so that every probe ends at a gap.
//!
//! What it must never do: leave a gap between an entry and the place where its probe begins. The
//! id would be there, and not be found.

use crate::layout::Section;
use crate::view::Edit;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

/// The ids and the table of an image, to read.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) ids: &'a [u64],
    pub(crate) table: &'a [u32],
}

/// The ids and the table of an image, to change.
pub(crate) struct IdsMut<'a> {
    ids: &'a mut [u64],
    table: &'a mut [u32],
}

/// Where a probe for `id` begins. The finaliser of MurmurHash3 (Appleby) spreads dense ids.
fn home(id: u64, mask: usize) -> usize {
    let mut h = id;
    h = (h ^ (h >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    h = (h ^ (h >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    (h ^ (h >> 33)) as usize & mask
}

impl Ids<'_> {
    /// The id of `slot`.
    pub(crate) fn id(&self, slot: u32) -> u64 {
        self.ids.get(slot as usize).copied().unwrap_or(0)
    }

    /// The slot of `id`.
    pub(crate) fn slot(&self, id: u64) -> Option<u32> {
        self.table.get(self.position(id)).copied().filter(|&slot| slot != NONE)
    }

    /// Where `id` stands in the table, or the gap where it would; past the end if there is none.
    #[inline(never)]
    fn position(&self, id: u64) -> usize {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = home(id, mask);
        // Bounded, so that a damaged table without a gap cannot hold it up.
        for _ in 0..self.table.len() {
            match self.table.get(at) {
                Some(&slot) if slot != NONE && self.id(slot) != id => at = (at + 1) & mask,
                _ => return at,
            }
        }
        self.table.len()
    }

    /// Is `slot` what the table holds for its id?
    pub(crate) fn holds(&self, slot: u32) -> bool {
        self.slot(self.id(slot)) == Some(slot)
    }

    /// Slots in the table.
    pub(crate) fn count(&self) -> usize {
        self.table.iter().filter(|&&s| s != NONE).count()
    }
}

impl Edit<'_> {
    pub(crate) fn ids(&mut self) -> IdsMut<'_> {
        let (ids, table) = (self.layout.span(Section::Ids), self.layout.span(Section::Table));
        let (head, tail) = self.bytes.split_at_mut(table.at);
        IdsMut {
            ids: bytemuck::cast_slice_mut(&mut head[ids.at..][..ids.bytes]),
            table: bytemuck::cast_slice_mut(&mut tail[..table.bytes]),
        }
    }
}

impl IdsMut<'_> {
    /// Enters `id` for `slot`; the id must be new.
    pub(crate) fn enter(&mut self, id: u64, slot: u32) {
        let at = Ids { ids: self.ids, table: self.table }.position(id);
        if let (Some(place), Some(own)) = (self.table.get_mut(at), self.ids.get_mut(slot as usize))
        {
            (*place, *own) = (slot, id);
        }
    }

    /// Strikes `id` out.
    pub(crate) fn strike(&mut self, id: u64) {
        let mut gap = Ids { ids: self.ids, table: self.table }.position(id);
        let Some(&slot) = self.table.get(gap) else { return };
        let mask = self.table.len() - 1;
        let mut at = gap;
        for _ in 0..self.table.len() {
            at = (at + 1) & mask;
            let next = self.table[at];
            let Some(&other) = self.ids.get(next as usize) else { break };
            // Move back what would not be found past the gap.
            if at.wrapping_sub(home(other, mask)) & mask >= at.wrapping_sub(gap) & mask {
                self.table[gap] = next;
                gap = at;
            }
        }
        self.table[gap] = NONE;
        if let Some(own) = self.ids.get_mut(slot as usize) {
            *own = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 3 } else { 300 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_table_holds_what_the_model_holds(ops in prop::collection::vec((0u64..40, any::<bool>()), 0..300)) {
            let (mut ids, mut table) = ([0u64; 20], [NONE; 32]);
            let mut model: BTreeMap<u64, u32> = BTreeMap::new();
            for (id, wide) in ops {
                let id = if wide { id << 57 } else { id };
                let mut both = IdsMut { ids: &mut ids, table: &mut table };
                if model.remove(&id).is_some() {
                    both.strike(id);
                } else if model.len() < 20 {
                    let slot = (0..20).find(|s| !model.values().any(|v| v == s)).unwrap();
                    both.enter(id, slot);
                    model.insert(id, slot);
                }
                let all = Ids { ids: &ids, table: &table };
                for (&id, &slot) in &model {
                    prop_assert_eq!(all.slot(id), Some(slot));
                }
                prop_assert_eq!(all.slot(u64::MAX), None);
                prop_assert!(model.values().all(|&slot| all.holds(slot)));
                prop_assert_eq!(all.count(), model.len());
            }
        }
    }
}
