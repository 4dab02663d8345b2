//! The vectors, texts and queries of a run, read from files.
//!
//! Every part of the demo has them from here (the process that imports into a durable memory reads
//! them for itself), so that all of them mean the same row by a number. Rows that the kernel
//! refuses by its rules are left out here for the same reason, and never in silence.
//!
//! Files are read and held against each other, no more: nothing here knows a kernel or an answer.

use std::path::PathBuf;

use crate::Failure;
use crate::options::Options;
use clawft_sample::arrays::{self, Matrix};
use clawft_sample::{Metric, texts};
use clawft_store::MAX_TEXT;

/// The files of a run, read.
pub(crate) struct Inputs {
    pub(crate) source: String,
    pub(crate) base: Matrix,
    pub(crate) texts: Option<Vec<String>>,
    /// Name, vectors and texts of each set of queries.
    pub(crate) queries: Vec<(&'static str, Matrix, Option<Vec<String>>)>,
}

impl Inputs {
    /// The files that the options name, or the sample.
    pub(crate) fn read(options: &Options) -> Result<Self, Failure> {
        let optional = |path: &Option<PathBuf>| path.as_deref().map(texts::read).transpose();
        let mut inputs = match (&options.base, &options.queries) {
            (Some(base), Some(queries)) => Inputs {
                source: base.display().to_string(),
                base: arrays::read(base)?,
                texts: optional(&options.texts)?,
                queries: vec![("given", arrays::read(queries)?, optional(&options.query_texts)?)],
            },
            _ => {
                let data = &options.data;
                let set = |name, vectors: &str, words: &str| {
                    Ok::<_, Failure>((
                        name,
                        arrays::read(&data.join(vectors))?,
                        Some(texts::read(&data.join(words))?),
                    ))
                };
                Inputs {
                    source: "the sample".into(),
                    base: arrays::read(&data.join("base.f16.npy"))?,
                    texts: Some(texts::read(&data.join("texts.jsonl.gz"))?),
                    queries: vec![
                        set("held-out", "queries.f16.npy", "queries.jsonl.gz")?,
                        set("known-item", "known_item_queries.f16.npy", "known_item.jsonl")?,
                    ],
                }
            }
        };
        for (_, queries, _) in &inputs.queries {
            if queries.dim != inputs.base.dim {
                return Err(Failure::new(format!(
                    "the queries have dimension {}, the base has {}",
                    queries.dim, inputs.base.dim
                )));
            }
        }
        // The process that imports reads the same again: it is said once.
        let remark = |sentence: String| {
            if options.import_into.is_none() {
                eprintln!("{sentence}");
            }
        };
        inputs.pair_texts(&remark);
        if options.metric == Metric::Cosine {
            inputs.drop_zero_rows(&remark)?;
        }
        Ok(inputs)
    }

    /// Text i belongs to row i. One that is longer than a record may have is cut.
    fn pair_texts(&mut self, remark: &impl Fn(String)) {
        let counted = |what: &str, rows: usize, texts: &Option<Vec<String>>| {
            let texts = texts.as_ref().map_or(rows, Vec::len);
            if texts != rows {
                remark(format!(
                    "{texts} texts for {rows} {what}: text i is taken for row i, and a row without \
                     one has an empty text"
                ));
            }
        };
        counted("base rows", self.base.rows, &self.texts);
        for (_, vectors, texts) in &self.queries {
            counted("queries", vectors.rows, texts);
        }
        let mut cut = 0;
        for text in self.texts.iter_mut().flatten().filter(|text| text.len() > MAX_TEXT) {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            cut += 1;
        }
        if cut > 0 {
            remark(format!("{cut} texts cut to {MAX_TEXT} bytes, the most that a record may have"));
        }
    }

    /// A zero vector has no cosine with anything; the kernel refuses it.
    fn drop_zero_rows(&mut self, remark: &impl Fn(String)) -> Result<(), Failure> {
        let drop = |what: &str, matrix: &mut Matrix, texts: &mut Option<Vec<String>>| {
            let zero = matrix.drop_zero_rows();
            if let Some(first) = zero.first() {
                remark(format!(
                    "{} {what} left out, because a zero vector has no direction (the first is \
                     row {first}); the rows after it move up",
                    zero.len()
                ));
                if let Some(texts) = texts {
                    let mut row = 0;
                    texts.retain(|_| {
                        row += 1;
                        zero.binary_search(&(row - 1)).is_err()
                    });
                }
            }
            match matrix.rows {
                0 => Err(Failure::new(format!("every one of the {what} is a zero vector"))),
                _ => Ok(()),
            }
        };
        drop("base rows", &mut self.base, &mut self.texts)?;
        self.queries.iter_mut().try_for_each(|(_, vectors, texts)| drop("queries", vectors, texts))
    }
}
