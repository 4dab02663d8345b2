//! What the C functions return, as `include/clawft_agent.h` has it.
//!
//! Why: a failure of the command is -300 less its exit code, so that a host needs no second
//! table; what the kernel's functions refuse too has its number in `clawft.h`. The header is
//! made of this file.
//!
//! What it must never do: give a number another meaning, or the number of an old status to a
//! new one.

#![allow(
    unreachable_pub,
    reason = "what is public here goes into the header; of this crate it is nobody's"
)]

use crate::failure::Exit;

/// The version of this ABI. It changes when a function, a struct or the meaning of a number changes;
/// functions, operations and codes may be added without.
pub const CLAWFT_AGENT_ABI_VERSION: u32 = 1;

/// The numbers that functions return. Stable; those above -300 are those of `clawft.h`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClawftAgentStatus {
    /// Done.
    Ok = 0,
    /// An address of 0 with a length.
    NullPointer = -102,
    /// Bytes that do not lie inside of memory.
    OutOfRange = -104,
    /// Memory was settled, or used, before.
    MemoryInUse = -109,
    /// The region has less than 64 KiB, is not memory, or is the module's own.
    RegionTooSmall = -110,
    /// No block of `clawft_alloc`, or one that was given back.
    NotAllocated = -113,
    /// Done, but the output has more than 1 MiB, or than memory has room for, and is cut. Standard
    /// output had all of it.
    OutputTooSmall = -114,
    /// No UTF-8, or more than 1 MiB of it.
    InvalidText = -115,
    /// The outside refused: a full disk, a folder that may only be read.
    Failed = -301,
    /// The input cannot be understood.
    Usage = -302,
    /// The config cannot be used.
    Config = -303,
    /// Nothing was found: no memory for a question, no record of an id.
    Nothing = -304,
    /// The provider gave no whole answer.
    Provider = -305,
    /// Another program writes the memory.
    Busy = -306,
    /// A file is damaged.
    Damaged = -307,
    /// There is no embedder, or another than the one that the memory was made with.
    Embedder = -308,
    /// `clawft_run` before `clawft_init`.
    NotInitialised = -309,
    /// `clawft_init` after one that succeeded.
    Initialised = -310,
}

impl From<Exit> for ClawftAgentStatus {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::Failed,
            Exit::Usage => Self::Usage,
            Exit::Config => Self::Config,
            Exit::Nothing => Self::Nothing,
            Exit::Provider => Self::Provider,
            Exit::Busy => Self::Busy,
            Exit::Damaged => Self::Damaged,
            Exit::Embedder => Self::Embedder,
        }
    }
}
