//! Error codes and sentences.
//!
//! What: every function returns 0, a count, or one of the negative numbers of
//! [`ClawftStatus`]. The sentence of the last error stands in a fixed buffer (one
//! for each thread natively) until the next error.
//!
//! Why: a number can be compared and survives versions, a sentence can be
//! read. Both are kept where the error is found; what travels from there is only
//! that there was one ([`Failed`]), which keeps the module small: a pointer or an
//! error is one register. For the same reason a sentence is a text with marks for
//! its numbers, which a loop here fills in, and a status has one text: `core::fmt`
//! is not linked into the module.
//!
//! The numbers from -1 on belong to the store, those from -101 on to this boundary.
//!
//! What it must never do: change or reuse a number; allocate.

use core::ffi::c_char;

use crate::pointer::Output;

/// The numbers that functions return. Stable: a number keeps its meaning, and a
/// retired one is never given out again.
#[repr(i32)]
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ClawftStatus {
    /// Done.
    Ok = 0,
    /// A vector has not as many components as the store's dimension, or that
    /// dimension is out of bounds.
    WrongDimension = -1,
    /// A component of a vector is NaN or infinite; or, but under cosine, its squared
    /// length is 2^124 or more, or f16 cannot hold what is to be stored.
    NotFinite = -2,
    /// A zero vector under cosine.
    ZeroVector = -3,
    /// `k` is 0.
    ZeroK = -4,
    /// The id is in the store already.
    DuplicateId = -5,
    /// The id is not in the store.
    UnknownId = -6,
    /// No room is left for another vector.
    Full = -7,
    /// The parameters of a store are out of their bounds.
    BadParams = -8,
    /// A buffer is not aligned to 64 bytes. Not seen from outside.
    BufferMisaligned = -9,
    /// A snapshot is shorter than its header says.
    TooShort = -10,
    /// A snapshot is damaged, or is none.
    Corrupt = -11,
    /// A snapshot is of another version.
    WrongVersion = -12,
    /// Scratch is too small for a call. Not seen from outside.
    ScratchTooSmall = -13,
    /// The place for results is too small. Not seen from outside.
    ResultsTooSmall = -14,
    /// A new capacity is below the present one.
    Shrink = -15,
    /// A radius is NaN.
    BadRadius = -16,
    /// A handle that names no open store.
    BadHandle = -101,
    /// A pointer was null.
    NullPointer = -102,
    /// A pointer was not aligned for what it points to.
    Misaligned = -103,
    /// A pointer and its length leave the memory.
    OutOfRange = -104,
    /// A struct's `size` is not that of this ABI version.
    StructSize = -105,
    /// A number names no metric, encoding or mode.
    UnknownChoice = -106,
    /// No memory is left for the request.
    OutOfMemory = -107,
    /// All handles are in use.
    TooManyStores = -108,
    /// `clawft_init_memory` came after memory was in use.
    MemoryInUse = -109,
    /// The region is too small to hold anything.
    RegionTooSmall = -110,
    /// The limit is 0, or below what is used already.
    LimitTooSmall = -111,
    /// The region overlaps the module's own stack and data.
    RegionTaken = -112,
    /// The pointer is none that `clawft_alloc` gave and that is still lent.
    NotAllocated = -113,
    /// The output is too small for the result.
    OutputTooSmall = -114,
}

impl ClawftStatus {
    /// What was expected and found, for the statuses of this boundary; a `#` stands for a
    /// number.
    const fn text(self) -> &'static str {
        match self {
            Self::BadHandle => "that of an open store, found #",
            Self::NullPointer => "a pointer, found null",
            Self::Misaligned => "an address divisible by #, found #",
            Self::OutOfRange => "at most # bytes from there on, found #",
            Self::StructSize => "a struct of size #, found #",
            Self::UnknownChoice => "a number from 0 to #, found #",
            Self::OutOfMemory => "room for # bytes, found # free",
            Self::TooManyStores => "fewer than # open, found #",
            Self::MemoryInUse => "to be set up before its first use, found it in use",
            Self::RegionTooSmall | Self::LimitTooSmall => "# bytes or more, found #",
            Self::RegionTaken => "an address from # on, found #",
            Self::NotAllocated => "a block of clawft_alloc, found #",
            Self::OutputTooSmall => "room for #, found #",
            // The store's errors bring their own.
            _ => "",
        }
    }
}

