//! The command line of the demo.

use crate::Failure;
use clawft_sample::Metric;
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
cargo xtask demo [options]

Without --base and --queries the sample under data/ is used, and the agent is asked about it
at the end, but for --json: offline, and by a provider where OPENAI_API_KEY or
ANTHROPIC_API_KEY is set.

  --base FILE          vectors to index: .npy (f16, f32 or f64, C order) or .fvecs
  --queries FILE       vectors to search for, of the same dimension
  --texts FILE         texts of the base rows, .jsonl or .jsonl.gz, one {\"text\": ...} a line
  --query-texts FILE   texts of the queries, the same way
  --metric NAME        cosine (default), ip or l2
  --memory-max MIB     maximum of the linear memory (default 16, or what the data needs)
  --json               one JSON object a line instead of tables
  --artifact NAME      simd128 (default), scalar or relaxed
  --all-artifacts      all three
  --runtime NAME       jit or aot (default: both; aot at the operating points only)
  --mode NAME          auto, walk (scan forced off), scan or exact (default: auto, walk, scan)
  --encoding NAME      auto (default), f32, f16 or i8
  --capacity N         slots of the store (default: the rows of the base)
  --ef A,B,...         values of ef to sweep";

/// How a search finds its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Auto,
    Walk,
    Scan,
    Exact,
}

impl Mode {
    /// The number of the C ABI.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Walk => "walk",
            Mode::Scan => "scan",
            Mode::Exact => "exact",
        }
    }

    /// The mode of this name.
    pub(crate) fn of(name: &str) -> Result<Self, Failure> {
        let mut all = [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact].into_iter();
        let named = all.find(|mode| mode.name() == name);
        named.ok_or_else(|| unknown("--mode", "auto, walk, scan or exact", name))
    }
}

/// When the module is turned into machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// As it is loaded.
    Jit,
    /// Before; loading maps the finished code.
    Aot,
}

impl Runtime {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Runtime::Jit => "jit",
            Runtime::Aot => "aot",
        }
    }

    /// The runtime of this name.
    fn of(name: &str) -> Result<Self, Failure> {
        let named = [Runtime::Jit, Runtime::Aot].into_iter().find(|one| one.name() == name);
        named.ok_or_else(|| unknown("--runtime", "jit or aot", name))
    }
}

/// One build of the kernel: its name and the module's file.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Artifact {
    /// Reads `NAME=FILE`.
    fn of(given: &str) -> Result<Self, Failure> {
        let (name, path) = given
            .split_once('=')
            .ok_or_else(|| Failure::new(format!("--module wants NAME=FILE, found `{given}`")))?;
        Ok(Artifact { name: name.into(), path: path.into() })
    }
}

/// What the person asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) help: bool,
    pub(crate) check: bool,
    /// Measure what standard input asks for; see `asked`.
    pub(crate) ask: bool,
    pub(crate) json: bool,
    /// The folder that a process of its own imports into; see `durable`.
    pub(crate) import_into: Option<PathBuf>,
    /// The command `clawft`, for the part of the agent; without it there is none.
    pub(crate) clawft: Option<PathBuf>,
    /// Folder of the sample data.
    pub(crate) data: PathBuf,
    /// The artifacts to run, in order.
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) base: Option<PathBuf>,
    pub(crate) queries: Option<PathBuf>,
    pub(crate) texts: Option<PathBuf>,
    pub(crate) query_texts: Option<PathBuf>,
    pub(crate) metric: Metric,
    pub(crate) memory_max_mib: Option<u32>,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) mode: Option<Mode>,
    /// The number of the C ABI.
    pub(crate) encoding: u32,
    pub(crate) encoding_name: &'static str,
    pub(crate) capacity: Option<u32>,
    pub(crate) ef: Option<Vec<u32>>,
}

impl Default for Options {
    /// As without arguments.
    fn default() -> Self {
        Options {
            help: false,
            check: false,
            ask: false,
            json: false,
            import_into: None,
            clawft: None,
            data: PathBuf::from("data"),
            artifacts: Vec::new(),
            base: None,
            queries: None,
            texts: None,
            query_texts: None,
            metric: Metric::Cosine,
            memory_max_mib: None,
            runtime: None,
            mode: None,
            encoding: 3,
            encoding_name: "auto",
            capacity: None,
            ef: None,
        }
    }
}

