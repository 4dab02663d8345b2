//! The end of the demo: the agent with the sample in its memory, asked three questions.
//!
//! The command `clawft` does it, the component under Wasmtime as a person has it: it imports the
//! texts into a folder of its own and answers. What it answers with is read from its own output
//! and held against the sample, so a citation of something that was never imported shows.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::inputs::Inputs;
use crate::options::Options;
use clawft_sample::scratch::Scratch;
use clawft_sample::texts::shorten;

/// What is asked, and a word that what answers it holds.
const QUESTIONS: [(&str, &str); 3] = [
    ("How do I type signs that are missing on my keyboard?", "keyboard"),
    ("Is there a game of chess to play against the computer?", "chess"),
    ("What shows me the weather forecast?", "weather"),
];
/// The provider that needs no key.
const OFFLINE: &str = "offline";
/// Variables whose keys a provider is asked with.
const KEYS: [&str; 2] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"];
/// Characters of an answer or a text that are shown on a line.
const WIDTH: usize = 110;

/// An answer and what it rests on.
pub(crate) struct Answered {
    pub(crate) question: &'static str,
    /// As `clawft ask --json` names it: `offline`, or who has the key.
    provider: &'static str,
    text: String,
    /// The memories that the answer cites: id and text.
    cited: Vec<(u64, String)>,
    /// Every cited text is one of the sample.
    pub(crate) is_of_sample: bool,
    /// The id of a cited memory that holds the word asked for.
    pub(crate) holds: Option<u64>,
    time: Duration,
}

/// What happened.
pub(crate) struct Story {
    /// Memories made of the sample's texts.
    pub(crate) imported: u64,
    /// Texts of the sample.
    pub(crate) texts: usize,
    time: Duration,
    pub(crate) answers: Vec<Answered>,
}

/// Imports the sample and asks; `with_keys` says whether a provider is asked too, where the
/// environment has a key for one.
pub(crate) fn run(
    clawft: &Path,
    options: &Options,
    inputs: &Inputs,
    with_keys: bool,
) -> Result<Story, Failure> {
    let texts = inputs.texts.as_deref().unwrap_or(&[]);
    let folder = Scratch::new()?;
    let file = write_lines(folder.path(), texts)?;
    let start = Instant::now();
    let done = clawft_says(clawft, folder.path(), &["import", "--json", &file.to_string_lossy()])?;
    let time = start.elapsed();
    let imported = done["added"].as_u64().unwrap_or(0);
    let sample: HashSet<&str> = texts.iter().map(|text| text.trim()).collect();

    let has_key = KEYS.iter().any(|name| std::env::var(name).is_ok_and(|key| !key.is_empty()));
    let mut providers = vec![OFFLINE];
    if with_keys && has_key {
        providers.push("auto");
    }
    let mut answers = Vec::new();
    for provider in providers {
        for (question, word) in QUESTIONS {
            if !options.check {
                eprintln!("asking ({provider}): {question}");
            }
            let start = Instant::now();
            let words = ["ask", "--json", "--provider", provider, question];
            let said = match clawft_says(clawft, folder.path(), &words) {
                // A provider that cannot be reached is no failure of ours.
                Err(Failure(sentence)) if provider != OFFLINE => json!({ "answer": sentence }),
                said => said?,
            };
            answers.push(read(question, word, provider, &said, &sample, start.elapsed()));
        }
    }
    Ok(Story { imported, texts: texts.len(), time, answers })
}

/// The texts as `clawft import` takes them.
fn write_lines(folder: &Path, texts: &[String]) -> Result<PathBuf, Failure> {
    let path = folder.join("sample.jsonl");
    let wrong = |why| Failure::new(format!("{}: {why}", path.display()));
    let file = std::fs::File::create(&path).map_err(wrong)?;
    let mut file = std::io::BufWriter::new(file);
    for text in texts {
        writeln!(file, "{}", json!({ "text": text, "kind": "sample" })).map_err(wrong)?;
    }
    file.flush().map_err(wrong)?;
    Ok(path)
}

/// Runs the command with a data folder in `folder` and reads the object that it prints. Its
/// notes and its progress bar are the person's to see.
fn clawft_says(clawft: &Path, folder: &Path, words: &[&str]) -> Result<Value, Failure> {
    let said = |why: String| Failure::new(format!("clawft {}: {why}", words[0]));
    let output = Command::new(clawft)
        .args(words)
        .env("CLAWFT_HOME", folder.join("data"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| said(why.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let value: Value = serde_json::from_str(text.trim())
        .map_err(|_| said(format!("one object in JSON expected, found `{}`", text.trim())))?;
    match output.status.success() {
        true => Ok(value),
        false => Err(said(value["error"].as_str().unwrap_or("it failed").to_string())),
    }
}

fn read(
    question: &'static str,
    word: &str,
    provider: &'static str,
    said: &Value,
    sample: &HashSet<&str>,
    time: Duration,
) -> Answered {
    let empty = Vec::new();
    let ids = said["cited"].as_array().unwrap_or(&empty).iter().filter_map(Value::as_u64);
    let memories = said["memories"].as_array().unwrap_or(&empty);
    let text_of = |id: u64| {
        let found = memories.iter().find(|memory| memory["id"].as_u64() == Some(id));
        found.and_then(|memory| memory["text"].as_str()).unwrap_or_default().to_string()
    };
    let cited: Vec<(u64, String)> = ids.map(|id| (id, text_of(id))).collect();
    let holds = cited.iter().find(|(_, text)| text.to_lowercase().contains(word));
    Answered {
        question,
        provider,
        text: said["answer"].as_str().unwrap_or_default().to_string(),
        is_of_sample: cited.iter().all(|(_, text)| sample.contains(text.as_str())),
        holds: holds.map(|(id, _)| *id),
        cited,
        time,
    }
}

/// Tells the story.
pub(crate) fn tell(story: &Story) {
    println!("\nThe agent, the command `clawft` (the component under Wasmtime):");
    println!(
        "  {} of the sample's {} texts imported into its memory in {:.1} s",
        story.imported,
        story.texts,
        story.time.as_secs_f64()
    );
    for answered in &story.answers {
        let is_offline = answered.provider == OFFLINE;
        let who = if is_offline { OFFLINE } else { "the provider whose key is set" };
        println!("\n? {}  ({who}, {} ms)", answered.question, answered.time.as_millis());
        answered.text.lines().for_each(|line| println!("  {}", with_citation(line)));
        println!(
            "  {}",
            match (answered.cited.len(), answered.is_of_sample) {
                (0, _) => "no memory cited".to_string(),
                (cited, true) => format!("{cited} memories cited, each one a text of the sample"),
                (cited, false) => format!("{cited} memories cited, NOT all of them of the sample"),
            }
        );
        // Offline, the answer is their texts.
        for (id, text) in answered.cited.iter().filter(|_| !is_offline) {
            println!("    [{id}] {}", shorten(text, WIDTH));
        }
    }
    if story.answers.len() == QUESTIONS.len() {
        println!("\nWith OPENAI_API_KEY or ANTHROPIC_API_KEY set, that provider is asked too.");
    }
}

/// A line on one line of the terminal, with the citation at its end.
fn with_citation(line: &str) -> String {
    match line.rsplit_once(" [") {
        Some((text, citation)) if line.ends_with(']') => {
            let width = WIDTH.saturating_sub(citation.chars().count() + 2);
            format!("{} [{citation}", shorten(text, width))
        }
        _ => shorten(line, WIDTH),
    }
}
