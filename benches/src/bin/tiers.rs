//! The codes of the tiers on real data: bytes, errors, recall, speed; and the stream form.
//!
//!     cargo run --release -p clawft-benches --bin tiers -- [FOLDER]
//!
//! The folder holds `base.f16.npy` and `queries.f16.npy`; `data/` if none is named.

#![forbid(unsafe_code)]

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clawft_benches::{
    exact,
    sample::{self, Rows},
};
use clawft_codes::{
    Rotation, Width, decode_tiered, dot_tiered, encode_query_i8, encode_tiered, padded,
    tensor::{Drift, Tensor, tensor_bytes},
    tiered_bytes, tiered_error,
};

/// Queries of the recall, which takes an exact scan for each.
const QUERIES: usize = 200;
const K: usize = 10;
/// Frames of a stream, and steps from one row of the base to the next in the slow one.
const FRAMES: usize = 1000;
const STEPS: usize = 32;
const SEED: u64 = 1;

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(sample::folder, PathBuf::from);
    match measure(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tiers: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path) -> io::Result<()> {
    let base = sample::read(&folder.join("base.f16.npy"))?;
    let queries = sample::read(&folder.join("queries.f16.npy"))?;
    let rotated = rotate(&base);
    let rotated_queries = rotate(&queries);
    let truth: Vec<HashSet<usize>> = (0..QUERIES.min(queries.len()))
        .map(|q| {
            exact::nearest(&base, queries.row(q), K).iter().map(|hit| hit.1 as usize).collect()
        })
        .collect();

    println!(
        "{} x {}, of length 1; errors of a component and, relative to its length, of a vector",
        base.len(),
        base.dim
    );
    println!(
        "| bits | bytes | ratio | RMS | largest | vector: mean | largest | of its bound | recall@{K} | without rotation: RMS | recall@{K} | us a dot |"
    );
    for width in Width::ALL {
        let codes = Codes::new(width, &rotated);
        let found = codes.errors(&rotated);
        let plain_codes = Codes::new(width, &base);
        let plain = plain_codes.errors(&base);
        let (plain_recall, _) = plain_codes.recall(&queries, &truth);
        let (recall, micros) = codes.recall(&rotated_queries, &truth);
        println!(
            "| {} | {} | {:.2} | {:.5} | {:.5} | {:.4} | {:.4} | {:.2} | {recall:.3} | {:.5} | {plain_recall:.3} | {micros:.2} |",
            width.bits(),
            codes.bytes,
            (4 * base.dim) as f64 / codes.bytes as f64,
            found.rms,
            found.largest,
            found.vector_mean,
            found.vector_largest,
            found.of_bound,
            plain.rms,
        );
    }

    println!("\nThe stream form, {FRAMES} frames of {} components, no rotation", base.dim);
    println!(
        "| frames | bits | segments | bytes a frame | ratio | RMS | a frame's error at most |"
    );
    let fast: Vec<Vec<f32>> = base.iter().take(FRAMES).map(<[f32]>::to_vec).collect();
    // Ten times as large at the end.
    let grown = |(i, frame): (usize, &Vec<f32>)| {
        frame.iter().map(|x| x * 10f32.powf(i as f32 / FRAMES as f32)).collect()
    };
    let slow = slow(&base);
    let growing = slow.iter().enumerate().map(grown).collect();
    for (name, frames) in [("slow", slow), ("slow, growing", growing), ("unrelated", fast)] {
        for width in Width::ALL {
            stream(name, width, &frames);
        }
    }
    Ok(())
}

/// Every row as an image rotates it.
fn rotate(rows: &Rows) -> Rows {
    let (rotation, dim) = (Rotation::new(SEED, rows.dim), padded(rows.dim));
    let mut flat = vec![0.0; rows.len() * dim];
    for (row, out) in rows.iter().zip(flat.chunks_exact_mut(dim)) {
        out[..rows.dim].copy_from_slice(row);
        rotation.apply(out);
    }
    Rows { dim, flat }
}

/// The codes of all rows.
struct Codes {
    width: Width,
    bytes: usize,
    codes: Vec<u8>,
    scales: Vec<f32>,
}

/// What was lost.
struct Errors {
    rms: f64,
    largest: f64,
    vector_mean: f64,
    vector_largest: f64,
    of_bound: f64,
}