/// An error whose number and sentence are kept: what is left is that there was one.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failed(());

impl Failed {
    /// Writes the sentence "`subject`: expected" and the status's text, `first` and `second`
    /// for the numbers in it.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(status: ClawftStatus, subject: &str, first: u64, second: u64) -> Self {
        let parts = [subject, ": expected ", status.text()];
        Self::write(status as i32, &parts, [first, second])
    }

    #[inline(never)]
    pub(crate) fn write(code: i32, parts: &[&str; 3], numbers: [u64; 2]) -> Self {
        with_last(|last| {
            last.write(parts, numbers);
            last.code = code;
        });
        Self(())
    }
}

impl Failed {
    /// By reference: a copy of the store's error at each call would weigh more than the call.
    #[cold]
    #[inline(never)]
    pub(crate) fn of(error: &clawft_vectors::Error) -> Self {
        let sentence = error.sentence();
        Self::write(error.code(), &[sentence.text, sentence.detail, ""], sentence.numbers)
    }
}

impl From<clawft_vectors::Error> for Failed {
    #[inline(always)]
    fn from(error: clawft_vectors::Error) -> Self {
        Self::of(&error)
    }
}

/// What the store gave, or its error kept: read where it is, as a copy of it at each call would
/// weigh more than the call.
#[inline(always)]
pub(crate) fn kept<T>(result: Result<T, clawft_vectors::Error>) -> Result<T, Failed> {
    match result {
        Ok(value) => Ok(value),
        Err(ref error) => Err(Failed::of(error)),
    }
}

/// What the store says of a call that gives nothing back.
#[inline(never)]
pub(crate) fn done(result: &Result<(), clawft_vectors::Error>) -> Result<(), Failed> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(Failed::of(error)),
    }
}

/// The error of a number that names nothing.
pub(crate) fn unknown_choice(name: &str, largest: u64, found: u32) -> Failed {
    Failed::new(ClawftStatus::UnknownChoice, name, largest, found.into())
}

/// The error of an output with room for `found` where `expected` are to be written.
pub(crate) fn too_small(name: &str, expected: u64, found: u64) -> Failed {
    Failed::new(ClawftStatus::OutputTooSmall, name, expected, found)
}

/// Keeps a sentence that is no error.
pub(crate) fn note(text: &str) {
    with_last(|last| last.write(&[text, "", ""], [0; 2]));
}

/// The number to return for `result`.
pub(crate) fn status(result: Result<(), Failed>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(Failed(())) => last(),
    }
}

/// The number of the last error.
pub(crate) fn last() -> i32 {
    with_last(|last| last.code)
}

/// Bytes of the longest sentence; a longer one is cut.
const SENTENCE_BYTES: usize = 240;

/// The last sentence, and the number of the last error.
struct Sentence {
    code: i32,
    bytes: [u8; SENTENCE_BYTES],
    len: usize,
}

impl Sentence {
    const EMPTY: Self = Self { code: 0, bytes: [0; SENTENCE_BYTES], len: 0 };

    /// Takes the place of the sentence before. Each `#` in `parts` stands for the next of
    /// `numbers`.
    fn write(&mut self, parts: &[&str; 3], numbers: [u64; 2]) {
        self.len = 0;
        let mut numbers = numbers.iter();
        for part in parts {
            for &byte in part.as_bytes() {
                match (byte, numbers.as_slice()) {
                    (b'#', [number, ..]) => {
                        self.push_number(*number);
                        numbers.next();
                    }
                    _ => self.push(byte),
                }
            }
        }
    }

