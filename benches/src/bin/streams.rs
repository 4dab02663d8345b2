//! Prints the first writes of a stream from its onset, for reading.
//!
//!     cargo run -p clawft-benches --bin streams -- [open|held] [KIND] [SEED] [COUNT]
//!
//! KIND is consistent, contradiction, poison, instruction or repetition; all of them if none is
//! named. Whoever builds a gate reads only the open half, which is what is printed by default.

#![forbid(unsafe_code)]

use clawft_benches::streams::{Half, Kind, LENGTH, stream};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let half = match arguments.first().map(String::as_str) {
        Some("held") => Half::Held,
        _ => Half::Open,
    };
    let seed = arguments.get(2).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let count = arguments.get(3).and_then(|count| count.parse().ok()).unwrap_or(20);
    for kind in Kind::ALL {
        let name = format!("{kind:?}").to_lowercase();
        if arguments.get(1).is_some_and(|wanted| *wanted != name) {
            continue;
        }
        let stream = stream(kind, half, seed, LENGTH);
        println!("{name}, {half:?}, seed {seed}, {:?}, denies {:?}", stream.manner, stream.denied);
        let start = stream.onset().unwrap_or(0);
        for (at, write) in stream.writes.iter().enumerate().skip(start).take(count) {
            println!(
                "{at:4} s{} {:?} {:?}\n     {:?}",
                write.session, write.truth, write.source, write.text
            );
        }
    }
}
