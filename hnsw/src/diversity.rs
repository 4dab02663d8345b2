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

use crate::beam::{key, key_distance, key_slot};
use crate::graph::{Edit, View};
use crate::layout::MAX_LINKS;
use crate::links::Links;
use crate::{EMPTY, Slot, Space};

/// Distances are asked for in batches of this many, so that a covered candidate is found
/// out before all are measured.
const STEP: usize = 8;

/// Above level 0 a link must be this much nearer to cover: those levels are there to cross from
/// one heap of points to another, and their few links should not all end in one.
const UPPER: f32 = 2.0;

/// Does a link at `between` from a candidate cover it, which lies at `distance`?
fn covers(level: u8, between: f32, distance: f32) -> bool {
    let factor = if level == 0 { 1.0 } else { UPPER };
    between * factor < distance || between == 0.0
}

/// Chooses up to `limit` links among `sorted` candidates, nearest first.
pub(crate) fn select(space: &mut dyn Space, level: u8, sorted: &[u64], limit: usize) -> Links {
    let mut links = Links::new();
    let mut fillers = [EMPTY; MAX_LINKS];
    let mut spare = 0;
    for &k in sorted {
        if links.as_slice().len() == limit {
            break;
        }
        let slot = key_slot(k);
        if is_covered(space, level, slot, key_distance(k), links.as_slice()) {
            if spare < limit {
                fillers[spare] = slot;
                spare += 1;
            }
        } else {
            links.push(slot);
        }
    }
    links.diverse = links.as_slice().len() as u8;
    for &slot in fillers[..spare].iter().take(limit - usize::from(links.diverse)) {
        links.push(slot);
    }
    links
}

fn is_covered(
    space: &mut dyn Space,
    level: u8,
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

impl Edit<'_> {
    /// Offers `new` as a link of `slot` on `level`; is it one afterwards? `forced` links,
    /// those of the tree, always are.
    pub(crate) fn link(
        &mut self,
        space: &mut dyn Space,
        level: u8,
        slot: Slot,
        new: Slot,
        forced: bool,
    ) -> bool {
        let old = self.view().links(slot, level);
        if old.position(new).is_some() {
            return true;
        }
        let n = old.as_slice().len();
        let limit = self.layout.limit(level);
        let mut slots = [EMPTY; MAX_LINKS + 1];
        slots[..n].copy_from_slice(old.as_slice());
        slots[n] = new;
        let slots = &slots[..=n];
        let mut distance = [0.0; MAX_LINKS + 1];
        space.between(slot, slots, &mut distance[..=n]);
        let mut to_new = [0.0; MAX_LINKS];
        space.between(new, &slots[..n], &mut to_new[..n]);

        let own = key(distance[n], new);
        let mut diverse = [false; MAX_LINKS + 1];
        diverse[n] = true;
        for i in 0..usize::from(old.diverse) {
            let nearer = key(distance[i], slots[i]) < own;
            diverse[i] = nearer || !covers(level, to_new[i], distance[i]);
            if nearer && covers(level, to_new[i], distance[n]) {
                diverse[n] = false;
            }
        }
        let victim = if n < limit {
            None
        } else {
            let farthest = |wanted: bool| {
                (0..=n)
                    .filter(|&i| diverse[i] == wanted)
                    .filter(|&i| if i == n { !forced } else { !self.view().is_kin(slot, slots[i]) })
                    .max_by_key(|&i| key(distance[i], slots[i]))
            };
            farthest(false).or_else(|| farthest(true))
        };
        if victim == Some(n) || (victim.is_none() && n >= limit) {
            return false;
        }
        let mut links = Links::new();
        for wanted in [true, false] {
            for i in (0..=n).filter(|&i| diverse[i] == wanted && Some(i) != victim) {
                links.push(slots[i]);
            }
            if wanted {
                links.diverse = links.as_slice().len() as u8;
            }
        }
        self.set_links(slot, level, &links);
        true
    }
}

impl View<'_> {
    /// Are the two parent and child?
    pub(crate) fn is_kin(&self, a: Slot, b: Slot) -> bool {
        self.parent(a) == b || self.parent(b) == a
    }
}
