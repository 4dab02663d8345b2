//! The sample: 10,000 real text embeddings of 512 dimensions in `data/`, and two sets of queries.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use clawft_sample::arrays::{self, Matrix};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// Vectors of one dimension, row after row.
pub struct Rows {
    /// Numbers in a row.
    pub dim: usize,
    /// All rows, one after another.
    pub flat: Vec<f32>,
}

impl Rows {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.flat.len() / self.dim
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }

    /// Row `i`; panics when there are not so many.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.flat[i * self.dim..][..self.dim]
    }

    /// Every row in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.flat.chunks_exact(self.dim)
    }

    /// Sets every row to length 1; a row of zeros stays.
    pub fn normalise(&mut self) {
        self.flat.chunks_exact_mut(self.dim).for_each(normalise);
    }
}

/// Sets a vector to length 1; zeros stay.
pub fn normalise(v: &mut [f32]) {
    let length = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        v.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

/// The vectors to index, of length 1.
pub fn base() -> io::Result<Rows> {
    load("base.f16.npy")
}

/// The held-out texts of the same kind, of length 1.
pub fn queries() -> io::Result<Rows> {
    load("queries.f16.npy")
}

/// The harder queries: short questions, of length 1.
pub fn known_item_queries() -> io::Result<Rows> {
    load("known_item_queries.f16.npy")
}

/// The texts of the base rows.
pub fn texts() -> io::Result<Vec<String>> {
    let file = File::open(folder().join("texts.jsonl.gz"))?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a text on each line expected");
    let text = |line: io::Result<String>| {
        let value: Value = serde_json::from_str(&line?).map_err(|_| wrong())?;
        Ok(value.get("text").and_then(Value::as_str).ok_or_else(wrong)?.to_owned())
    };
    BufReader::new(MultiGzDecoder::new(file)).lines().map(text).collect()
}

/// The folder of the sample.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data")
}

fn load(name: &str) -> io::Result<Rows> {
    read(&folder().join(name))
}

/// The rows of an array of floats like those of the sample, of length 1.
pub fn read(path: &Path) -> io::Result<Rows> {
    let Matrix { dim, values, .. } = arrays::read(path).map_err(io::Error::other)?;
    let mut rows = Rows { dim, flat: values };
    rows.normalise();
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_there_and_of_length_one() {
        for (rows, count) in [(base(), 10_000), (queries(), 1_000), (known_item_queries(), 500)] {
            let rows = rows.unwrap();
            assert_eq!((rows.len(), rows.dim), (count, 512));
            for row in rows.iter() {
                let length = row.iter().map(|x| x * x).sum::<f32>();
                assert!((length - 1.0).abs() < 1e-5, "length {length}");
            }
        }
    }
}
