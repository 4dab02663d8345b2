//! Vectors from files: NumPy's `.npy` and the `.fvecs` of the ANN benchmarks.
//!
//! Both are read whole into f32. What the file says of itself is checked
//! against what it holds, and every refusal names the file, what was expected
//! and what was found.

use std::path::Path;

/// Row vectors, one after the other.
#[derive(Debug)]
pub struct Matrix {
    /// How many.
    pub rows: usize,
    /// Components of each.
    pub dim: usize,
    /// All of them, row by row.
    pub values: Vec<f32>,
}

impl Matrix {
    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..][..self.dim]
    }

    /// The first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.values.truncate(self.rows * self.dim);
    }

    /// Drops the rows that have no direction, and says which they were.
    pub fn drop_zero_rows(&mut self) -> Vec<usize> {
        let is_zero = |row: &usize| self.row(*row).iter().all(|value| *value == 0.0);
        let zero: Vec<usize> = (0..self.rows).filter(is_zero).collect();
        if !zero.is_empty() {
            let kept = (0..self.rows).filter(|row| zero.binary_search(row).is_err());
            self.values = kept.flat_map(|row| self.row(row).to_vec()).collect();
            self.rows -= zero.len();
        }
        zero
    }
}

/// Reads `path`, by its ending.
///
/// # Errors
/// A file that cannot be read, is none of these, or holds a number that is not finite.
pub fn read(path: &Path) -> Result<Matrix, String> {
    let bytes =
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let parsed = match path.extension().and_then(|ending| ending.to_str()) {
        Some("npy") => npy(&bytes),
        Some("fvecs") => fvecs(&bytes),
        _ => Err("expected a file that ends in .npy or .fvecs".to_string()),
    };
    let matrix = parsed.map_err(|why| format!("{}: {why}", path.display()))?;
    if let Some(at) = matrix.values.iter().position(|value| !value.is_finite()) {
        return Err(format!(
            "{}: row {} column {} is {}; every value must be a finite f32",
            path.display(),
            at / matrix.dim,
            at % matrix.dim,
            matrix.values[at],
        ));
    }
    Ok(matrix)
}

/// The `.npy` format, versions 1 to 3: a magic, a header that is a Python
/// dictionary in text, then the numbers.
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
fn npy(bytes: &[u8]) -> Result<Matrix, String> {
    if bytes.len() < 10 || &bytes[..6] != b"\x93NUMPY" {
        return Err("this is no .npy file: it does not begin with \\x93NUMPY".into());
    }
    let (length, start) = match (bytes[6], bytes.get(8..12)) {
        (1, _) => (u16::from_le_bytes([bytes[8], bytes[9]]) as usize, 10),
        (2 | 3, Some(&[a, b, c, d])) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (version, _) => return Err(format!("expected .npy version 1 to 3, found {version}")),
    };
    let header = bytes
        .get(start..)
        .and_then(|rest| rest.get(..length))
        .ok_or_else(|| format!("the header of {length} bytes runs past the end of the file"))?;
    let header = String::from_utf8_lossy(header);
    let field = |name: &str| {
        header
            .split_once(&format!("'{name}':"))
            .map(|(_, rest)| rest.trim_start())
            .ok_or_else(|| format!("the header has no '{name}': {}", header.trim()))
    };

    let descr = field("descr")?;
    let width = match descr.split('\'').nth(1) {
        Some("<f2") => 2,
        Some("<f4") => 4,
        Some("<f8") => 8,
        _ => {
            let found = descr.split(", '").next().unwrap_or(descr);
            return Err(format!(
                "expected little-endian f16, f32 or f64 ('<f2', '<f4', '<f8'), found {found}"
            ));
        }
    };
    if !field("fortran_order")?.starts_with("False") {
        return Err("expected rows one after the other (C order), found Fortran order; \
            numpy.ascontiguousarray converts"
            .into());
    }
    let shape = field("shape")?;
    let inner = shape.strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or("");
    let sides: Vec<usize> = inner
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty())
        .map(|side| side.parse().map_err(|_| format!("the shape ({inner}) is not of numbers")))
        .collect::<Result<_, _>>()?;
    let &[rows, dim] = sides.as_slice() else {
        return Err(format!("expected two dimensions, rows and columns, found ({inner})"));
    };

    let data = &bytes[start + length..];
    let wanted = rows.checked_mul(dim).and_then(|count| count.checked_mul(width));
    if wanted != Some(data.len()) {
        return Err(format!(
            "{rows} x {dim} numbers of {width} bytes do not match the {} bytes after the header",
            data.len()
        ));
    }
    let values = match width {
        2 => data
            .chunks_exact(2)
            .map(|b| half::f16::from_bits(u16::from_le_bytes([b[0], b[1]])).to_f32())
            .collect(),
        4 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        _ => data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
            .collect(),
    };
    whole(rows, dim, values)
}

