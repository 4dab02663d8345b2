//! The postings: pages in one order, within a limit of bytes.
//!
//! A word's postings follow one another through the pages, so a list needs no head and a word
//! no record: the key in the order is all there is. Pages lie in blocks that are allocated as
//! they are needed and never moved; a list of numbers says in which order they are read.
//!
//! What it must never do: allocate beyond the limit, or take in more postings than fit it, however
//! many pages there are; ask for memory to take a posting out; or leave an empty page among those
//! that are read.

use alloc::vec::Vec;

use super::page::{self, Change, KEY_BITS, LONGEST, PAGE, Page, Posting, Reader};
use crate::room;

/// Pages that are allocated at once.
const BLOCK: usize = 32;

/// Pages joined with a neighbour when together they fill no more than this: room is left so
/// that the next posting does not part them again.
const JOINED: usize = page::ROOM * 3 / 4;

#[derive(Debug, Default)]
pub(super) struct Postings {
    blocks: Vec<Vec<Page>>,
    /// The first `live` numbers: pages with postings, in their order. Behind them: empty ones.
    order: Vec<u32>,
    live: usize,
    /// Bytes of entries in all pages.
    used: usize,
}

/// No page was free and none could be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Postings {
    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK * PAGE
            + self.blocks.capacity() * size_of::<Vec<Page>>()
            + self.order.capacity() * 4
    }

    /// Pages with postings, in order.
    pub(super) fn pages(&self) -> impl ExactSizeIterator<Item = &Page> {
        (0..self.live).map(|i| self.page(i))
    }

    fn page(&self, i: usize) -> &Page {
        let number = self.order[i] as usize;
        &self.blocks[number / BLOCK][number % BLOCK]
    }

    fn page_mut(&mut self, i: usize) -> &mut Page {
        let number = self.order[i] as usize;
        &mut self.blocks[number / BLOCK][number % BLOCK]
    }

    /// The page where `place` is, or would be.
    fn find(&self, place: (u64, u32)) -> usize {
        let (mut low, mut high) = (0, self.live);
        while low < high {
            let middle = low.midpoint(high);
            if page::first(self.page(middle)).place() <= place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1)
    }

    /// How often the word is in the text.
    pub(super) fn count(&self, key: u64, slot: u32) -> u32 {
        if self.live == 0 {
            return 0;
        }
        let page = self.page(self.find((key, slot)));
        page::get(page, (key, slot)).map_or(0, |posting| posting.count)
    }

    /// Counts the word once more in the text, with no more than `limit` bytes allocated, and no more
    /// than that of entries.
    ///
    /// # Errors
    /// [`Full`]: nothing is counted.
    pub(super) fn add(&mut self, key: u64, slot: u32, limit: usize) -> Result<(), Full> {
        // There may be more pages than the limit allows (see `Index`). Were they filled, then built
        // anew there would be twice as many, and so on. Below the limit this never comes first, as
        // pages take more than their entries.
        if self.used + 2 * LONGEST > limit {
            return Err(Full);
        }
        if self.live == 0 {
            self.take(0, limit)?;
        }
        loop {
            let i = self.find((key, slot));
            let before = page::used(self.page(i));
            match page::change(self.page_mut(i), key, slot, true) {
                Change::Done => {
                    self.weigh(i, before);
                    return Ok(());
                }
                Change::Missing | Change::NoRoom => {
                    self.take(i + 1, limit)?;
                    let mut fresh = [0; PAGE];
                    page::split(self.page_mut(i), (key, slot), &mut fresh);
                    // It grows at the page's end: its own entry begins the next page.
                    let at_end = page::used(&fresh) == 0;
                    if at_end {
                        page::change(&mut fresh, key, slot, true);
                    }
                    *self.page_mut(i + 1) = fresh;
                    self.weigh(i, before);
                    self.weigh(i + 1, 0);
                    if at_end {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Counts the word once less in the text; whether it was there.
    pub(super) fn subtract(&mut self, key: u64, slot: u32) -> bool {
        if self.live == 0 {
            return false;
        }
        let i = self.find((key, slot));
        let before = page::used(self.page(i));
        if page::change(self.page_mut(i), key, slot, false) != Change::Done {
            return false;
        }
        self.weigh(i, before);
        self.tidy(i);
        true
    }

    /// Counts the entries of page `i`, of which so many bytes were counted before.
    fn weigh(&mut self, i: usize, before: usize) {
        self.used = self.used - before + page::used(self.page(i));
    }

    /// Takes all postings of a text out. Reads all pages.
    pub(super) fn strike(&mut self, slot: u32) {
        let mut i = 0;
        while i < self.live {
            let (mut reader, page) = (Reader::start(), self.page(i));
            let mut rest = core::iter::from_fn(|| reader.next(page));
            match rest.find(|posting| posting.slot == slot) {
                // The pages beside it may have become one with it.
                Some(posting) if self.subtract(posting.key, slot) => i = i.saturating_sub(1),
                _ => i += 1,
            }
        }
    }

    /// Gives page `i` back if it is empty, or joins it with a neighbour where both are small.
    fn tidy(&mut self, i: usize) {
        if page::used(self.page(i)) == 0 {
            self.give_back(i);
            return;
        }
        for low in [i, i.wrapping_sub(1)] {
            let high = low.wrapping_add(1);
            if low < self.live
                && high < self.live
                && page::used(self.page(low)) + page::used(self.page(high)) <= JOINED
            {
                let (next, before) = (*self.page(high), page::used(self.page(low)));
                page::join(self.page_mut(low), &next);
                self.weigh(low, before);
                self.give_back(high);
                return;
            }
        }
    }

    /// Makes an empty page the `i`-th.
    fn take(&mut self, i: usize, limit: usize) -> Result<(), Full> {
        if self.order.len() == self.live {
            self.allocate(limit)?;
        }
        self.order[i..=self.live].rotate_right(1);
        self.live += 1;
        Ok(())
    }

    fn give_back(&mut self, i: usize) {
        let before = page::used(self.page(i));
        self.page_mut(i).fill(0);
        self.weigh(i, before);
        self.order[i..self.live].rotate_left(1);
        self.live -= 1;
    }

    /// Allocates a block of empty pages.
    fn allocate(&mut self, limit: usize) -> Result<(), Full> {
        let first = self.blocks.len() * BLOCK;
        // Both lists double, at most; what they have is counted already.
        let lists =
            (self.order.len() + BLOCK) * 4 + (self.blocks.len() + 1) * size_of::<Vec<Page>>();
        if self.bytes() + BLOCK * PAGE + lists > limit || u32::try_from(first + BLOCK).is_err() {
            return Err(Full);
        }
        let mut block = Vec::new();
        block.try_reserve_exact(BLOCK).map_err(|_| Full)?;
        self.blocks.try_reserve(1).map_err(|_| Full)?;
        self.order.try_reserve(BLOCK).map_err(|_| Full)?;
        if !room::is_left() {
            return Err(Full);
        }
        block.resize(BLOCK, [0; PAGE]);
        self.blocks.push(block);
        self.order.extend((first..first + BLOCK).map(|number| number as u32));
        Ok(())
    }

    /// Adds a page behind all others, as it was saved; whoever does so checks it (see
    /// [`check`](Self::check)).
    pub(super) fn append(&mut self, entries: &[u8], limit: usize) -> Result<(), Full> {
        let end = self.live;
        self.take(end, limit)?;
        page::fill(self.page_mut(end), entries);
        self.weigh(end, 0);
        Ok(())
    }

    /// Reads all postings in order, and checks that each is whole, that they ascend, and that
    /// no page is empty. `visit` says whether a posting may stand.
    pub(super) fn check(&self, visit: &mut dyn FnMut(Posting) -> bool) -> bool {
        debug_assert_eq!(self.used, self.pages().map(page::used).sum::<usize>());
        let mut last = (0, 0);
        self.pages().all(|page| {
            let mut reader = Reader::start();
            while let Some(posting) = reader.next(page) {
                let (key, ascends) = (posting.key, posting.place() > last);
                if !ascends || key == 0 || key >> KEY_BITS != 0 || !visit(posting) {
                    return false;
                }
                last = posting.place();
            }
            reader.at == page::used(page) && reader.at > 0
        })
    }

    /// A cursor before the first posting of a word at or behind `slot`.
    pub(super) fn cursor(&self, key: u64, slot: u32) -> Cursor {
        let i = self.find((key, slot));
        let reader = match self.live {
            0 => Reader::start(),
            _ => page::seek(self.page(i), (key, slot)),
        };
        Cursor { key, page: i, reader }
    }
}

/// Reads the postings of one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    key: u64,
    page: usize,
    reader: Reader,
}

impl Cursor {
    pub(super) fn next(&mut self, postings: &Postings) -> Option<Posting> {
        while self.page < postings.live {
            if let Some(posting) = self.reader.next(postings.page(self.page)) {
                return (posting.key == self.key).then_some(posting);
            }
            self.page += 1;
            self.reader = Reader::start();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const LIMIT: usize = 1 << 20;

    fn list(postings: &Postings) -> Vec<Posting> {
        let mut all = Vec::new();
        assert!(postings.check(&mut |posting| {
            all.push(posting);
            true
        }));
        all
    }

    #[test]
    fn a_list_that_grows_at_its_end_fills_its_pages() {
        let mut postings = Postings::default();
        let slots = if cfg!(miri) { 2_000 } else { 20_000 };
        for slot in 0..slots {
            for key in [5, 1 << 40] {
                postings.add(key, slot, LIMIT).unwrap();
            }
        }
        let used: usize = postings.pages().map(page::used).sum();
        assert!(
            used * 10 > postings.live * page::ROOM * 9,
            "{used} bytes in {} pages",
            postings.live
        );
        assert_eq!(postings.count(5, slots - 1), 1);
        let mut cursor = postings.cursor(1 << 40, 1_234);
        assert_eq!(cursor.next(&postings).map(|p| p.slot), Some(1_234));
    }

    #[test]
    fn full_changes_nothing_and_taking_out_frees() {
        let mut postings = Postings::default();
        let (limit, least) = if cfg!(miri) { (10_000, 300) } else { (40_000, 2_000) };
        let mut key = 1;
        while postings.add(key << 20, 7, limit).is_ok() {
            key += 1;
        }
        assert!(postings.bytes() <= limit && key > least, "{key} in {}", postings.bytes());
        assert_eq!(list(&postings).len() as u64, key - 1);
        for key in 1..key {
            assert!(postings.subtract(key << 20, 7));
        }
        assert_eq!(postings.live, 0);
        assert!(postings.blocks.iter().flatten().flatten().all(|&byte| byte == 0), "traces");
        assert!(!postings.subtract(1 << 20, 7));
        assert_eq!(postings.used, 0);
    }

    /// As a memory does it that is filled, killed and opened, again and again: what fits into pages
    /// that are there is taken in, and all of it is then built anew, whatever that takes.
    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand postings")]
    fn filled_and_built_anew_again_and_again_it_stays_below_twice_the_limit() {
        const FULL: usize = 60_000;
        let mut random = 1u64;
        let mut below = |end: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % end
        };
        let (mut postings, mut places) = (Postings::default(), BTreeSet::new());
        for _ in 0..5 {
            for _ in 0..20_000 {
                let (key, slot) = ((below(20_000) + 1) << 32, below(1000) as u32);
                let is_new = !places.contains(&(slot, key));
                if is_new && postings.add(key, slot, FULL).is_ok() {
                    places.insert((slot, key));
                }
            }
            assert_eq!(list(&postings).len(), places.len());
            postings = Postings::default();
            for &(slot, key) in &places {
                postings.add(key, slot, usize::MAX).unwrap();
            }
            assert!(postings.bytes() < 2 * FULL, "{}", postings.bytes());
        }
        assert!(postings.bytes() > FULL);
    }

    proptest! {
        #![proptest_config(crate::cases(60, 2))]

        #[test]
        fn postings_are_a_sorted_map(
            changes in proptest::collection::vec((1u64..60, 0u32..60, 0u8..5), 0..if cfg!(miri) { 400 } else { 3000 }),
            shift in 0u32..42,
        ) {
            let mut postings = Postings::default();
            let mut model = BTreeMap::new();
            for (key, slot, kind) in changes {
                let place = (key << shift, slot);
                if kind < 3 {
                    postings.add(place.0, slot, LIMIT).unwrap();
                    *model.entry(place).or_insert(0) += 1;
                } else {
                    prop_assert_eq!(postings.subtract(place.0, slot), model.contains_key(&place));
                    if let Some(count) = model.get_mut(&place) {
                        *count -= 1;
                        if *count == 0 {
                            model.remove(&place);
                        }
                    }
                }
            }
            let all: Vec<_> =
                model.iter().map(|(&(key, slot), &count)| Posting { key, slot, count }).collect();
            prop_assert_eq!(list(&postings), all);
            for key in (1..60).map(|key: u64| key << shift) {
                let mut cursor = postings.cursor(key, 30);
                let found: Vec<_> = core::iter::from_fn(|| cursor.next(&postings)).collect();
                let expected: Vec<_> = model
                    .range((key, 30)..=(key, u32::MAX))
                    .map(|(&(key, slot), &count)| Posting { key, slot, count })
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
