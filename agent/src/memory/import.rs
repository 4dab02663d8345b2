//! Files into memories.
//!
//! A file is read in parts and cut into pieces; each piece's id comes from what it says. So an
//! import that was broken off goes on where it was: what is there already is passed over before
//! any vector is made of it. A memory that was corrected after it was imported stays as it is, and
//! what it says by now is passed over too, though its id comes from what it said first: an export
//! comes back to its memory without twins. That is found by vectors, before the gate is asked: it is
//! no new write. Private keys are longer than a piece, and are taken out before it is cut.
//!
//! Of JSON lines each is a memory: `text` must be there; `kind`, `session`, `created` (ms) and
//! `pinned` may be, or be `null`. That is what `clawft export` writes. A longer text than a memory has
//! is cut.
//!
//! Ids are those of the texts without their secrets: when more is taken for a secret, such a
//! piece is new.
//!
//! A full memory that evicts takes a batch in halves where it has no room for all of it at once: what
//! made room has gone already, and would have gone for nothing.
//!
//! What it must never do: hold more of a file than a line and what waits for its batch, make
//! vectors of what memory has under its own id already, or commit part of what goes in at once.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use clawft_store::memory::{Memory as Store, Recall, Refusal};

use super::chunk::Chunker;
use super::gated::admit;
use super::pem::KeyFilter;
use super::refused::is_full;
use super::write::{MOST_TEXT, NEIGHBOURS, New, place, put};
use super::{Memory, redact};
use crate::failure::{Exit, Failure};
use crate::json::{self, Unread, Value};
use crate::room;
use crate::text;

/// Bytes read at a time.
const PART: usize = 32 << 10;
/// Most bytes of a line.
const MOST_LINE: usize = 1 << 20;
/// Values in a line of JSON: of a line full of numbers the tree would take all memory.
const MOST_VALUES: usize = 50_000;
/// Characters that are shown of what stands in the place of something else.
const MOST_SHOWN: usize = 40;
/// Pieces that are embedded and committed together.
const BATCH: usize = 32;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Paragraphs.
    Text,
    /// Paragraphs under headings.
    Markdown,
    /// A memory a line.
    JsonLines,
}

impl Format {
    /// By the ending of a file's name: `.txt`, `.md`, `.jsonl`.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = text::cut_last(path, b'.')?;
        Some(match &*ending.to_ascii_lowercase() {
            "txt" | "text" => Self::Text,
            "md" | "markdown" => Self::Markdown,
            "jsonl" | "ndjson" => Self::JsonLines,
            _ => return None,
        })
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub read: u64,
    /// Bytes of the file.
    pub all: u64,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Memories made.
    pub added: usize,
    /// Pieces that were there already.
    pub known: usize,
    /// Secrets that were taken out.
    pub redacted: usize,
    /// Memories made that came pinned.
    pub pinned: usize,
    /// Pieces in quarantine.
    #[cfg(feature = "coherence")]
    pub deferred: usize,
    /// Pieces that were not let in.
    #[cfg(feature = "coherence")]
    pub denied: usize,
}

/// What the record of a piece that is let in says of itself.
pub(super) const IMPORTED: (&str, &str) = ("source", "import");

/// What is to be said where such a memory is forgotten.
const COMES_BACK: &str = "what came from a file comes back with its next import";

impl Memory<'_> {
    /// What whoever is about to forget these has to know, where one came from a file. Why a memory cannot
    /// be opened is said by what forgets; one that is damaged comes from nowhere.
    pub fn comes_back(&mut self, ids: &[u64]) -> Option<&'static str> {
        let store = self.reading().ok().flatten()?;
        let is_imported = |id: &u64| {
            let fields = store.try_fields(*id);
            fields.is_ok_and(|fields| fields.metadata().any(|pair| pair == IMPORTED))
        };
        ids.iter().any(is_imported).then_some(COMES_BACK)
    }
}

/// A piece on its way.
struct Piece {
    text: String,
    kind: String,
    session: String,
    created: u64,
    pinned: bool,
}

/// A member that may be there, what it is then, and whether it is that.
type Member = (&'static str, &'static str, fn(&Value) -> bool);

const MEMBERS: [Member; 4] = [
    ("kind", "a text of at most 255 bytes", |value| is_text(value, clawft_store::MAX_KIND)),
    ("session", "a text of at most 1024 bytes", |value| is_text(value, clawft_store::MAX_SESSION)),
    ("created", "milliseconds since 1970", |value| whole(value).is_some()),
    ("pinned", "true or false", |value| value.as_bool().is_some()),
];

fn is_text(value: &Value, most: usize) -> bool {
    value.as_text().is_some_and(|text| text.len() <= most)
}

