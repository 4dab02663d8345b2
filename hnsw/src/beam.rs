//! The walk on one level: a pool of candidates, sorted, expanded nearest first.
//!
//! Algorithm 2 of the paper with one array in place of two heaps: the pool holds the `ef`
//! nearest slots seen, in order, each marked once its neighbours have been looked at. For
//! the pools of a few hundred that searches use, shifting a sorted array beats a heap, and
//! the result needs no sorting.
//!
//! A pool entry is one `u64`: the distance's bits, mapped so that integers order as the
//! floats do, then the slot, then the mark. Ties go to the lower slot, so that the order
//! is total and the same everywhere.
//!
//! Slots count as visited from the moment that they go into a batch, whether or not they are
//! kept, so that no distance is asked for twice in a walk.
//!
//! What it must never do: mark a slot as visited that was never measured: the walk
//! would go past it for good.

use core::cell::Cell;
use core::ops::Deref;

use crate::graph::Graph;
use crate::layout::MAX_LINKS;
use crate::search::UPPER_WIDTH;
use crate::{Probe, Slot};

/// Set in a key once its slot has been expanded.
const EXPANDED: u64 = 1;

/// Packs a distance and a slot so that keys order by distance, then by slot.
#[must_use]
pub fn key(distance: f32, slot: Slot) -> u64 {
    let bits = distance.to_bits();
    let ordered = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    // NaN of either sign is farther than anything.
    let ordered = if distance.is_nan() { u32::MAX } else { ordered };
    u64::from(ordered) << 32 | u64::from(slot) << 1
}

/// The key of a slot whose distance is not known yet.
pub(crate) fn slot_key(slot: Slot) -> u64 {
    u64::from(slot) << 1
}

/// The slot of a key.
#[must_use]
pub fn key_slot(key: u64) -> Slot {
    (key as u32) >> 1
}

/// The distance of a key.
#[must_use]
pub fn key_distance(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

/// The nearest slots seen so far, in order.
///
/// Slots at the same distance, most likely duplicates, take one place together, as far as
/// the memory goes: a pool of 200 that 25 copies of 8 points fill would know no more than a
/// pool of 8, and a graph built with it would be as poor.
#[derive(Debug)]
pub(crate) struct Pool<'a> {
    keys: &'a mut [u64],
    len: usize,
    limit: usize,
    ties: usize,
}

impl<'a> Pool<'a> {
    /// An empty pool in `keys`, narrow to begin with.
    pub(crate) fn new(keys: &'a mut [u64]) -> Self {
        Pool { keys, len: 0, limit: UPPER_WIDTH, ties: 0 }
    }

