//! The pool of pages: where full codes live.
//!
//! A page holds records of one class, which is a tier: one size. A class has a list of its pages with room,
//! linked both ways, so that a page leaves the list when it fills and goes back to the others
//! when it empties. A bitmap in the page's entry says which records are free. With tiers, a hole
//! is filled from the other page with room, so that a tier has one at most, and the pages that it
//! does not need are there for others.

use crate::error::Flaw;
use crate::header::{self, Field, u32_at, u64_at, write_at};
use crate::layout::{Layout, PAGE_ENTRY, UNIT, USE};
use crate::tier_policy::Tier;

/// No page.
const NONE: u32 = u32::MAX;
/// The class of a page that has none.
const NO_CLASS: u8 = 0xFF;
/// How many classes there may be.
pub(crate) const CLASSES: usize = 8;

/// The pool of an image: its header and its page table.
pub(crate) struct Pages<'a> {
    pub(crate) bytes: &'a mut [u8],
    pub(crate) layout: &'a Layout,
}

#[derive(Clone, Copy)]
struct Entry {
    free: u64,
    next: u32,
    previous: u32,
    class: u8,
}

impl Pages<'_> {
    /// Makes every page free, in order.
    pub(crate) fn init(&mut self) {
        let count = self.layout.page_count as u32;
        for page in 0..count {
            let next = if page + 1 < count { page + 1 } else { NONE };
            let previous = page.checked_sub(1).unwrap_or(NONE);
            self.set_entry(page, Entry { free: 0, next, previous, class: NO_CLASS });
        }
        header::set(self.bytes, Field::Pages, count);
        header::set(self.bytes, Field::PageBytes, self.layout.page_bytes as u32);
        header::set(self.bytes, Field::Free, 0);
        header::set(self.bytes, Field::Unused, count);
        for class in 0..CLASSES as u8 {
            self.set_head(class, NONE);
        }
    }

    /// Takes a record of `tier`; returns its place in units of the pool. `None` when it needed a
    /// new page, and no more than `reserve` were left.
    pub(crate) fn take(&mut self, tier: Tier, reserve: u32) -> Option<u32> {
        let class = tier as u8;
        let mut page = self.head(class);
        if page == NONE {
            page = self.head(NO_CLASS);
            let unused = header::get(self.bytes, Field::Unused);
            if page == NONE || unused <= reserve {
                return None;
            }
            header::set(self.bytes, Field::Unused, unused - 1);
            self.unlink(page);
            let mut entry = self.entry(page);
            entry.class = class;
            entry.free = all(self.layout, tier);
            self.set_entry(page, entry);
            self.link(page);
        }
        let mut entry = self.entry(page);
        let record = entry.free.trailing_zeros();
        entry.free &= entry.free.wrapping_sub(1);
        self.set_entry(page, entry);
        if entry.free == 0 {
            self.unlink(page);
        }
        Some(place(self.layout, tier, page, record))
    }

    /// Gives the record at `place` back and clears its bytes: what was removed is gone.
    pub(crate) fn give_back(&mut self, tier: Tier, place: u32) {
        let Some((page, record)) = locate(self.layout, tier, place) else { return };
        let at = self.layout.pool + place as usize * UNIT;
        self.bytes[at..at + self.layout.record_bytes[tier as usize]].fill(0);
        let mut entry = self.entry(page);
        let was_full = entry.free == 0;
        entry.free |= 1 << record;
        self.set_entry(page, entry);
        if was_full {
            self.link(page);
            entry = self.entry(page);
        }
        if was_full && entry.next != NONE && self.layout.is_tiered() {
            return self.close_up(tier, entry.next);
        }
        if entry.free == all(self.layout, tier) {
            let unused = header::get(self.bytes, Field::Unused);
            header::set(self.bytes, Field::Unused, unused + 1);
            self.unlink(page);
            let mut entry = self.entry(page);
            entry.class = NO_CLASS;
            entry.free = 0;
            self.set_entry(page, entry);
            self.link(page);
        }
    }

    /// Moves a record of `page` into the only hole of the one at the head of the tier's list, so
    /// that no tier has two pages with room: what is freed in one becomes a page for others.
    fn close_up(&mut self, tier: Tier, page: u32) {
        let record = (all(self.layout, tier) & !self.entry(page).free).trailing_zeros();
        let from = place(self.layout, tier, page, record);
        let Some(to) = self.take(tier, 0) else { return };
        let (l, at) = (self.layout, self.layout.pool);
        let (begin, bytes) = (at + from as usize * UNIT, l.record_bytes[tier as usize]);
        self.bytes.copy_within(begin..begin + bytes, at + to as usize * UNIT);
        for slot in 0..l.graph.params().capacity as usize {
            // A slot that is free has no uses.
            if u32_at(self.bytes, l.places + 4 * slot) == from
                && u32_at(self.bytes, l.uses + USE * slot + 8) != 0
            {
                write_at(self.bytes, l.places + 4 * slot, &to.to_le_bytes());
            }
        }
        self.give_back(tier, from);
    }

    fn head(&self, class: u8) -> u32 {
        let at = head_field(class);
        u32_at(self.bytes, at)
    }

    fn set_head(&mut self, class: u8, page: u32) {
        let at = head_field(class);
        write_at(self.bytes, at, &page.to_le_bytes());
    }

    #[inline(never)]
    fn entry(&self, page: u32) -> Entry {
        entry(self.bytes, self.layout, page)
    }

    #[inline(never)]
    fn set_entry(&mut self, page: u32, entry: Entry) {
        let at = self.layout.pages + page as usize * PAGE_ENTRY;
        let links = u64::from(entry.next) | u64::from(entry.previous) << 32;
        for (i, word) in [entry.free, links, u64::from(entry.class)].into_iter().enumerate() {
            write_at(self.bytes, at + 8 * i, &word.to_le_bytes());
        }
    }

    /// Puts `page` at the head of its class's list.
    #[inline(never)]
    fn link(&mut self, page: u32) {
        let mut entry = self.entry(page);
        let head = self.head(entry.class);
        if head != NONE {
            let mut first = self.entry(head);
            first.previous = page;
            self.set_entry(head, first);
        }
        entry.next = head;
        entry.previous = NONE;
        self.set_entry(page, entry);
        self.set_head(entry.class, page);
    }

    /// Takes `page` out of its class's list.
    #[inline(never)]
    fn unlink(&mut self, page: u32) {
        let mut entry = self.entry(page);
        if entry.next != NONE {
            let mut next = self.entry(entry.next);
            next.previous = entry.previous;
            self.set_entry(entry.next, next);
        }
        if entry.previous == NONE {
            self.set_head(entry.class, entry.next);
        } else {
            let mut previous = self.entry(entry.previous);
            previous.next = entry.next;
            self.set_entry(entry.previous, previous);
        }
        entry.next = NONE;
        entry.previous = NONE;
        self.set_entry(page, entry);
    }
}

