//! A page of postings, and how one is written.
//!
//! ```text
//! page     0  used: u16, bytes of entries     2  entries     2 + used  zeros
//! entry    v, then slot if v's first bit is set, then count - 2 if its second bit is set
//!          v = (slot - slot before - 1) << 2 | more << 1        of the same word as before
//!          v = (key - key before) << 2 | more << 1 | 1          of another word; key before
//!                                                               is 0 where the page begins
//! ```
//!
//! All numbers are varints: seven bits a byte, the lowest first, the eighth bit says that more
//! follow; the shortest form only. Entries ascend by key and slot, so a posting of a common
//! word takes one or two bytes, and the first one of a word seven. A change never makes what
//! follows it longer than the two entries that it joins, and so taking a posting out always
//! works in place. What is not used is zero: a posting that was taken out is gone.
//!
//! What it must never do: leave bytes of a posting that was taken out, or read behind what is used.

/// Bytes of a page: half as many as 512 made adding a text a quarter faster, at the same size.
pub(super) const PAGE: usize = 256;
const HEAD: usize = 2;
/// Bytes that entries may take.
pub(super) const ROOM: usize = PAGE - HEAD;
/// Bits of a key.
pub(super) const KEY_BITS: u32 = 48;
/// Bytes of the longest entry: a key of 48 bits, a slot and a count of 32.
pub(super) const LONGEST: usize = 8 + 5 + 5;

/// A page.
pub(super) type Page = [u8; PAGE];

/// That a word is in a text, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Posting {
    /// Stands for the word, 48 bits, never 0.
    pub(super) key: u64,
    /// The text.
    pub(super) slot: u32,
    /// How often, at least once.
    pub(super) count: u32,
}

impl Posting {
    /// What stands before a page's first entry.
    const NONE: Posting = Posting { key: 0, slot: 0, count: 0 };

    /// Its place in the order.
    pub(super) fn place(&self) -> (u64, u32) {
        (self.key, self.slot)
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is made.
    Done,
    /// The page is too full for it; it is as it was.
    NoRoom,
    /// There is nothing to take away.
    Missing,
}

/// Bytes of entries in a page.
pub(super) fn used(page: &Page) -> usize {
    usize::from(u16::from_le_bytes([page[0], page[1]])).min(ROOM)
}

fn set_used(page: &mut Page, used: usize) {
    page[..HEAD].copy_from_slice(&(used as u16).to_le_bytes());
}

/// Reads the entries of a page in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// Where the next entry begins, from the first.
    pub(super) at: usize,
    /// The entry before it.
    pub(super) before: Posting,
}

impl Reader {
    /// Before the first entry of a page.
    pub(super) const fn start() -> Reader {
        Reader { at: 0, before: Posting::NONE }
    }

    /// The next entry; `None` at the end, and where the bytes are no entry.
    pub(super) fn next(&mut self, page: &Page) -> Option<Posting> {
        let end = HEAD + used(page);
        let mut at = HEAD + self.at;
        let mut number = || {
            // Most are of one byte.
            let (value, behind) = match page.get(at) {
                Some(&byte) if byte < 0x80 && at < end => (byte.into(), at + 1),
                _ => read_number(page.get(..end)?, at)?,
            };
            at = behind;
            Some(value)
        };
        let v = number()?;
        let mut posting = self.before;
        if v & 1 == 0 {
            posting.slot = posting.slot.checked_add(u32::try_from(v >> 2).ok()?)?.checked_add(1)?;
        } else {
            posting.key += v >> 2;
            if posting.key == self.before.key {
                return None;
            }
            posting.slot = u32::try_from(number()?).ok()?;
        }
        posting.count = match v & 2 {
            0 => 1,
            _ => u32::try_from(number()?).ok()?.checked_add(2)?,
        };
        *self = Reader { at: at - HEAD, before: posting };
        Some(posting)
    }

    /// Goes on to the first entry at or behind `place`, and returns it; the reader stands
    /// before it.
    fn seek(&mut self, page: &Page, place: (u64, u32)) -> Option<(Posting, Reader)> {
        loop {
            let mut behind = *self;
            let next = behind.next(page)?;
            if next.place() >= place {
                return Some((next, behind));
            }
            *self = behind;
        }
    }
}

/// The number that begins at `at`, and where it ends. Only the shortest form of one that fits
/// 56 bits.
fn read_number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (i, &byte) in bytes.get(at..)?.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return (byte != 0 || i == 0).then_some((value, at + i + 1));
        }
    }
    None
}

