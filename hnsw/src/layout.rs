//! From parameters to the sections of one buffer, and the header.
//!
//! All integers are little-endian; all offsets count from the buffer's base, which must
//! be aligned to 64 bytes. `w` is the width of a slot: 2 bytes up to 65,535 slots, else 4.
//!
//! ```text
//! 0        64 B      header (below)
//! links    stride x capacity   level-0 links of each slot, diverse first, EMPTY behind
//! parents  w x capacity        the slot's parent in the tree of protected links
//! upper    w x capacity        the slot's first block of upper links, or EMPTY
//! levels   1 x capacity        highest level of the slot, 0xFF when the slot is free
//! diverse  1 x capacity        how many of the level-0 links are diverse
//! live     8 x ceil(capacity / 64)   one bit a slot, set when it is in use
//! blocks   block x blocks      links above level 0: next u32, owner u32, level u8,
//!                              diverse u8, 2 zero bytes, then m slots
//!
//! header   magic "CLHN" @0 · version u16 @4 · m u16 @6 · capacity u32 @8
//!          ef_construction u32 @12 · seed u64 @16 · draws u64 @24 (levels drawn so far)
//!          len u32 @32 · entry u32 @36 · root u32 @40 · blocks u32 @44
//!          16 zero bytes @48
//! ```
//!
//! What a slot has beside its links stands in sections of its own, so that with the default
//! parameters a list of level 0 is one cache line: 32 links of 2 bytes.
//!
//! What it must never do: depend on the machine. Sums are of 64 bits wherever it runs, so that
//! the same parameters give the same offsets in a 32-bit module and in a native process.

use core::fmt;

/// What the header begins with.
pub const MAGIC: [u8; 4] = *b"CLHN";
/// The version of the layout on this page.
pub const VERSION: u16 = 1;
/// Bytes of the header.
pub const HEADER: usize = 64;
/// The largest `m`: level-0 lists hold twice as many links.
pub const MAX_M: u16 = 64;
/// The longest list of links.
pub const MAX_LINKS: usize = 2 * MAX_M as usize;
/// The highest level that is drawn.
pub const MAX_LEVEL: u8 = 15;
/// The largest capacity.
pub const MAX_CAPACITY: u32 = 1 << 30;
/// Bytes before the links of an upper block; the first four are the number of the slot's next one.
pub const BLOCK_HEADER: usize = 12;
/// Where a block has the slot that owns it, 4 bytes.
pub(crate) const OWNER: usize = 4;
/// Where it has its level, a byte.
pub(crate) const LEVEL: usize = 8;
/// Where it counts its diverse links, a byte.
pub(crate) const DIVERSE: usize = 9;

/// What a graph is made for. Stands in the header; never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How many slots there are, 1 to 2^30.
    pub capacity: u32,
    /// Links a new slot chooses on each level, 4 to 64. Level 0 holds up to `2 m`.
    pub m: u16,
    /// Width of the walk that looks for them, at least 1.
    pub ef_construction: u32,
    /// Seed of the levels.
    pub seed: u64,
}

impl Params {
    /// The defaults: m 16, ef_construction 200.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Params { capacity, m: 16, ef_construction: 200, seed: 0x00C1_AF70 }
    }
}

/// Where the sections of a graph lie, in bytes from its base. By default of no graph: all zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The words that the header begins with: all that the parameters say.
    pub(crate) header: [u32; 6],
    /// The bits of a stored slot; all of them set mean that there is none.
    pub(crate) mask: u32,
    /// Bytes of a stored slot.
    pub(crate) width: usize,
    pub(crate) stride: usize,
    pub(crate) parents: usize,
    pub(crate) upper: usize,
    pub(crate) levels: usize,
    pub(crate) diverse: usize,
    pub(crate) live: usize,
    pub(crate) blocks: usize,
    pub(crate) block_bytes: usize,
    pub(crate) block_count: u32,
    /// Bytes of the whole buffer, a multiple of 64.
    pub bytes: usize,
}

/// Bytes that a graph of these parameters needs; `None` where the parameters are out of
/// their ranges or the sum does not fit this machine's address space.
#[must_use]
pub const fn required_bytes(params: &Params) -> Option<usize> {
    match Layout::new(params) {
        Some(layout) => Some(layout.bytes),
        None => None,
    }
}

const fn align64(n: u64) -> u64 {
    (n + 63) & !63
}

impl Layout {
    /// Lays the sections out; `None` as in [`required_bytes`].
    #[must_use]
    pub const fn new(params: &Params) -> Option<Self> {
        let Params { capacity, m, ef_construction, seed } = *params;
        if capacity == 0
            || capacity > MAX_CAPACITY
            || m < 4
            || m > MAX_M
            || ef_construction == 0
            || ef_construction > MAX_CAPACITY
        {
            return None;
        }
        let wide = capacity > 0xFFFF;
        let width: u64 = if wide { 4 } else { 2 };
        let n = capacity as u64;
        // A list takes a power of two below a cache line, whole lines above.
        let list = 2 * m as u64 * width;
        let stride = if list < 64 { list.next_power_of_two() } else { align64(list) };
        // Slots of level 1 and above: capacity/(m-1) lists are expected. A spare of an eighth
        // and 16 more is over three deviations; should they run out, a slot's level is cut.
        let blocks = n / (m as u64 - 1) + n / (8 * (m as u64 - 1)) + 16;
        let block_bytes = BLOCK_HEADER as u64 + m as u64 * width;
        let parents = HEADER as u64 + align64(n * stride);
        let upper = parents + align64(n * width);
        let levels = upper + align64(n * width);
        let diverse = levels + align64(n);
        let live = diverse + align64(n);
        let first_block = live + align64(n.div_ceil(64) * 8);
        // Two bytes more, so that the last of the 16-bit slots too may be read as part of a word.
        let bytes = first_block + align64(blocks * block_bytes + 2);
        if bytes > isize::MAX as u64 {
            return None;
        }
        Some(Layout {
            header: [
                u32::from_le_bytes(MAGIC),
                VERSION as u32 | (m as u32) << 16,
                capacity,
                ef_construction,
                seed as u32,
                (seed >> 32) as u32,
            ],
            mask: if wide { u32::MAX } else { 0xFFFF },
            width: width as usize,
            stride: stride as usize,
            parents: parents as usize,
            upper: upper as usize,
            levels: levels as usize,
            diverse: diverse as usize,
            live: live as usize,
            blocks: first_block as usize,
            block_bytes: block_bytes as usize,
            block_count: blocks as u32,
            bytes: bytes as usize,
        })
    }

