//! The host with the component that ships, seen from outside: what becomes of the memory when
//! something goes wrong around it, and what is said of `serve`.
#![cfg(unix)]

mod anywhere;
mod killed;
#[allow(dead_code, reason = "it is that of the other tests, and serves more than these")]
#[path = "../e2e/place.rs"]
mod place;
mod refused;
mod serve;

/// The variable with the host that has the agent.
const HOST: &str = "CLAWFT_AGENT";
