//! A few queries in words, with the texts found for them.

use crate::run::Job;
use clawft_sample::texts::shorten;

/// Questions shown of each set.
const SHOWN: usize = 3;
/// Texts shown for each question.
const FOUND: usize = 3;
const WIDTH: usize = 96;

/// Prints some questions of a set, evenly spread over it, and what was found:
/// `ids` holds the answers, `counts` how many each query got.
pub(crate) fn show(
    job: &Job<'_>,
    questions: Option<&[String]>,
    set: &str,
    ids: &[u64],
    counts: &[u32],
) {
    let Some(texts) = job.texts else { return };
    println!("\nIn words ({set}):");
    let step = (counts.len() / SHOWN).max(1);
    for query in (0..counts.len()).step_by(step).take(SHOWN) {
        let from: usize = counts[..query].iter().map(|count| *count as usize).sum();
        let found = &ids[from..][..counts[query] as usize];
        match questions.and_then(|questions| questions.get(query)) {
            Some(question) => println!("? {}", shorten(question, WIDTH)),
            None => println!("? query {query}"),
        }
        for (rank, id) in found.iter().take(FOUND).enumerate() {
            let text = texts.get(*id as usize).map_or("(no text)", String::as_str);
            println!("  {}. [{id}] {}", rank + 1, shorten(text, WIDTH));
        }
    }
}