    /// The layout of the graph whose header `bytes` begin with.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Err(OpenError::TooShort { needed: HEADER, found: bytes.len() });
        };
        let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let word = |at| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        if header[..4] != MAGIC {
            return Err(OpenError::NotAGraph);
        }
        if half(4) != VERSION {
            return Err(OpenError::Version(half(4)));
        }
        let seed = u64::from(word(16)) | u64::from(word(20)) << 32;
        let params = Params { m: half(6), capacity: word(8), ef_construction: word(12), seed };
        Layout::new(&params).ok_or(OpenError::BadParams)
    }

    /// Words of 64 bits in a bitmap of the slots.
    pub(crate) const fn words(&self) -> usize {
        self.capacity().div_ceil(64) as usize
    }

    /// The parameters that this layout was made for.
    #[must_use]
    pub const fn params(&self) -> Params {
        let [_, m, capacity, ef_construction, low, high] = self.header;
        let seed = low as u64 | (high as u64) << 32;
        Params { capacity, m: (m >> 16) as u16, ef_construction, seed }
    }

    pub(crate) const fn capacity(&self) -> u32 {
        self.header[2]
    }

    /// The most links a list of `level` holds.
    pub(crate) const fn limit(&self, level: u32) -> usize {
        let m = (self.header[1] >> 16) as usize;
        if level == 0 { 2 * m } else { m }
    }
}

/// Why a buffer is not a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The buffer's base is not aligned to 64 bytes.
    Misaligned,
    /// The buffer is shorter than the graph it should hold.
    TooShort {
        /// Bytes that the graph needs.
        needed: usize,
        /// Bytes that the buffer has.
        found: usize,
    },
    /// The parameters, given or found in the header, are out of their ranges.
    BadParams,
    /// The buffer does not begin with the magic bytes.
    NotAGraph,
    /// The header names a version that this code does not know.
    Version(u16),
    /// A section holds what no graph holds; the sentence names it.
    Corrupt(&'static str),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            OpenError::Misaligned => f.write_str("the graph's buffer must be aligned to 64 bytes"),
            OpenError::TooShort { needed, found } => {
                write!(f, "the graph needs {needed} bytes, the buffer has {found}")
            }
            OpenError::BadParams => f.write_str(
                "graph parameters out of range: capacity 1 to 2^30, m 4 to 64, ef_construction from 1",
            ),
            OpenError::NotAGraph => f.write_str("the buffer does not begin with a graph's magic bytes"),
            OpenError::Version(found) => {
                write!(f, "graph version {VERSION} expected, {found} found")
            }
            OpenError::Corrupt(what) => write!(f, "the graph is damaged: {what}"),
        }
    }
}

impl core::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_follow_each_other_without_overlap() {
        for capacity in [1, 2, 63, 64, 65, 1000, 65_535, 65_536, 100_000] {
            for m in [4, 5, 8, 16, 33, 64] {
                let params = Params { m, ..Params::new(capacity) };
                let l = Layout::new(&params).unwrap();
                let w = l.width;
                let n = capacity as usize;
                assert!(HEADER + n * l.stride <= l.parents);
                assert!(l.parents + n * w <= l.upper && l.upper + n * w <= l.levels);
                assert!(l.levels + n <= l.diverse && l.diverse + n <= l.live);
                assert!(l.live + n.div_ceil(64) * 8 <= l.blocks);
                assert!(l.blocks + l.block_count as usize * l.block_bytes <= l.bytes);
                assert!(l.stride >= 2 * m as usize * w);
                assert_eq!(l.parents % 64, 0);
                assert_eq!(l.bytes % 64, 0);
                assert_eq!(l.block_bytes % w, 0);
            }
        }
    }

    #[test]
    fn parameters_out_of_range_have_no_layout() {
        let good = Params::new(100);
        for bad in [
            Params { capacity: 0, ..good },
            Params { capacity: MAX_CAPACITY + 1, ..good },
            Params { m: 3, ..good },
            Params { m: 65, ..good },
            Params { ef_construction: 0, ..good },
        ] {
            assert_eq!(required_bytes(&bad), None);
        }
    }

    #[test]
    fn ten_thousand_slots_cost_what_the_budget_says() {
        const BYTES: usize = match required_bytes(&Params::new(10_000)) {
            Some(bytes) => bytes,
            None => 0,
        };
        const { assert!(BYTES > 0 && BYTES < 740_000) };
    }
}