/// `.fvecs`: each row is its dimension as an i32, then that many f32.
fn fvecs(bytes: &[u8]) -> Result<Matrix, String> {
    let Some(&[a, b, c, d]) = bytes.get(..4) else {
        return Err("the file has no row".into());
    };
    let dim = i32::from_le_bytes([a, b, c, d]);
    if !(1..=1 << 20).contains(&dim) {
        return Err(format!("expected a dimension first, found {dim}"));
    }
    let dim = dim as usize;
    let row = 4 + 4 * dim;
    if !bytes.len().is_multiple_of(row) {
        return Err(format!(
            "{} bytes are no whole number of rows of dimension {dim} ({row} bytes each)",
            bytes.len()
        ));
    }
    let mut values = Vec::with_capacity(bytes.len() / row * dim);
    for (number, one) in bytes.chunks_exact(row).enumerate() {
        let found = i32::from_le_bytes([one[0], one[1], one[2], one[3]]);
        if found as usize != dim {
            return Err(format!("row {number} has dimension {found}, the first has {dim}"));
        }
        let numbers = one[4..].chunks_exact(4);
        values.extend(numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    }
    whole(bytes.len() / row, dim, values)
}

fn whole(rows: usize, dim: usize, values: Vec<f32>) -> Result<Matrix, String> {
    if rows == 0 || dim == 0 {
        return Err(format!("expected at least one row and one column, found {rows} x {dim}"));
    }
    if rows > u32::MAX as usize || dim > u32::MAX as usize {
        return Err(format!("{rows} x {dim} is beyond the 32-bit counts of the C ABI"));
    }
    Ok(Matrix { rows, dim, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy_file(version: u8, descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY".to_vec();
        file.extend([version, 0]);
        match version {
            1 => file.extend((header.len() as u16).to_le_bytes()),
            _ => file.extend((header.len() as u32).to_le_bytes()),
        }
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn reads_every_width_and_version() {
        let want = [1.0f32, -2.0, 0.5, 0.0, 65504.0, 6.103_515_6e-5];
        let f16: Vec<u8> =
            [0x3c00u16, 0xc000, 0x3800, 0, 0x7bff, 0x0400].map(u16::to_le_bytes).concat();
        let f32: Vec<u8> = want.map(f32::to_le_bytes).concat();
        let f64: Vec<u8> = want.map(|v| f64::from(v).to_le_bytes()).concat();
        for version in [1, 2, 3] {
            for (descr, data) in [("<f2", &f16), ("<f4", &f32), ("<f8", &f64)] {
                let matrix = npy(&npy_file(version, descr, "False", "(2, 3)", data)).unwrap();
                assert_eq!((matrix.rows, matrix.dim), (2, 3));
                assert_eq!(matrix.values, want, "{descr} in version {version}");
            }
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let four = [0u8; 16];
        for (file, says) in [
            (b"PK\x03\x04 and so on".to_vec(), "no .npy file"),
            (npy_file(9, "<f4", "False", "(2, 2)", &four), "version 1 to 3"),
            (npy_file(1, ">f4", "False", "(2, 2)", &four), "found '>f4'"),
            (npy_file(1, "<i8", "False", "(2, 1)", &four), "found '<i8'"),
            (npy_file(1, "<f4", "True", "(2, 2)", &four), "Fortran"),
            (npy_file(1, "<f4", "False", "(4,)", &four), "two dimensions"),
            (npy_file(1, "<f4", "False", "(2, 3)", &four), "do not match the 16 bytes"),
            (npy_file(1, "<f4", "False", "(0, 3)", &[]), "at least one row"),
            (npy_file(2, "<f4", "False", "(2, 2)", &four)[..40].to_vec(), "past the end"),
        ] {
            let sentence = npy(&file).unwrap_err();
            assert!(sentence.contains(says), "expected `{says}` in: {sentence}");
        }
    }

    #[test]
    fn reads_and_refuses_fvecs() {
        let row = |dim: i32, values: &[f32]| {
            let mut bytes = dim.to_le_bytes().to_vec();
            values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
            bytes
        };
        let good = [row(2, &[1.0, 2.0]), row(2, &[3.0, 4.0])].concat();
        let matrix = fvecs(&good).unwrap();
        assert_eq!((matrix.rows, matrix.dim, matrix.row(1)), (2, 2, &[3.0, 4.0][..]));
        assert!(fvecs(&good[..good.len() - 1]).unwrap_err().contains("no whole number"));
        assert!(fvecs(&[]).unwrap_err().contains("no row"));
        assert!(fvecs(&row(-1, &[])).unwrap_err().contains("found -1"));
        let mixed = [row(2, &[1.0, 2.0]), row(3, &[3.0, 4.0])].concat();
        assert!(fvecs(&mixed).unwrap_err().contains("row 1 has dimension 3"));
    }

    #[test]
    fn drops_rows_without_direction() {
        let mut matrix =
            Matrix { rows: 4, dim: 2, values: vec![0.0, 0.0, 1.0, 0.0, 0.0, -0.0, 2.0, 1.0] };
        assert_eq!(matrix.drop_zero_rows(), [0, 2]);
        assert_eq!((matrix.rows, matrix.values), (2, vec![1.0, 0.0, 2.0, 1.0]));
    }
}
