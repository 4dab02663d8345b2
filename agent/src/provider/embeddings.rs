//! `openai`: vectors from an embeddings endpoint, of OpenAI and of the many that speak it.
//!
//! Source: OpenAI's API reference, `POST /embeddings`. Limits of time, retries and sentences are
//! those of a question to a model ([`endpoint`]). Texts go in batches whose answer
//! stays under the limit of values that an answer may have.
//!
//! Why: the memory trusts what an embedder gives, so an answer is looked at here: vectors
//! are put in place by the number that the server gave them, and brought to length 1, which
//! some servers do not do.
//!
//! What it must never do: give a text the vector of another, or one that has no direction. An
//! answer of which one vector is wrong counts as none.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use clawft_codes::arith;

use super::draft::{Draft, Fault};
use super::endpoint::{self, Endpoint, Wire};
use super::{Answer, Flow, Question};
use crate::embed::{Embedder, refused};
use crate::failure::Failure;
use crate::json::{Json, Value, quoted_len};
use crate::platform::Platform;
use crate::room;

/// Texts of one request.
const MOST_TEXTS: usize = 32;
/// Components of one answer: `json` reads up to 20,000 values.
const MOST_COMPONENTS: usize = 16 << 10;
/// Bytes that are sent of a text: models read some 8,000 tokens and refuse more.
const MOST_BYTES: usize = 16 << 10;
/// What is sent for a text without a character: servers refuse an empty one.
const NOTHING: &str = "-";

/// An embeddings endpoint.
#[derive(Clone, Debug)]
pub struct Embeddings {
    endpoint: Endpoint,
    model: String,
    id: String,
    dim: usize,
    /// Whether the server is asked for `dim` components, which not all models can give.
    shortened: bool,
}

impl Embeddings {
    /// The model of that name at an address such as `https://api.openai.com/v1`. `dim` of 0 is the
    /// model's own, for which one text is sent; `shortened` says that the server is asked for `dim`.
    ///
    /// # Errors
    /// [`Exit::Embedder`](crate::failure::Exit::Embedder): the server does not answer, or has no such
    /// vectors.
    pub fn open(
        platform: &Platform<'_>,
        endpoint: Endpoint,
        model: &str,
        dim: usize,
        shortened: bool,
    ) -> Result<Self, Failure> {
        let id = format!("openai:{model}");
        let model = model.to_string();
        let mut open = Self { endpoint, model, id, dim, shortened };
        if dim == 0 {
            open.dim = open.ask(platform, &[NOTHING])?.len();
        } else if dim > clawft_codes::MAX_DIM {
            return Err(refused(format!(
                "vectors of at most {} components expected, found {dim}",
                clawft_codes::MAX_DIM
            )));
        }
        Ok(open)
    }

    /// The vectors of a batch, one after the other.
    fn ask(&self, platform: &Platform<'_>, texts: &[&str]) -> Result<Vec<f32>, Failure> {
        let vectors = RefCell::default();
        let batch = Batch { of: self, texts, vectors: &vectors };
        let question = Question {
            model: &self.model,
            system: "",
            memories: &[],
            messages: &[],
            tools: &[],
            must_call: false,
            max_tokens: 0,
            temperature: None,
            stream: false,
        };
        let bytes = texts.iter().map(|text| quoted_len(text)).sum();
        room::ask(bytes).map_err(|failure: Failure| refused(failure.into_sentence()))?;
        let answer = endpoint::ask(&self.endpoint, &batch, platform, &question, &mut |_| Flow::Go);
        match answer {
            Ok(Answer { .. }) => Ok(vectors.take()),
            Err(error) => Err(refused(error.sentence)),
        }
    }
}

impl Embedder for Embeddings {
    fn id(&self) -> &str {
        &self.id
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn embed(
        &self,
        platform: &Platform<'_>,
        texts: &[&str],
        into: &mut [f32],
    ) -> Result<(), Failure> {
        let dim = self.dim.max(1);
        let batch = (MOST_COMPONENTS / dim).clamp(1, MOST_TEXTS);
        for (texts, into) in texts.chunks(batch).zip(into.chunks_mut(batch * dim)) {
            let vectors = self.ask(platform, texts)?;
            for (to, from) in into.iter_mut().zip(vectors) {
                *to = from;
            }
        }
        Ok(())
    }
}

/// One request.
struct Batch<'a> {
    of: &'a Embeddings,
    texts: &'a [&'a str],
    vectors: &'a RefCell<Vec<f32>>,
}

impl Batch<'_> {
    /// What the server did wrong. It would do so again.
    fn wrong(&self, what: core::fmt::Arguments<'_>) -> Fault {
        Fault::lasting(format!("{}, asked for vectors, {what}", self.of.endpoint.host()))
    }
}

impl Wire for Batch<'_> {
    fn path(&self, _: &str) -> &'static str {
        "/embeddings"
    }

    fn body(&self, question: &Question<'_>) -> String {
        let mut json = Json::object();
        json.text("model", question.model);
        json.begin("input", '[');
        for text in self.texts {
            let text = if text.trim().is_empty() { NOTHING } else { text };
            json.string(text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or(text));
        }
        json.close(']');
        json.text("encoding_format", "float");
        if self.of.shortened {
            json.count("dimensions", self.of.dim as u64);
        }
        json.done()
    }

    fn event(&self, _: &Value, _: &mut Draft) -> Result<(), Fault> {
        Err(self.wrong(format_args!("sent events")))
    }

    fn whole(&self, answer: &Value, _: &mut Draft) -> Result<(), Fault> {
        let data = answer["data"].list();
        let count = self.texts.len();
        if data.len() != count {
            return Err(self.wrong(format_args!("sent {} for {count} texts", data.len())));
        }
        let dim = match self.of.dim {
            0 => data.first().map_or(0, |entry| entry["embedding"].list().len()),
            dim => dim,
        };
        if !(1..=clawft_codes::MAX_DIM).contains(&dim) {
            return Err(self.wrong(format_args!("sent none that can be used")));
        }
        let mut vectors = alloc::vec![0.0; dim * count];
        for (place, entry) in data.iter().enumerate() {
            let index = entry["index"].as_u64().unwrap_or(place as u64);
            let at = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(dim);
            let Some(vector) = vectors.get_mut(at..at.saturating_add(dim)) else {
                return Err(self.wrong(format_args!("numbered one {index} of {count}")));
            };
            let components = entry["embedding"].list();
            if components.len() != dim {
                let found = components.len();
                return Err(self.wrong(format_args!(
                    "sent one of {found} components where {dim} were expected"
                )));
            }
            for (to, from) in vector.iter_mut().zip(components) {
                *to = from.as_f32().unwrap_or(f32::NAN);
            }
            // Some servers do not set the length; a sum of squares finds what is no number too.
            let length = arith::sqrt(arith::norm2(vector));
            if !(1e-15..1e15).contains(&length) {
                return Err(self.wrong(format_args!("sent one that is no direction")));
            }
            for component in vector {
                *component /= length;
            }
        }
        // A number that came twice leaves a vector without a length.
        if vectors.chunks_exact(dim).any(|vector| arith::norm2(vector) < 0.5) {
            return Err(self.wrong(format_args!("gave two the same number")));
        }
        self.vectors.replace(vectors);
        Ok(())
    }
}
