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
//!
//! Sections and not one record a slot, so that a walk, which reads links, short codes and
//! factors, has these close together. The graph comes first, so that it can be lent to be
//! changed while all behind it is read. Full codes have a pool, as with tiers their size
//! changes.
//!
//! What it must never do: depend on the machine, or change under the same version. Sums are of
//! 64 bits everywhere, and only parameters go into them.

use clawft_codes::sketch::{LANES, block_bytes, sketch_bytes};
use clawft_codes::{Encoding, padded, short_bytes, tiered_bytes};

use crate::header::HEADER;
use crate::tier_policy::Tier;
use crate::{Error, MAX_DIM, Metric, Params, TIERS};

/// Full codes are placed at multiples of this many bytes.
pub(crate) const UNIT: usize = 2;

/// The sections behind the header, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Graph,
    Short,
    Sketches,
    Factors,
    Ids,
    Places,
    Uses,
    Hidden,
    Table,
    Centres,
    Pages,
    Pool,
}

/// How many sections there are.
const SECTIONS: usize = Section::Pool as usize + 1;

/// Where a section lies, in bytes from the image's base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) at: usize,
    /// Bytes of an entry: of a slot, a block, a page; 0 where there are none.
    pub(crate) entry: usize,
    /// Bytes of all entries, without what fills up the last 64.
    pub(crate) bytes: usize,
}

/// Tiers that this build knows.
pub(crate) const CLASSES: usize = if TIERS { Tier::ALL.len() } else { 1 };
/// Sizes by tier.
type ByTier = [usize; CLASSES];

/// Where the sections lie, and what of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What the image is made for.
    pub(crate) params: Params,
    pub(crate) graph: clawft_hnsw::Layout,
    spans: [Span; SECTIONS],
    pub(crate) padded: usize,
    /// Bytes of a sketch; 0 where there are none.
    pub(crate) sketch_bytes: usize,
    /// Bytes of a full code, and of its record, by tier; where there are none, the hot one's.
    code_bytes: ByTier,
    record_bytes: ByTier,
    /// Bytes of the whole image.
    pub bytes: usize,
}

/// Bytes that an image of these parameters needs.
///
/// # Errors
/// [`Error::Dimension`], [`Error::Params`].
pub fn required_bytes(params: &Params) -> Result<usize, Error> {
    let mut layout = Layout::none();
    layout.lay_out(params)?;
    Ok(layout.bytes)
}

fn align64(n: u64) -> u64 {
    (n + 63) & !63
}

/// The size of a page for records of these bytes, the largest first: 4 KiB, or less where 64 of
/// the smallest take less, or, for records that waste much of it, the multiple of 4 KiB up to
/// 64 KiB that wastes least.
fn page_bytes(records: &[usize]) -> u64 {
    let smallest = records[records.len() - 1] as u64;
    if smallest * 64 <= 4096 {
        return align64(smallest * 64);
    }
    let tiers = records.len() as u64;
    let first = (records[0] as u64).div_ceil(4096) * 4096;
    let (mut best, mut most) = (first, 0);
    let mut bytes = first;
    while bytes <= first.max(16 * 4096) {
        // Bytes used of a page for each tier, together.
        let used = records.iter().map(|&record| (bytes / record as u64).min(64) * record as u64);
        let used = used.sum::<u64>();
        // Less than 2 % of waste is good enough.
        if most == 0 || most * 50 < best * tiers * 49 && used * best > most * bytes {
            (best, most) = (bytes, used);
        }
        bytes += 4096;
    }
    best
}

impl Layout {
    /// Lays the sections out.
    ///
    /// # Errors
    /// [`Error::Dimension`], [`Error::Params`].
    pub fn new(params: &Params) -> Result<Self, Error> {
        let mut layout = Self::none();
        layout.lay_out(params)?;
        Ok(layout)
    }

    /// That of no image, all zero: it is filled in where it stays, as copies of so large a value weigh.
    pub(crate) fn none() -> Self {
        Layout {
            params: Params {
                dim: 0,
                capacity: 0,
                metric: Metric::Cosine,
                encoding: Encoding::F32,
                m: 0,
                ef_construction: 0,
                seed: 0,
                scan_limit: None,
                hot: None,
            },
            graph: clawft_hnsw::Layout::default(),
            spans: [Span::default(); SECTIONS],
            padded: 0,
            sketch_bytes: 0,
            code_bytes: [0; CLASSES],
            record_bytes: [0; CLASSES],
            bytes: 0,
        }
    }

