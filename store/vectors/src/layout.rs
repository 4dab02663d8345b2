//! From parameters to the sections of the image.
//!
//! ```text
//! header    256 B             see `header`
//! graph     see clawft-hnsw
//! short     B x capacity      short codes, B = padded dimension / 8; none below 128 dimensions
//! sketches  the beginnings of the short codes, by 64; see `clawft_codes::sketch`; only where
//!           there are short codes, and the capacity is at most 32,768
//! factors   16 x capacity     offset, slope, scale and own, each f32: see `Factors`
//! ids       8 x capacity      the caller's ids
//! places    4 x capacity      where the full code lies, in 2-byte units of the pool
//! uses      12 x capacity     last use u32 · in its tier since u32, both in 1024 ms, 0 unknown
//!                             · uses u16 · importance u8 · tier, and 4 if pinned u8; only where
//!                             there are tiers
//! hidden    8 x ceil(capacity / 64)   one bit a slot: marked as deleted
//! table     4 x 2^t           slots by hash of id, 0xFFFFFFFF where empty
//! centres   8 x padded        rotated: of the short codes, of the 8-bit codes; see `centre`;
//!                             none below 128 dimensions
//! pages     24 x pages        free u64 (bit: record is free) · next u32 · previous u32
//!                             · class u8 (the tier; 0xFF: none) · 7 zero bytes
//! pool      page bytes x pages
//! ```
//!
//! Every section begins at a multiple of 64 bytes.

use clawft_codes::sketch::{LANES, block_bytes, sketch_bytes};
use clawft_codes::{padded, short_bytes, tiered_bytes};

use crate::header::HEADER;
use crate::tier_policy::Tier;
use crate::{Error, Params};

/// Bytes of the factors of one slot.
pub(crate) const FACTORS: usize = 16;
/// Bytes of an entry of the page table.
pub(crate) const PAGE_ENTRY: usize = 24;
/// Full codes are placed at multiples of this many bytes.
pub(crate) const UNIT: usize = 2;
/// Bytes of what is known of the use of one slot.
pub(crate) const USE: usize = 12;

/// Sizes by tier.
type ByTier = [usize; Tier::ALL.len()];

/// Where the sections lie, in bytes from the image's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(crate) graph: clawft_hnsw::Layout,
    pub(crate) dim: usize,
    pub(crate) padded: usize,
    pub(crate) short_bytes: usize,
    /// Bytes of a full code, and of its record, by tier; where there are none, the hot one's.
    pub(crate) code_bytes: ByTier,
    pub(crate) record_bytes: ByTier,
    /// Classes of pages.
    pub(crate) classes: usize,
    pub(crate) short: usize,
    pub(crate) sketches: usize,
    /// Bytes of a sketch; 0 where there are none.
    pub(crate) sketch_bytes: usize,
    pub(crate) factors: usize,
    pub(crate) ids: usize,
    pub(crate) places: usize,
    pub(crate) uses: usize,
    pub(crate) use_bytes: usize,
    pub(crate) hidden: usize,
    pub(crate) table: usize,
    pub(crate) table_slots: usize,
    pub(crate) centres: usize,
    pub(crate) pages: usize,
    pub(crate) page_count: usize,
    pub(crate) page_bytes: usize,
    pub(crate) pool: usize,
    /// Bytes of the whole image.
    pub bytes: usize,
}

/// Bytes that an image of these parameters needs.
///
/// # Errors
/// [`Error::Dimension`], [`Error::Params`].
pub fn required_bytes(params: &Params) -> Result<usize, Error> {
    Layout::new(params).map(|layout| layout.bytes)
}

fn align64(n: u64) -> u64 {
    (n + 63) & !63
}

/// The size of a page for records of these bytes, the largest first: 4 KiB, or less where 64 of
/// the smallest take less, or, for records that waste much of it, the multiple of 4 KiB up to
/// 64 KiB that wastes least.
fn page_bytes(records: &ByTier) -> u64 {
    let smallest = records[records.len() - 1] as u64;
    if smallest * 64 <= 4096 {
        return align64(smallest * 64);
    }
    let first = (records[0] as u64).div_ceil(4096);
    let mut best = first * 4096;
    for pages in first..=first.max(16) {
        let bytes = pages * 4096;
        let waste = |b: u64| {
            let used = records.iter().map(|&record| (b / record as u64).min(64) * record as u64);
            1.0 - used.sum::<u64>() as f64 / (b * records.len() as u64) as f64
        };
        if waste(best) > 0.02 && waste(bytes) < waste(best) {
            best = bytes;
        }
    }
    best
}