    /// Sentences are ASCII, so a cut never splits a character.
    #[inline(never)]
    fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
            self.len += 1;
        }
    }

    /// The digits before the last one first: at most 20 calls deep.
    #[inline(never)]
    fn push_number(&mut self, number: u64) {
        if number > 9 {
            self.push_number(number / 10);
        }
        self.push(b'0' + (number % 10) as u8);
    }
}

#[cfg(not(target_family = "wasm"))]
fn with_last<T>(use_it: impl FnOnce(&mut Sentence) -> T) -> T {
    use core::cell::RefCell;
    std::thread_local! {
        static LAST: RefCell<Sentence> = const { RefCell::new(Sentence::EMPTY) };
    }
    LAST.with_borrow_mut(use_it)
}

#[cfg(target_family = "wasm")]
fn with_last<T>(use_it: impl FnOnce(&mut Sentence) -> T) -> T {
    use crate::lock::Exclusive;
    static LAST: Exclusive<Sentence> = Exclusive::new(Sentence::EMPTY);
    use_it(LAST.lock())
}

/// Copies the sentence of the last error (of this thread natively, of this
/// instance in WebAssembly) to `out`, cut to `cap - 1` bytes, and ends it with a
/// zero byte. ASCII, at most 240 bytes. Empty when nothing failed yet; success
/// does not clear it.
///
/// Returns the length of the whole sentence without the zero byte. With `out`
/// null or `cap` 0, or an `out` outside the memory, nothing is written.
///
/// # Safety
/// Natively `out` is null or valid for writes of `cap` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clawft_last_error(out: *mut c_char, cap: usize) -> usize {
    with_last(|last| {
        // A bad pointer here must not overwrite the sentence that is asked for.
        if crate::pointer::fits(out.cast::<u8>(), cap) {
            // SAFETY: checked; the rest is the caller's promise.
            let out = unsafe { Output::trusted(out.cast::<u8>(), cap) };
            let len = last.len.min(cap.saturating_sub(1));
            out.copy(0, last.bytes.get(..len).unwrap_or_default());
            out.set(len, 0);
        }
        last.len
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_is_cut_and_not_lost() {
        let mut sentence = Sentence::EMPTY;
        sentence.write(&[&"0123456789".repeat(20); 3], [0; 2]);
        assert_eq!(sentence.len, SENTENCE_BYTES);
        assert!(sentence.bytes.starts_with(b"0123456789012"));
        assert!(sentence.bytes.ends_with(b"6789"));
    }

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 4_294_967_295, u64::MAX] {
            let mut sentence = Sentence::EMPTY;
            sentence.push_number(number);
            let text = core::str::from_utf8(&sentence.bytes[..sentence.len]).unwrap();
            assert_eq!(text.parse(), Ok(number));
        }
    }

    #[test]
    fn numbers_take_the_places_of_the_marks() {
        let failed = Failed::new(ClawftStatus::Misaligned, "out", 8, 12);
        assert_eq!(status(Err(failed)), -103);
        let text = with_last(|last| std::vec::Vec::from(&last.bytes[..last.len]));
        assert_eq!(text, b"out: expected an address divisible by 8, found 12");
    }

    #[test]
    fn the_sentence_of_a_store_s_error_is_the_one_it_displays() {
        for error in [
            clawft_vectors::Error::Dimension { expected: 3, found: 4 },
            clawft_vectors::Error::UnknownId(u64::MAX),
            clawft_vectors::Error::Corrupt("torn"),
        ] {
            assert_eq!(status(Err(error.into())), error.code());
            let text = with_last(|last| std::vec::Vec::from(&last.bytes[..last.len]));
            assert_eq!(text, std::format!("{error}").as_bytes());
        }
    }
}