fn of_json(line: &str, number: usize) -> Result<Piece, Failure> {
    let wrong = |what: &str| Failure::new(Exit::Usage, format!("line {number}: {what}"));
    let value = json::read(line.as_bytes(), MOST_VALUES).map_err(|why| match why {
        Unread::Broken(_) => wrong("a JSON object expected"),
        Unread::NoMemory => Failure::new(Exit::Failed, room::NONE),
    })?;
    let text = value["text"].text().trim();
    if text.is_empty() {
        return Err(wrong("a `text` with words expected"));
    }
    for (key, expected, is_fine) in MEMBERS {
        let found = &value[key];
        // Passed over, a date would become today's without a word.
        if !found.is_null() && !is_fine(found) {
            let found = text::short(&found.print(), MOST_SHOWN);
            return Err(wrong(&format!("{expected} as `{key}` expected, found {found}")));
        }
    }
    Ok(Piece {
        text: text.to_owned(),
        kind: value["kind"].text().to_owned(),
        session: value["session"].text().to_owned(),
        created: whole(&value["created"]).unwrap_or(0),
        pinned: value["pinned"].as_bool().unwrap_or(false),
    })
}

/// A whole number, also as those write it who have floats alone: `1620000000000.0`.
fn whole(value: &Value) -> Option<u64> {
    let Value::Number(number) = value else { return None };
    number.strip_suffix(".0").unwrap_or(number).parse().ok()
}

/// A text that is too long for a memory, in pieces; counts the secrets that are taken out of it.
fn cut(piece: Piece, redacted: &mut usize) -> Vec<Piece> {
    let len = piece.text.len();
    // What stands in the place of a secret may be longer, but not so much.
    if len <= MOST_TEXT / 4 || len <= MOST_TEXT && redact(&piece.text).0.len() <= MOST_TEXT {
        return Vec::from([piece]);
    }
    let (mut chunker, mut keys) = (Chunker::new(false), KeyFilter::default());
    let mut lines = &*piece.text;
    while let Some(line) = text::line(&mut lines) {
        if let Some(line) = keys.without_keys(line) {
            chunker.line(&line);
        }
    }
    chunker.end();
    *redacted += chunker.secrets() + keys.count;
    let parts = chunker.take().into_iter();
    let part =
        |text| Piece { text, kind: piece.kind.clone(), session: piece.session.clone(), ..piece };
    parts.map(part).collect()
}

/// The lines of a file on their way.
struct Lines<'a> {
    format: Format,
    /// Of the file: what its pieces are called.
    name: String,
    number: usize,
    chunker: Chunker,
    keys: KeyFilter,
    waiting: Vec<Piece>,
    done: &'a mut Imported,
}

impl Lines<'_> {
    /// Takes the next line, with its end where it has one.
    fn line(&mut self, path: &str, line: &[u8]) -> Result<(), Failure> {
        self.number += 1;
        let number = self.number;
        let wrong = |what: &str| {
            Failure::new(Exit::Usage, format!("{path}, line {number}: {what} expected"))
        };
        if line.len() > MOST_LINE {
            return Err(wrong("at most 1 MiB"));
        }
        let line = core::str::from_utf8(line).map_err(|_| wrong("text in UTF-8"))?;
        // Editors of Windows write this before the text; it is none.
        let line = line.strip_prefix('\u{feff}').filter(|_| number == 1).unwrap_or(line);
        let line = text::without_end(line, b"\n\r");
        if self.format == Format::JsonLines {
            if !line.trim().is_empty() {
                let piece = of_json(line, number).map_err(|why| why.of(path))?;
                self.waiting.extend(cut(piece, &mut self.done.redacted));
            }
            return Ok(());
        }
        if let Some(line) = self.keys.without_keys(line) {
            self.chunker.line(&line);
            self.take();
        }
        Ok(())
    }

    /// Ends what the lines have begun.
    fn end(&mut self) {
        self.chunker.end();
        self.take();
        self.done.redacted += self.keys.count;
    }

    fn take(&mut self) {
        self.done.redacted += self.chunker.secrets();
        let pieces = self.chunker.take().into_iter().map(|text| Piece {
            text,
            kind: self.name.clone(),
            session: String::new(),
            created: 0,
            pinned: false,
        });
        self.waiting.extend(pieces);
    }
}

/// Whether a memory says this very text, under whatever id.
fn says(store: &mut Store, text: &str, vector: &[f32]) -> Result<bool, Refusal> {
    if store.is_empty() {
        return Ok(false);
    }
    let near =
        store.try_recall(&Recall { vector: Some(vector), k: NEIGHBOURS, ..Recall::default() })?;
    // One that is damaged says nothing.
    Ok(near.iter().any(|found| store.try_text(found.id).is_ok_and(|there| there == text)))
}

