//! `clawft_*` in the core module: for hosts that unpack the component and speak to its core.
//!
//! A component cannot export C functions; these stay in the core module, where component hosts do
//! not see them. Texts go in by address and length, in memory from `clawft_alloc`; what comes out
//! is one text, the answer or the sentence of the error, until the next call.
//!
//! | function | what |
//! |---|---|
//! | `clawft_init_memory` | where memory comes from; once, before all else |
//! | `clawft_alloc`, `clawft_free` | a block for a text |
//! | `clawft_init` | the text of a config, or nothing: that of the data folder |
//! | `clawft_run` | a message of the session `default` |
//! | `clawft_output`, `clawft_output_len` | what came out |
//!
//! What it must never do: take an address that leads outside of memory.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::agent;
use super::heap::{Unsettled, settle};
use crate::failure::{Exit, Failure};

/// As in `clawft.h`.
const MEMORY_IN_USE: i32 = -109;
const REGION_TOO_SMALL: i32 = -110;

/// What the last call gave.
struct Output(RefCell<String>);

// SAFETY: an instance has one thread.
unsafe impl Sync for Output {}

static OUTPUT: Output = Output(RefCell::new(String::new()));

/// Gives the module its memory: the region of `size` bytes from `base` on, or, with a `base` of 0,
/// linear memory up to `size` bytes in all. Once, before anything else is called.
#[unsafe(no_mangle)]
extern "C" fn clawft_init_memory(base: usize, size: usize) -> i32 {
    // SAFETY: the host, whose memory it is, says so.
    match unsafe { settle(base, size) } {
        Ok(()) => 0,
        Err(Unsettled::InUse) => MEMORY_IN_USE,
        Err(Unsettled::Region) => REGION_TOO_SMALL,
    }
}

/// A block for a text of `len` bytes; 0 where there is no memory for it.
#[unsafe(no_mangle)]
extern "C" fn clawft_alloc(len: usize) -> usize {
    let mut block = Vec::<u8>::new();
    if block.try_reserve_exact(len.max(1)).is_err() {
        return 0;
    }
    block.leak().as_mut_ptr() as usize
}

/// Gives a block of `clawft_alloc` back, with the same `len`.
///
/// # Safety
/// It is one, and nobody uses it any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn clawft_free(block: usize, len: usize) {
    if block != 0 {
        // SAFETY: the caller's promise: `clawft_alloc` reserved just this.
        drop(unsafe { Vec::from_raw_parts(block as *mut u8, 0, len.max(1)) });
    }
}

/// A text of the host's.
fn text(address: usize, len: usize) -> Result<String, Failure> {
    let memory = core::arch::wasm32::memory_size::<0>() << 16;
    if address.checked_add(len).is_none_or(|end| end > memory) {
        return Err(Failure::new(Exit::Usage, "a text inside of memory expected"));
    }
    if len == 0 {
        return Ok(String::new());
    }
    // SAFETY: it lies in memory, and the host, which waits, does not write to it.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, len) };
    String::from_utf8(bytes.into())
        .map_err(|_| Failure::new(Exit::Usage, "a text in UTF-8 expected"))
}

/// Keeps what came of a call; 0, or the exit code, negative.
fn ended(done: Result<String, Failure>) -> i32 {
    let (code, output) = match done {
        Ok(output) => (0, output),
        Err(failure) => (-(failure.exit as i32), failure.into_sentence()),
    };
    *OUTPUT.0.borrow_mut() = output;
    code
}

/// Takes the text of a config; of no bytes: the config is that of the data folder.
#[unsafe(no_mangle)]
extern "C" fn clawft_init(config: usize, len: usize) -> i32 {
    let config = text(config, len).map(|text| (len != 0).then_some(text));
    ended(config.and_then(agent::init).map(|()| String::new()))
}

/// Answers a message in the session `default`.
#[unsafe(no_mangle)]
extern "C" fn clawft_run(message: usize, len: usize) -> i32 {
    let said = text(message, len).and_then(|message| agent::say("default", &message));
    ended(said.map(|turn| turn.text))
}

/// Where the text of the last call lies, until the next one.
#[unsafe(no_mangle)]
extern "C" fn clawft_output() -> *const u8 {
    OUTPUT.0.borrow().as_ptr()
}

/// How many bytes it has.
#[unsafe(no_mangle)]
extern "C" fn clawft_output_len() -> usize {
    OUTPUT.0.borrow().len()
}
