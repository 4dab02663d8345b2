//! Everything that can go wrong, each with a number that never changes and a sentence that
//! says what was expected and what was found.

use core::fmt;

use crate::MAX_DIM;

/// What is wrong with the bytes of an image: the text of an [`Error::Corrupt`].
pub(crate) type Flaw = &'static str;

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
        expected: usize,
        /// Bytes that the buffer has.
        found: usize,
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

/// The sentence of an [`Error`], in parts: what a caller without `core::fmt` needs to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The text, with a `#` for each number.
    pub text: &'static str,
    /// The numbers, in their order; 0 where there are fewer.
    pub numbers: [u64; 2],
    /// What follows the text; often empty. No marks in it.
    pub detail: &'static str,
}

impl Error {
    /// The sentence in parts. [`Display`](fmt::Display) writes the same.
    #[must_use]
    pub const fn sentence(&self) -> Sentence {
        let mut detail = "";
        let (text, numbers) = match *self {
            Error::Dimension { expected, found } => (
                "vectors of # components expected (at most 8192), # found",
                [expected as u64, found as u64],
            ),
            Error::NotFinite { index } => {
                ("finite components and length expected, component # is not", [index as u64, 0])
            }
            Error::ZeroVector => (
                "a vector with a direction expected, as the metric is cosine; one of length zero found",
                [0, 0],
            ),
            Error::ZeroK => ("at least one result must be asked for, k is 0", [0, 0]),
            Error::DuplicateId(id) => ("a new id expected, # is in use", [id, 0]),
            Error::UnknownId(id) => ("a stored id expected, # is not stored", [id, 0]),
            Error::Full { len, capacity } => {
                ("no room is left: # vectors stored, capacity #", [len as u64, capacity as u64])
            }
            Error::Params => (
                "parameters out of range: capacity 1 to 2^30, m 4 to 64, ef_construction from 1, known metric and encoding, and a size that this machine can address",
                [0, 0],
            ),
            Error::Misaligned => ("a buffer aligned to 64 bytes expected", [0, 0]),
            Error::TooShort { expected, found } => {
                ("# bytes expected, # found", [expected as u64, found as u64])
            }
            Error::Corrupt(what) => {
                detail = what;
                ("the bytes are not a sound image: ", [0, 0])
            }
            Error::Version(found) => {
                ("image version # expected, # found", [crate::header::VERSION as u64, found as u64])
            }
            Error::Scratch { expected, found } => {
                ("a scratch of # words expected, # found", [expected as u64, found as u64])
            }
            Error::Output { expected, found } => {
                ("room for # results expected, # found", [expected as u64, found as u64])
            }
            Error::Shrink { expected, found } => {
                ("a capacity of at least # expected, # found", [expected as u64, found as u64])
            }
            Error::Radius => ("a radius that is a number expected, NaN found", [0, 0]),
        };
        Sentence { text, numbers, detail }
    }
}

const _: () = assert!(MAX_DIM == 8192, "a sentence above names it");

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sentence { text, numbers, detail } = self.sentence();
        let mut parts = text.split('#');
        f.write_str(parts.next().unwrap_or_default())?;
        for (part, number) in parts.zip(numbers) {
            write!(f, "{number}{part}")?;
        }
        f.write_str(detail)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn numbers_and_details_stand_where_they_belong() {
        for (error, sentence) in [
            (
                Error::Dimension { expected: 3, found: 4 },
                "vectors of 3 components expected (at most 8192), 4 found",
            ),
            (
                Error::UnknownId(u64::MAX),
                "a stored id expected, 18446744073709551615 is not stored",
            ),
            (Error::Radius, "a radius that is a number expected, NaN found"),
            (Error::Corrupt("torn"), "the bytes are not a sound image: torn"),
            (Error::TooShort { expected: 7, found: 0 }, "7 bytes expected, 0 found"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }
}
