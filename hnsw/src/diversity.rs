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
//! diverse link only when there is no filler. Links of the tree are never let go.
//!
//! A candidate at distance zero of a chosen link is always covered, so that a heap of
//! duplicates cannot use up the list.

use core::ops::DerefMut;

use crate::beam::{key, key_distance, key_slot};
use crate::graph::Graph;
use crate::layout::MAX_LINKS;
use crate::links::{Ranks, is_filler, rank};
use crate::{EMPTY, Slot, Space};

/// Distances are asked for in batches of this many, so that a covered candidate is found
/// out before all are measured.
const STEP: usize = 8;

/// Above level 0 a link must be this much nearer to cover: those levels are there to cross from
/// one heap of points to another, and their few links should not all end in one.
const UPPER: f32 = 2.0;

/// Does a link at `between` from a candidate cover it, which lies at `distance`?
fn covers(level: u32, between: f32, distance: f32) -> bool {
    let factor = if level == 0 { 1.0 } else { UPPER };
    between * factor < distance || between == 0.0
}

/// Writes to `keys` how far each of `slots`, at most a list and one more, is from `slot`.
#[inline(never)]
pub(crate) fn measure(space: &mut dyn Space, slot: Slot, slots: &[Slot], keys: &mut [u64]) {
    let mut distances = [0.0; MAX_LINKS + 1];
    let Some(distances) = distances.get_mut(..slots.len()) else { return };
    space.between(slot, slots, distances);
    for ((k, &distance), &slot) in keys.iter_mut().zip(&*distances).zip(slots) {
        *k = key(distance, slot);
    }
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
        let (mut n, mut fillers) = (0, 0);
        let mut ranks: Ranks = [0; MAX_LINKS + 1];
        for &k in sorted {
            if n == limit {
                break;
            }
            let other = key_slot(k);
            let covered = is_covered(space, level, other, key_distance(k), &chosen[..n]);
            if covered && fillers == limit {
                continue;
            }
            ranks[n + fillers] = rank(k, covered);
            if covered {
                fillers += 1;
            } else {
                chosen[n] = other;
                n += 1;
            }
        }
        self.set_links(slot, level, &mut ranks[..n + fillers], limit);
    }

    /// Offers `new` as a link of `slot` on `level`. Links of the tree are always taken.
    #[inline(never)]
    pub(crate) fn link(&mut self, space: &mut dyn Space, level: u32, slot: Slot, new: Slot) {
        if self.has_link(slot, level, new) {
            return;
        }
        let mut ranks: Ranks = [0; MAX_LINKS + 1];
        let mut slots = [new; MAX_LINKS + 1];
        let n = self.ranks(slot, level, &mut ranks);
        self.links(slot, level, &mut slots[..n]);
        let mut keys: Ranks = [0; MAX_LINKS + 1];
        measure(space, slot, &slots[..=n], &mut keys);
        let mut to_new: Ranks = [0; MAX_LINKS + 1];
        measure(space, new, &slots[..n], &mut to_new);

        let own = keys[n];
        let mut covered = false;
        for i in 0..n {
            let mut filler = is_filler(ranks[i]);
            if !filler {
                let between = key_distance(to_new[i]);
                if keys[i] < own {
                    covered |= covers(level, between, key_distance(own));
                } else {
                    filler = covers(level, between, key_distance(keys[i]));
                }
            }
            ranks[i] = rank(keys[i], filler);
        }
        ranks[n] = rank(own, covered);
        let limit = self.layout.limit(level);
        if n >= limit {
            // The farthest filler goes, or the farthest of all; it sorts behind the limit.
            let (mut victim, mut worst) = (n, 0);
            for i in 0..=n {
                if ranks[i] >= worst && !self.is_kin(slot, slots[i]) {
                    (victim, worst) = (i, ranks[i]);
                }
            }
            if victim == n {
                return;
            }
            ranks[victim] = u64::MAX;
        }
        self.set_links(slot, level, &mut ranks[..=n], limit);
    }
}