impl Codes {
    fn new(width: Width, rows: &Rows) -> Self {
        let bytes = tiered_bytes(width, rows.dim);
        let mut codes = vec![0; bytes * rows.len()];
        let encode = |(row, code): (&[f32], &mut [u8])| encode_tiered(width, row, code);
        let scales = rows.iter().zip(codes.chunks_exact_mut(bytes)).map(encode).collect();
        Codes { width, bytes, codes, scales }
    }

    fn each(&self) -> impl Iterator<Item = (&[u8], f32)> {
        self.codes.chunks_exact(self.bytes).zip(self.scales.iter().copied())
    }

    fn errors(&self, rows: &Rows) -> Errors {
        let (mut squares, mut largest) = (0.0, 0.0f64);
        let (mut sum, mut vector_largest, mut of_bound) = (0.0, 0.0f64, 0.0f64);
        let mut out = vec![0.0; rows.dim];
        for (row, (code, scale)) in rows.iter().zip(self.each()) {
            decode_tiered(self.width, code, scale, &mut out);
            let (square, most) = difference(row, &out);
            let length = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let error = square.sqrt();
            squares += square;
            largest = largest.max(most);
            sum += error / length;
            vector_largest = vector_largest.max(error / length);
            let bound = tiered_error(self.width, code, scale, rows.dim);
            of_bound = of_bound.max(error / f64::from(bound));
        }
        let count = rows.len() as f64;
        let rms = (squares / (count * rows.dim as f64)).sqrt();
        Errors { rms, largest, vector_mean: sum / count, vector_largest, of_bound }
    }

    /// The recall of a scan by these codes alone, and the time of one inner product.
    fn recall(&self, queries: &Rows, truth: &[HashSet<usize>]) -> (f64, f64) {
        let mut levels = vec![0; queries.dim];
        let (mut hits, mut seconds) = (0, 0.0);
        for (query, truth) in queries.iter().zip(truth) {
            encode_query_i8(query, &mut levels);
            let start = Instant::now();
            let mut scores: Vec<(f32, usize)> = self
                .each()
                .enumerate()
                .map(|(id, (code, scale))| (scale * dot_tiered(self.width, &levels, code), id))
                .collect();
            seconds += start.elapsed().as_secs_f64();
            scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            hits += scores.iter().take(K).filter(|(_, id)| truth.contains(id)).count();
        }
        let asked = truth.len() as f64;
        (hits as f64 / (asked * K as f64), seconds * 1e6 / (asked * self.scales.len() as f64))
    }
}

/// The sum of squared differences, and the largest difference.
fn difference(a: &[f32], b: &[f32]) -> (f64, f64) {
    a.iter().zip(b).fold((0.0, 0.0), |(squares, most), (a, b)| {
        let d = (f64::from(*a) - f64::from(*b)).abs();
        (squares + d * d, f64::max(most, d))
    })
}

/// Frames that walk from one row of the base to the next.
fn slow(base: &Rows) -> Vec<Vec<f32>> {
    (0..FRAMES)
        .map(|i| {
            let (row, part) = (i / STEPS, (i % STEPS) as f32 / STEPS as f32);
            let (a, b) = (base.row(row), base.row(row + 1));
            a.iter().zip(b).map(|(a, b)| a + (b - a) * part).collect()
        })
        .collect()
}

fn stream(name: &str, width: Width, frames: &[Vec<f32>]) {
    let dim = frames[0].len();
    let most = tensor_bytes(width, dim, frames.len() as u32, frames.len() as u32);
    let mut tensor = Tensor::create(vec![0; most as usize], dim, width, Drift::default())
        .expect("the frames of the sample make a tensor");
    for frame in frames {
        tensor.push(frame).expect("there is room for a segment a frame");
    }
    let (mut squares, mut largest, mut out) = (0.0, 0.0f64, vec![0.0; dim]);
    for (i, frame) in (0..).zip(frames) {
        tensor.get(i, &mut out).expect("it was pushed");
        let (square, _) = difference(frame, &out);
        let length = frame.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        squares += square;
        largest = largest.max(square.sqrt() / length);
    }
    let (count, used) = (frames.len() as f64, tensor.used() as f64);
    println!(
        "| {name} | {} | {} | {:.1} | {:.2} | {:.5} | {largest:.4} |",
        width.bits(),
        tensor.segments(),
        used / count,
        4.0 * dim as f64 * count / used,
        (squares / (count * dim as f64)).sqrt(),
    );
}
