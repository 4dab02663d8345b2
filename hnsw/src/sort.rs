//! Sorting keys and ranks.
//!
//! What it must never do: take memory. Lists are sorted where they stand.

/// Shell's sort with gaps that shrink to 5/11 (Gonnet and Baeza-Yates, *Handbook of Algorithms
/// and Data Structures*, 1991): a few dozen bytes of code where the library's sort takes
/// kilobytes, and fast on lists that are nearly sorted, as estimates leave them.
#[inline(never)]
pub(crate) fn shell_sort(keys: &mut [u64]) {
    let mut gap = keys.len();
    while gap > 1 {
        gap = (gap * 5 / 11).max(1);
        for i in gap..keys.len() {
            let mut j = i;
            while let Some(before) = j.checked_sub(gap)
                && keys[before] > keys[j]
            {
                keys.swap(before, j);
                j = before;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn shell_sort_sorts(mut keys: Vec<u64>) {
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            shell_sort(&mut keys);
            prop_assert_eq!(keys, sorted);
        }
    }
}
