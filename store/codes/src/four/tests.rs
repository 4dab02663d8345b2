//! Every register does bit by bit what the array does.

use super::{Four, portable};
use proptest::prelude::*;

fn any_float() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -9.0f32..9.0, 1 => Just(0.0), 1 => Just(-0.0), 1 => Just(f32::NAN)]
}

/// Bits, with one NaN for all: their payloads are nobody's promise.
fn bits(x: [f32; 4]) -> [u32; 4] {
    x.map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() })
}

macro_rules! all {
    ($four:ty, $a:expr, $b:expr, $signs:expr) => {{
        let (a, b) = (<$four>::load(&$a), <$four>::load(&$b));
        let results = [
            a.plus(b),
            a.minus(b),
            a.times(b),
            a.smaller(b),
            a.larger(b),
            a.mask(0x7fff_ffff),
            a.flip(<$four>::load(&$signs.map(f32::from_bits))),
            a.shift(),
            a.hadamard(),
            <$four>::from_words(&$signs.map(|x| x as u16)),
            <$four>::load(&[f32::from_bits(41); 4]).count_at_most(a, b),
        ];
        let floats = results.map(|x| {
            let mut out = [0.0; 4];
            x.store(&mut out);
            bits(out)
        });
        (
            floats,
            a.not_negative(),
            <$four>::low_bytes([a, b, b, a]),
            <$four>::low_words([a, b, b, a]),
            <$four>::low_bits([a, b, b, a]),
        )
    }};
}

proptest! {
    #![proptest_config(crate::cases(2000, 16))]

    #[test]
    fn equals_the_portable_one(
        a in [any_float(), any_float(), any_float(), any_float()],
        b in [any_float(), any_float(), any_float(), any_float()],
        signs in any::<[u32; 4]>(),
    ) {
        let ours = all!(Four, a, b, signs);
        prop_assert_eq!(ours, all!(portable::Four, a, b, signs));
    }
}

proptest! {
    #![proptest_config(crate::cases(2000, 16))]

    #[test]
    fn equals_the_portable_root(bits in 1u32..0x7f80_0000) {
        let x = f32::from_bits(bits);
        prop_assert_eq!(Four::sqrt(x).to_bits(), portable::Four::sqrt(x).to_bits());
    }
}
