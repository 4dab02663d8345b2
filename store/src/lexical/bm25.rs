//! BM25: how much a word in a text says about it.
//!
//! S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
//! Foundations and Trends in Information Retrieval 3(4), 2009, section 3.4. The weight of a
//! word is `ln(1 + (N - n + 0.5) / (n + 0.5))`, with the 1 that later implementations add so
//! that no word counts against a text. A word that the question repeats counts as often.
//!
//! Plain `f32` operations in a fixed order, a logarithm of our own: the same bits everywhere.
//!
//! What it must never do: give a weight of 0 or less, as fusion divides by one of them; or
//! call the platform's `ln` or `mul_add`, by which another machine may order results
//! differently.

/// The two constants of BM25.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bm25 {
    /// How soon a repeated word stops counting more: 0 at once, 1.2 to 2 usual.
    pub k1: f32,
    /// How much long texts are held back: 0 not at all, 1 in full, 0.5 to 0.8 usual.
    pub b: f32,
}

impl Default for Bm25 {
    /// 1.2 and 0.75, in the middle of what the paper (section 3.4) reports to work.
    fn default() -> Self {
        Bm25 { k1: 1.2, b: 0.75 }
    }
}

impl Bm25 {
    /// The share of a word's weight that a text of `length` words gets for `count` of it.
    pub(super) fn share(&self, count: u32, length: u32, mean: f32) -> f32 {
        let (count, length) = (count as f32, length as f32);
        let norm = self.k1 * ((1.0 - self.b) + self.b * (length / mean));
        count * (self.k1 + 1.0) / (count + norm)
    }
}

/// The weight of a word that `with` of `texts` texts have.
pub(super) fn weight(texts: u32, with: u32) -> f32 {
    let without = texts.saturating_sub(with) as f32;
    ln(1.0 + (without + 0.5) / (with as f32 + 0.5))
}

/// The natural logarithm of a normal number of at least 1, within 3 units in the last place.
///
/// With `x = 2^e m`, `m` from √½ to √2 and `s = (m - 1) / (m + 1)`:
/// `ln x = e ln 2 + 2 (s + s^3 / 3 + s^5 / 5 + ...)`; `|s| < 0.172`, so that what follows
/// `s^9 / 9` is below 10^-9.
fn ln(x: f32) -> f32 {
    /// The bits of √½: an exponent counted from there.
    const HALF_ROOT: u32 = 0x3F35_04F3;
    let exponent = x.to_bits().wrapping_sub(HALF_ROOT) as i32 >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    let series = s * t * (2.0 / 3.0 + t * (2.0 / 5.0 + t * (2.0 / 7.0 + t * (2.0 / 9.0))));
    exponent as f32 * core::f32::consts::LN_2 + (series + 2.0 * s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ln_of_edges() {
        assert_eq!(ln(1.0), 0.0);
        for x in [1.0f32, 1.0000001, 1.4, 1.42, 2.0, 3.0, 1e9, 3e38] {
            let exact = f64::from(x).ln();
            assert!((f64::from(ln(x)) - exact).abs() <= 3.0 * 6e-8 * exact.max(1e-30), "of {x}");
        }
    }

    #[test]
    fn rare_words_weigh_more_and_none_weighs_nothing() {
        assert!(weight(1000, 1) > weight(1000, 2) && weight(1000, 999) > weight(1000, 1000));
        assert!(weight(1000, 1000) > 0.0);
    }

    #[test]
    fn a_repeated_word_counts_less_each_time() {
        let bm25 = Bm25::default();
        let gain = |n| bm25.share(n + 1, 10, 10.0) - bm25.share(n, 10, 10.0);
        assert!(gain(1) > gain(2) && gain(2) > 0.0);
        assert!((bm25.share(1, 10, 10.0) - 1.0).abs() < 1e-6);
        assert!(bm25.share(1, 5, 10.0) > bm25.share(1, 50, 10.0));
    }

    proptest! {
        #![proptest_config(crate::cases(20_000, 16))]

        #[test]
        fn ln_is_near(bits in 1f32.to_bits()..f32::MAX.to_bits()) {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln();
            prop_assert!((f64::from(ln(x)) - exact).abs() <= 3.0 * 6e-8 * exact, "of {}", x);
        }
    }
}
