//! Which links a slot keeps: the diverse ones, then the nearest of the others.
//!
//! Algorithm 4 of the paper: a candidate is *covered* when a link that is already chosen is
//! nearer to it than the slot itself, for then the walk gets there by that link. Covered
//! candidates fill what room is left (the paper's keepPruned), nearest first.
//!
//! The paper runs this again over the whole list for each back-link, which costs a distance
//! for each pair. Here a list remembers which of its links are diverse, so a newcomer
//! needs two batches: from the slot to its links, and from the newcomer to them. A link that
//! the newcomer covers becomes a filler; a full list lets its farthest filler go, and a
//! diverse link only when there is no filler.
//!
//! A candidate at distance zero of a chosen link is always covered, so that a heap of
//! duplicates cannot use up the list.
//!
//! What it must never do: let a link of the tree go, however far it leads. By it alone a slot
//! may be reached.

use core::ops::DerefMut;

use crate::beam::{key, key_distance, key_slot, slot_key};
use crate::graph::Graph;
use crate::layout::MAX_LINKS;
use crate::links::{Keys, rank, rank_slot};
use crate::sort::shell_sort;
use crate::{EMPTY, Slot, Space};

/// Distances are asked for in batches of this many, so that a covered candidate is found
/// out before all are measured.
const STEP: usize = 8;

/// Above level 0 a link must be nearer by this part of the distance to cover: those levels are there to
/// cross from one heap of points to another, and their few links should not all end in one. A part
/// of its size: by the inner product distances are mostly negative.
const UPPER: f32 = 0.5;

/// Does a link at `between` from a candidate cover it, which lies at `distance`? Of copies of one
/// another one is enough; by the inner product a distance of 0 alone says nothing of the kind.
fn covers(level: u32, between: f32, distance: f32) -> bool {
    let within = if level == 0 { distance } else { distance - distance.abs() * UPPER };
    between < within || (between == 0.0 && distance == 0.0)
}

/// Gives each of `keys` the distance of its slot from `slot`.
#[inline(never)]
pub(crate) fn measure(space: &mut dyn Space, slot: Slot, keys: &mut [u64]) {
    let mut slots = [EMPTY; MAX_LINKS + 1];
    let mut distances = [0.0; MAX_LINKS + 1];
    for chunk in keys.chunks_mut(MAX_LINKS + 1) {
        for (slot, &k) in slots.iter_mut().zip(&*chunk) {
            *slot = key_slot(k);
        }
        let distances = &mut distances[..chunk.len()];
        space.between(slot, &slots[..chunk.len()], distances);
        for ((k, &distance), &slot) in chunk.iter_mut().zip(&*distances).zip(&slots) {
            *k = key(distance, slot);
        }
    }
}

/// Measures `keys` from `slot` and sorts them, nearest first.
pub(crate) fn refine(space: &mut dyn Space, slot: Slot, keys: &mut [u64]) {
    measure(space, slot, keys);
    shell_sort(keys);
}

fn is_covered(
    space: &mut dyn Space,
    level: u32,
    slot: Slot,
    distance: f32,
    chosen: &[Slot],
) -> bool {
    let mut between = [0.0; STEP];
    chosen.chunks(STEP).any(|chunk| {
        let between = &mut between[..chunk.len()];
        space.between(slot, chunk, between);
        between.iter().any(|&d| covers(level, d, distance))
    })
}

impl<B: DerefMut<Target = [u8]>> Graph<B> {
    /// Gives `slot` up to `m` links on `level` among `sorted` candidates, nearest first.
    pub(crate) fn select(&mut self, space: &mut dyn Space, level: u32, slot: Slot, sorted: &[u64]) {
        let limit = self.layout.limit(1);
        let mut chosen = [EMPTY; MAX_LINKS / 2];
        let (mut n, mut len) = (0, 0);
        let mut ranks: Keys = [0; MAX_LINKS + 1];
        for &k in sorted {
            if n == limit {
                break;
            }
            let other = key_slot(k);
            let covered = is_covered(space, level, other, key_distance(k), &chosen[..n]);
            if covered && len - n == limit {
                continue;
            }
            ranks[len] = rank(k, covered);
            len += 1;
            if !covered {
                chosen[n] = other;
                n += 1;
            }
        }
        self.set_links(slot, level, &mut ranks[..len], limit);
    }

    /// Offers `new` as a link of `slot` on `level`. Links of the tree are always taken.
    #[inline(never)]
    pub(crate) fn link(&mut self, space: &mut dyn Space, level: u32, slot: Slot, new: Slot) {
        if self.has_link(slot, level, new) {
            return;
        }
        let mut keys: Keys = [0; MAX_LINKS + 1];
        let mut to_new: Keys = [0; MAX_LINKS + 1];
        let n = self.links(slot, level, &mut keys).min(MAX_LINKS);
        self.links(slot, level, &mut to_new);
        let (keys, to_new) = (&mut keys[..=n], &mut to_new[..n]);
        keys[n] = slot_key(new);
        measure(space, slot, keys);
        measure(space, new, to_new);

        let own = keys[n];
        let diverse = usize::from(self.byte(self.diverse_at(slot, level)));
        let mut covered = false;
        for (i, (k, &between)) in keys.iter_mut().zip(&*to_new).enumerate() {
            // The farther of the two is covered by the nearer one.
            let mut filler = i >= diverse;
            if !filler && covers(level, key_distance(between), key_distance(own.max(*k))) {
                filler = *k >= own;
                covered |= !filler;
            }
            *k = rank(*k, filler);
        }
        keys[n] = rank(own, covered);
        let limit = self.layout.limit(level);
        if n >= limit {
            // The farthest filler goes, or the farthest of all; it sorts behind the limit.
            let (mut victim, mut worst) = (n, 0);
            for (i, &rank) in keys.iter().enumerate() {
                if rank >= worst && !self.is_kin(slot, rank_slot(rank)) {
                    (victim, worst) = (i, rank);
                }
            }
            if victim == n {
                return;
            }
            keys[victim] = u64::MAX;
        }
        self.set_links(slot, level, keys, limit);
    }
}
