//! The command line of the demo.

use crate::Failure;
use clawft_sample::Metric;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
cargo xtask demo [options]

Without --base and --queries the sample under data/ is used, and the agent is asked about it
at the end: offline, and by a provider where OPENAI_API_KEY or ANTHROPIC_API_KEY is set.

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
}

/// One build of the kernel: its name and the module's file.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
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

impl Options {
    /// Reads the arguments. `--module NAME=FILE` (repeated), `--data DIR`, `--check`, `--ask`
    /// and `--clawft FILE` come from `xtask`, `--import-into DIR` from the demo itself; the rest is in [`USAGE`].
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Options {
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
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_string(), Some(value.to_string()))
                }
                _ => (argument, None),
            };
            let mut value = || {
                attached
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| Failure::new(format!("{name} needs a value")))
            };
            match name.as_str() {
                "--help" | "-h" => options.help = true,
                "--check" => options.check = true,
                "--ask" => options.ask = true,
                "--json" => options.json = true,
                "--clawft" => options.clawft = Some(value()?.into()),
                "--data" => options.data = value()?.into(),
                "--import-into" => options.import_into = Some(value()?.into()),
                "--module" => {
                    let given = value()?;
                    let (name, path) = given.split_once('=').ok_or_else(|| {
                        Failure::new(format!("--module wants NAME=FILE, found `{given}`"))
                    })?;
                    options.artifacts.push(Artifact { name: name.into(), path: path.into() });
                }
                "--base" => options.base = Some(value()?.into()),
                "--queries" => options.queries = Some(value()?.into()),
                "--texts" => options.texts = Some(value()?.into()),
                "--query-texts" => options.query_texts = Some(value()?.into()),
                "--metric" => {
                    options.metric = match value()?.as_str() {
                        "cosine" => Metric::Cosine,
                        "ip" => Metric::InnerProduct,
                        "l2" => Metric::L2,
                        other => return Err(unknown("--metric", "cosine, ip or l2", other)),
                    }
                }
                "--memory-max" => options.memory_max_mib = Some(number(&name, &value()?)?),
                "--runtime" => {
                    options.runtime = Some(match value()?.as_str() {
                        "jit" => Runtime::Jit,
                        "aot" => Runtime::Aot,
                        other => return Err(unknown("--runtime", "jit or aot", other)),
                    })
                }
                "--mode" => {
                    options.mode = Some(match value()?.as_str() {
                        "auto" => Mode::Auto,
                        "walk" => Mode::Walk,
                        "scan" => Mode::Scan,
                        "exact" => Mode::Exact,
                        other => return Err(unknown("--mode", "auto, walk, scan or exact", other)),
                    })
                }
                "--encoding" => {
                    (options.encoding, options.encoding_name) = match value()?.as_str() {
                        "f32" => (0, "f32"),
                        "f16" => (1, "f16"),
                        "i8" => (2, "i8"),
                        "auto" => (3, "auto"),
                        other => return Err(unknown("--encoding", "auto, f32, f16 or i8", other)),
                    }
                }
                "--capacity" => options.capacity = Some(number(&name, &value()?)?),
                "--ef" => {
                    let list = value()?;
                    options.ef = Some(
                        list.split(',')
                            .map(|one| number("--ef", one.trim()))
                            .collect::<Result<_, _>>()?,
                    );
                }
                other => {
                    return Err(Failure::new(format!(
                        "unknown option `{other}`; `cargo xtask demo --help` lists them"
                    )));
                }
            }
        }
        if options.base.is_some() != options.queries.is_some() {
            return Err(Failure::new(
                "--base and --queries go together: give both, or neither for the sample data",
            ));
        }
        Ok(options)
    }
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
        Options::parse(line.split_whitespace().map(String::from))
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

    #[test]
    fn refuses_with_a_sentence() {
        for (line, says) in [
            ("--base b.npy", "go together"),
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
