//! Everything that can go wrong, each with a number that never changes and a sentence that
//! says what was expected and what was found.
//!
//! What it must never do: change or reuse a number.

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
    /// The scratch is too small for the call, or was made for another image.
    Scratch {
        /// 64-bit words needed.
        expected: usize,
        /// 64-bit words found; 0 where they are another image's.
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

/// The sentence of an error, in parts: what a caller without `core::fmt` needs to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The text, with a `#` for each number.
    pub text: &'static str,
    /// The numbers, in their order; 0 where there are fewer.
    pub numbers: [u64; 2],
    /// What follows the text; often empty. No marks in it.
    pub detail: &'static str,
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.text.split('#');
        f.write_str(parts.next().unwrap_or_default())?;
        for (part, number) in parts.zip(self.numbers) {
            write!(f, "{number}{part}")?;
        }
        f.write_str(self.detail)
    }
}

/// The text of each error, in the order of their numbers, from -1 on.
const TEXTS: [&str; 16] = [
    "vectors of # components expected (at most 8192), # found",
    "finite components and length expected, component # is not",
    "a length above zero expected, as the metric is cosine, zero found",
    "k of 1 or more expected, 0 found",
    "a new id expected, # is in use",
    "a stored id expected, # is not stored",
    "no room is left: # vectors stored, capacity #",
    "capacity 1 to 2^30, m 4 to 64, ef_construction from 1 and an addressable size expected",
    "a buffer aligned to 64 bytes expected",
    "# bytes expected, # found",
    "the bytes are not a sound image: ",
    "version # expected, # found",
    "# words of scratch expected, # found",
    "room for # results expected, # found",
    "a capacity of # or more expected, # found",
    "a radius expected, NaN found",
];

impl Error {
    /// The sentence in parts. [`Display`](fmt::Display) writes the same.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        // Texts by number and numbers by kind: one match for both is twice the code.
        let numbers = match *self {
            Error::Dimension { expected, found } | Error::Shrink { expected, found } => {
                [expected.into(), found.into()]
            }
            Error::Full { len, capacity } => [len.into(), capacity.into()],
            Error::TooShort { expected, found }
            | Error::Scratch { expected, found }
            | Error::Output { expected, found } => [expected as u64, found as u64],
            Error::NotFinite { index } => [index.into(), 0],
            Error::DuplicateId(id) | Error::UnknownId(id) => [id, 0],
            Error::Version(found) => [crate::header::VERSION.into(), found.into()],
            _ => [0, 0],
        };
        let detail = if let Error::Corrupt(what) = *self { what } else { "" };
        let at = !self.code() as usize;
        Sentence { text: TEXTS.get(at).copied().unwrap_or_default(), numbers, detail }
    }
}

const _: () = assert!(MAX_DIM == 8192, "a sentence above names it");

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.sentence(), f)
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
            (Error::Radius, "a radius expected, NaN found"),
            (Error::Corrupt("torn"), "the bytes are not a sound image: torn"),
            (Error::TooShort { expected: 7, found: 0 }, "7 bytes expected, 0 found"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }
}
