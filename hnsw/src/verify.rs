//! Checks of the invariants: those that `open` needs, and the count of what is unreachable.
//!
//! Opening must be quick and trust nothing; what is reachable takes passes over the whole graph,
//! so only those who ask for it pay. A graph that opens is safe to walk, and not yet known to be
//! connected.
//!
//! What it must never do: mend what it finds, or rely on a section that it has not checked yet.

use core::ops::Deref;

use crate::beam::{has_bit, set_bit};
use crate::graph::{BLOCKS, Graph};
use crate::layout::{LEVEL, MAX_LEVEL, MAX_LINKS, OWNER};
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

/// A broken invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Header,
    TooHigh,
    Live,
    Len,
    Entry,
    Empty,
    Free,
    Block,
    Chain,
    Orphan,
    Parent,
    Gap,
    Link,
    Twice,
    Blocks,
}

impl Damage {
    /// What is broken, in words.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Damage::Header => "the header is not that of these parameters",
            Damage::TooHigh => "a slot stands above the highest level",
            Damage::Live => "the bitmap of live slots contradicts the levels",
            Damage::Len => "the header's count of slots is not the number of live ones",
            Damage::Entry => "the entry is not a slot of the highest level",
            Damage::Empty => "an empty graph has an entry or a root",
            Damage::Free => "a free slot has links",
            Damage::Block => "a slot's block of upper links is another's",
            Damage::Chain => "a slot has more blocks of upper links than levels",
            Damage::Orphan => "a slot that is not the root has no parent, or the root has one",
            Damage::Parent => "a slot and its parent are not neighbours",
            Damage::Gap => "a list of links has a gap, or a wrong count of diverse ones",
            Damage::Link => "a link points to its own slot, or to none on its level",
            Damage::Twice => "a link stands twice in a list",
            Damage::Blocks => "a block of upper links belongs to nobody",
        }
    }
}

impl<B: Deref<Target = [u8]>> Graph<B> {
    /// Checks every invariant and walks level 0 from the entry to every slot.
    pub fn verify(&self, scratch: &mut Scratch<'_>) -> Report {
        let mut report = Report { live: self.len(), ..Report::default() };
        match self.damage() {
            Ok(()) => {
                report.links = self.count_links();
                report.unreachable = self.unreachable(scratch);
            }
            Err(damage) => report.broken = Some(damage.sentence()),
        }
        report
    }

    fn count_links(&self) -> u64 {
        let mut links = 0;
        for slot in 0..self.capacity() {
            for level in 0..self.lists(slot) {
                links += self.each(slot, level).count() as u64;
            }
        }
        links
    }

    /// How many slots level 0 does not lead to from the entry: passes over the slots until one
    /// finds nothing new, for there is no room for a queue. The graph must be sound (see
    /// [`Graph::check`]).
    pub fn unreachable(&self, scratch: &mut Scratch<'_>) -> u32 {
        let seen = &mut *scratch.visited;
        seen.fill(0);
        let mut reached = u32::from(set_bit(seen, self.entry()));
        loop {
            let before = reached;
            // Up and down again: links to lower slots would each take a pass more.
            let turn = 2 * self.capacity();
            for i in 0..turn {
                let slot = i.min(turn - 1 - i);
                if has_bit(seen, slot) {
                    for link in self.each(slot, 0) {
                        reached += u32::from(set_bit(seen, link));
                    }
                }
            }
            if reached == before {
                return self.len().saturating_sub(reached);
            }
        }
    }

    /// Checks every section. Nothing in it depends on what it has not checked yet, and no
    /// content can make it run for long.
    pub(crate) fn damage(&self) -> Result<(), Damage> {
        let layout = &self.layout;
        for (i, &word) in layout.header.iter().enumerate() {
            if self.word(4 * i) != word {
                return Err(Damage::Header);
            }
        }
        if self.word(BLOCKS) != layout.block_count {
            return Err(Damage::Header);
        }
        let (mut live, mut highest, mut blocks) = (0, 0, 0);
        // To the end of the bitmap's last word, where no slot is in use.
        for slot in 0..layout.words() as u32 * 64 {
            let lists = self.lists(slot);
            if lists > u32::from(MAX_LEVEL) + 1 {
                return Err(Damage::TooHigh);
            }
            let word = self.word(layout.live + slot as usize / 32 * 4);
            if (word.wrapping_shr(slot) & 1 == 1) != (lists > 0) {
                return Err(Damage::Live);
            }
            live += u32::from(lists > 0);
            blocks += lists.saturating_sub(1);
            highest = highest.max(lists);
        }
        if live != self.len() {
            return Err(Damage::Len);
        }
        if self.lists(self.entry()) != highest {
            return Err(Damage::Entry);
        }
        if live == 0 && self.entry() & self.root() != EMPTY {
            return Err(Damage::Empty);
        }
        for slot in 0..self.capacity() {
            self.check_slot(slot)?;
        }
        for block in 0..layout.block_count {
            blocks = blocks.wrapping_sub(u32::from(self.owner(block) != EMPTY));
        }
        if blocks == 0 { Ok(()) } else { Err(Damage::Blocks) }
    }

    fn check_slot(&self, slot: Slot) -> Result<(), Damage> {
        let lists = self.lists(slot);
        let mut block = self.stored(self.layout.upper, slot as usize);
        for level in 1..lists {
            let at = self.block_at(block);
            if self.word(at + OWNER) != slot || u32::from(self.byte(at + LEVEL)) != level {
                return Err(Damage::Block);
            }
            block = self.word(at);
        }
        if block != EMPTY {
            return Err(Damage::Chain);
        }
        for level in 0..lists.max(1) {
            self.check_list(slot, level)?;
        }
        let parent = self.parent(slot);
        if (parent == EMPTY) != (lists == 0 || self.root() == slot) {
            return Err(Damage::Orphan);
        }
        if parent != EMPTY && !(self.has_link(slot, 0, parent) && self.has_link(parent, 0, slot)) {
            return Err(Damage::Parent);
        }
        Ok(())
    }

    fn check_list(&self, slot: Slot, level: u32) -> Result<(), Damage> {
        let mut links = [0; MAX_LINKS + 1];
        let n = self.links(slot, level, &mut links);
        let at = self.list_at(slot, level);
        let gap = (n..self.layout.limit(level)).any(|i| self.stored(at, i) != EMPTY);
        if gap || usize::from(self.byte(self.diverse_at(slot, level))) > n {
            return Err(Damage::Gap);
        }
        // A bit for each link's lowest bits: only where one is set already can the link be there
        // twice. Comparing all pairs was a fifth of the time that a memory takes to open.
        let mut seen = 0_u64;
        let links = links.get(..n).unwrap_or(&[]);
        for (i, &key) in links.iter().enumerate() {
            // Of a wide list a forged link may be larger than a key's slot.
            let link = (key >> 1) as Slot;
            if link == slot || self.lists(link) <= level {
                return Err(Damage::Link);
            }
            let bit = 1 << (link % 64);
            if seen & bit != 0 && links.iter().position(|&other| other == key) != Some(i) {
                return Err(Damage::Twice);
            }
            seen |= bit;
        }
        if n > 0 && !self.is_live(slot) { Err(Damage::Free) } else { Ok(()) }
    }
}
