//! Writes a larger data set made from the sample, and prints how hard it is.
//!
//!     cargo run --release -p clawft-benches --bin generate -- COUNT BASE.npy QUERIES.npy
//!
//! `BASE.npy` gets COUNT mixtures, `QUERIES.npy` 1,000 others; both f32. The
//! demo and the peers take them with `--base` and `--queries`.

#![forbid(unsafe_code)]

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clawft_benches::{
    dimension,
    mixture::mixture,
    sample::{self, Rows},
};

const QUERIES: usize = 1_000;
/// Probes for the dimension: enough for a standard error of about 0.5.
const PROBES: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (count, base, queries) = match arguments.as_slice() {
        [count, base, queries] => (count.parse().ok().filter(|&n: &usize| n > 0), base, queries),
        _ => return fail("expected three arguments: COUNT BASE.npy QUERIES.npy"),
    };
    let Some(count) = count else {
        return fail(&format!("expected a count of at least 1, found {}", arguments[0]));
    };
    match generate(count, base, queries) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(what: &str) -> ExitCode {
    eprintln!("generate: {what}");
    ExitCode::FAILURE
}

fn generate(count: usize, base: &str, queries: &str) -> io::Result<()> {
    let sample = sample::base()?;
    let (rows, probes) = (mixture(&sample, count, 1), mixture(&sample, QUERIES, 2));
    write(base, &rows)?;
    write(queries, &probes)?;
    match dimension::intrinsic(&rows, probes.iter().take(PROBES)) {
        Some(found) => {
            println!(
                "{count} x {}, intrinsic dimension {found:.1} (k = {})",
                rows.dim,
                dimension::K
            );
        }
        None => println!("{count} x {}, too few for a dimension", rows.dim),
    }
    Ok(())
}

/// A `.npy` of version 1, little-endian f32.
fn write(path: &str, rows: &Rows) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
        rows.len(),
        rows.dim
    );
    // The numbers start at a multiple of 64, after a line's end.
    let padding = 64 - (10 + header.len() + 1) % 64;
    header.push_str(&" ".repeat(padding % 64));
    header.push('\n');
    let mut file = BufWriter::new(File::create(path).map_err(named)?);
    file.write_all(b"\x93NUMPY\x01\x00").map_err(named)?;
    file.write_all(&(header.len() as u16).to_le_bytes()).map_err(named)?;
    file.write_all(header.as_bytes()).map_err(named)?;
    for x in &rows.flat {
        file.write_all(&x.to_le_bytes()).map_err(named)?;
    }
    file.flush().map_err(named)
}