    /// Lays the sections out here. After an error this is the layout of nothing.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[inline(never)]
    pub(crate) fn lay_out(&mut self, params: &Params) -> Result<(), Error> {
        let dim = params.dim as usize;
        if dim == 0 || dim > MAX_DIM {
            return Err(Error::Dimension { expected: MAX_DIM as u32, found: params.dim });
        }
        // The header says by the largest number that there are no tiers.
        let is_other = params.encoding != Encoding::I8 || params.hot == Some(u32::MAX);
        if params.hot.is_some() && (!TIERS || is_other) {
            return Err(Error::Params);
        }
        self.params = *params;
        self.params.scan_limit = Some(params.scan_limit_in_force());
        self.graph = clawft_hnsw::Layout::new(&params.graph()).ok_or(Error::Params)?;
        let hot = if TIERS { params.hot } else { None };
        let n = u64::from(params.capacity);
        self.padded = padded(dim);
        let (mut short, mut centre) = (0, 0);
        if params.is_short() {
            (short, centre) = (short_bytes(dim), 4 * self.padded);
        }
        let mut block = 0;
        if params.is_sketched() {
            self.sketch_bytes = sketch_bytes(dim);
            block = block_bytes(self.sketch_bytes);
        }
        self.code_bytes = [params.encoding.bytes(dim); CLASSES];
        if hot.is_some() {
            for (bytes, tier) in self.code_bytes.iter_mut().zip(Tier::ALL) {
                *bytes = tier.width().map_or(*bytes, |width| tiered_bytes(width, self.padded));
            }
        }
        self.record_bytes = self.code_bytes.map(|bytes| bytes.next_multiple_of(UNIT));
        let tiers = if hot.is_some() { CLASSES } else { 1 };
        let page_bytes = page_bytes(&self.record_bytes[..tiers]);
        let pages = |vectors: u64, tier: Tier| {
            vectors.div_ceil(per_page(page_bytes, &self.record_bytes, tier))
        };
        let (mut page_count, mut use_bytes) = (0, 0);
        let first = match hot {
            Some(hot) => {
                let first = n.min(hot.into());
                (page_count, use_bytes) =
                    (pages(n - first, Tier::Cold) + Tier::ALL.len() as u64, 12);
                first
            }
            None => n,
        };
        page_count += pages(first, Tier::Hot);
        // At most five eighths of the table are in use, so that probes stay short.
        let table = (n * 8).div_ceil(5).next_power_of_two();

        let mut at = HEADER as u64;
        at = self.place(at, Section::Graph, 1, self.graph.bytes);
        at = self.place(at, Section::Short, n, short);
        at = self.place(at, Section::Sketches, n.div_ceil(LANES as u64), block);
        at = self.place(at, Section::Factors, n, 16);
        at = self.place(at, Section::Ids, n, 8);
        at = self.place(at, Section::Places, n, 4);
        at = self.place(at, Section::Uses, n, use_bytes);
        at = self.place(at, Section::Hidden, n.div_ceil(64), 8);
        at = self.place(at, Section::Table, table, 4);
        at = self.place(at, Section::Centres, 2, centre);
        at = self.place(at, Section::Pages, page_count, 24);
        at = self.place(at, Section::Pool, page_count, page_bytes as usize);
        self.bytes = at as usize;
        if at > isize::MAX as u64 || page_count * page_bytes / UNIT as u64 > u64::from(u32::MAX) {
            return Err(Error::Params);
        }
        Ok(())
    }

    /// Notes where a section of `count` entries lies; returns where the next one does.
    #[inline(never)]
    fn place(&mut self, at: u64, section: Section, count: u64, entry: usize) -> u64 {
        let bytes = count * entry as u64;
        self.spans[section as usize] = Span { at: at as usize, entry, bytes: bytes as usize };
        at + align64(bytes)
    }

    /// Where a section lies.
    pub(crate) fn span(&self, section: Section) -> &Span {
        &self.spans[section as usize]
    }

    /// Bytes of a full code in a tier.
    pub(crate) fn code_bytes(&self, tier: Tier) -> usize {
        self.code_bytes[tier as usize % self.code_bytes.len()]
    }

    /// Bytes of its record.
    pub(crate) fn record_bytes(&self, tier: Tier) -> usize {
        self.record_bytes[tier as usize % self.record_bytes.len()]
    }

    /// Are there tiers?
    pub(crate) fn is_tiered(&self) -> bool {
        TIERS && self.span(Section::Uses).entry > 0
    }

    /// Components of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.params.dim as usize
    }

    /// Bytes of a page.
    pub(crate) fn page_bytes(&self) -> usize {
        self.span(Section::Pool).entry
    }

    /// Pages in the pool.
    pub(crate) fn page_count(&self) -> usize {
        self.span(Section::Pages).bytes / self.span(Section::Pages).entry
    }

    /// Full codes of a tier that a page holds.
    pub(crate) fn records_per_page(&self, tier: Tier) -> usize {
        per_page(self.page_bytes() as u64, &self.record_bytes, tier) as usize
    }
}

fn per_page(page_bytes: u64, record_bytes: &ByTier, tier: Tier) -> u64 {
    (page_bytes / record_bytes[tier as usize % record_bytes.len()] as u64).min(64)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                let used = l.records_per_page(Tier::Hot) * l.record_bytes(Tier::Hot);
                assert!(used <= l.page_bytes() && l.page_bytes().is_multiple_of(64));
                let waste = (l.page_bytes() - used) as f64 / l.page_bytes() as f64;
                assert!(waste < 0.12, "dim {dim} {encoding:?}: {waste}");
                assert!(l.page_bytes() <= 65_536);
            }
        }
    }
}
