//! The pool of pages: where full codes live.
//!
//! A page holds records of one class, which is a tier: one size. A class has a list of its pages
//! with room, linked both ways, so that a page leaves the list when it fills and goes back to the
//! others when it empties. A bitmap in the page's entry says which records are free. With tiers, a
//! hole is filled from the other page with room, so that a tier has one at most, and the pages that
//! it does not need are there for others.
//!
//! What it must never do: leave the bytes of a record that was given back, put two sizes into
//! one page, or move a record without its slot's place.

use crate::error::Flaw;
use crate::header::{Field, u32_at, u64_at, write_at};
use crate::layout::{CLASSES, Layout, Section, UNIT};
use crate::tier_policy::Tier;
use crate::view::{Edit, View};

/// No page.
const NONE: u32 = u32::MAX;
/// The class of a page that has none.
const NO_CLASS: u32 = 0xFF;
/// How many lists of pages the header has room for.
const LISTS: u32 = 8;

/// The fields of a page's entry, all of 32 bits but the first.
const FREE: usize = 0;
const NEXT: usize = 8;
const PREVIOUS: usize = 12;
const CLASS: usize = 16;

impl Edit<'_> {
    /// Makes every page free, in order.
    pub(crate) fn init_pages(&mut self) {
        let count = self.layout.page_count() as u32;
        self.set_header(Field::Pages, count);
        self.set_header(Field::PageBytes, self.layout.page_bytes() as u32);
        self.set_header(Field::Unused, count);
        self.set_head(NO_CLASS, NONE);
        for class in 0..LISTS {
            self.set_head(class, NONE);
        }
        for page in (0..count).rev() {
            self.set_page(page, CLASS, NO_CLASS);
            self.link(page);
        }
    }

    /// Takes a record of `tier`; returns its place in units of the pool. `None` when it needed a
    /// new page, and no more than `reserve` were left.
    pub(crate) fn take(&mut self, tier: Tier, reserve: u32) -> Option<u32> {
        let mut page = self.head(tier as u32);
        if page == NONE {
            page = self.head(NO_CLASS);
            let unused = self.header(Field::Unused);
            if page == NONE || unused <= reserve {
                return None;
            }
            self.set_header(Field::Unused, unused - 1);
            self.assign(page, tier as u32, all(self.layout, tier));
        }
        let free = self.free(page);
        self.set_free(page, free & free.wrapping_sub(1));
        if free.is_power_of_two() {
            self.unlink(page);
        }
        Some(place(self.layout, tier, page, free.trailing_zeros()))
    }

    /// Gives the record at `place` back and clears its bytes: what was removed is gone.
    pub(crate) fn give_back(&mut self, tier: Tier, place: u32) {
        let Some((page, record)) = locate(self.layout, tier, place) else { return };
        if self.view().check_place(tier, place).is_err() {
            // Two vectors had one record: damage that a seal was put on.
            return;
        }
        self.record(tier, place).fill(0);
        let before = self.free(page);
        let free = before | 1 << record;
        self.set_free(page, free);
        if before == 0 {
            self.link(page);
            let other = self.page(page, NEXT);
            if self.layout.is_tiered() && other != NONE {
                return self.close_up(tier, other);
            }
        }
        if free == all(self.layout, tier) {
            let unused = self.header(Field::Unused);
            self.set_header(Field::Unused, unused + 1);
            self.assign(page, NO_CLASS, 0);
        }
    }

    /// Moves a record of `page` into the only hole of the one at the head of the tier's list, so
    /// that no tier has two pages with room: what is freed in one becomes a page for others.
    fn close_up(&mut self, tier: Tier, page: u32) {
        let record = (all(self.layout, tier) & !self.free(page)).trailing_zeros();
        let from = place(self.layout, tier, page, record);
        let Some(to) = self.take(tier, 0) else { return };
        let (pool, bytes) = (self.layout.span(Section::Pool).at, self.record(tier, from).len());
        let begin = pool + from as usize * UNIT;
        self.bytes.copy_within(begin..begin + bytes, pool + to as usize * UNIT);
        let view = self.view();
        let mut places = (0..).zip(view.numbers::<u32>(Section::Places));
        // A slot that is free has no uses.
        let is_it = |&(slot, &place): &(u32, &u32)| {
            place == from && u32_at(view.entry(Section::Uses, slot), 8) != 0
        };
        if let Some((slot, _)) = places.find(is_it) {
            self.set_entry(Section::Places, slot, &to.to_le_bytes());
        }
        self.give_back(tier, from);
    }

    /// Has a page of `tier` room?
    pub(crate) fn has_room(&self, tier: Tier) -> bool {
        self.head(tier as u32) != NONE
    }

    /// The bytes of the record at `place`.
    pub(crate) fn record(&mut self, tier: Tier, place: u32) -> &mut [u8] {
        let at = self.layout.span(Section::Pool).at + place as usize * UNIT;
        self.range(at, self.layout.record_bytes(tier))
    }

    fn head(&self, class: u32) -> u32 {
        u32_at(self.bytes, head_field(class))
    }

    fn set_head(&mut self, class: u32, page: u32) {
        write_at(self.bytes, head_field(class), &page.to_le_bytes());
    }

    fn page_at(&self, page: u32) -> usize {
        let span = self.layout.span(Section::Pages);
        span.at + page as usize * span.entry
    }

    /// A field of the entry of `page`.
    #[inline(never)]
    fn page(&self, page: u32, field: usize) -> u32 {
        u32_at(self.bytes, self.page_at(page) + field)
    }

    #[inline(never)]
    fn set_page(&mut self, page: u32, field: usize, value: u32) {
        write_at(self.bytes, self.page_at(page) + field, &value.to_le_bytes());
    }

    fn free(&self, page: u32) -> u64 {
        u64_at(self.bytes, self.page_at(page) + FREE)
    }

    fn set_free(&mut self, page: u32, free: u64) {
        write_at(self.bytes, self.page_at(page) + FREE, &free.to_le_bytes());
    }

    /// Takes `page` out of its class and puts it into another, with these records free.
    #[inline(never)]
    fn assign(&mut self, page: u32, class: u32, free: u64) {
        self.unlink(page);
        self.set_page(page, CLASS, class);
        self.set_free(page, free);
        self.link(page);
    }

    /// Puts `page` at the head of its class's list.
    #[inline(never)]
    fn link(&mut self, page: u32) {
        let class = self.page(page, CLASS);
        let head = self.head(class);
        if head != NONE {
            self.set_page(head, PREVIOUS, page);
        }
        self.set_page(page, NEXT, head);
        self.set_page(page, PREVIOUS, NONE);
        self.set_head(class, page);
    }

    /// Takes `page` out of its class's list.
    #[inline(never)]
    fn unlink(&mut self, page: u32) {
        let (next, previous) = (self.page(page, NEXT), self.page(page, PREVIOUS));
        if next != NONE {
            self.set_page(next, PREVIOUS, previous);
        }
        if previous == NONE {
            self.set_head(self.page(page, CLASS), next);
        } else {
            self.set_page(previous, NEXT, next);
        }
        self.set_page(page, NEXT, NONE);
        self.set_page(page, PREVIOUS, NONE);
    }
}

