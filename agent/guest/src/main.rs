//! Drives each function of the WASI 0.2 platform. `agent/tests/wasi.py` starts it under Wasmtime,
//! with a server of its own for each case of HTTP, and looks at what it prints and leaves behind.
//! `agent/tests/README.md` says which case drives which function.
#![forbid(unsafe_code)]

#[cfg(target_env = "p2")]
mod files;
#[cfg(target_env = "p2")]
mod http;
#[cfg(target_env = "p2")]
mod rest;
#[cfg(target_env = "p2")]
mod storage;

#[cfg(target_env = "p2")]
fn main() {
    let wasi = clawft_agent::platform::wasi_p2::Wasi::new();
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
#[cfg(not(target_env = "p2"))]
fn main() {}
