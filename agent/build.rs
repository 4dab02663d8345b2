//! The component's memory: what it may have at most, and the stack in it.

use std::env::var;

/// Bytes of linear memory at most.
const MEMORY: u32 = 16 << 20;
/// Bytes of the stack in it.
const STACK: u32 = 128 << 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "p2") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MEMORY}");
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
