//! Everything that can go wrong, each with a number that never changes and a sentence that
//! says what was expected and what was found.

use core::fmt;

use crate::MAX_DIM;

/// Why a call was refused. The image is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A vector has another number of components than the image, or the image would have none
    /// or too many.
    Dimension {
        /// Components of the image's vectors.
        expected: u32,
        /// Components found.
        found: u32,
    },
    /// A component is NaN or infinite, or the length of the vector is beyond `f32`.
    NotFinite {
        /// The first such component; the dimension where it is the length.
        index: u32,
    },
    /// A vector of length zero has no direction, which the cosine metric needs.
    ZeroVector,
    /// The number of results wanted is zero.
    ZeroK,
    /// The id is in the image already.
    DuplicateId(u64),
    /// The id is not in the image.
    UnknownId(u64),
    /// Every slot is in use, or no page is left.
    Full {
        /// Vectors in the image.
        len: u32,
        /// Vectors that it was made for.
        capacity: u32,
    },
    /// Parameters out of range.
    Params,
    /// The buffer's base is not aligned to 64 bytes.
    Misaligned,
    /// The buffer is shorter than the image.
    TooShort {
        /// Bytes that the image needs.
        expected: u64,
        /// Bytes that the buffer has.
        found: u64,
    },
    /// The bytes are not an image, or a damaged one; the sentence says what is wrong.
    Corrupt(&'static str),
    /// The image has another version.
    Version(u16),
    /// The scratch is too small for the call.
    Scratch {
        /// 64-bit words needed.
        expected: usize,
        /// 64-bit words found.
        found: usize,
    },
    /// The place for results is smaller than asked for.
    Output {
        /// Entries needed.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A larger image was expected to grow into.
    Shrink {
        /// Vectors that must fit.
        expected: u32,
        /// The capacity given.
        found: u32,
    },
    /// A radius that is not a number.
    Radius,
}

impl Error {
    /// The number of the error, negative and stable. Numbers of retired errors are not used
    /// again.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Error::Dimension { .. } => -1,
            Error::NotFinite { .. } => -2,
            Error::ZeroVector => -3,
            Error::ZeroK => -4,
            Error::DuplicateId(_) => -5,
            Error::UnknownId(_) => -6,
            Error::Full { .. } => -7,
            Error::Params => -8,
            Error::Misaligned => -9,
            Error::TooShort { .. } => -10,
            Error::Corrupt(_) => -11,
            Error::Version(_) => -12,
            Error::Scratch { .. } => -13,
            Error::Output { .. } => -14,
            Error::Shrink { .. } => -15,
            Error::Radius => -16,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::Dimension { expected, found } => {
                write!(f, "vectors of {expected} components expected (at most {MAX_DIM}), {found} found")
            }
            Error::NotFinite { index } => {
                write!(f, "finite components and length expected, component {index} is not")
            }
            Error::ZeroVector => f.write_str(
                "a vector with a direction expected, as the metric is cosine; one of length zero found",
            ),
            Error::ZeroK => f.write_str("at least one result must be asked for, k is 0"),
            Error::DuplicateId(id) => write!(f, "a new id expected, {id} is in use"),
            Error::UnknownId(id) => write!(f, "a stored id expected, {id} is not stored"),
            Error::Full { len, capacity } => {
                write!(f, "no room is left: {len} vectors stored, capacity {capacity}")
            }
            Error::Params => f.write_str(
                "parameters out of range: capacity 1 to 2^30, m 4 to 64, ef_construction from 1, known metric and encoding, and a size that this machine can address",
            ),
            Error::Misaligned => f.write_str("a buffer aligned to 64 bytes expected"),
            Error::TooShort { expected, found } => {
                write!(f, "{expected} bytes expected, {found} found")
            }
            Error::Corrupt(what) => write!(f, "the bytes are not a sound image: {what}"),
            Error::Version(found) => {
                write!(f, "image version {} expected, {found} found", crate::header::VERSION)
            }
            Error::Scratch { expected, found } => {
                write!(f, "a scratch of {expected} words expected, {found} found")
            }
            Error::Output { expected, found } => {
                write!(f, "room for {expected} results expected, {found} found")
            }
            Error::Shrink { expected, found } => {
                write!(f, "a capacity of at least {expected} expected, {found} found")
            }
            Error::Radius => f.write_str("a radius that is a number expected, NaN found"),
        }
    }
}

impl core::error::Error for Error {}
