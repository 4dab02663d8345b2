//! Distance kernels: every encoding on every instruction set of this machine, in bytes a second,
//! beside what the memory delivers.
//!
//!     cargo bench -p clawft-benches --bench kernels
//!
//! The codes are those of the 10,000 sample vectors, visited in random order in
//! batches of 32, about a list of neighbours: that is how a graph walk reads
//! them. `memory/*` is a plain sum over as many bytes in order, and over far
//! more than the caches hold: a kernel near the first is as fast as the memory
//! lets it be. WebAssembly's kernels are the same
//! benches, which `cargo xtask bench` runs in Wasmtime.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use clawft_benches::{
    random::Random,
    sample::{self, Rows},
};
use clawft_codes::sketch::{self, LANES, SketchQuery, block_bytes, sketch_bytes};
use clawft_codes::{
    Encoding, F16Code, F32Code, FullCode, I8Code, Kernels, PLANES, Rotation, ShortQuery, Width,
    dot_tiered, encode_query_i8, encode_short, encode_tiered, padded, short_bytes, tiered_bytes,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BATCH: usize = 32;

/// All codes of one encoding, one after another.
struct Codes {
    name: &'static str,
    unit: usize,
    bytes: Vec<u8>,
}

impl Codes {
    fn new(
        name: &'static str,
        unit: usize,
        rows: &Rows,
        encode: impl Fn(&[f32], &mut [u8]),
    ) -> Self {
        let mut bytes = vec![0; unit * rows.len()];
        bytes.chunks_exact_mut(unit).zip(rows.iter()).for_each(|(code, row)| encode(row, code));
        Codes { name, unit, bytes }
    }
}

/// The sample, rotated as an 8-bit and a short code want it.
fn rotated(rows: &Rows) -> Rows {
    let dim = padded(rows.dim);
    let rotation = Rotation::new(1, rows.dim);
    let mut flat = vec![0.0; dim * rows.len()];
    for (out, row) in flat.chunks_exact_mut(dim).zip(rows.iter()) {
        out[..rows.dim].copy_from_slice(row);
        rotation.apply(out);
    }
    Rows { dim, flat }
}

/// One kernel on one set of codes: `run` compares a query with a batch.
fn measure<T: Copy + Default>(
    criterion: &mut Criterion,
    kernel: &str,
    codes: &Codes,
    run: impl Fn(Kernels, &Codes, &[u32], &mut [T]),
) {
    measure_on(criterion, kernel, codes, Kernels::available(), run);
}

/// The same on some instruction sets.
fn measure_on<T: Copy + Default>(
    criterion: &mut Criterion,
    kernel: &str,
    codes: &Codes,
    sets: impl IntoIterator<Item = Kernels>,
    run: impl Fn(Kernels, &Codes, &[u32], &mut [T]),
) {
    let count = codes.bytes.len() / codes.unit;
    let mut order: Vec<u32> = (0..count as u32).collect();
    Random::new(7).shuffle(&mut order);
    let mut out = vec![T::default(); BATCH];
    let mut group = criterion.benchmark_group(format!("{kernel}/{}", codes.name));
    group.throughput(Throughput::Bytes((BATCH * codes.unit) as u64));
    for kernels in sets {
        let mut batches = order.chunks_exact(BATCH).cycle();
        group.bench_function(BenchmarkId::from_parameter(kernels.name()), |bencher| {
            bencher.iter(|| {
                let at = batches.next().unwrap_or(&order);
                run(kernels, codes, at, &mut out);
                black_box(&out);
            });
        });
    }
    group.finish();
}

fn kernels(criterion: &mut Criterion) {
    let rows = sample::base().expect("the sample");
    let turned = rotated(&rows);
    let query = sample::queries().expect("the queries");
    let turned_query = rotated(&Rows { dim: query.dim, flat: query.row(0).to_vec() });
    let (query, turned_query) = (query.row(0), turned_query.row(0));

    let f32s = Codes::new("f32", Encoding::F32.bytes(rows.dim), &rows, |v, code| {
        F32Code::encode(v, code);
    });
    measure(criterion, "dot", &f32s, |k, c, at, out| k.dot_f32(query, &c.bytes, c.unit, at, out));
    measure(criterion, "l2", &f32s, |k, c, at, out| k.l2_f32(query, &c.bytes, c.unit, at, out));

    let f16s = Codes::new("f16", Encoding::F16.bytes(rows.dim), &rows, |v, code| {
        F16Code::encode(v, code);
    });
    measure(criterion, "dot", &f16s, |k, c, at, out| k.dot_f16(query, &c.bytes, c.unit, at, out));
    measure(criterion, "l2", &f16s, |k, c, at, out| k.l2_f16(query, &c.bytes, c.unit, at, out));

    let i8s = Codes::new("i8", Encoding::I8.bytes(rows.dim), &turned, |v, code| {
        I8Code::encode(v, code);
    });
    let mut words = vec![0; turned.dim];
    encode_query_i8(turned_query, &mut words);
    measure(criterion, "query", &i8s, |k, c, at, out| {
        k.dot_i8_query(&words, &c.bytes, c.unit, at, out);
    });
    let stored: Vec<i8> = i8s.bytes[..i8s.unit].iter().map(|&byte| byte as i8).collect();
    measure(criterion, "stored", &i8s, |k, c, at, out| {
        k.dot_i8(&stored, &c.bytes, c.unit, at, out);
    });

    let short = Codes::new("short", short_bytes(rows.dim), &turned, |v, code| {
        encode_short(v, code);
    });
    let mut planes = vec![0; PLANES * short.unit];
    let coded = ShortQuery::encode(turned_query, &mut planes);
    measure(criterion, "query", &short, |k, c, at, out| {
        k.dot_short(&coded, &c.bytes, c.unit, at, out);
    });
    sketches(criterion, turned_query, &short);

    for (name, width) in [
        ("8 bits", Width::Eight),
        ("7 bits", Width::Seven),
        ("5 bits", Width::Five),
        ("3 bits", Width::Three),
    ] {
        let tiered = Codes::new(name, tiered_bytes(width, turned.dim), &turned, |v, code| {
            encode_tiered(width, v, code);
        });
        // One at a time, and the same code on every instruction set.
        measure_on(criterion, "tier", &tiered, [Kernels::detect()], |_, c, at, out| {
            for (out, &at) in out.iter_mut().zip(at) {
                *out = dot_tiered(width, &words, &c.bytes[at as usize * c.unit..][..c.unit]);
            }
        });
    }
}

/// What a scan reads first: the sketches of all rows, block after block in their order.
fn sketches(criterion: &mut Criterion, turned_query: &[f32], short: &Codes) {
    let rows = sketch_bytes(8 * short.unit);
    let unit = block_bytes(rows);
    let mut blocks = vec![0; (short.bytes.len() / short.unit).div_ceil(LANES) * unit];
    for (at, code) in short.bytes.chunks_exact(short.unit).enumerate() {
        sketch::put(&mut blocks[at / LANES * unit..][..unit], at % LANES, code, 0.5, 0.25);
    }
    let query = SketchQuery::encode(turned_query, rows, 1.0);
    let mut out = vec![0.0; blocks.len() / unit * LANES];
    let mut group = criterion.benchmark_group("scan/sketches");
    group.throughput(Throughput::Bytes(blocks.len() as u64));
    for kernels in Kernels::available() {
        group.bench_function(BenchmarkId::from_parameter(kernels.name()), |bencher| {
            bencher.iter(|| {
                kernels.sketch(&query, &blocks, &mut out);
                black_box(&out);
            });
        });
    }
    group.finish();
}

/// Bytes a second of reading in order: as much as all the `i8` codes, and 256 MiB.
fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    group.sample_size(20);
    for (name, bytes) in [("5 MB", 5_120_000), ("256 MiB", 256 << 20)] {
        let words = vec![1u64; bytes / 8];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&words).iter().fold(0u64, |sum, x| sum.wrapping_add(*x)));
        });
    }
    group.finish();
}

/// What a query costs before the first comparison.
fn query_preparation(criterion: &mut Criterion) {
    let query = sample::queries().expect("the queries");
    let rotation = Rotation::new(1, query.dim);
    let mut turned = vec![0.0; padded(query.dim)];
    let mut planes = vec![0; PLANES * short_bytes(query.dim)];
    let mut group = criterion.benchmark_group("prepare");
    group.bench_function("rotate", |bencher| {
        bencher.iter(|| {
            turned[..query.dim].copy_from_slice(query.row(0));
            rotation.apply(black_box(&mut turned));
        });
    });
    group.bench_function("short levels", |bencher| {
        bencher.iter(|| black_box(ShortQuery::encode(black_box(&turned), &mut planes).sum));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    // Hundreds of nanoseconds each: the default five seconds apiece only tire the processor.
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = memory, kernels, query_preparation
}
criterion_main!(benches);
