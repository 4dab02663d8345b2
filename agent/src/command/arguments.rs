//! The command line: a command, options anywhere, and words.
//!
//! Why: a text may be typed without quotation marks. So the words behind a command are
//! joined, and one dash begins no option but `-k`, also as `-k5` and `-k=5`: `-5` is a word. Help is
//! asked for by the first word, or by the first behind a command: elsewhere `-h` is one of a text.
//! `--json` is passed over, as it is looked for before: what is wrong here is said in JSON too.
//!
//! What it must never do: take an option that it does not know for a word: a slip would be
//! remembered with the text, or sent to a model. Nor pass one over that says what is
//! to be done, where the command does not do it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::failure::{Exit, Failure};
use crate::text;

/// Whether output for programs is wanted: `--json` stands before what `--` makes a text.
pub(super) fn wants_json(words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// What helps where such a word is a text's.
const BEFORE_TEXT: &str = "-- stands before a text with such words";

/// A command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// The command, then what it works on.
    words: Vec<String>,
    pub(super) session: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) embedder: Option<String>,
    /// Memories wanted.
    pub(super) k: Option<usize>,
    pub(super) redact: bool,
}

#[cold]
fn usage(sentence: String) -> Failure {
    Failure::new(Exit::Usage, format!("{sentence}: see `clawft help`"))
}

impl Arguments {
    pub(super) fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut all = Self::default();
        let mut rest = words.iter();
        let mut options = true;
        while let Some(word) = rest.next() {
            let (name, mut given) = match text::cut(word, b"=") {
                Some((name, value)) if word.starts_with("--") || name == "-k" => {
                    (name, Some(value.to_owned()))
                }
                _ => match word.strip_prefix("-k") {
                    Some(k) if k.parse::<u64>().is_ok() => ("-k", Some(k.to_owned())),
                    _ => (&**word, None),
                },
            };
            if options
                && given.is_some()
                && matches!(name, "--json" | "--redact" | "--help" | "--version")
            {
                return Err(usage(format!("nothing expected after {name}, found {word}")));
            }
            let mut value = || {
                let value = given.take().or_else(|| rest.next().cloned());
                value.ok_or_else(|| usage(format!("a value expected after {name}")))
            };
            match name {
                _ if !options => all.words.push(word.clone()),
                "--" => options = false,
                "--json" => {}
                "--redact" => all.redact = true,
                "--session" => all.session = Some(value()?),
                "--provider" => all.provider = Some(value()?),
                "--embedder" => all.embedder = Some(value()?),
                "-k" => {
                    let value = value()?;
                    let k = value.parse().ok().filter(|k| (1..=1000).contains(k));
                    let wrong = || {
                        usage(format!("a number from 1 to 1000 expected after -k, found {value}"))
                    };
                    all.k = Some(k.ok_or_else(wrong)?);
                }
                "--help" | "-h" | "--version" if all.words.len() < 2 => {
                    all.words.insert(0, word.clone());
                }
                _ if name.starts_with("--") => {
                    return Err(usage(format!("there is no option {name} here; {BEFORE_TEXT}")));
                }
                _ => all.words.push(word.clone()),
            }
        }
        for (name, is_there, of) in [
            ("-k", all.k.is_some(), "recall"),
            ("--redact", all.redact, "forget"),
            ("--session", all.session.is_some(), "ask, chat, remember"),
        ] {
            // Help is help whatever stands beside it.
            let is_help = all.command().starts_with('-') || all.command() == "help";
            let is_used = is_help || text::is_listed(of, all.command());
            if is_there && !is_used {
                // It would be missed in a text, or be expected to do something.
                return Err(usage(format!("{name} is of `{of}` alone; {BEFORE_TEXT}")));
            }
        }
        Ok(all)
    }

    /// The command; empty where there is none.
    pub(super) fn command(&self) -> &str {
        self.words.first().map_or("", |word| word)
    }

    /// What the command works on.
    pub(super) fn rest(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The words behind the command as one text; `skip` of them are something else.
    pub(super) fn text(&self, skip: usize) -> Result<String, Failure> {
        let text = self.rest().get(skip..).unwrap_or_default().join(" ");
        match text.trim().is_empty() {
            true => Err(usage(format!("a text expected after `clawft {}`", self.command()))),
            false => Ok(text),
        }
    }

    /// For a command that takes no words: one that is passed over would be missed, such as the name
    /// of a file to export to.
    pub(super) fn alone(&self) -> Result<(), Failure> {
        match self.rest().first() {
            Some(word) => Err(usage(format!(
                "nothing expected after `clawft {}`, found \"{}\"",
                self.command(),
                super::output::short(word, 40)
            ))),
            None => Ok(()),
        }
    }

    /// The ids behind the command.
    pub(super) fn ids(&self) -> Result<Vec<u64>, Failure> {
        let mut ids = Vec::new();
        for word in self.rest() {
            ids.push(id(word)?);
        }
        match ids.is_empty() {
            true => Err(usage(format!("an id expected after `clawft {}`", self.command()))),
            false => Ok(ids),
        }
    }
}

