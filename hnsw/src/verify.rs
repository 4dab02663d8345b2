//! Checks of the invariants: those that `open` needs, and the count of what is unreachable.

use crate::beam::{has_bit, set_bit};
use crate::graph::{View, read_u32};
use crate::layout::{MAX_LEVEL, MAX_LINKS, OpenError};
use crate::links::Links;
use crate::scratch::Scratch;
use crate::{EMPTY, Slot};

/// What [`Graph::verify`](crate::Graph::verify) found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Slots in use.
    pub live: u32,
    /// Live slots that no path from the entry leads to on level 0.
    pub unreachable: u32,
    /// Links on all levels.
    pub links: u64,
    /// The first broken invariant, if there is one.
    pub broken: Option<&'static str>,
}

impl Report {
    /// Is everything as it must be?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.broken.is_none() && self.unreachable == 0
    }
}

impl View<'_> {
    /// Checks every invariant and walks level 0 from the entry to every slot.
    pub(crate) fn verify(&self, scratch: &mut Scratch<'_>) -> Report {
        let mut report = Report { live: self.len(), ..Report::default() };
        if let Err(OpenError::Corrupt(what)) = self.check() {
            report.broken = Some(what);
            return report;
        }
        for slot in 0..self.capacity() {
            for level in 0..=self.level(slot).unwrap_or(0) {
                report.links += self.links(slot, level).as_slice().len() as u64;
            }
        }
        report.unreachable = self.len() - self.reach(scratch);
        report
    }

    /// How many slots level 0 leads to from the entry: passes over the bitmap until one
    /// finds nothing new, for there is no room for a queue.
    fn reach(&self, scratch: &mut Scratch<'_>) -> u32 {
        let (seen, done) = (&mut *scratch.visited, &mut *scratch.marked);
        seen.fill(0);
        done.fill(0);
        if self.entry() == EMPTY {
            return 0;
        }
        set_bit(seen, self.entry());
        let mut links = [0; MAX_LINKS];
        loop {
            let mut moved = false;
            for i in 0..seen.len() {
                while seen[i] & !done[i] != 0 {
                    let bit = (seen[i] & !done[i]).trailing_zeros();
                    done[i] |= 1 << bit;
                    moved = true;
                    let n = self.neighbours(i as u32 * 64 + bit, 0, &mut links);
                    for &link in &links[..n] {
                        set_bit(seen, link);
                    }
                }
            }
            if !moved {
                return seen.iter().map(|w| w.count_ones()).sum();
            }
        }
    }

    /// Checks every section. Nothing in it depends on what it has not checked yet, and no
    /// content can make it run for long.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let fail = |what| Err(OpenError::Corrupt(what));
        let (capacity, layout) = (self.capacity(), self.layout);
        if read_u32(self.bytes, 44) != layout.block_count {
            return fail("the header's count of blocks does not fit its parameters");
        }
        let mut live = 0;
        let mut highest = None;
        for slot in 0..capacity {
            let byte = self.bytes[layout.levels + slot as usize];
            if byte != 0xFF && byte > MAX_LEVEL {
                return fail("a slot stands above the highest level");
            }
            if has_bit(self.live(), slot) != (byte != 0xFF) {
                return fail("the bitmap of live slots contradicts the levels");
            }
            if byte != 0xFF {
                live += 1;
                highest = highest.max(Some(byte));
            }
        }
        let past = !0u64 << (capacity % 64);
        if !capacity.is_multiple_of(64) && self.live().last().is_some_and(|w| w & past != 0) {
            return fail("the bitmap of live slots goes past the capacity");
        }
        if live != self.len() {
            return fail("the header's count of slots is not the number of live ones");
        }
        if live == 0 {
            if self.entry() != EMPTY || self.root() != EMPTY {
                return fail("an empty graph has an entry or a root");
            }
        } else if self.level(self.entry()) != highest {
            return fail("the entry is not a slot of the highest level");
        }
        for slot in 0..capacity {
            match self.level(slot) {
                None => self.check_free(slot)?,
                Some(level) => self.check_live(slot, level)?,
            }
        }
        let owned = (0..layout.block_count).filter(|&b| self.block_owner(b).is_some()).count();
        let levels = (0..capacity).map(|s| self.level(s).unwrap_or(0) as usize).sum::<usize>();
        if owned != levels {
            return fail("a block of upper links belongs to nobody");
        }
        Ok(())
    }

    fn check_free(&self, slot: Slot) -> Result<(), OpenError> {
        let at = self.layout.links + slot as usize * self.layout.stride;
        let unused = self.bytes[at..at + self.layout.stride].iter().all(|&b| b == 0xFF)
            && self.parent(slot) == EMPTY
            && self.stored(self.layout.upper, slot as usize) == EMPTY;
        if unused { Ok(()) } else { Err(OpenError::Corrupt("a free slot has links")) }
    }

    fn check_live(&self, slot: Slot, level: u8) -> Result<(), OpenError> {
        let fail = |what| Err(OpenError::Corrupt(what));
        let mut block = self.stored(self.layout.upper, slot as usize);
        for l in 1..=level {
            if self.block_owner(block) != Some((slot, l)) {
                return fail("a slot's block of upper links is another's");
            }
            block = self.block(block).map_or(EMPTY, |at| read_u32(self.bytes, at));
        }
        if block != EMPTY {
            return fail("a slot has more blocks of upper links than levels");
        }
        for l in 0..=level {
            self.check_list(slot, l)?;
        }
        let parent = self.parent(slot);
        if parent == EMPTY {
            if self.root() != slot {
                return fail("a slot that is not the root has no parent");
            }
        } else if self.root() == slot {
            return fail("the root has a parent");
        } else if self.links(slot, 0).position(parent).is_none()
            || self.links(parent, 0).position(slot).is_none()
        {
            return fail("a slot and its parent are not neighbours");
        }
        Ok(())
    }

    fn check_list(&self, slot: Slot, level: u8) -> Result<(), OpenError> {
        let fail = |what| Err(OpenError::Corrupt(what));
        let links = self.links(slot, level);
        let list = links.as_slice();
        if !self.is_dense(slot, level, list.len()) {
            return fail("a list of links has a gap, or a wrong count of diverse ones");
        }
        let mut seen = Links::new();
        for &link in list {
            if link == slot || self.level(link).is_none_or(|l| l < level) {
                return fail("a link points to its own slot, or to none on its level");
            }
            if seen.position(link).is_some() {
                return fail("a link stands twice in a list");
            }
            seen.push(link);
        }
        Ok(())
    }
}
