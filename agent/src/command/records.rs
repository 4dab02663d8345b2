//! Memories one by one.
//!
//! Why: whatever changes something ends with `finish`, which folds it in and saves what is
//! derived, so that the next program opens the file in one read. An import does so after a
//! failure too, whatever file that is of, as what is in stays in.
//!
//! What it must never do: take a text out of sessions on `forget` without `--redact` or a yes.

use alloc::format;
use alloc::string::String;

use super::Run;
use super::arguments::id;
use super::output::{Output, Shown, line, list, short};
use super::setup::Setup;
use crate::failure::{Exit, Failure};
use crate::json::Json;
use crate::memory::{Format, Imported, New, Verdict};
use crate::session::{self, Gone, Saying, Session, that_say};
use crate::text::named;

pub(super) fn remember(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { arguments, output, memory, .. } = run;
    let text = arguments.text(0)?;
    arguments.session.as_deref().map_or(Ok(()), session::check_name)?;
    let session = arguments.session.clone().unwrap_or_default();
    let done = memory.remember(&New { session: &session, ..New::fact(&text) })?;
    #[cfg(feature = "coherence")]
    if done.verdict != crate::gate::Verdict::Permit {
        return super::gate::stopped(memory, &done, output);
    }
    // It is committed: what keeps the file from being folded comes behind its id.
    let ended = memory.finish();
    if output.json {
        let mut json = Json::object();
        done.write(&mut json);
        list("near", &done.near, &mut json);
        if let Some(note) = memory.evicted() {
            json.text("note", &note);
        }
        output.object(json);
        return ended;
    }
    let what = if done.merged { "is known already" } else { "remembered" };
    output.say(format_args!("[{}] {what}\n", done.id));
    if done.redacted > 0 {
        output.note(&format!("{} secrets were taken out of it", done.redacted));
    }
    if !done.near.is_empty() {
        output.terminal.print("Near to it, and kept too:\n");
        done.near.iter().for_each(|memo| output.terminal.print(&line(memo)));
    }
    ended
}

pub(super) fn recall(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, arguments, output, memory } = run;
    let query = arguments.text(0)?;
    let k = arguments.k.unwrap_or(setup.config.recall as usize);
    let found = memory.recall(&query, k)?;
    if found.is_empty() {
        return Err(Failure::new(Exit::Nothing, "memory holds nothing about this"));
    }
    output.found(&found);
    Ok(())
}

pub(super) fn correct(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { arguments, output, memory, .. } = run;
    let id = id(arguments.rest().first().map_or("", |word| word))?;
    memory.correct(id, &arguments.text(1)?)?;
    let ended = memory.finish();
    output.pair(format_args!("[{id}] corrected\n"), "corrected", &Shown::Number(id));
    ended
}

pub(super) fn pin(run: &mut Run<'_>, pinned: bool) -> Result<(), Failure> {
    let Run { arguments, output, memory, .. } = run;
    for id in arguments.ids()? {
        memory.pin(id, pinned)?;
        let what = if pinned { "pinned" } else { "unpinned" };
        output.pair(format_args!("[{id}] {what}\n"), what, &Shown::Number(id));
    }
    memory.finish()
}

pub(super) fn feedback(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { arguments, output, memory, .. } = run;
    let [of, verdict] = arguments.rest() else {
        return Err(Failure::new(Exit::Usage, "an id and a verdict expected: see `clawft help`"));
    };
    let of = id(of)?;
    let Some(verdict) = Verdict::of(verdict) else {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "used, cited, good, bad or corrected expected, found \"{}\"",
                short(verdict, 40)
            ),
        ));
    };
    memory.feedback(of, verdict)?;
    let ended = memory.finish();
    output.pair(format_args!("[{of}] noted\n"), "noted", &Shown::Number(of));
    ended
}

pub(super) fn forget(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, arguments, output, memory } = run;
    let ids = arguments.ids()?;
    let comes_back = memory.comes_back(&ids);
    let gone = memory.forget(&ids)?;
    // What keeps the file from being folded does not keep them from being forgotten.
    let ended = memory.finish();
    let Saying { sessions, unread } = that_say(&setup.platform, &setup.data, &gone)?;
    note_unread(output, &unread);
    if let Some(note) = comes_back {
        output.note(note);
    }
    let wanted = !sessions.is_empty() && (arguments.redact || confirmed(output, &sessions));
    if wanted {
        strike(setup, &sessions, &gone)?;
    }
    if output.json {
        let mut json = Json::object();
        json.counts("forgotten", &ids);
        json.texts("sessions", &sessions);
        json.truth("redacted", wanted);
        output.object(json);
        return ended;
    }
    output.say(format_args!("forgotten: {}\n", named(&ids)));
    match (sessions.is_empty(), wanted) {
        (true, _) => {}
        (_, true) => output.say(format_args!("taken out of: {}\n", sessions.join(", "))),
        (_, false) => output.note(&format!(
            "these sessions still say it: {}. `clawft redact \"…\"` takes a text out of them",
            sessions.join(", ")
        )),
    }
    ended
}