/// An id as a person types it: `12` or `[12]`.
pub(super) fn id(word: &str) -> Result<u64, Failure> {
    let plain = text::without_end(word.trim_start_matches('['), b"],");
    plain.parse().map_err(|_| {
        usage(format!("a memory's id expected, found \"{}\"", super::output::short(word, 40)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn parse(line: &str) -> Result<Arguments, Failure> {
        Arguments::parse(&line.split_whitespace().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn what_stands_behind_two_dashes_asks_for_no_json() {
        let wants =
            |line: &str| wants_json(&line.split(' ').map(ToString::to_string).collect::<Vec<_>>());
        assert!(wants("--json stats") && wants("remember a --json -- b"));
        assert!(!wants("remember -- --json is fine") && !wants("stats"));
    }

    #[test]
    fn options_stand_anywhere_and_texts_stay_whole() {
        let all = parse("ask --session=a where --provider offline is it").unwrap();
        assert_eq!((all.command(), &*all.text(0).unwrap()), ("ask", "where is it"));
        assert_eq!(all.session.as_deref(), Some("a"));
        assert_eq!((all.provider.as_deref(), all.k), (Some("offline"), None));
        assert_eq!(
            parse("remember -- --json is an option").unwrap().text(0).unwrap(),
            "--json is an option"
        );
        for line in ["recall x -k3", "recall -k=3 x", "recall x -k 3", "recall x -k 9 -k3"] {
            let all = parse(line).unwrap();
            assert_eq!((&*all.text(0).unwrap(), all.k), ("x", Some(3)), "{line}");
        }
        assert_eq!(parse("remember -kay -- -k2").unwrap().text(0).unwrap(), "-kay -k2");
        assert_eq!(parse("forget [12] 13,").unwrap().ids().unwrap(), [12, 13]);
        let said = parse("remember use df -h to see free space").unwrap();
        assert_eq!(
            (said.command(), &*said.text(0).unwrap()),
            ("remember", "use df -h to see free space")
        );
        for line in ["-h", "remember -h", "--json remember --json -h", "remember --session a -h x"]
        {
            assert_eq!(parse(line).unwrap().command(), "-h", "{line}");
        }
        for line in [
            "ask --nothing x",
            "ask --session",
            "recall x -k 0",
            "recall x -k=many",
            "recall x -k0",
            "remember sort the log with sort -k2",
            "remember git has --help",
            "remember node --version says which",
            "recall --session work tea",
            "correct 1 tea --redact",
            "stats --session=work",
        ] {
            assert_eq!(parse(line).unwrap_err().exit, Exit::Usage, "{line}");
        }
        assert!(
            parse("forget x").unwrap().ids().is_err() && parse("ask").unwrap().text(0).is_err()
        );
    }
}