fn entry(bytes: &[u8], layout: &Layout, page: u32) -> Entry {
    let at = layout.pages + page as usize * PAGE_ENTRY;
    Entry {
        free: u64_at(bytes, at),
        next: u32_at(bytes, at + 8),
        previous: u32_at(bytes, at + 12),
        class: u32_at(bytes, at + 16) as u8,
    }
}

/// Has a page of `tier` room?
pub(crate) fn has_room(bytes: &[u8], tier: Tier) -> bool {
    u32_at(bytes, head_field(tier as u8)) != NONE
}

/// Where the header names the first page of a class's list.
fn head_field(class: u8) -> usize {
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
    let units = layout.record_bytes[tier as usize] / UNIT;
    (page as usize * (layout.page_bytes / UNIT) + record as usize * units) as u32
}

/// Page and record of a place; `None` where no record begins there.
#[inline(never)]
fn locate(layout: &Layout, tier: Tier, place: u32) -> Option<(u32, u32)> {
    let page_units = layout.page_bytes / UNIT;
    let (page, within) = (place as usize / page_units, place as usize % page_units);
    let bytes = layout.record_bytes[tier as usize];
    let record = within * UNIT / bytes;
    let begins = (within * UNIT).is_multiple_of(bytes);
    (begins && page < layout.page_count && record < layout.records_per_page(tier))
        .then_some((page as u32, record as u32))
}

/// Checks that a record of `tier` which is not free begins at `place`.
///
/// # Errors
/// What is wrong.
pub(crate) fn check_place(
    bytes: &[u8],
    layout: &Layout,
    tier: Tier,
    place: u32,
) -> Result<(), Flaw> {
    let Some((page, record)) = locate(layout, tier, place) else {
        return Err("a code lies where no record begins");
    };
    let e = entry(bytes, layout, page);
    if e.class != tier as u8 || e.free >> record & 1 != 0 {
        return Err("a code lies in a record that is free");
    }
    Ok(())
}

/// Checks the page table and its lists, when there are so many records `taken` of each tier.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(bytes: &[u8], layout: &Layout, taken: &[u32; 4]) -> Result<(), Flaw> {
    if header::get(bytes, Field::Pages) as usize != layout.page_count
        || header::get(bytes, Field::PageBytes) as usize != layout.page_bytes
    {
        return Err("the header's pages do not fit its parameters");
    }
    let (mut found, mut partial, mut unused) = ([0; 4], [0; 4], 0);
    for page in 0..layout.page_count as u32 {
        let e = entry(bytes, layout, page);
        match e.class {
            NO_CLASS if e.free == 0 => unused += 1,
            class => {
                let tier = Tier::ALL[..layout.classes].get(usize::from(class));
                let all = tier.map_or(0, |&tier| all(layout, tier));
                if e.free & !all != 0 || e.free == all {
                    return Err("a page has an unknown class or a wrong bitmap");
                }
                found[class as usize] += (all & !e.free).count_ones();
                partial[class as usize] += usize::from(e.free != 0);
            }
        }
    }
    if found != *taken {
        return Err("a record belongs to nobody, or to two");
    }
    if header::get(bytes, Field::Unused) as usize != unused {
        return Err("the header's count of unused pages is wrong");
    }
    check_list(bytes, layout, NO_CLASS, unused)?;
    for class in 0..CLASSES as u8 {
        let partial = partial.get(usize::from(class)).copied().unwrap_or(0);
        check_list(bytes, layout, class, partial)?;
    }
    Ok(())
}

/// A list must hold exactly `count` pages of `class` with room, linked both ways. As each has
/// one predecessor, the count also rules out a ring.
#[inline(never)]
fn check_list(bytes: &[u8], layout: &Layout, class: u8, count: usize) -> Result<(), Flaw> {
    let (mut page, mut previous) = (u32_at(bytes, head_field(class)), NONE);
    let mut is_sound = true;
    for _ in 0..count {
        // A page that is not there reads as one of another list.
        let e = entry(bytes, layout, page);
        let has_room = class == NO_CLASS || e.free != 0;
        is_sound &= (page as usize) < layout.page_count;
        is_sound &= e.class == class && has_room && e.previous == previous;
        previous = page;
        page = e.next;
    }
    if is_sound && page == NONE { Ok(()) } else { Err("a list of pages is broken") }
}