impl Options {
    /// Reads the arguments. `--module NAME=FILE` (repeated), `--data DIR`, `--check`, `--ask`
    /// and `--clawft FILE` come from `xtask`, `--import-into DIR` from the demo itself; the rest is in [`USAGE`].
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Options::default();
        let text = |word: OsString| {
            let refused = |word: OsString| Failure(format!("`{}` is not Unicode", word.display()));
            word.into_string().map_err(refused)
        };
        let arguments: Vec<String> = arguments.map(text).collect::<Result<_, _>>()?;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_string(), Some(value.to_string()))
                }
                _ => (argument, None),
            };
            options.set(&name, || {
                attached
                    .or_else(|| arguments.next())
                    .ok_or_else(|| Failure::new(format!("{name} needs a value")))
            })?;
        }
        if options.base.is_some() != options.queries.is_some() {
            return Err(Failure::new(
                "--base and --queries go together: give both, or neither for the sample data",
            ));
        }
        if options.base.is_none() && (options.texts.is_some() || options.query_texts.is_some()) {
            return Err(Failure::new(
                "--texts and --query-texts belong to --base and --queries; the sample has its own",
            ));
        }
        Ok(options)
    }

    /// Takes one option. `value` fetches what it is set to; an option that wants nothing leaves it.
    fn set(
        &mut self,
        option: &str,
        value: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        match option {
            "--help" | "-h" => self.help = true,
            "--check" => self.check = true,
            "--ask" => self.ask = true,
            "--json" => self.json = true,
            "--clawft" => self.clawft = Some(value()?.into()),
            "--data" => self.data = value()?.into(),
            "--import-into" => self.import_into = Some(value()?.into()),
            "--module" => self.artifacts.push(Artifact::of(&value()?)?),
            "--base" => self.base = Some(value()?.into()),
            "--queries" => self.queries = Some(value()?.into()),
            "--texts" => self.texts = Some(value()?.into()),
            "--query-texts" => self.query_texts = Some(value()?.into()),
            "--metric" => self.metric = metric(&value()?)?,
            "--memory-max" => self.memory_max_mib = Some(number(option, &value()?)?),
            "--runtime" => self.runtime = Some(Runtime::of(&value()?)?),
            "--mode" => self.mode = Some(Mode::of(&value()?)?),
            "--encoding" => (self.encoding, self.encoding_name) = encoding(&value()?)?,
            "--capacity" => self.capacity = Some(number(option, &value()?)?),
            "--ef" => {
                let list = value()?;
                let values = list.split(',').map(|one| number(option, one.trim()));
                self.ef = Some(values.collect::<Result<Vec<u32>, Failure>>()?);
            }
            other => {
                return Err(Failure::new(format!(
                    "unknown option `{other}`; `cargo xtask demo --help` lists them"
                )));
            }
        }
        Ok(())
    }
}

/// The metric of this name.
fn metric(name: &str) -> Result<Metric, Failure> {
    let mut all = [Metric::Cosine, Metric::InnerProduct, Metric::L2].into_iter();
    let named = all.find(|metric| metric.name() == name);
    named.ok_or_else(|| unknown("--metric", "cosine, ip or l2", name))
}

/// The encoding of this name: the number of the C ABI, and the name.
fn encoding(name: &str) -> Result<(u32, &'static str), Failure> {
    let mut all = [(0, "f32"), (1, "f16"), (2, "i8"), (3, "auto")].into_iter();
    let named = all.find(|(_, known)| *known == name);
    named.ok_or_else(|| unknown("--encoding", "auto, f32, f16 or i8", name))
}

fn unknown(option: &str, expected: &str, found: &str) -> Failure {
    Failure::new(format!("{option} wants {expected}, found `{found}`"))
}

/// A whole number from 1 on.
fn number(option: &str, text: &str) -> Result<u32, Failure> {
    match text.replace('_', "").parse::<u32>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(unknown(option, "a whole number from 1 on", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let words = ["--base".into(), OsString::from_vec(b"b\xff.npy".into())];
        let sentence = Options::parse(words.into_iter()).unwrap_err().0;
        assert!(sentence.starts_with("`b") && sentence.ends_with(".npy` is not Unicode"));
    }

    #[test]
    fn reads_the_options_of_the_readme() {
        let options =
            parse("--base b.npy --queries=q.fvecs --metric l2 --memory-max 16 --json --ef 10,20")
                .unwrap();
        assert_eq!(options.base.unwrap().to_str(), Some("b.npy"));
        assert_eq!(options.queries.unwrap().to_str(), Some("q.fvecs"));
        assert_eq!(options.metric.number(), 2);
        assert_eq!(options.memory_max_mib, Some(16));
        assert!(options.json && !options.check);
        assert_eq!(options.ef, Some(vec![10, 20]));
    }

    /// The durable part adds its own to those that the person gave.
    #[test]
    fn the_last_value_counts() {
        let options = parse("--capacity=900 --check --import-into a --capacity 50").unwrap();
        assert_eq!(options.capacity, Some(50));
        assert!(options.check && options.import_into.is_some());
    }

    #[test]
    fn modes_have_the_names_that_they_are_called_by() {
        for mode in [Mode::Auto, Mode::Walk, Mode::Scan, Mode::Exact] {
            assert_eq!(Mode::of(mode.name()).unwrap(), mode);
        }
        assert!(Mode::of("Auto").is_err());
    }

    #[test]
    fn refuses_with_a_sentence() {
        for (line, says) in [
            ("--base b.npy", "go together"),
            ("--texts t.jsonl", "belong to --base"),
            ("--query-texts t.jsonl", "belong to --base"),
            ("--metric manhattan", "cosine, ip or l2"),
            ("--memory-max 0", "from 1 on"),
            ("--memory-max", "needs a value"),
            ("--sped", "unknown option"),
        ] {
            let sentence = parse(line).unwrap_err().0;
            assert!(sentence.contains(says), "{line}: {sentence}");
        }
    }
}