impl Layout {
    /// Lays the sections out.
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::Params`].
    pub fn new(params: &Params) -> Result<Self, Error> {
        params.check()?;
        let graph = clawft_hnsw::Layout::new(&params.graph()).ok_or(Error::Params)?;
        let dim = params.dim as usize;
        let n = u64::from(params.capacity);
        let short_bytes = if params.is_short() { short_bytes(dim) } else { 0 };
        let padded = padded(dim);
        let mut code_bytes = [params.encoding.bytes(dim); Tier::ALL.len()];
        if crate::TIERS && params.hot.is_some() {
            for (bytes, tier) in code_bytes.iter_mut().zip(Tier::ALL) {
                *bytes = tier.width().map_or(*bytes, |width| tiered_bytes(width, padded));
            }
        }
        let record_bytes = code_bytes.map(|bytes| bytes.next_multiple_of(UNIT));
        let page_bytes = page_bytes(&record_bytes);
        let per_page = |tier: Tier| (page_bytes / record_bytes[tier as usize] as u64).min(64);
        let (hot, spare) = match params.hot {
            Some(hot) => (n.min(hot.into()), Tier::ALL.len() as u64),
            None => (n, 0),
        };
        let cold = (n - hot).div_ceil(per_page(Tier::Cold));
        let page_count = hot.div_ceil(per_page(Tier::Hot)) + cold + spare;
        // At most five eighths of the table are in use, so that probes stay short.
        let table_slots = (n * 8).div_ceil(5).next_power_of_two();
        let centre_bytes = if params.is_short() { 8 * padded as u64 } else { 0 };

        let short = HEADER as u64 + graph.bytes as u64;
        let sketches = short + align64(n * short_bytes as u64);
        let sketch_bytes = if params.is_sketched() { sketch_bytes(dim) } else { 0 };
        let blocks = if params.is_sketched() { n.div_ceil(LANES as u64) } else { 0 };
        let factors = sketches + blocks * block_bytes(sketch_bytes) as u64;
        let ids = factors + align64(n * FACTORS as u64);
        let places = ids + align64(n * 8);
        let uses = places + align64(n * 4);
        let use_bytes = if params.hot.is_some() { USE } else { 0 };
        let hidden = uses + align64(n * use_bytes as u64);
        let table = hidden + align64(n.div_ceil(64) * 8);
        let centres = table + align64(table_slots * 4);
        let pages = centres + align64(centre_bytes);
        let pool = pages + align64(page_count * PAGE_ENTRY as u64);
        let bytes = pool + page_count * page_bytes;
        if bytes > isize::MAX as u64 || page_count * page_bytes / UNIT as u64 > u64::from(u32::MAX)
        {
            return Err(Error::Params);
        }
        Ok(Layout {
            graph,
            dim,
            padded,
            short_bytes,
            code_bytes,
            record_bytes,
            classes: if params.hot.is_some() { Tier::ALL.len() } else { 1 },
            short: short as usize,
            sketches: sketches as usize,
            sketch_bytes,
            factors: factors as usize,
            ids: ids as usize,
            places: places as usize,
            uses: uses as usize,
            use_bytes,
            hidden: hidden as usize,
            table: table as usize,
            table_slots: table_slots as usize,
            centres: centres as usize,
            pages: pages as usize,
            page_count: page_count as usize,
            page_bytes: page_bytes as usize,
            pool: pool as usize,
            bytes: bytes as usize,
        })
    }

    /// Are there tiers?
    pub(crate) fn is_tiered(&self) -> bool {
        crate::TIERS && self.use_bytes > 0
    }

    /// Full codes of a tier that a page holds.
    pub(crate) fn records_per_page(&self, tier: Tier) -> usize {
        (self.page_bytes / self.record_bytes[tier as usize]).min(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawft_codes::Encoding;

    #[test]
    fn ten_thousand_hot_vectors_fit_into_eight_mebibytes() {
        let bytes = required_bytes(&Params::new(512, 10_000)).unwrap();
        assert!(bytes < 7_400_000, "{bytes}");
    }

    #[test]
    fn pages_waste_little() {
        for dim in [1u32, 2, 3, 16, 100, 127, 128, 200, 384, 512, 768, 1000, 1536, 3072, 8192] {
            for encoding in [Encoding::F32, Encoding::F16, Encoding::I8] {
                let params = Params { encoding, ..Params::new(dim, 10_000) };
                let l = Layout::new(&params).unwrap();
                let used = l.records_per_page(Tier::Hot) * l.record_bytes[0];
                assert!(used <= l.page_bytes && l.page_bytes.is_multiple_of(64));
                let waste = (l.page_bytes - used) as f64 / l.page_bytes as f64;
                assert!(waste < 0.12, "dim {dim} {encoding:?}: {waste}");
                assert!(l.page_bytes <= 65_536);
            }
        }
    }
}
