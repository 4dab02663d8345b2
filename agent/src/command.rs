//! What a person types.
//!
//! | file | what |
//! |---|---|
//! | `arguments` | the command line |
//! | `setup` | config, embedder and provider of a run |
//! | `output` | sentences for people, JSON for programs |
//! | `records` | remember, recall, correct, pin, feedback, forget, redact, import, export |
//! | `upkeep` | sessions, stats, compact, reembed, config |
//! | `talk` | ask, chat |
//! | `gate` | with the feature `coherence`: gate list, allow, deny, log, reset |
//!
//! With `--json`, a command prints JSON objects, each on one line, errors too; without, sentences.
//! Notes and warnings go beside the output. Exit codes are those of [`Exit`].
//!
//! Help and version come before the set-up: they are there without a data folder, and beside a
//! config that cannot be read. A host that calls functions comes in by `carry_out`, which
//! hands a failure back instead of printing it.
//!
//! What it must never do: ask a question under `--json`, where it would stand among what a
//! program reads.

mod arguments;
#[cfg(feature = "coherence")]
mod gate;
mod output;
mod records;
pub(crate) mod setup;
mod talk;
mod upkeep;

use alloc::format;
use alloc::string::String;
use core::cell::Cell;

use crate::failure::{Exit, Failure};
use crate::memory::Memory;
use crate::platform::Platform;

use arguments::{Arguments, wants_json};
use output::{Output, Shown};
use setup::Setup;

/// Lines of the help for what is not always there.
#[cfg(feature = "coherence")]
const MORE: &str = "
With a gate before the memory:
  clawft gate list              memories in quarantine, which are not recalled
  clawft gate allow ID…         let one out: you vouch for it
  clawft gate deny ID…          forget one for good
  clawft gate log               the last decisions, with their reasons
  clawft gate reset             forget the evidence and the log
";

const HELP: &str = "\
clawft: an agent with a memory

  chat              talk; /help there lists more
  ask \"…\"           one question, one answer
  remember \"…\"      keep a fact
  recall \"…\"        what is known of something
  correct ID \"…\"    give a memory another text
  pin ID, unpin ID  keep it whatever happens, or no longer
  feedback ID WORD  used, cited, good, bad or corrected
  forget ID…        for good; --redact: out of sessions too
  redact \"…\"        a text out of all sessions
  import FILE…      txt, md, jsonl; again, it goes on
  export            all, a line of JSON each
  sessions          conversations
  stats             sizes
  compact           write the file anew
  reembed           all vectors anew, with another embedder
  config            the effective config, without secrets
  help, version

  --session NAME   the conversation (ask: a new one each time; chat: default)
  --provider NAME  offline, openai, anthropic; auto: what has a key
  --embedder NAME  static, hashed, openai
  -k N             how many recall gives
  --json           output for programs

Exit codes: 0 done, 1 the system refused, 2 usage, 3 config, 4 nothing found,
5 provider, 6 another program writes, 7 damaged file, 8 embedder.
";

/// What a command works with.
struct Run<'a> {
    setup: &'a Setup<'a>,
    arguments: &'a Arguments,
    output: &'a Output<'a>,
    memory: Memory<'a>,
}

/// Runs the command that the platform's arguments name. Gives the exit code.
#[must_use]
pub fn run(platform: &Platform<'_>) -> i32 {
    let words = platform.environment.arguments();
    let json = wants_json(&words);
    let output = Output { terminal: platform.terminal, json, exit: Cell::new(None) };
    match dispatch(platform, &words, None, &output) {
        Ok(()) if platform.terminal.is_lost() => {
            // Under `--json` too: where the object would go nothing can be written.
            output.note("the output could not be written");
            Exit::Failed as i32
        }
        Ok(()) => output.exit.get().map_or(0, |exit| exit as i32),
        Err(failure) => {
            output.failure(&failure);
            failure.exit as i32
        }
    }
}

/// Does what these words name, with this config instead of the data folder's. What is printed goes
/// to the terminal; what fails is only given back. Gives the exit code.
///
/// # Errors
/// Those of the command.
#[cfg(all(target_os = "wasi", feature = "component"))]
pub(crate) fn carry_out(
    platform: &Platform<'_>,
    words: &[String],
    config: Option<&str>,
) -> Result<Option<Exit>, Failure> {
    let json = wants_json(words);
    let output = Output { terminal: platform.terminal, json, exit: Cell::new(None) };
    dispatch(platform, words, config, &output).map(|()| output.exit.get())
}

fn dispatch(
    platform: &Platform<'_>,
    words: &[String],
    config: Option<&str>,
    output: &Output<'_>,
) -> Result<(), Failure> {
    let arguments = Arguments::parse(words)?;
    match arguments.command() {
        "" | "help" | "--help" | "-h" => {
            #[cfg(feature = "coherence")]
            output.text("help", &format!("{HELP}{MORE}"));
            #[cfg(not(feature = "coherence"))]
            output.text("help", HELP);
            return Ok(());
        }
        "version" | "--version" => {
            let version = env!("CARGO_PKG_VERSION");
            output.pair(format_args!("clawft {version}\n"), "version", &Shown::Text(version));
            return Ok(());
        }
        _ => {}
    }
    let is_alone = ["chat", "export", "sessions", "stats", "compact", "reembed", "config"];
    if is_alone.contains(&arguments.command()) {
        arguments.alone()?;
    }
    let setup = Setup::new(platform, &arguments, config)?;
    let memory = setup.memory();
    let mut run = Run { setup: &setup, arguments: &arguments, output, memory };
    let done = match arguments.command() {
        "chat" => talk::chat(&mut run),
        "ask" => talk::ask(&mut run),
        "remember" => records::remember(&mut run),
        "recall" => records::recall(&mut run),
        "correct" => records::correct(&mut run),
        "pin" => records::pin(&mut run, true),
        "unpin" => records::pin(&mut run, false),
        "feedback" => records::feedback(&mut run),
        "forget" => records::forget(&mut run),
        "redact" => records::redact(&mut run),
        "import" => records::import(&mut run),
        "export" => records::export(&mut run),
        "sessions" => upkeep::sessions(&mut run),
        "stats" => upkeep::stats(&mut run),
        #[cfg(feature = "coherence")]
        "gate" => gate::gate(&mut run),
        "compact" => upkeep::compact(&mut run),
        "reembed" => upkeep::reembed(&mut run),
        "config" => {
            output.text("config", &setup.config.print());
            Ok(())
        }
        other => Err(Failure::new(
            Exit::Usage,
            format!("there is no command \"{}\": see `clawft help`", output::short(other, 40)),
        )),
    };
    // Whatever came of it: none goes without a word.
    if let Some(note) = run.memory.evicted() {
        output.note(&note);
    }
    done
}
