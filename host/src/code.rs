//! The compiled component, used where it lies in the program.
//!
//! Wasmtime copies what it is given as bytes: 1.5 MB of memory that every process would have for
//! itself, and a part of the start. The bytes are linked at the beginning of a page instead, so
//! that the pages with code in them can be made executable in place: all processes share them,
//! and those that nobody touches are never read. Where there is no `mprotect`, they are copied.
//!
//! What it must never do: make a page writable, or take for code what our own build did not make.

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Bytes at the beginning of a page, of the largest that the target's systems have.
#[cfg_attr(target_arch = "x86_64", repr(C, align(4096)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C, align(65536)))]
struct Pages<T: ?Sized>(T);

/// The component, compiled for [`engine`](crate::engine::engine); empty when the host was built
/// without one.
static COMPONENT: &Pages<[u8]> = &Pages(*include_bytes!(env!("CLAWFT_COMPILED")));

#[cfg(unix)]
mod in_place {
    use rustix::mm::{MprotectFlags, mprotect};
    use wasmtime::CustomCodeMemory;

    /// Makes pages of the program executable.
    pub(super) struct InPlace;

    fn protect(from: *const u8, bytes: usize, flags: MprotectFlags) -> wasmtime::Result<()> {
        // SAFETY: Wasmtime names a part of what it was given, which is `COMPONENT` alone, and from
        // there on whole pages. They stay readable, and nobody ever writes them.
        Ok(unsafe { mprotect(from.cast_mut().cast(), bytes, flags) }?)
    }

    impl CustomCodeMemory for InPlace {
        fn required_alignment(&self) -> usize {
            rustix::param::page_size()
        }

        fn publish_executable(&self, from: *const u8, bytes: usize) -> wasmtime::Result<()> {
            protect(from, bytes, MprotectFlags::READ | MprotectFlags::EXEC)
        }

        fn unpublish_executable(&self, from: *const u8, bytes: usize) -> wasmtime::Result<()> {
            protect(from, bytes, MprotectFlags::READ)
        }
    }
}

/// Tells the engine that code lies in the program.
pub(crate) fn in_place(config: &mut Config) {
    #[cfg(unix)]
    config.with_custom_code_memory(Some(std::sync::Arc::new(in_place::InPlace)));
    #[cfg(not(unix))]
    let _ = config;
}

/// Whether the host was built without a component.
pub(crate) fn is_missing() -> bool {
    COMPONENT.0.is_empty()
}

/// The component, for an engine that [`in_place()`] was said to.
///
/// # Errors
/// What Wasmtime says of one that was compiled for another engine.
pub(crate) fn component(engine: &Engine) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are those that our own build made with `precompile_component`; they are
    // part of this program as its code is, for as long as it runs, and nobody writes them.
    unsafe {
        match cfg!(unix) {
            true => Component::deserialize_raw(engine, std::ptr::NonNull::from(&COMPONENT.0)),
            false => Component::deserialize(engine, &COMPONENT.0),
        }
    }
}
