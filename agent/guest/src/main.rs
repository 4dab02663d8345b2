//! Drives each function of the WASI platform, 0.2 or preview 1. `agent/tests/wasi.py` starts it under Wasmtime,
//! with a server of its own for each case of HTTP, and looks at what it prints and leaves behind.
//! `agent/tests/README.md` says which case drives which function.
#![forbid(unsafe_code)]

#[cfg(target_os = "wasi")]
mod files;
#[cfg(target_os = "wasi")]
mod http;
#[cfg(target_os = "wasi")]
mod rest;
#[cfg(target_os = "wasi")]
mod storage;

#[cfg(target_os = "wasi")]
fn main() {
    let wasi = clawft_agent::platform::wasi::Wasi::new();
    let platform = wasi.platform();
    let arguments = platform.environment.arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["http", case, url] => http::run(&platform, case, url),
        ["files"] => files::whole(platform.files),
        ["read-only"] => files::read_only(platform.files),
        ["relative"] => files::relative(platform.files),
        ["storage"] => storage::run(&platform),
        ["locked"] => storage::locked(&platform),
        ["environment", ..] => rest::environment(&platform),
        ["clock", now] => rest::clock(&platform, now.parse().expect("ms")),
        ["random"] => rest::random(&platform),
        ["terminal"] => rest::terminal(&platform),
        other => panic!("unknown arguments {other:?}"),
    }
}

/// Elsewhere there is nothing to drive.
#[cfg(not(target_os = "wasi"))]
fn main() {}
