//! A component that tries what the host grants and what not: the tests' stand-in for
//! `clawft.wasm`. Its first argument says what to try; see `command`.
#![cfg(all(target_os = "wasi", target_env = "p2"))]

mod http;
mod serve;

use std::io::{BufRead, IsTerminal, Write};

struct Component;

wasip2::cli::command::export!(Component);
wasip2::http::proxy::export!(Component);

impl wasip2::exports::cli::run::Guest for Component {
    fn run() -> Result<(), ()> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = command(&words);
        // A library has no end at which the standard library would do it.
        let _ = std::io::stdout().flush();
        outcome.map_err(|sentence| eprintln!("guest: {sentence}"))
    }
}

/// Tries what the words say.
fn command(words: &[&str]) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    match words {
        ["args", rest @ ..] => println!("{rest:?}"),
        ["env"] => {
            for (name, value) in std::env::vars() {
                println!("{name}={value}");
            }
        }
        ["home"] => println!("{}", home()?),
        ["import" | "read", path] => print!("{}", std::fs::read_to_string(path).map_err(said)?),
        // What is beside the file, and whether it can be changed.
        ["import", path, "--beside"] => {
            let folder = std::path::Path::new(path).parent().ok_or("a file expected")?;
            command(&["list", &folder.to_string_lossy()])?;
            println!("{:?}", std::fs::write(path, "spoiled").map_err(|error| error.kind()));
        }
        ["recall"] => command(&["read", &format!("{}/kept", home()?)])?,
        ["write", path, text] => std::fs::write(path, text).map_err(said)?,
        ["list", path] => {
            for entry in std::fs::read_dir(path).map_err(said)? {
                println!("{}", entry.map_err(said)?.file_name().to_string_lossy());
            }
        }
        // Writes into the data folder, waits for a line, and ends.
        ["remember", text] => {
            std::fs::write(format!("{}/kept", home()?), text).map_err(said)?;
            println!("ready");
            let _ = std::io::stdin().read_line(&mut String::new());
        }
        ["get", url] => http::get(url, |piece| {
            let _ = std::io::stdout().write_all(piece);
            let _ = std::io::stdout().flush();
        })?,
        // A turn for every line: asks the URL, and says how that ended.
        ["chat", url] => chat(url),
        ["grow", mebibytes] => {
            let bytes = mebibytes.parse::<usize>().unwrap_or(1) << 20;
            println!("{}", vec![1_u8; bytes].iter().filter(|byte| **byte == 1).count());
        }
        ["spin"] => {
            println!("spinning");
            loop {
                std::hint::black_box(());
            }
        }
        // As before a request is repeated.
        ["sleep", seconds] => {
            println!("sleeping");
            sleep(seconds);
            println!("awake");
        }
        ["exit", code] => wasip2::cli::exit::exit_with_code(code.parse().unwrap_or(1)),
        ["terminal"] => println!("{}", std::io::stdin().is_terminal()),
        ["connect", address] => {
            std::net::TcpStream::connect(address).map_err(said)?;
        }
        _ => return Err(format!("a thing to try expected, found {words:?}")),
    }
    Ok(())
}

fn sleep(seconds: &str) {
    sleep_nanoseconds(seconds.parse::<u64>().unwrap_or(1) * 1_000_000_000);
}

fn sleep_nanoseconds(nanoseconds: u64) {
    wasip2::clocks::monotonic_clock::subscribe_duration(nanoseconds).block();
}

/// As while another writer has the memory.
fn pause(times: &str) {
    for _ in 0..times.parse().unwrap_or(1) {
        sleep_nanoseconds(50_000_000);
    }
}

fn home() -> Result<String, String> {
    std::env::var("CLAWFT_HOME").map_err(|_| "CLAWFT_HOME expected".to_owned())
}

fn chat(url: &str) {
    let prompt = || {
        print!("> ");
        let _ = std::io::stdout().flush();
    };
    prompt();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        println!("heard {line}");
        match http::get(url, |_| {}) {
            Ok(()) => println!("answered"),
            Err(sentence) => println!("no answer: {sentence}"),
        }
        prompt();
    }
    println!("session kept");
}
