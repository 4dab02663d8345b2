//! The gate before the memory, as a person sees it.
//!
//! Why: only a person lets something out of quarantine. Where one is there, `remember` asks
//! at once, and anything but `yes` forgets the text; where none is, it waits in quarantine and
//! its id is said. `reset` reads nothing first, so that it helps where the log is damaged.
//!
//! What it must never do: let a memory out without a yes or its id.

use alloc::format;

use super::Run;
use super::arguments::id;
use super::output::{Output, Shown, short};
use crate::date::minute;
use crate::failure::{Exit, Failure};
use crate::gate::{Entry, Evidence, Settings, Verdict};
use crate::json::Json;
use crate::memory::{Memory, Remembered};

pub(super) fn gate(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { arguments, output, memory, .. } = run;
    let rest = arguments.rest();
    let what = rest.first().map_or("", |word| word);
    let ids = rest.get(1..).unwrap_or_default();
    match what {
        "list" if ids.is_empty() => {
            output.found(&memory.quarantined()?);
            return Ok(());
        }
        "log" if ids.is_empty() => {
            log(memory, output)?;
            return Ok(());
        }
        "reset" if ids.is_empty() => {
            memory.gate_reset()?;
            output.pair(format_args!("the gate knows of nothing\n"), "reset", &Shown::Text("done"));
            return Ok(());
        }
        "allow" | "deny" if !ids.is_empty() => {}
        _ => {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "list, allow ID, deny ID, log or reset expected after `clawft gate`, found \
                     \"{}\"",
                    short(&rest.join(" "), 40)
                ),
            ));
        }
    }
    let mut comes_back = None;
    for word in ids {
        let of = id(word)?;
        let done = if what == "allow" {
            memory.allow(of)?;
            "allowed"
        } else {
            comes_back = comes_back.or(memory.comes_back(&[of]));
            memory.deny(of)?;
            "denied"
        };
        output.pair(format_args!("[{of}] {done}\n"), done, &Shown::Number(of));
    }
    let ended = memory.finish();
    if let Some(note) = comes_back {
        output.note(note);
    }
    ended
}

fn write(entry: &Entry, settings: &Settings, json: &mut Json) {
    json.open('{');
    json.count("at", entry.at);
    json.text("what", &entry.what);
    json.text("source", entry.source.name());
    json.text("verdict", entry.verdict.name());
    json.begin("evidence", '[');
    for (bit, evidence) in Evidence::ALL.iter().enumerate() {
        if entry.evidence >> bit & 1 == 1 {
            json.string(evidence.name());
        }
    }
    json.close(']');
    json.count("e_milli", entry.e);
    json.count("id", entry.id);
    json.count("against", entry.against);
    json.text("reason", &entry.reason(settings));
    json.close('}');
}

fn log(memory: &Memory<'_>, output: &Output<'_>) -> Result<(), Failure> {
    let (entries, settings) = (memory.gate_log()?, memory.gate_settings());
    if !output.json {
        for entry in &entries {
            let (at, verdict, source) =
                (minute(entry.at), entry.verdict.name(), entry.source.name());
            let Entry { id, what, .. } = entry;
            let reason = entry.reason(&settings);
            output.say(format_args!("{at}  {verdict}  {what} [{id}] of {source}: {reason}\n"));
        }
        return Ok(());
    }
    let mut json = Json::object();
    json.begin("log", '[');
    entries.iter().for_each(|entry| write(entry, &settings, &mut json));
    json.close(']');
    output.object(json);
    Ok(())
}

/// What `clawft remember` says of a text that was not permitted. Where a person is there, they decide.
pub(super) fn stopped(
    memory: &mut Memory<'_>,
    done: &Remembered,
    output: &Output<'_>,
) -> Result<(), Failure> {
    let Remembered { id, verdict, reason, .. } = done;
    let asked = !output.json && memory.ask(done, output.terminal)?.is_some();
    memory.finish()?;
    if asked {
        return Ok(());
    }
    if output.json {
        let mut json = Json::object();
        json.count("id", *id);
        json.text("verdict", verdict.name());
        json.text("reason", reason);
        output.object(json);
        return Ok(());
    }
    match verdict {
        Verdict::Deny => output.say(format_args!("denied: {reason}\n")),
        Verdict::Permit | Verdict::Defer => output.say(format_args!(
            "[{id}] in quarantine: {reason}. `clawft gate allow {id}` keeps it\n"
        )),
    }
    Ok(())
}