    /// Changes the number of places, which the memory must have and one more; what no longer
    /// fits is dropped.
    pub(crate) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        self.len = self.len.min(self.limit);
        self.ties = 0;
    }

    /// What the pool holds, nearest first.
    pub(crate) fn keys(&mut self) -> &mut [u64] {
        &mut self.keys[..self.len]
    }

    /// Makes what the pool holds the start of a new walk: nothing is expanded, and only
    /// these are visited.
    pub(crate) fn restart(&mut self, visited: &mut [u64]) {
        visited.fill(0);
        for key in &mut self.keys[..self.len] {
            *key &= !EXPANDED;
            set_bit(visited, key_slot(*key));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes `key` in if it is among the nearest; returns where it stands, or [`usize::MAX`].
    #[inline]
    pub(crate) fn offer(&mut self, key: u64) -> usize {
        let last = self.keys.get(self.len.wrapping_sub(1)).map_or(0, |&last| last);
        if self.len >= self.limit + self.ties && key >= last {
            return usize::MAX;
        }
        let Some(keys) = self.keys.get_mut(..=self.len) else { return usize::MAX };
        // From behind, as newcomers mostly belong there, and in a loop: in WebAssembly a
        // `copy_within` calls the host, which takes longer than the loop does.
        let mut at = self.len;
        for pair in Cell::from_mut(&mut *keys).as_slice_of_cells().windows(2).rev() {
            if pair[0].get() < key {
                break;
            }
            pair[1].set(pair[0].get());
            at -= 1;
        }
        keys[at] = key;
        self.len += 1;
        // A place stays free for the one that is put in order.
        if self.limit + self.ties + 1 < self.keys.len() {
            let behind = at + 1 < self.len && self.is_tied(at + 1);
            self.ties += usize::from(behind || self.is_tied(at));
        }
        while self.len > self.limit + self.ties {
            self.len -= 1;
            self.ties -= usize::from(self.is_tied(self.len)).min(self.ties);
        }
        at
    }

    /// Are the entry at `at` and the one before at the same distance?
    fn is_tied(&self, at: usize) -> bool {
        let before = self.keys.get(at.wrapping_sub(1));
        before.zip(self.keys.get(at)).is_some_and(|(a, b)| a >> 32 == b >> 32)
    }

    /// Marks the entry at `at` as expanded; returns its slot unless it was already.
    #[inline]
    fn expand(&mut self, at: usize) -> Option<Slot> {
        let key = self.keys.get_mut(at)?;
        let slot = (*key & EXPANDED == 0).then(|| key_slot(*key));
        *key |= EXPANDED;
        slot
    }
}

/// Sets the bit of `slot`; was it clear?
#[inline]
pub(crate) fn set_bit(bits: &mut [u64], slot: Slot) -> bool {
    let Some(word) = bits.get_mut(slot as usize / 64) else { return false };
    let bit = 1u64 << (slot % 64);
    let clear = *word & bit == 0;
    *word |= bit;
    clear
}

/// Is the bit of `slot` set?
#[inline]
pub(crate) fn has_bit(bits: &[u64], slot: Slot) -> bool {
    bits.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
}

/// Slots that are about to be measured, in one batch.
pub(crate) struct Batch {
    slots: [Slot; MAX_LINKS],
    distances: [f32; MAX_LINKS],
    len: usize,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Batch { slots: [0; MAX_LINKS], distances: [0.0; MAX_LINKS], len: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len == MAX_LINKS
    }

    #[inline]
    pub(crate) fn push(&mut self, slot: Slot) {
        self.push_if(slot, true);
    }

    /// Pushes `slot` if it is wanted, without a branch that nobody could foretell.
    #[inline]
    fn push_if(&mut self, slot: Slot, wanted: bool) {
        if let Some(place) = self.slots.get_mut(self.len) {
            *place = slot;
            self.len += usize::from(wanted);
        }
    }

    /// Measures the batch and offers it to the pool; returns the first place taken.
    pub(crate) fn flush(&mut self, probe: &mut dyn Probe, pool: &mut Pool<'_>) -> usize {
        let n = core::mem::take(&mut self.len);
        let mut first = usize::MAX;
        if n > 0 {
            probe.distances(&self.slots[..n], &mut self.distances[..n]);
            for (&slot, &distance) in self.slots[..n].iter().zip(&self.distances[..n]) {
                first = first.min(pool.offer(key(distance, slot)));
            }
        }
        first
    }
}

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// Walks `level` from what the pool holds until the first `breadth` entries are expanded.
    /// `visited` marks the slots that are not to be measured (again).
    pub(crate) fn walk(
        &self,
        level: u32,
        breadth: usize,
        filter: Option<&[u64]>,
        probe: &mut dyn Probe,
        visited: &mut [u64],
        pool: &mut Pool<'_>,
    ) {
        let mut batch = Batch::new();
        let mut at = 0;
        // Tied slots are expanded together, as they are kept together.
        while at < pool.len().min(breadth + pool.ties) {
            let Some(slot) = pool.expand(at) else {
                at += 1;
                continue;
            };
            match filter {
                None => self.gather(slot, level, visited, &mut batch),
                Some(filter) => self.gather_matching(slot, filter, visited, &mut batch),
            }
            at = batch.flush(probe, pool).min(at + 1);
        }
    }

    /// Puts the neighbours of `slot` that were not visited into the batch.
    #[inline]
    fn gather(&self, slot: Slot, level: u32, visited: &mut [u64], batch: &mut Batch) {
        self.each_link(slot, level, |link| {
            let fresh = set_bit(visited, link);
            batch.push_if(link, fresh);
        });
    }

    /// As `gather` on level 0, for the slots in `filter` only: a neighbour outside lends
    /// its own neighbours, until there are as many as a list holds (ACORN-1, Patel et al.,
    /// arXiv:2403.04871, section 5).
    pub(crate) fn gather_matching(
        &self,
        slot: Slot,
        filter: &[u64],
        visited: &mut [u64],
        batch: &mut Batch,
    ) {
        let mut links = [0; MAX_LINKS + 1];
        let n = self.links(slot, 0, &mut links);
        for link in links.iter().take(n).map(|&k| key_slot(k)) {
            if has_bit(filter, link) && set_bit(visited, link) {
                batch.push(link);
            }
        }
        let enough = self.layout.limit(0);
        let mut second = [0; MAX_LINKS + 1];
        for link in links.iter().take(n).map(|&k| key_slot(k)) {
            if batch.len >= enough {
                return;
            }
            if has_bit(filter, link) || !set_bit(visited, link) {
                continue;
            }
            let n = self.links(link, 0, &mut second);
            for link in second.iter().take(n).map(|&k| key_slot(k)) {
                if has_bit(filter, link) && !batch.is_full() && set_bit(visited, link) {
                    batch.push(link);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn keys_order_as_distances_then_slots(a: f32, b: f32, s in 0u32..1 << 30, t in 0u32..1 << 30) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            if a < b {
                prop_assert!(key(a, s) < key(b, t));
            }
            prop_assert_eq!(key(a, s) < key(a, t), s < t);
            prop_assert_eq!(key_slot(key(a, s)), s);
            prop_assert_eq!(key_distance(key(a, s)).to_bits(), a.to_bits());
            prop_assert!(key(f32::NAN, s) > key(a, t));
            prop_assert!(key(-f32::NAN, s) > key(f32::INFINITY, t));
        }

        #[test]
        fn a_pool_holds_the_nearest_in_order(
            distances in prop::collection::vec(0u32..200, 0..300), places in 0usize..40, spare in 0usize..60,
        ) {
            let mut keys: Vec<u64> =
                (0u64..).zip(&distances).map(|(i, &d)| u64::from(d) << 32 | i << 1).collect();
            let mut memory = std::vec![0; places + spare + 1];
            let mut pool = Pool::new(&mut memory);
            pool.resize(places);
            for &k in &keys {
                pool.offer(k);
            }
            let found = pool.keys().to_vec();
            keys.sort_unstable();
            // As many as there are places, and more only where some are tied; the nearest of
            // all is among them, and in order.
            prop_assert!(found.len() >= places.min(keys.len()) && found.len() <= places + spare);
            prop_assert!(found.is_sorted() && found.first() <= keys.first());
            let mut kinds: Vec<u64> = found.iter().map(|k| k >> 32).collect();
            kinds.dedup();
            prop_assert!(kinds.len() <= places || found.len() == places + spare);
            prop_assert!(found.len() <= places || kinds.len() < found.len());
            let mut untied = keys.clone();
            untied.dedup_by_key(|k| *k >> 32);
            if untied.len() == keys.len() {
                keys.truncate(places);
                prop_assert_eq!(found, keys);
            }
        }
    }
}