impl Memory<'_> {
    /// Imports a file. `progress` is told how far it is.
    ///
    /// # Errors
    /// Those of the file, of the embedder and the store, with the line where there is one. What
    /// was imported before stays, and is passed over the next time.
    pub fn import(
        &mut self,
        path: &str,
        format: Format,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Imported, Failure> {
        let mut all = Imported::default();
        self.import_too(path, format, &mut all, progress)?;
        Ok(all)
    }

    /// The same, which counts what the file brings to that of others, also before an error.
    ///
    /// # Errors
    /// Those of [`import`](Self::import).
    pub fn import_too(
        &mut self,
        path: &str,
        format: Format,
        done: &mut Imported,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let files = self.platform.files;
        let failed = |error| Failure::of_file(path, &error);
        let all = files.entry(path).map_err(failed)?.len;
        let name = text::cut_last(path, b'/').map_or(path, |(_, name)| name);
        let mut file = Lines {
            format,
            name: text::first(name, 60).to_owned(),
            number: 0,
            chunker: Chunker::new(format == Format::Markdown),
            keys: KeyFilter::default(),
            waiting: Vec::new(),
            done,
        };
        let mut read = 0;
        let (mut part, mut line) = (vec![0; PART], Vec::new());
        loop {
            let len = files.read_at(path, read, &mut part).map_err(failed)?;
            read += len as u64;
            let part = part.get(..len).unwrap_or_default();
            for bytes in part.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(bytes);
                // One that is too long is refused before it is whole.
                if bytes.ends_with(b"\n") || line.len() > MOST_LINE {
                    file.line(path, &line)?;
                    line.clear();
                    self.take_batches(&mut file)?;
                }
            }
            progress(Progress { read, all });
            if len == 0 {
                break;
            }
        }
        file.line(path, &line)?;
        file.end();
        self.take_batches(&mut file)?;
        self.take_in(&file.waiting, file.done)
    }

    /// Takes in what waits, as far as it fills batches.
    fn take_batches(&mut self, file: &mut Lines<'_>) -> Result<(), Failure> {
        while file.waiting.len() >= BATCH {
            let rest = file.waiting.split_off(BATCH);
            self.take_in(&file.waiting, file.done)?;
            file.waiting = rest;
        }
        Ok(())
    }

    /// Remembers pieces, all or none; where others make room for them, as many at once as find it.
    fn take_in(&mut self, pieces: &[Piece], done: &mut Imported) -> Result<(), Failure> {
        let mut new = Vec::new();
        for piece in pieces {
            let (text, secrets) = redact(&piece.text);
            let there = match self.reading()? {
                Some(store) => place(store, &text, true)?.1,
                None => false,
            };
            match there {
                true => done.known += 1,
                false => new.push((text, piece, secrets)),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let texts: Vec<&str> = new.iter().map(|(text, ..)| &**text).collect();
        let mut vectors = self.embed(&texts)?;
        let dim = vectors.len() / texts.len();
        let mut store = self.reading()?;
        let mut unlike = Vec::new();
        for (at, (text, piece, secrets)) in new.into_iter().enumerate() {
            let vector = at * dim..(at + 1) * dim;
            if let Some(store) = &mut store
                && says(store, &text, &vectors[vector.clone()])?
            {
                done.known += 1;
                continue;
            }
            done.redacted += secrets;
            vectors.copy_within(vector, unlike.len() * dim);
            unlike.push((text, piece));
        }
        let new = unlike;
        if new.is_empty() {
            return Ok(());
        }
        vectors.truncate(new.len() * dim);
        let texts: Vec<&str> = new.iter().map(|(text, _)| &**text).collect();
        let judged = self.judged(&texts, &vectors, dim)?;
        let (mut from, mut most, mut left) = (0, new.len(), None);
        while from < new.len() {
            let to = (from + most).min(new.len());
            let mut counted = *done;
            let tried = self.try_change(None, &mut left, &mut |store, now| {
                // A change that is begun again counts anew.
                counted = *done;
                let vectors = vectors.chunks_exact(dim);
                let some = new.iter().zip(vectors).enumerate().take(to).skip(from);
                for (at, ((text, piece), vector)) in some {
                    // The same piece may stand twice in a file.
                    let (id, there) = place(store, text, true)?;
                    let Some(marks) = admit(store, &judged, at, there, &mut counted)? else {
                        continue;
                    };
                    counted.pinned += usize::from(piece.pinned);
                    let record = New {
                        text,
                        kind: if piece.kind.is_empty() { "fact" } else { &piece.kind },
                        session: &piece.session,
                        source: "import",
                        // Of two that contradict each other the later counts: none is of tomorrow.
                        created: piece.created.min(now),
                        pinned: piece.pinned,
                    };
                    put(store, id, &record, text, vector, now, marks)?;
                }
                Ok(())
            })?;
            match tried {
                Ok(()) => (from, *done, left) = (to, counted, None),
                Err(why) => {
                    // One change may take half of all memories away, which a batch can be more than.
                    most = (to - from) / 2;
                    if most == 0 || !self.limits.evict || !is_full(&why) {
                        return Err(why.into());
                    }
                }
            }
        }
        Ok(())
    }
}
