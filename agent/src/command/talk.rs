//! Ask and chat.
//!
//! Why: what was forgotten stands in the session in memory as well as in its file, and is
//! marked or taken out in both, or the next save would bring it back. A chat goes on after a
//! failure. Ids behind `/forget` go at once, as the person named them; other words go to the
//! model, which has to ask.
//!
//! Under `--json` each line that says something gets an object, so that a program never waits for one
//! in vain.
//!
//! What it must never do: offer a model what forgets but after `/forget`, or let it ask a
//! question under `--json`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Run;
use super::output::{Output, Shown, list, plain};
use super::records::{confirmed, note_unread, strike};
use super::setup::Setup;
use crate::failure::{Exit, Failure};
use crate::json::Json;
use crate::memory::Memory;
use crate::platform::Nobody;
use crate::provider::{Flow, Provider};
use crate::session::{Gone, Saying, Session, that_say};
use crate::text::{named, words};
use crate::turn::{Turn, answer};

const CHAT: &str = "\
/memory TEXT   what memory holds about something
/forget ID…    forget for good
/forget TEXT   let the model look for what to forget; it asks before it does
/session NAME  go on in another conversation
/session       which one this is
/help, /quit
";

/// A provider and what it answers from.
struct Talk<'a, 'm> {
    setup: &'a Setup<'a>,
    output: &'a Output<'a>,
    provider: &'a dyn Provider,
    model: &'a str,
    memory: &'a mut Memory<'m>,
}

impl Talk<'_, '_> {
    /// One message; its answer is shown as it comes.
    fn say(&mut self, session: &mut Session, text: &str, may_forget: bool) -> Result<(), Failure> {
        let output = self.output;
        let mut agent = self.setup.agent(self.provider, self.model, self.memory);
        if output.json {
            // A question would stand among what a program reads.
            agent.platform.terminal = &Nobody;
        }
        let mut turn = Turn::default();
        let mut last = String::new();
        let mut show = |part: &str| {
            if !output.json {
                // A model, and a memory, may say anything.
                last = plain(part);
                output.terminal.print(&last);
            }
            Flow::Go
        };
        let done = answer(&mut agent, session, text, may_forget, &mut show, &mut turn);
        if !last.is_empty() && !last.ends_with('\n') {
            output.terminal.print("\n");
        }
        // Whoever types runs it.
        turn.notes.append(&mut turn.own);
        for note in &turn.notes {
            output.note(note);
        }
        let settled = self.settle(session, &turn.forgotten);
        done.and(settled)?;
        if output.json {
            let mut json = Json::object();
            json.text("answer", &turn.text);
            json.text("session", &session.name);
            json.counts("cited", &turn.cited);
            list("memories", &turn.given, &mut json);
            json.begin("learned", '[');
            turn.learned.iter().for_each(|done| json.number(done.id));
            json.close(']');
            json.texts("notes", &turn.notes);
            json.count("input_tokens", turn.usage.input);
            json.count("output_tokens", turn.usage.output);
            output.object(json);
        }
        Ok(())
    }
}

impl Talk<'_, '_> {
    /// Names the sessions that still say what was forgotten, and takes it out of them where the
    /// person wants that.
    fn settle(&self, session: &mut Session, gone: &[Gone]) -> Result<(), Failure> {
        if gone.is_empty() {
            return Ok(());
        }
        let (setup, output) = (self.setup, self.output);
        // This one is in memory as well as on the disk.
        gone.iter().for_each(|gone| session.mark(gone));
        let Saying { sessions, unread } = that_say(&setup.platform, &setup.data, gone)?;
        note_unread(output, &unread);
        if sessions.is_empty() {
            return Ok(());
        }
        if !confirmed(output, &sessions) {
            output.note(&format!("these sessions still say it: {}", sessions.join(", ")));
            return Ok(());
        }
        strike(setup, &sessions, gone)?;
        gone.iter().for_each(|gone| session.redact(gone));
        Ok(())
    }
}

fn load(setup: &Setup<'_>, name: &str, output: &Output<'_>) -> Result<Session, Failure> {
    let (session, note) = Session::load(&setup.platform, &setup.data, name)?;
    if let Some(note) = note {
        output.note(&note);
    }
    Ok(session)
}

