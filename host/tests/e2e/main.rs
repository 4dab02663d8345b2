//! The host, with the component of the tests in it: what is granted, what is not, and how things
//! end. Everything is seen from outside, as a person or a script would.
#![cfg(unix)]

mod client;
mod gone;
mod grants;
mod interrupt;
mod limits;
mod place;
mod serve;
mod terminal;
mod writer;

/// The variable with the host that has the tests' component.
const HOST: &str = "CLAWFT_HOST";
