//! `clawft_*`: the agent for hosts that speak to a core module.
//!
//! The core module for WASI preview 1 is used like this; the one inside the component has the same
//! functions, for whoever unpacks it. Component hosts do not see them.
//!
//! Texts go in by address and length, in memory from `clawft_alloc` or anywhere else in the
//! module's memory; what comes out is one text, the output or the sentence of the failure, until
//! the next `clawft_init` or `clawft_run`.
//!
//! What it must never do: take an address that leads outside of memory, or keep one.

#![allow(
    unreachable_pub,
    reason = "what is public here goes into the header; of this crate it is nobody's"
)]

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_void;
use core::ptr::null_mut;

use super::given;
use super::heap::{Unsettled, has_memory, settle};
use super::status::{CLAWFT_AGENT_ABI_VERSION, ClawftAgentStatus as Status};
use crate::command;
use crate::failure::Failure;
use crate::json::{self, Unread};
use crate::platform::wasi::Wasi;
use crate::platform::{Platform, Terminal};
use crate::room;

/// Bytes that go in, or come out, at most.
const MOST: usize = 1 << 20;
/// Bytes that the host cannot have: for sentences.
const OURS: usize = 64 << 10;
/// Bytes that must be there when a call begins: with less, what is small would end in a trap.
const LEAST: usize = 1 << 20;
/// Words that a command line has at most.
const WORDS: usize = 1000;
/// The session of a bare message.
const SESSION: &str = "default";

/// What is kept between calls.
struct Kept {
    /// What came of the last one.
    output: String,
    is_ready: bool,
    /// Blocks that the host has.
    lent: Vec<Vec<u8>>,
}

struct Instance(RefCell<Kept>);

// SAFETY: an instance has one thread.
unsafe impl Sync for Instance {}

static INSTANCE: Instance =
    Instance(RefCell::new(Kept { output: String::new(), is_ready: false, lent: Vec::new() }));

/// The refusal of a call, and its sentence.
type Refusal = (Status, String);

/// Gives `CLAWFT_AGENT_ABI_VERSION`: whoever finds another number than that of the header knows
/// another module.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_abi_version() -> u32 {
    CLAWFT_AGENT_ABI_VERSION
}

/// Gives the module its memory: the region of `size` bytes from `base` on, which from now on is the
/// module's for good, or, with a `base` of 0, linear memory up to `size` bytes in all, stack and data
/// included. At most once, before any other function; without it memory grows up to the module's
/// maximum. `CLAWFT_AGENT_MEMORY_IN_USE`, `CLAWFT_AGENT_REGION_TOO_SMALL`, also for a region of less
/// than 64 KiB. It has no sentence.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_init_memory(base: *mut c_void, size: usize) -> i32 {
    // SAFETY: the host, whose memory it is, says so.
    match unsafe { settle(base as usize, size) } {
        Ok(()) => Status::Ok as i32,
        Err(Unsettled::InUse) => Status::MemoryInUse as i32,
        Err(Unsettled::Region) => Status::RegionTooSmall as i32,
    }
}

/// A block of `size` zero bytes, the host's until it gives it back; null where there is no memory
/// for it.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_alloc(size: usize) -> *mut c_void {
    let lent = &mut INSTANCE.0.borrow_mut().lent;
    let mut block = Vec::new();
    // Of no bytes it would have no address of its own.
    let size = size.max(1);
    if lent.try_reserve(1).is_err()
        || block.try_reserve_exact(size).is_err()
        || !has_memory(OURS, OURS, 1)
    {
        return null_mut();
    }
    block.resize(size, 0);
    let address = block.as_mut_ptr();
    lent.push(block);
    address.cast()
}

/// Takes a block of `clawft_alloc` back, and clears it; null is allowed. Time in proportion to the
/// blocks that are lent. `CLAWFT_AGENT_NOT_ALLOCATED`. It has no sentence.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_free(block: *mut c_void) -> i32 {
    if block.is_null() {
        return Status::Ok as i32;
    }
    let lent = &mut INSTANCE.0.borrow_mut().lent;
    match lent.iter().position(|one| core::ptr::eq(one.as_ptr(), block.cast_const().cast())) {
        Some(at) => {
            lent.swap_remove(at);
            Status::Ok as i32
        }
        None => Status::NotAllocated as i32,
    }
}

/// Takes the text of a config, as `config.toml` is written; of no bytes: the config is that of the
/// data folder. Once; after a failure again. The text is copied.
///
/// `CLAWFT_AGENT_CONFIG`, with line and key in the sentence, `CLAWFT_AGENT_INITIALISED`,
/// `CLAWFT_AGENT_FAILED` where less than 1 MiB of memory is left, and what a text may be wrong with:
/// `CLAWFT_AGENT_NULL_POINTER`, `CLAWFT_AGENT_OUT_OF_RANGE`, `CLAWFT_AGENT_INVALID_TEXT`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_init(config: *const u8, len: usize) -> i32 {
    ended(init(config as usize, len).map(|()| String::new()))
}

/// Does what the input says: a message of the session `default`, which is answered, or, if it begins
/// with `[`, blanks before it left out, a JSON array of at most 1,000 strings, the arguments of the
/// command `clawft`: `["recall","-k","3","tea"]`, `["ask","--json","Who?"]`. docs/agent.md lists them;
/// nobody is asked for a confirmation, and what needs one is not done. A message that begins so is one
/// of the strings: `["ask","--session","default","[sic] is Latin"]`.
///
/// What the command prints is the output, and goes to standard output as it comes: there an answer
/// can be read while it is made. Notes go to standard error. The input is copied.
///
/// All codes from `CLAWFT_AGENT_FAILED` to `CLAWFT_AGENT_NOT_INITIALISED`, which say what the
/// command's exit codes say; `CLAWFT_AGENT_OUTPUT_TOO_SMALL`, when it is done and the output is cut:
/// that is what `clawft_output` gives then, and no sentence; and what a text may be wrong with, as for
/// `clawft_init`.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_run(input: *const u8, len: usize) -> i32 {
    ended(run(input as usize, len))
}