/// Where the header names the first page of a class's list.
fn head_field(class: u32) -> usize {
    if class == NO_CLASS {
        Field::Free as usize
    } else {
        Field::Partial as usize + 4 * class as usize
    }
}

/// The bitmap of a page whose records are all free.
fn all(layout: &Layout, tier: Tier) -> u64 {
    u64::MAX >> (64 - layout.records_per_page(tier))
}

/// The place of a record.
fn place(layout: &Layout, tier: Tier, page: u32, record: u32) -> u32 {
    let bytes = page as usize * layout.page_bytes() + record as usize * layout.record_bytes(tier);
    (bytes / UNIT) as u32
}

/// Page and record of a place; `None` where no record begins there.
#[inline(never)]
fn locate(layout: &Layout, tier: Tier, place: u32) -> Option<(u32, u32)> {
    let (units, record_units) = (layout.page_bytes() / UNIT, layout.record_bytes(tier) / UNIT);
    let (page, within) = (place as usize / units, place as usize % units);
    let record = within / record_units;
    let begins = within.is_multiple_of(record_units);
    (begins && page < layout.page_count() && record < layout.records_per_page(tier))
        .then_some((page as u32, record as u32))
}

/// How many records of each tier there are.
pub(crate) type Counts = [u32; CLASSES];

