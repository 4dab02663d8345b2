//! How high a new slot stands: drawn from integers, the same on every machine.
//!
//! The paper draws `floor(-ln(U) / ln(m))`, that is: each level above is reached with
//! probability `1/m`. Comparing 32 random bits with `2^32 / m` does the same without a
//! logarithm, whose last bit differs between machines.
//!
//! A level follows from the number of the draw, not from the state of a generator: the header
//! needs the seed and a count only, and a graph that was opened again goes on where it was.
//!
//! What it must never do: give another level for the same seed and number. The same calls would
//! no longer give the same bytes.

use crate::layout::MAX_LEVEL;

/// The level of draw number `draw`, 0 to [`MAX_LEVEL`].
#[must_use]
pub fn draw(seed: u64, draw: u64, m: u16) -> u8 {
    let threshold = u32::MAX / u32::from(m.max(2));
    let mut level = 0;
    while level < MAX_LEVEL {
        let bits = mix(seed ^ mix(draw).wrapping_add(u64::from(level)));
        if (bits >> 32) as u32 >= threshold {
            break;
        }
        level += 1;
    }
    level
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) over an odd step.
#[inline(never)]
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_reached_by_one_in_m() {
        for m in [4u16, 16, 64] {
            let n = if cfg!(miri) { 2_000 } else { 200_000u64 };
            let mut above = [0f64; 3];
            for i in 0..n {
                let level = draw(7, i, m);
                for (l, count) in above.iter_mut().enumerate() {
                    *count += f64::from(level as usize > l);
                }
            }
            for (l, &count) in above.iter().enumerate() {
                let p = (1.0 / f64::from(m)).powi(l as i32 + 1);
                let sd = (n as f64 * p * (1.0 - p)).sqrt();
                assert!((count - n as f64 * p).abs() < 5.0 * sd + 1.0, "m {m} level {l}: {count}");
            }
        }
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let a: std::vec::Vec<u8> = (0..1000).map(|i| draw(1, i, 16)).collect();
        let b: std::vec::Vec<u8> = (0..1000).map(|i| draw(1, i, 16)).collect();
        let c: std::vec::Vec<u8> = (0..1000).map(|i| draw(2, i, 16)).collect();
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
