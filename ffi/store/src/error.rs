//! Error codes and sentences of the memory.
//!
//! What: the codes that the functions here return beyond those of `enum CLAWFT`. They are the
//! store's own numbers (from -201 on), those of the tensors (from -251 on), and two of this
//! boundary. What travels is the number alone: the sentence is kept where the error was found.
//!
//! What it must never do: change or reuse a number.

use clawft::parts;
#[cfg(feature = "memory")]
use clawft_store::memory::Refusal;
use core::num::NonZeroI32;

/// The numbers that the functions of a memory return beyond those of `enum CLAWFT`.
#[repr(i32)]
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ClawftMemoryStatus {
    /// A text is not UTF-8.
    InvalidText = -115,
    /// The storage called back into a function of the memory.
    Busy = -116,
    /// The storage: no file of that name.
    NotFound = -201,
    /// The storage: a file of that name is there already.
    Exists = -202,
    /// The storage: no space is left.
    NoSpace = -203,
    /// The storage: it is read-only.
    StorageReadOnly = -204,
    /// The storage: no such open file, or a name that is not allowed.
    BadFile = -205,
    /// The storage: the device failed, or it returned a number that means nothing.
    StorageFailed = -206,
    /// A part of a record is beyond its limit.
    Limit = -211,
    /// A part of a record is not what it may be.
    BadRecord = -212,
    /// The changes since the last commit take all the room there is: commit first.
    BatchFull = -213,
    /// There is no such file.
    NoFile = -214,
    /// The file is not RVF.
    NotRvf = -215,
    /// The file is of an unknown version.
    UnknownVersion = -216,
    /// The file is RVF of a kind that is not served.
    Unsupported = -217,
    /// The file is damaged; the sentence says where.
    Damaged = -218,
    /// The memory was opened for reading only.
    ReadOnly = -219,
    /// Another writer changed the file: open it again and repeat the changes.
    Conflict = -220,
    /// Another writer has the lease.
    LeaseHeld = -221,
    /// An earlier write failed half way: what is committed can be read; open again to write.
    Stopped = -222,
    /// The index of words has reached its limit.
    WordsFull = -231,
    /// There is not enough memory for the call.
    NoMemory = -232,
    /// A recall asks neither for a vector nor for words.
    NothingAsked = -233,
    /// Headroom or coarseness of a tensor out of range.
    BadDrift = -251,
    /// The tensor has no such frame.
    NoFrame = -252,
}

/// An error whose number and sentence are kept. Never 0, so that an outcome is one register.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failed(NonZeroI32);

/// What a call gives.
pub(crate) type Outcome<T> = Result<T, Failed>;

impl Failed {
    /// Keeps "`subject`: expected `text`", `first` and `second` for the marks in it.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(code: i32, subject: &str, text: &str, first: u64, second: u64) -> Self {
        Self::kept(parts::refuse(code, &[subject, ": expected ", text], [first, second]))
    }

    /// The error whose code and sentence are kept already.
    pub(crate) fn kept(code: i32) -> Self {
        // No code is 0.
        Self(NonZeroI32::new(code).unwrap_or(NonZeroI32::MIN))
    }

    /// The error that was kept last.
    #[cold]
    #[inline(never)]
    pub(crate) fn last() -> Self {
        Self::kept(parts::last())
    }

    /// The error of `bytes` that there is no memory for.
    #[cold]
    #[inline(never)]
    pub(crate) fn no_memory(bytes: u64) -> Self {
        let code = ClawftMemoryStatus::NoMemory as i32;
        Self::new(code, "memory", "room for # bytes more, found less", bytes, 0)
    }

    /// The error of a number that names nothing.
    pub(crate) fn unknown_choice(name: &str, largest: u64, found: u32) -> Self {
        let code = clawft::ClawftStatus::UnknownChoice as i32;
        Self::new(code, name, "a number from 0 to #, found #", largest, found.into())
    }
}

/// `Ok` for 0, else the error whose sentence is kept already.
pub(crate) fn checked(code: i32) -> Outcome<()> {
    match NonZeroI32::new(code) {
        None => Ok(()),
        Some(code) => Err(Failed(code)),
    }
}

#[cfg(feature = "memory")]
impl From<Refusal> for Failed {
    #[cold]
    #[inline(never)]
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.sentence();
        let parts = [sentence.text, sentence.detail, ""];
        Self::kept(parts::refuse(refusal.code(), &parts, sentence.numbers))
    }
}

/// The number to return.
pub(crate) fn status(outcome: Outcome<()>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(Failed(code)) => code.get(),
    }
}
