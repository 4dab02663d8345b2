//! Groups of 64 levels, packed to 3, 5, 7 or 8 bits each.
//!
//! ```text
//! 8 bits   one plane of bytes                    64 bytes
//! 7 bits   planes of 4, 2 and 1 bits             32 + 16 + 8
//! 5 bits   planes of 4 and 1 bits                32 + 8
//! 3 bits   planes of 2 and 1 bits                16 + 8
//! ```
//!
//! So a width's own binary digits name its planes, from wide to narrow, and the widest holds
//! the lowest bits of a level. In a plane of `w` bits the fields `k` of all `8 w` bytes, in
//! order, are levels `8 w k` and on: to unpack is one shift and one mask over whole vectors,
//! with no level across two bytes.
//!
//! A level is signed, from `-most(bits)` to `most(bits)`; packed, it stands with
//! `2^(bits - 1)` added.
//!
//! What it must never do: move a bit. Colder codes lie so in snapshots, and frames in tensors
//! that callers keep.

/// Components that share a scale.
pub const GROUP: usize = 64;

/// Bits a component, in a tier or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Width {
    /// Levels -3 to 3.
    Three = 3,
    /// Levels -15 to 15.
    Five = 5,
    /// Levels -63 to 63.
    Seven = 7,
    /// Levels -127 to 127.
    Eight = 8,
}

impl Width {
    /// Every width, the widest first.
    pub const ALL: [Width; 4] = [Width::Eight, Width::Seven, Width::Five, Width::Three];

    /// The width of so many bits, if there is one.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            3 => Some(Width::Three),
            5 => Some(Width::Five),
            7 => Some(Width::Seven),
            8 => Some(Width::Eight),
            _ => None,
        }
    }

    /// Bits a component.
    pub const fn bits(self) -> usize {
        self as usize
    }

    /// The largest level: one more negative one would break the symmetry.
    pub const fn most(self) -> i32 {
        (1 << (self.bits() - 1)) - 1
    }

    /// Bytes of a group's levels.
    pub const fn group_bytes(self) -> usize {
        GROUP / 8 * self.bits()
    }
}

/// Packs the levels of a group; `out` holds [`Width::group_bytes`].
pub(crate) fn pack(width: Width, levels: &[i8; GROUP], out: &mut [u8]) {
    debug_assert!(out.len() == width.group_bytes());
    let middle = 1u8 << (width.bits() - 1);
    let levels = levels.map(|level| (level as u8).wrapping_add(middle));
    let (mut rest, mut shift) = (out, 0);
    for plane in [8, 4, 2, 1] {
        if width.bits() & plane == 0 {
            continue;
        }
        let Some((bytes, behind)) = rest.split_at_mut_checked(8 * plane) else { return };
        for (i, byte) in bytes.iter_mut().enumerate() {
            let field = |k: usize| (levels[8 * plane * k + i] >> shift) & (u8::MAX >> (8 - plane));
            *byte = (0..8 / plane).fold(0, |byte, k| byte | field(k) << (k * plane));
        }
        rest = behind;
        shift += plane;
    }
}

/// The levels of a group that was packed; a plane that `packed` lacks counts as zeros.
///
/// Written once for all widths, plane by plane: a copy for each took two kilobytes more in
/// WebAssembly.
#[inline(never)]
pub(crate) fn unpack(width: Width, packed: &[u8]) -> [i8; GROUP] {
    debug_assert!(packed.len() == width.group_bytes());
    let (mut sums, mut from) = ([0; GROUP], Place { rest: packed, shift: 0 });
    let bits = width.bits();
    if bits & 8 != 0 {
        from.plane::<64>(&mut sums);
    }
    if bits & 4 != 0 {
        from.plane::<32>(&mut sums);
    }
    if bits & 2 != 0 {
        from.plane::<16>(&mut sums);
    }
    if bits & 1 != 0 {
        from.plane::<8>(&mut sums);
    }
    let middle = 1u8 << (bits - 1);
    sums.map(|sum| sum.wrapping_sub(middle) as i8)
}

/// How far a group is unpacked.
struct Place<'a> {
    /// The planes that are left.
    rest: &'a [u8],
    /// Where the next one's bits belong in a level.
    shift: usize,
}

impl Place<'_> {
    /// Adds the next plane, of `BYTES` bytes, to the levels.
    #[inline(always)]
    fn plane<const BYTES: usize>(&mut self, sums: &mut [u8; GROUP]) {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<BYTES>() else { return };
        let bits = BYTES / 8;
        for (k, sums) in sums.as_chunks_mut::<BYTES>().0.iter_mut().enumerate() {
            for (sum, byte) in sums.iter_mut().zip(bytes) {
                *sum |= ((byte >> (k * bits)) & (u8::MAX >> (8 - bits))) << self.shift;
            }
        }
        self.rest = rest;
        self.shift += bits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    #[test]
    fn the_planes_lie_as_drawn() {
        let mut levels = [-3i8; GROUP];
        levels[17] = 3; // packed as 7: all three bits; the others as 1
        let mut packed = [0; 24];
        pack(Width::Three, &levels, &mut packed);
        // Level 17 is field 1 of byte 1 in the plane of two bits, field 2 of byte 1 in the other.
        let mut expected = [0b0101_0101; 24];
        expected[1] = 0b0101_1101;
        expected[16..].fill(0);
        expected[17] = 0b100;
        assert_eq!(packed, expected);
    }

    proptest! {
        #![proptest_config(crate::cases(500, 8))]

        #[test]
        fn what_is_packed_comes_back(seed in proptest::collection::vec(any::<i8>(), GROUP)) {
            for width in Width::ALL {
                let most = width.most() as i8;
                let levels: [i8; GROUP] = core::array::from_fn(|i| match most {
                    127 => seed[i].max(-127),
                    most => seed[i] % (most + 1),
                });
                let mut packed = vec![0; width.group_bytes()];
                pack(width, &levels, &mut packed);
                prop_assert_eq!(unpack(width, &packed), levels);
                prop_assert_eq!(Width::from_bits(width as u8), Some(width));
            }
        }
    }
}