/// The name of a session that has not begun yet: the time.
fn fresh(setup: &Setup<'_>) -> String {
    let now = setup.platform.clock.now();
    format!("ask-{}-{}", crate::date::day(now), now % 86_400_000)
}

pub(super) fn ask(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, arguments, output, memory } = run;
    let text = arguments.text(0)?;
    let (provider, model) = setup.provider()?;
    let name = arguments.session.clone().unwrap_or_else(|| fresh(setup));
    let mut session = load(setup, &name, output)?;
    let mut talk = Talk { setup, output, provider: &*provider, model: &model, memory };
    let done = talk.say(&mut session, &text, false);
    let ended = memory.finish();
    done.and(ended)
}

pub(super) fn chat(run: &mut Run<'_>) -> Result<(), Failure> {
    let Run { setup, arguments, output, memory } = run;
    let (provider, model) = setup.provider()?;
    let terminal = output.terminal;
    let name = arguments.session.clone().unwrap_or_else(|| "default".to_string());
    let mut session = load(setup, &name, output)?;
    let people = terminal.is_interactive() && !output.json;
    if people {
        let service = if model.is_empty() { provider.name() } else { &model };
        terminal.print(&format!("clawft, session {name}, {service}. /help lists commands.\n"));
    }
    loop {
        if people {
            terminal.print("> ");
        }
        let Some(line) = terminal.line() else { break };
        let line = line.trim();
        let blank = line.char_indices().find(|(_, c)| c.is_whitespace());
        let (command, rest) = line.split_at(blank.map_or(line.len(), |(at, _)| at));
        let rest = rest.trim();
        let mut talk = Talk { setup, output, provider: &*provider, model: &model, memory };
        let done = match command {
            "" => Ok(()),
            "/quit" | "/exit" => break,
            "/help" => {
                output.text("help", CHAT);
                Ok(())
            }
            "/memory" => found(talk.memory, rest, setup.config.recall as usize, output),
            "/forget" => forget(&mut talk, &mut session, rest),
            "/session" => {
                let done = match rest.is_empty() {
                    true => Ok(()),
                    false => load(setup, rest, output).map(|other| session = other),
                };
                let name = &session.name;
                done.map(|()| {
                    output.pair(format_args!("{name}\n"), "session", &Shown::Text(name));
                })
            }
            _ if command.starts_with('/') => Err(Failure::new(
                Exit::Usage,
                format!("there is no {}: see /help", super::output::short(command, 40)),
            )),
            _ => talk.say(&mut session, line, false),
        };
        // A chat goes on after a failure: the next message may fare better.
        if let Err(failure) = done {
            output.failure(&failure);
        }
    }
    memory.finish()
}

fn found(
    memory: &mut Memory<'_>,
    query: &str,
    k: usize,
    output: &Output<'_>,
) -> Result<(), Failure> {
    let found = memory.recall(query, k)?;
    if found.is_empty() && !output.json {
        output.terminal.print("memory holds nothing about this\n");
    }
    output.found(&found);
    Ok(())
}

/// `/forget`: ids at once, as the person named them; other words go to the model, which may then
/// ask to forget.
fn forget(talk: &mut Talk<'_, '_>, session: &mut Session, rest: &str) -> Result<(), Failure> {
    let mut ids = Vec::new();
    for word in words(rest) {
        let Ok(id) = super::arguments::id(word) else {
            return talk.say(session, &format!("Please forget: {rest}"), true);
        };
        ids.push(id);
    }
    let output = talk.output;
    if ids.is_empty() {
        return Err(Failure::new(Exit::Usage, "an id or a text expected after /forget"));
    }
    let comes_back = talk.memory.comes_back(&ids);
    let gone = talk.memory.forget(&ids)?;
    output.pair(format_args!("forgotten: {}\n", named(&ids)), "forgotten", &Shown::Numbers(&ids));
    if let Some(note) = comes_back {
        output.note(note);
    }
    talk.settle(session, &gone)
}

#[cfg(test)]
mod tests {
    use crate::session::check_name;

    #[test]
    fn sessions_that_begin_by_themselves_have_names() {
        check_name("ask-2025-11-25-86399999").unwrap();
    }
}
