//! The sample: 10,000 real text embeddings of 512 dimensions in `data/`, and two sets of queries.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use half::f16;
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

/// The rows of an array like those of the sample, of length 1.
pub fn read(path: &Path) -> io::Result<Rows> {
    let bytes = fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let mut rows =
        parse(&bytes).map_err(|what| io::Error::other(format!("{}: {what}", path.display())))?;
    rows.normalise();
    Ok(rows)
}

/// The rows of a `.npy` of version 1: little-endian f16, C order, two dimensions.
fn parse(bytes: &[u8]) -> Result<Rows, String> {
    let Some((b"\x93NUMPY\x01\x00", rest)) = bytes.split_first_chunk::<8>() else {
        return Err("expected a .npy file of version 1.0".into());
    };
    let (length, rest) = rest.split_first_chunk::<2>().ok_or("the header's length is missing")?;
    let (header, body) = rest
        .split_at_checked(usize::from(u16::from_le_bytes(*length)))
        .ok_or("the header is cut off")?;
    let header = String::from_utf8_lossy(header);
    if !header.contains("'<f2'") || !header.contains("'fortran_order': False") {
        return Err(format!("expected f16 in C order, found {header}"));
    }
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let shape: Option<Vec<usize>> =
        shape.and_then(|(inner, _)| inner.split(',').map(|n| n.trim().parse().ok()).collect());
    let Some([count, dim]) = shape.as_deref() else {
        return Err(format!("expected two dimensions, found {header}"));
    };
    if *dim == 0 || count.checked_mul(dim * 2) != Some(body.len()) {
        return Err(format!("expected {count} x {dim} f16, found {} bytes", body.len()));
    }
    let (halves, _) = body.as_chunks::<2>();
    let flat = halves.iter().map(|&half| f16::from_le_bytes(half).to_f32()).collect();
    Ok(Rows { dim: *dim, flat })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes(), body].concat()
    }

    const HEADER: &str = "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }\n";

    #[test]
    fn reads_what_numpy_writes() {
        let numbers = [1.0f32, -2.0, 0.5, 0.0, 65_504.0, -0.25];
        let body: Vec<u8> = numbers.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
        let rows = parse(&file(HEADER, &body)).unwrap();
        assert_eq!((rows.len(), rows.dim), (2, 3));
        assert_eq!(rows.row(1), &numbers[3..]);
    }

    #[test]
    fn refuses_what_is_cut_or_of_another_kind() {
        assert!(parse(b"no numpy").is_err());
        assert!(parse(&file(HEADER, &[0; 11])).is_err());
        assert!(parse(&file(&HEADER.replace("f2", "f4"), &[0; 12])).is_err());
        assert!(parse(&file(&HEADER.replace("2, 3", "6,"), &[0; 12])).is_err());
        assert!(parse(&file(&HEADER.replace("False", "True"), &[0; 12])).is_err());
        assert!(parse(&file(HEADER, &[0; 12])[..30]).is_err());
    }

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