impl View<'_> {
    fn page(&self, page: u32, field: usize) -> u32 {
        u32_at(self.entry(Section::Pages, page), field)
    }

    fn free(&self, page: u32) -> u64 {
        u64_at(self.entry(Section::Pages, page), FREE)
    }

    /// Checks that a record of `tier` which is not free begins at `place`.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check_place(&self, tier: Tier, place: u32) -> Result<(), Flaw> {
        let Some((page, record)) = locate(self.layout, tier, place) else {
            return Err("a code lies where no record begins");
        };
        if self.page(page, CLASS) != tier as u32 || self.free(page) >> record & 1 != 0 {
            return Err("a code lies in a record that is free");
        }
        Ok(())
    }

    /// Checks the page table and its lists, when there are so many records `taken` of each tier.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check_pages(&self, taken: &Counts) -> Result<(), Flaw> {
        let layout = self.layout;
        if self.header(Field::Pages) as usize != layout.page_count()
            || self.header(Field::PageBytes) as usize != layout.page_bytes()
        {
            return Err("the header's pages do not fit its parameters");
        }
        let tiers = if layout.is_tiered() { CLASSES } else { 1 };
        let (mut found, mut partial, mut unused) = (Counts::default(), Counts::default(), 0);
        for page in 0..layout.page_count() as u32 {
            let (free, class) = (self.free(page), self.page(page, CLASS));
            if class == NO_CLASS && free == 0 {
                unused += 1;
                continue;
            }
            let class = class as usize;
            let all = if class < tiers { all(layout, Tier::ALL[class]) } else { 0 };
            if free & !all != 0 || free == all {
                return Err("a page has an unknown class or a wrong bitmap");
            }
            found[class] += (all & !free).count_ones();
            partial[class] += u32::from(free != 0);
        }
        if found != *taken {
            return Err("a record belongs to nobody, or to two");
        }
        if self.header(Field::Unused) != unused {
            return Err("the header's count of unused pages is wrong");
        }
        self.check_list(NO_CLASS, unused)?;
        for class in 0..LISTS {
            self.check_list(class, partial.get(class as usize).copied().unwrap_or(0))?;
        }
        Ok(())
    }

    /// A list must hold exactly `count` pages of `class` with room, linked both ways. As each has
    /// one predecessor, the count also rules out a ring.
    #[inline(never)]
    fn check_list(&self, class: u32, count: u32) -> Result<(), Flaw> {
        let (mut page, mut previous) = (u32_at(self.head, head_field(class)), NONE);
        let broken = "a list of pages is broken";
        for _ in 0..count {
            // What lies outside is not looked at: its place would not fit into 32 bits.
            let is_sound = (page as usize) < self.layout.page_count()
                && self.page(page, CLASS) == class
                && (class == NO_CLASS || self.free(page) != 0)
                && self.page(page, PREVIOUS) == previous;
            if !is_sound {
                return Err(broken);
            }
            previous = page;
            page = self.page(page, NEXT);
        }
        if page == NONE { Ok(()) } else { Err(broken) }
    }
}