/// Where the text of the last `clawft_init` or `clawft_run` lies, valid until the next one of these:
/// the output of one that succeeded, its beginning where that was `CLAWFT_AGENT_OUTPUT_TOO_SMALL`, the
/// sentence of one that did not. UTF-8, without a zero byte at its end.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_output() -> *const u8 {
    INSTANCE.0.borrow().output.as_ptr()
}

/// How many bytes it has.
#[unsafe(no_mangle)]
pub extern "C" fn clawft_output_len() -> usize {
    INSTANCE.0.borrow().output.len()
}

/// Keeps what came of a call.
fn ended(done: Result<String, Refusal>) -> i32 {
    let (status, output) = match done {
        Ok(output) => (Status::Ok, output),
        Err(refusal) => refusal,
    };
    INSTANCE.0.borrow_mut().output = output;
    status as i32
}

#[cold]
fn refused(status: Status, sentence: &str) -> Refusal {
    (status, sentence.into())
}

#[cold]
fn no_memory() -> Refusal {
    refused(Status::Failed, "there is not enough memory for this call")
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        (failure.exit.into(), failure.into_sentence())
    }
}

/// A copy of a text of the host's.
fn text(address: usize, len: usize) -> Result<String, Refusal> {
    let memory = core::arch::wasm32::memory_size::<0>() << 16;
    if !has_memory(LEAST, OURS, u32::MAX) {
        return Err(no_memory());
    }
    if len == 0 {
        return Ok(String::new());
    }
    if address == 0 {
        return Err(refused(Status::NullPointer, "an address expected, found 0"));
    }
    if address.checked_add(len).is_none_or(|end| end > memory) {
        return Err(refused(Status::OutOfRange, "a text inside of memory expected"));
    }
    if len > MOST {
        return Err(refused(Status::InvalidText, "a text of at most 1 MiB expected"));
    }
    let mut copy = Vec::new();
    if copy.try_reserve_exact(len).is_err() {
        return Err(no_memory());
    }
    // SAFETY: it lies in memory, and the host, which waits, does not write to it.
    copy.extend_from_slice(unsafe { core::slice::from_raw_parts(address as *const u8, len) });
    String::from_utf8(copy).map_err(|_| refused(Status::InvalidText, "a text in UTF-8 expected"))
}

fn init(address: usize, len: usize) -> Result<(), Refusal> {
    if INSTANCE.0.borrow().is_ready {
        return Err(refused(Status::Initialised, "clawft_init was called before, and succeeded"));
    }
    let config = text(address, len)?;
    given::take((len != 0).then_some(config))?;
    INSTANCE.0.borrow_mut().is_ready = true;
    Ok(())
}

/// The words of a command line.
fn words(input: String) -> Result<Vec<String>, Refusal> {
    if !input.trim_start().starts_with('[') {
        return Ok(Vec::from([
            "ask".into(),
            "--session".into(),
            SESSION.into(),
            "--".into(),
            input,
        ]));
    }
    // One sentence: whoever reads the array stops at what is too much as at what is no JSON.
    let expected = "a message or a JSON array of strings, 1000 at most, expected";
    let wrong = || refused(Status::Usage, expected);
    let read = json::read(input.as_bytes(), 1 + WORDS).map_err(|why| match why {
        Unread::NoMemory => refused(Status::Failed, room::NONE),
        Unread::Broken(_) => wrong(),
    })?;
    let mut words = Vec::new();
    for word in read.as_list().ok_or_else(wrong)? {
        words.push(word.as_text().ok_or_else(wrong)?.into());
    }
    Ok(words)
}

fn run(address: usize, len: usize) -> Result<String, Refusal> {
    if !INSTANCE.0.borrow().is_ready {
        return Err(refused(Status::NotInitialised, "clawft_init expected before clawft_run"));
    }
    let words = words(text(address, len)?)?;
    let wasi = Wasi::new();
    let platform = wasi.platform();
    let listener = Listener { outside: platform.terminal, heard: RefCell::default() };
    let platform = Platform { terminal: &listener, ..platform };
    let exit = command::carry_out(&platform, &words, given::get().as_deref())?;
    let Heard { text, is_cut } = listener.heard.into_inner();
    match (exit, is_cut) {
        (Some(exit), _) => Err(refused(exit.into(), "this is not all of it: the notes say why")),
        (None, true) => Err((Status::OutputTooSmall, text)),
        (None, false) => Ok(text),
    }
}

/// What was printed.
#[derive(Default)]
struct Heard {
    text: String,
    is_cut: bool,
}

/// Hears what goes to the terminal. Nobody is there to be asked.
struct Listener<'a> {
    outside: &'a dyn Terminal,
    heard: RefCell<Heard>,
}

impl Terminal for Listener<'_> {
    fn print(&self, text: &str) {
        self.outside.print(text);
        let heard = &mut *self.heard.borrow_mut();
        let fits = heard.text.len() + text.len() <= MOST;
        if heard.is_cut || !fits || heard.text.try_reserve(text.len()).is_err() {
            heard.is_cut = true;
            return;
        }
        heard.text.push_str(text);
    }

    fn note(&self, text: &str) {
        self.outside.note(text);
    }

    fn line(&self) -> Option<String> {
        None
    }

    fn is_interactive(&self) -> bool {
        false
    }
}
