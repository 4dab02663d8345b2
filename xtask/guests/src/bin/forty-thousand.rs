//! 40,000 vectors of 512 dimensions in a module that has 16 MiB and a stack of 64 KiB: at most 5 %
//! of them hot, and what searches find.
//!
//!     cargo xtask guests large
//!
//! Natively `forty-thousand prepare FOLDER` writes the vectors, and questions with their exact
//! answers; as a guest `forty-thousand run FOLDER` takes them in row by row, and asks. So nothing
//! but the image and its scratch is in the guest's memory. The run is that of `tiers-recall
//! --large` in `benches/`, which has everything in one process.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clawft_benches::aligned::Aligned;
use clawft_benches::mixture::mixture;
use clawft_benches::{exact, sample};
use clawft_vectors::tier_policy::{Policy, Tier};
use clawft_vectors::tiers::Limits;
use clawft_vectors::{Hit, Image, Layout, Mode, Params, Scratch, SearchOptions, scratch_words};

const COUNT: u32 = 40_000;
const DIM: usize = 512;
/// 5 % of them.
const HOT: u32 = COUNT / 20;
/// Room that is asked for, as pages that are there for moving codes give room for a few more.
const ROOM: u32 = HOT - 64;
/// Which ones are made hot in the end: no more than that.
const EVERY: u32 = COUNT.div_ceil(ROOM);
const ASKED: usize = 1000;
const K: usize = 10;
/// Recall at the widest walk.
const LEAST: f64 = 0.85;
const EFS: [u32; 3] = [50, 100, 200];
const MOST: u32 = EFS[EFS.len() - 1];
/// Some time after 1970, in ms.
const NOW: u64 = 1 << 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder] => run(Path::new(folder)),
        other => Err(format!("prepare or run expected, and a folder; found {other:?}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forty-thousand: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The vectors, and each query with the ids of the true ten.
fn prepare(folder: &Path) -> Outcome {
    let sample = sample::base()?;
    let (base, queries) = (mixture(&sample, COUNT as usize, 1), mixture(&sample, ASKED, 2));
    let mut file = BufWriter::new(File::create(folder.join("base.f32"))?);
    for x in &base.flat {
        file.write_all(&x.to_le_bytes())?;
    }
    file.flush()?;
    let mut file = BufWriter::new(File::create(folder.join("queries"))?);
    for query in queries.iter() {
        for x in query {
            file.write_all(&x.to_le_bytes())?;
        }
        for (_, id) in exact::nearest(&base, query, K) {
            file.write_all(&id.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

/// A file of rows, read one after the other.
struct Rows {
    file: File,
    bytes: Vec<u8>,
    row: Vec<f32>,
}

impl Rows {
    /// Of rows that are followed by `more` bytes each.
    fn open(path: &Path, more: usize) -> io::Result<Self> {
        Ok(Rows { file: File::open(path)?, bytes: vec![0; 4 * DIM + more], row: vec![0.0; DIM] })
    }

    fn next(&mut self) -> io::Result<&[f32]> {
        self.file.read_exact(&mut self.bytes)?;
        let (numbers, _) = self.bytes.as_chunks::<4>();
        self.row.iter_mut().zip(numbers).for_each(|(x, bytes)| *x = f32::from_le_bytes(*bytes));
        Ok(&self.row)
    }

    fn answer(&self) -> impl Iterator<Item = u64> + '_ {
        let (ids, _) = self.bytes[4 * DIM..].as_chunks::<4>();
        ids.iter().map(|id| u64::from(u32::from_le_bytes(*id)))
    }
}

fn run(folder: &Path) -> Outcome {
    let params = Params { hot: Some(ROOM), ..Params::new(DIM as u32, COUNT) };
    let layout = Layout::new(&params)?;
    // The largest first, where the memory is still in one piece.
    let mut image = Image::create(&params, Aligned::new(layout.bytes))?;
    let mut words = vec![0; scratch_words(&layout, MOST)];
    println!("image {} + scratch {} bytes", image.bytes().len(), words.len() * 8);
    let mut scratch = Scratch::new(&layout, &mut words, MOST).ok_or("so many words are enough")?;

    let start = Instant::now();
    let mut rows = Rows::open(&folder.join("base.f32"), 0)?;
    for id in 0..COUNT {
        image.insert(id.into(), rows.next()?, &mut scratch)?;
        if id % (COUNT / 10) == COUNT / 10 - 1 {
            println!("{} of {COUNT} inserted, {:.0} s", id + 1, start.elapsed().as_secs_f64());
        }
    }
    let policy = Policy::default();
    let all = Limits { records: u32::MAX, bytes: u64::MAX };
    image.tick(&policy, NOW, all, &mut [], &mut scratch)?;
    if image.tier_counts()[Tier::Hot as usize] > HOT {
        return Err(format!("at most {HOT} hot expected, found {:?}", image.tier_counts()).into());
    }
    report("as inserted", folder, &image, &mut scratch)?;

    // The first to come were hot: others take their places.
    let cold = Policy {
        thresholds: [u32::MAX; 3],
        residency_down: 0,
        residency_up: 0,
        slack: 0,
        ..Policy::default()
    };
    image.tick(&cold, NOW, all, &mut [], &mut scratch)?;
    let mut rows = Rows::open(&folder.join("base.f32"), 0)?;
    for id in 0..COUNT {
        let row = rows.next()?;
        if id % EVERY == 0 {
            image.restore(id.into(), row, Tier::Hot, NOW, &mut scratch)?;
        }
    }
    if image.tier_counts()[Tier::Hot as usize] != COUNT.div_ceil(EVERY) {
        return Err(format!("every {EVERY}th hot expected, found {:?}", image.tier_counts()).into());
    }
    report("every 21st restored", folder, &image, &mut scratch)?;
    #[cfg(target_family = "wasm")]
    println!("linear memory: {} bytes", core::arch::wasm32::memory_size::<0>() << 16);
    Ok(())
}

fn report(name: &str, folder: &Path, image: &Image<Aligned>, scratch: &mut Scratch<'_>) -> Outcome {
    let exact = SearchOptions { mode: Mode::Exact, ..SearchOptions::new(K) };
    let (recall, _) = ask(folder, image, &exact, scratch)?;
    print!("{name}: hot, warm, cool, cold {:?}; recall@10 exact {recall:.4}", image.tier_counts());
    let mut last = recall;
    for ef in EFS {
        let walk = SearchOptions { ef: ef as usize, mode: Mode::Walk, ..SearchOptions::new(K) };
        let (recall, micros) = ask(folder, image, &walk, scratch)?;
        print!("; ef {ef} {recall:.4}, {micros:.0} us");
        last = recall;
    }
    println!();
    // Codes of three bits find no more; a graph that they broke would find less.
    if last < LEAST {
        return Err(format!("recall@10 of {LEAST} expected, found {last:.4}").into());
    }
    Ok(())
}

/// The recall, and the time of a query.
fn ask(
    folder: &Path,
    image: &Image<Aligned>,
    options: &SearchOptions<'_>,
    scratch: &mut Scratch<'_>,
) -> Outcome<(f64, f64)> {
    let mut queries = Rows::open(&folder.join("queries"), 4 * K)?;
    let (mut right, mut seconds) = (0, 0.0);
    for _ in 0..ASKED {
        let query = queries.next()?;
        let mut hits = [Hit::default(); K];
        let start = Instant::now();
        let found = image.search(query, options, scratch, &mut hits)?;
        seconds += start.elapsed().as_secs_f64();
        let hits = &hits[..found];
        right += queries.answer().filter(|id| hits.iter().any(|hit| hit.id == *id)).count();
    }
    let asked = ASKED as f64;
    Ok((right as f64 / asked / K as f64, seconds * 1e6 / asked))
}
