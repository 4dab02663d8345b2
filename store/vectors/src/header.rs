//! The first 256 bytes of an image.
//!
//! Little-endian.
//!
//! ```text
//! magic "CLIM" @0 · version u16 @4 · metric u8 @6 · encoding u8 @7 · dim u32 @8
//! capacity u32 @12 · m u16 @16 · short width in bits u8 @18 (0: none) · zero @19
//! ef_construction u32 @20 · seed u64 @24 · scan limit u32 @32
//! centred u32 @36 (vectors when the centres were last looked at)
//! seal u64 @40 (XXH64 of all other bytes, 0 while the image is not sealed)
//! pages u32 @48 · page bytes u32 @52 · hidden u32 @56 (vectors marked as deleted)
//! free u32 @60 (first page without a class) · partial u32 x 8 @64 (first page with room, by
//! class) · hot u32 @96 (0xFFFFFFFF: no tiers) · cursor u32 @100 (the slot at which the next tick
//! begins) · unused u32 @104 (pages without a class) · since u32 @108 (inserts since the centres were
//! last looked at) · zeros
//! ```
//!
//! Offsets of sections do not stand here. They follow from the parameters, so that no header can
//! contradict them.
//!
//! What it must never do: pass a header that this build would lay out otherwise than the one
//! that wrote it, such as one with tiers in a build without.

use clawft_codes::Encoding;

use crate::{Error, Layout, Metric, Params};

/// Bytes of the header.
pub(crate) const HEADER: usize = 256;
/// What it begins with.
pub(crate) const MAGIC: [u8; 4] = *b"CLIM";
/// The version of this page and of the layout.
pub(crate) const VERSION: u16 = 3;

/// A field of 32 bits.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    ScanLimit = 32,
    Centred = 36,
    Pages = 48,
    PageBytes = 52,
    Hidden = 56,
    Free = 60,
    Partial = 64,
    Hot = 96,
    Cursor = 100,
    Unused = 104,
    Since = 108,
}

/// What stands in the place of `hot` where there are no tiers.
const NO_TIERS: u32 = u32::MAX;

/// Where the seal stands.
pub(crate) const SEAL: usize = 40;

pub(crate) fn get(bytes: &[u8], field: Field) -> u32 {
    u32_at(bytes, field as usize)
}

pub(crate) fn set(bytes: &mut [u8], field: Field, value: u32) {
    write_at(bytes, field as usize, &value.to_le_bytes());
}

/// The integer at `at`, which lies inside the buffer; 0 if it does not.
#[inline(never)]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
}

/// Writes where there is room, which there is.
#[inline(never)]
pub(crate) fn write_at(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|b| b.get_mut(..value.len())) {
        place.copy_from_slice(value);
    }
}

#[inline(never)]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Writes the parameters into a header that is otherwise zero.
pub(crate) fn write(header: &mut [u8; HEADER], params: &Params) {
    header.fill(0);
    header[..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&VERSION.to_le_bytes());
    header[6] = params.metric as u8;
    header[7] = params.encoding as u8;
    header[8..12].copy_from_slice(&params.dim.to_le_bytes());
    header[12..16].copy_from_slice(&params.capacity.to_le_bytes());
    header[16..18].copy_from_slice(&params.m.to_le_bytes());
    header[18] = u8::from(params.is_short());
    header[20..24].copy_from_slice(&params.ef_construction.to_le_bytes());
    header[24..32].copy_from_slice(&params.seed.to_le_bytes());
    header[32..36].copy_from_slice(&params.scan_limit_in_force().to_le_bytes());
    set(header, Field::Hot, params.hot.unwrap_or(NO_TIERS));
}

/// Reads the parameters back, and lays the image out by them in `layout`.
///
/// # Errors
/// [`Error::TooShort`], [`Error::Corrupt`], [`Error::Version`].
#[inline(never)]
pub(crate) fn read(bytes: &[u8], layout: &mut Layout) -> Result<(), Error> {
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return Err(Error::TooShort { expected: HEADER, found: bytes.len() });
    };
    let flaw = |what| Err(Error::Corrupt(what));
    let version = u16::from_le_bytes([header[4], header[5]]);
    if header[..4] != MAGIC {
        return flaw("they do not begin with an image's magic bytes");
    }
    if version != VERSION {
        return Err(Error::Version(version));
    }
    let (Some(metric), Some(encoding)) = (Metric::from_u8(header[6]), Encoding::from_u8(header[7]))
    else {
        return flaw("the header names an unknown metric or encoding");
    };
    let params = Params {
        dim: u32_at(header, 8),
        capacity: u32_at(header, 12),
        metric,
        encoding,
        m: u16::from_le_bytes([header[16], header[17]]),
        ef_construction: u32_at(header, 20),
        seed: u64_at(header, 24),
        scan_limit: Some(get(header, Field::ScanLimit)),
        hot: Some(get(header, Field::Hot)).filter(|&hot| hot != NO_TIERS),
    };
    if layout.lay_out(&params).is_err() {
        return flaw("the header's parameters are out of their ranges, or need a build with tiers");
    }
    if header[18] != u8::from(params.is_short()) {
        return flaw("the header names a width of short codes that is not known");
    }
    Ok(())
}

/// The seal, 0 where there is none.
pub(crate) fn seal(bytes: &[u8]) -> u64 {
    u64_at(bytes, SEAL)
}

pub(crate) fn set_seal(bytes: &mut [u8], seal: u64) {
    write_at(bytes, SEAL, &seal.to_le_bytes());
}
