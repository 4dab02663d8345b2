//! Sizes, sessions, and the care of the file.
//!
//! Why: `reembed` opens the new file once, so that the next program finds all that is
//! derived, and wants its embedder by name: `auto` would be the one that made the vectors
//! already.
//!
//! What it must never do: make vectors anew with an embedder that nobody named.

use alloc::format;
use alloc::string::String;

use super::Run;
use super::output::Shown;
use crate::failure::{Exit, Failure};
use crate::json::Json;
use crate::session;

pub(super) fn sessions(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, output, .. } = run;
    let names = session::names(&setup.platform, &setup.data)?;
    let mut lines = String::new();
    for name in &names {
        lines.push_str(name);
        lines.push('\n');
    }
    output.pair(format_args!("{lines}"), "sessions", &Shown::Texts(&names));
    Ok(())
}

pub(super) fn stats(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, output, memory, .. } = run;
    let stats = memory.stats()?;
    if output.json {
        let mut json = Json::object();
        json.count("records", stats.records);
        json.count("capacity", stats.capacity.into());
        json.count("dim", stats.dim as u64);
        stats.write_bytes(&mut json);
        json.begin("tiers", '[');
        stats.tiers.iter().for_each(|tier| json.number((*tier).into()));
        json.close(']');
        output.object(json);
        return Ok(());
    }
    let [hot, warm, cool, cold] = stats.tiers;
    output.say(format_args!(
        "{} memories of at most {}, vectors of {} components\n\
         in memory: {} KiB of vectors; hot {hot}, warm {warm}, cool {cool}, cold {cold}\n\
         on disk: {} KiB, of which {} KiB are live; journal {} KiB\n\
         data folder: {}\n",
        stats.records,
        stats.capacity,
        stats.dim,
        stats.image.div_ceil(1024),
        stats.file.div_ceil(1024),
        stats.live.div_ceil(1024),
        stats.journal.div_ceil(1024),
        setup.data
    ));
    Ok(())
}

pub(super) fn compact(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { output, memory, .. } = run;
    let before = memory.stats()?;
    memory.compact()?;
    memory.finish()?;
    let after = memory.stats()?;
    let (from, to) = (before.file + before.journal, after.file + after.journal);
    let sentence = format_args!("{} KiB, before {} KiB\n", to.div_ceil(1024), from.div_ceil(1024));
    output.pair(sentence, "file_bytes", &Shown::Number(to));
    Ok(())
}

pub(super) fn reembed(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, output, memory, .. } = run;
    if setup.config.embedder.name == "auto" {
        return Err(Failure::new(
            Exit::Usage,
            "the embedder that is to make the vectors expected: `clawft reembed --embedder NAME`, \
             or embedder.name in the config",
        ));
    }
    let mut shown = 0;
    let count = memory.reembed(&mut |done, all| {
        let percent = done * 100 / all.max(1);
        if percent >= shown + 10 {
            shown = percent;
            output.note(&format!("{done} of {all}"));
        }
    })?;
    // Opened once, so that the next program finds everything derived.
    memory.compact()?;
    memory.finish()?;
    output.pair(
        format_args!("{count} vectors made anew\n"),
        "reembedded",
        &Shown::Number(count as u64),
    );
    Ok(())
}
