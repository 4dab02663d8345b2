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
        if options.metric == Metric::Cosine {
            inputs.drop_zero_rows()?;
        }
        Ok(inputs)
    }

    /// A zero vector has no cosine with anything; the kernel refuses it.
    fn drop_zero_rows(&mut self) -> Result<(), Failure> {
        let drop = |what: &str, matrix: &mut Matrix, texts: &mut Option<Vec<String>>| {
            let zero = matrix.drop_zero_rows();
            if let Some(first) = zero.first() {
                eprintln!(
                    "{} {what} left out, because a zero vector has no direction (the first is \
                     row {first}); the rows after it move up",
                    zero.len()
                );
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