/// A few entries on their way into a page.
struct Entries {
    bytes: [u8; 2 * LONGEST],
    len: usize,
}

impl Entries {
    const EMPTY: Entries = Entries { bytes: [0; 2 * LONGEST], len: 0 };

    fn put_number(&mut self, mut value: u64) {
        loop {
            let more = value > 0x7F;
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = (value & 0x7F) as u8 | u8::from(more) << 7;
                self.len += 1;
            }
            value >>= 7;
            if !more {
                return;
            }
        }
    }

    /// Adds the entry of `posting`, which comes behind `before`.
    fn put(&mut self, before: Posting, posting: Posting) {
        let more = u64::from(posting.count > 1) << 1;
        if posting.key == before.key {
            self.put_number(u64::from(posting.slot - before.slot - 1) << 2 | more);
        } else {
            self.put_number((posting.key - before.key) << 2 | more | 1);
            self.put_number(posting.slot.into());
        }
        if posting.count > 1 {
            self.put_number(u64::from(posting.count) - 2);
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Puts `new` in the place of the entries from `from` to `to`.
fn splice(page: &mut Page, from: usize, to: usize, new: &[u8]) -> Change {
    let before = used(page);
    let after = before - (to - from) + new.len();
    if after > ROOM {
        return Change::NoRoom;
    }
    let entries = &mut page[HEAD..];
    entries.copy_within(to..before, from + new.len());
    entries[from..from + new.len()].copy_from_slice(new);
    if after < before {
        entries[after..before].fill(0);
    }
    set_used(page, after);
    Change::Done
}

/// The first entry.
pub(super) fn first(page: &Page) -> Posting {
    Reader::start().next(page).unwrap_or_default()
}

/// The entry at `place`, if there is one.
pub(super) fn get(page: &Page, place: (u64, u32)) -> Option<Posting> {
    let found = Reader::start().seek(page, place)?.0;
    (found.place() == place).then_some(found)
}

/// A reader that stands before the first entry at or behind `place`.
pub(super) fn seek(page: &Page, place: (u64, u32)) -> Reader {
    let mut reader = Reader::start();
    reader.seek(page, place);
    reader
}

/// Counts one word more in a text, or one less; the last one takes the entry away.
pub(super) fn change(page: &mut Page, key: u64, slot: u32, add: bool) -> Change {
    let mut at = Reader::start();
    let next = at.seek(page, (key, slot));
    let (mut new, mut end) = (Entries::EMPTY, at.at);
    let posting = |count| Posting { key, slot, count };
    match next {
        Some((found, behind)) if found.place() == (key, slot) => {
            end = behind.at;
            let count = if add { found.count.checked_add(1) } else { Some(found.count - 1) };
            let Some(count) = count else { return Change::NoRoom };
            if count > 0 {
                new.put(at.before, posting(count));
            } else {
                let mut after = behind;
                if let Some(next) = after.next(page) {
                    new.put(at.before, next);
                    end = after.at;
                }
            }
        }
        _ if !add => return Change::Missing,
        next => {
            new.put(at.before, posting(1));
            if let Some((next, behind)) = next {
                new.put(posting(1), next);
                end = behind.at;
            }
        }
    }
    splice(page, at.at, end, new.as_bytes())
}

/// Moves the upper part of a page that has no room for `place` into `fresh`, an empty one.
///
/// In the middle; but where a word's postings grow at their end, there, so that such pages
/// stay full.
pub(super) fn split(page: &mut Page, place: (u64, u32), fresh: &mut Page) {
    let used = used(page);
    let mut at = seek(page, place);
    if at.before.key != place.0 || at.at < used / 4 {
        at = Reader::start();
        while at.at < used / 2 && at.next(page).is_some() {}
    }
    let mut behind = at;
    let Some(next) = behind.next(page) else { return };
    let mut new = Entries::EMPTY;
    new.put(Posting::NONE, next);
    let rest = used - behind.at;
    let moved = new.len + rest;
    fresh[HEAD..HEAD + new.len].copy_from_slice(new.as_bytes());
    fresh[HEAD + new.len..HEAD + moved]
        .copy_from_slice(&page[HEAD + behind.at..HEAD + behind.at + rest]);
    set_used(fresh, moved);
    page[HEAD + at.at..].fill(0);
    set_used(page, at.at);
}

/// Adds the entries of `next`, which all come behind those of `page`; the two must have room
/// in one.
pub(super) fn join(page: &mut Page, next: &Page) {
    let mut last = Reader::start();
    while last.next(page).is_some() {}
    let mut behind = Reader::start();
    let Some(first) = behind.next(next) else { return };
    let mut new = Entries::EMPTY;
    new.put(last.before, first);
    let end = last.at;
    if splice(page, end, end, new.as_bytes()) == Change::Done {
        let rest = &next[HEAD + behind.at..HEAD + used(next)];
        splice(page, end + new.len, end + new.len, rest);
    }
}

/// Puts these entries, at most [`ROOM`] bytes, into an empty page, unchecked.
pub(super) fn fill(page: &mut Page, entries: &[u8]) {
    if let Some(place) = page.get_mut(HEAD..HEAD + entries.len()) {
        place.copy_from_slice(entries);
        set_used(page, entries.len());
    }
}

/// The used part: what is saved.
pub(super) fn saved(page: &Page) -> &[u8] {
    &page[..HEAD + used(page)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    fn postings(page: &Page) -> Vec<Posting> {
        let mut reader = Reader::start();
        let list: Vec<_> = core::iter::from_fn(|| reader.next(page)).collect();
        assert_eq!(reader.at, used(page), "bytes behind the last entry");
        assert!(page[HEAD + used(page)..].iter().all(|&b| b == 0), "traces");
        list
    }

    #[test]
    fn numbers_in_their_shortest_form_only() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), (1 << 50) - 1] {
            let mut entries = Entries::EMPTY;
            entries.put_number(value);
            assert_eq!(read_number(entries.as_bytes(), 0), Some((value, entries.len)));
        }
        assert_eq!(read_number(&[0x81, 0x00], 0), None, "an overlong one");
        assert_eq!(read_number(&[0xFF; 12], 0), None, "one without end");
        assert_eq!(read_number(&[0x80], 0), None, "a cut one");
    }

    #[test]
    fn the_longest_entries_fit() {
        let far = Posting { key: (1 << 48) - 1, slot: u32::MAX, count: u32::MAX };
        let mut entries = Entries::EMPTY;
        entries.put(Posting::NONE, Posting { key: (1 << 48) - 2, ..far });
        assert!(entries.len <= LONGEST);
        entries.put(Posting::NONE, far);
        assert!(entries.len <= 2 * LONGEST);
    }

    proptest! {
        #![proptest_config(crate::cases(300, 4))]

        /// Changes, splits and joins beside a map.
        #[test]
        fn pages_are_a_sorted_map(
            changes in proptest::collection::vec((1u64..12, 0u32..400, any::<bool>(), any::<bool>()), 0..600),
            wide in 0u32..40,
            split_at in (1u64..12, 0u32..400),
        ) {
            let mut page = [0; PAGE];
            let mut model = BTreeMap::new();
            for (key, slot, add, far) in changes {
                let key = key << if far { wide } else { 0 };
                match change(&mut page, key, slot, add) {
                    Change::Done if add => *model.entry((key, slot)).or_insert(0) += 1,
                    Change::Done => {
                        let count = model.get_mut(&(key, slot)).expect("it was there");
                        *count -= 1;
                        if *count == 0 {
                            model.remove(&(key, slot));
                        }
                    }
                    Change::Missing => prop_assert!(!model.contains_key(&(key, slot))),
                    Change::NoRoom => {
                        prop_assert!(add && used(&page) > ROOM - 2 * LONGEST);
                    }
                }
            }
            let list: Vec<_> =
                model.iter().map(|(&(key, slot), &count)| Posting { key, slot, count }).collect();
            prop_assert_eq!(&postings(&page), &list);
            for posting in &list {
                prop_assert_eq!(get(&page, posting.place()), Some(*posting));
            }

            let (mut low, mut high) = (page, [0; PAGE]);
            split(&mut low, split_at, &mut high);
            let mut both = postings(&low);
            both.extend(postings(&high));
            prop_assert_eq!(&both, &list);
            join(&mut low, &high);
            prop_assert_eq!(low, page);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..ROOM)) {
            let mut page = [0; PAGE];
            fill(&mut page, &bytes);
            let mut reader = Reader::start();
            while reader.next(&page).is_some() {}
            prop_assert!(reader.at <= bytes.len());
        }
    }
}
