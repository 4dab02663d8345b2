//! Values by a number, in one vector that is sorted by it.
//!
//! A tree would insert faster into the middle, and each tree of another type would bring five
//! kilobytes of code into the module. Here a value takes its own bytes and no more; ids mostly
//! rise, and what is read at once is merged at once. Each type of values still is a kilobyte:
//! sets, flags and numbers all are `Sorted<u64>`.
//!
//! What it must never do: hold keys that do not rise, as a key is looked for by halves.
//! `extend_rising` believes whoever calls it.

use alloc::vec::Vec;

/// It grows by a quarter and so many more: it is most of the memory that a file takes.
const STEP: usize = 16;

/// Values by rising keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorted<T>(Vec<(u64, T)>);

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Sorted<T> {
    /// Where the first key from `key` on stands.
    #[inline(never)]
    fn place(&self, key: u64) -> usize {
        if self.0.last().is_none_or(|&(last, _)| last < key) {
            return self.0.len();
        }
        self.0.partition_point(|&(found, _)| found < key)
    }

    fn find(&self, key: u64) -> Option<usize> {
        let at = self.place(key);
        self.0.get(at).is_some_and(|&(found, _)| found == key).then_some(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, key: u64) -> Option<&T> {
        self.find(key).map(|at| &self.0[at].1)
    }

    #[cfg(feature = "foreign")]
    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        self.find(key).map(|at| &mut self.0[at].1)
    }

    /// Bytes that it asks for when it takes in so many more.
    pub(crate) fn growth(&self, more: usize) -> usize {
        let len = self.0.len() + more;
        if len <= self.0.capacity() {
            return 0;
        }
        (len + len / 4 + STEP) * size_of::<(u64, T)>()
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.find(key).is_some()
    }

    #[inline(never)]
    pub(crate) fn insert(&mut self, key: u64, value: T) -> Option<T> {
        let at = self.place(key);
        match self.0.get_mut(at) {
            Some((found, old)) if *found == key => Some(core::mem::replace(old, value)),
            _ => {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(self.0.len() / 4 + STEP);
                }
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    #[inline(never)]
    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        self.find(key).map(|at| self.0.remove(at).1)
    }

    /// The first pair from `key` on.
    pub(crate) fn from(&self, key: u64) -> Option<&(u64, T)> {
        self.0.get(self.place(key))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Leaves out what `keep` says no to. A loop of our own: that of `Vec` is there twice, as
    /// `keep` may panic.
    pub(crate) fn retain(&mut self, keep: &mut dyn FnMut(u64, &T) -> bool) {
        let mut kept = 0;
        for i in 0..self.0.len() {
            let (key, value) = &self.0[i];
            if keep(*key, value) {
                self.0.swap(kept, i);
                kept += 1;
            }
        }
        self.0.truncate(kept);
    }
}

impl<T: Copy> Sorted<T> {
    /// Takes in many pairs, in any order; of those with one key the last counts.
    pub(crate) fn extend(&mut self, pairs: Vec<(u64, T)>) {
        self.extend_rising(sort(pairs));
    }

    /// Takes in the pairs that were gathered once they are so many that it pays, as a merge copies
    /// all that is there; then none is left. Those that are left at the end
    /// [`extend`](Self::extend) takes.
    pub(crate) fn gather(&mut self, pairs: &mut Vec<(u64, T)>) {
        if pairs.len() > self.0.len() / 4 {
            self.extend(core::mem::take(pairs));
        }
    }

    /// Takes in many pairs whose keys rise, in the place of those that have the same.
    pub(crate) fn extend_rising(&mut self, pairs: Vec<(u64, T)>) {
        self.0 = if self.0.is_empty() { pairs } else { merge(&self.0, &pairs) };
    }
}

/// Sorts by halves; of equal keys the last is kept.
fn sort<T: Copy>(mut pairs: Vec<(u64, T)>) -> Vec<(u64, T)> {
    if pairs.is_sorted_by(|first, second| first.0 < second.0) {
        return pairs;
    }
    let second = pairs.split_off(pairs.len() / 2);
    merge(&sort(pairs), &sort(second))
}

/// Merges two sorted slices; of equal keys the second's is kept.
fn merge<T: Copy>(first: &[(u64, T)], mut second: &[(u64, T)]) -> Vec<(u64, T)> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    for pair in first {
        let before = second.iter().take_while(|newer| newer.0 < pair.0).count();
        let (now, later) = second.split_at(before);
        merged.extend_from_slice(now);
        second = later;
        if later.first().is_none_or(|newer| newer.0 != pair.0) {
            merged.push(*pair);
        }
    }
    merged.extend_from_slice(second);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(crate::cases(256, 4))]

        #[test]
        fn it_is_a_map(
            steps in prop::collection::vec((0..40_u64, any::<u8>(), 0..3), 0..80),
            bulk in prop::collection::vec((0..40_u64, any::<u8>()), 0..60),
        ) {
            let (mut sorted, mut model) = (Sorted::default(), BTreeMap::new());
            for (key, value, what) in steps {
                if what == 0 {
                    prop_assert_eq!(sorted.remove(key), model.remove(&key));
                } else {
                    prop_assert_eq!(sorted.insert(key, value), model.insert(key, value));
                }
                prop_assert_eq!(sorted.get(key), model.get(&key));
            }
            sorted.extend(bulk.clone());
            model.extend(bulk);
            prop_assert!(sorted.iter().eq(model.iter().map(|(key, value)| (*key, value))));
            prop_assert_eq!(sorted.len(), model.len());
            for key in (0..42).chain([u64::MAX]) {
                let from = model.range(key..).next().map(|(key, value)| (*key, *value));
                prop_assert_eq!(sorted.from(key).copied(), from);
            }
            sorted.retain(&mut |key, _| key % 2 == 0);
            model.retain(|key, _| key % 2 == 0);
            prop_assert!(sorted.iter().eq(model.iter().map(|(key, value)| (*key, value))));
        }
    }
}
