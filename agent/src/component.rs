//! The exports of the component, over WASI 0.2.
//!
//! | file | what |
//! |---|---|
//! | `bindings` | what is made of `wit/clawft.wit` |
//! | `run` | `wasi:cli/run`: the command |
//! | `handler` | `wasi:http/incoming-handler`: requests about the memory |
//! | `agent` | `clawft:memory/agent`: talks, and the memory of a data folder |
//! | `memory` | `clawft:memory/memory`: a store as a resource |
//! | `refusal` | the store's errors as `clawft:memory/errors` has them |
//! | `abi` | `clawft_*`: functions of the core module, for who unpacks it |
//! | `heap` | the allocator |
//!
//! Here the platform is chosen, and only here. What it must never do: trap on what a caller gives.

mod abi;
mod agent;
mod handler;
pub(crate) mod heap;
mod memory;
mod refusal;
mod run;

/// Made of the WIT.
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_qualifications,
    clippy::undocumented_unsafe_blocks
)]
mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "exports" });
}

/// Whose functions are exported.
struct Component;

bindings::export!(Component with_types_in bindings);
wasip2::cli::command::export!(Component);
wasip2::http::proxy::export!(Component);

/// A bug of ours ends the call in a trap, which the host sees.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// `memcmp` and its kind, where `compiler_builtins` does not bring them.
#[link(name = "c")]
unsafe extern "C" {}