/// Says which files of sessions nobody looked through.
pub(super) fn note_unread(output: &Output<'_>, unread: &[String]) {
    if !unread.is_empty() {
        let files = unread.join(", ");
        output.note(&format!("in `sessions`, what cannot be read may still say it: {files}"));
    }
}

/// Asks whether to redact, where somebody is there.
pub(super) fn confirmed(output: &Output<'_>, sessions: &[String]) -> bool {
    let sessions = sessions.join(", ");
    let question = format!("The sessions {sessions} say it too. Take it out? (yes/no) ");
    !output.json && output.terminal.confirms(&question)
}

/// Takes what is gone out of sessions.
pub(super) fn strike(setup: &Setup<'_>, sessions: &[String], gone: &[Gone]) -> Result<(), Failure> {
    session::change(&setup.platform, &setup.data, sessions, gone, &mut Session::redact)
}

pub(super) fn redact(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, arguments, output, .. } = run;
    let gone = [Gone { text: arguments.text(0)?, ..Gone::default() }];
    let Saying { sessions, unread } = that_say(&setup.platform, &setup.data, &gone)?;
    note_unread(output, &unread);
    if sessions.is_empty() {
        let text = short(&gone[0].text, 80);
        return Err(Failure::new(Exit::Nothing, format!("no session says \"{text}\"")));
    }
    strike(setup, &sessions, &gone)?;
    let names = sessions.join(", ");
    output.pair(format_args!("taken out of: {names}\n"), "redacted", &Shown::Texts(&sessions));
    Ok(())
}

pub(super) fn import(run: &mut Run<'_>) -> Result<(), Failure> {
    let arguments = run.arguments;
    if arguments.rest().is_empty() {
        return Err(Failure::new(Exit::Usage, "a file expected after `clawft import`"));
    }
    // All names before the first file: a slip in the last one is found at once.
    let is_other = |path: &&String| Format::of(path).is_none();
    if let Some(path) = arguments.rest().iter().find(is_other) {
        let sentence = format!("a file ending in .txt, .md or .jsonl expected, found {path}");
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let mut all = Imported::default();
    let done = arguments.rest().iter().try_for_each(|path| import_file(run, path, &mut all));
    let Run { output, memory, .. } = run;
    // What is in stays in: the next import goes on from there.
    let ended = memory.finish();
    if done.is_err() && all.added > 0 {
        output.note(&format!("{} were added before that", all.added));
    }
    done.and(ended)?;
    if output.json {
        let mut json = Json::object();
        json.count("added", all.added as u64);
        json.count("known", all.known as u64);
        json.count("redacted", all.redacted as u64);
        json.count("pinned", all.pinned as u64);
        #[cfg(feature = "coherence")]
        {
            json.count("deferred", all.deferred as u64);
            json.count("denied", all.denied as u64);
        }
        if let Some(note) = memory.evicted() {
            json.text("note", &note);
        }
        output.object(json);
        return Ok(());
    }
    let Imported { added, known, redacted, pinned, .. } = all;
    output.say(format_args!("{added} added, {known} there already\n"));
    if redacted > 0 {
        output.note(&format!("{redacted} secrets were taken out"));
    }
    if pinned > 0 {
        output.note(&format!("{pinned} came pinned: no policy takes them away"));
    }
    #[cfg(feature = "coherence")]
    if all.deferred + all.denied > 0 {
        let Imported { deferred, denied, .. } = all;
        output.note(&format!(
            "{deferred} are in quarantine, {denied} were denied: `clawft gate list`, `clawft gate log`"
        ));
    }
    Ok(())
}

/// Imports a file, says how far it is, and counts it to the others.
fn import_file(run: &mut Run<'_>, path: &str, all: &mut Imported) -> Result<(), Failure> {
    let Run { setup, output, memory, .. } = run;
    let Some(format) = Format::of(path) else { return Ok(()) };
    let (mut shown, begin) = (0, setup.platform.clock.now());
    memory.import_too(path, format, all, &mut |progress| {
        let percent = progress.read * 100 / progress.all.max(1);
        let now = setup.platform.clock.now();
        // A short import says nothing on its way.
        if percent >= shown + 10 && now > begin + 500 {
            shown = percent;
            output.note(&format!("{path}: {percent} %"));
        }
    })
}

pub(super) fn export(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { output, memory, .. } = run;
    let damaged = memory.export(&mut |line| output.terminal.print(line))?;
    if !damaged.is_empty() {
        output.note(&format!(
            "damaged, and not in this export: {}. `clawft forget ID` takes one away",
            named(&damaged)
        ));
        output.exit.set(Some(Exit::Damaged));
    }
    Ok(())
}
