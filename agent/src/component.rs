//! The exports: of the component, over WASI 0.2, and of the core module, over preview 1.
//!
//! | file | what |
//! |---|---|
//! | `abi`, `status` | `clawft_*`: C functions of the core module, that inside the component included |
//! | `given` | the config that the host gave |
//! | `heap` | the allocator |
//!
//! In the component only:
//!
//! | file | what |
//! |---|---|
//! | `bindings` | what is made of `wit/clawft.wit` |
//! | `run` | `wasi:cli/run`: the command |
//! | `handler` | `wasi:http/incoming-handler`: requests about the memory |
//! | `agent` | `clawft:memory/agent`: talks, and the memory of a data folder |
//! | `memory` | `clawft:memory/memory`: a store as a resource |
//! | `gate` | `clawft:memory/gate`, with the feature `coherence`: decisions and the quarantine |
//! | `refusal` | the store's errors as `clawft:memory/errors` has them |
//!
//! Here the platform is chosen, and only here. What it must never do: trap on what a caller gives.

mod abi;
#[cfg(target_env = "p2")]
mod agent;
#[cfg(all(target_env = "p2", feature = "coherence"))]
mod gate;
mod given;
#[cfg(target_env = "p2")]
mod handler;
pub(crate) mod heap;
#[cfg(target_env = "p2")]
mod memory;
#[cfg(target_env = "p2")]
mod refusal;
#[cfg(target_env = "p2")]
mod run;
mod status;

/// Made of the WIT.
#[cfg(target_env = "p2")]
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_qualifications,
    clippy::undocumented_unsafe_blocks,
    reason = "the macro writes it so"
)]
mod bindings {
    #[cfg(not(feature = "coherence"))]
    wit_bindgen::generate!({ path: "../wit", world: "exports" });
    #[cfg(feature = "coherence")]
    wit_bindgen::generate!({ path: "../wit", world: "exports-with-gate" });
}

/// Whose functions are exported.
#[cfg(target_env = "p2")]
struct Component;

#[cfg(target_env = "p2")]
bindings::export!(Component with_types_in bindings);
#[cfg(target_env = "p2")]
wasip2::cli::command::export!(Component);
#[cfg(target_env = "p2")]
wasip2::http::proxy::export!(Component);

/// A bug of ours ends the call in a trap, which the host sees.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// `memcmp` and its kind, where `compiler_builtins` does not bring them.
#[link(name = "c")]
unsafe extern "C" {}
