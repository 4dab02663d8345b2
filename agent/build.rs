//! The memory of the component and of the core module: what it may have at most, and the stack in it.

#![forbid(unsafe_code)]

use std::env::var;

/// Bytes of linear memory at most.
const MEMORY: u32 = 16 << 20;
/// Bytes of the stack in it.
const STACK: u32 = 128 << 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "wasi") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MEMORY}");
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
