//! A message and its answer.
//!
//! The message goes into the session and onto the disk → memory is searched → the context is put
//! together → the provider answers, as it comes, and calls tools → citations are checked against
//! what was given → what the person said of themselves is kept → the session is saved.
//!
//! Whatever fails on the way, the person's message is in the session.
//!
//! What it must never do: keep what the model said as a fact, go on calling tools without end, or
//! leave a call in the session without its result.

mod calls;
mod history;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use clawft_store::lexical::words;

use crate::citations::{citations, claims};
use crate::config::Config;
use crate::context::{self, System, tokens};
use crate::failure::{Exit, Failure};
use crate::learn;
use crate::memory::{Memo, Memory, New, Remembered, redact};
use crate::platform::Platform;
use crate::provider::{Answer, Flow, Message, Provider, Question, Stop, Tool, ToolCall, Usage};
use crate::room;
use crate::session::{Gone, Said, Session};
use crate::text::named;
use crate::tools;

/// Tokens that stand around a tool.
const AROUND: usize = 16;

/// What an answer says before and after its calls of tools are two paragraphs.
const GAP: &str = "\n\n";

/// Who answers, and from what.
pub struct Agent<'a, 'm> {
    /// The outside.
    pub platform: Platform<'a>,
    /// The data folder.
    pub data: &'a str,
    /// The config.
    pub config: &'a Config,
    /// The provider.
    pub provider: &'a dyn Provider,
    /// Its model.
    pub model: &'a str,
    /// The memory.
    pub memory: &'a mut Memory<'m>,
}

/// What came of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The answer.
    pub text: String,
    /// Memories that the model was given.
    pub given: Vec<Memo>,
    /// Ids of those that the answer cites.
    pub cited: Vec<u64>,
    /// Ids that it cites and was not given: it made them up. None where no model answered, or in a
    /// form.
    pub unfounded: Vec<u64>,
    /// Calls of tools that are not ours: the turn ends with them, and goes on with their results.
    pub calls: Vec<ToolCall>,
    /// What of the message was kept.
    pub learned: Vec<Remembered>,
    /// The memories that were forgotten.
    pub forgotten: Vec<Gone>,
    /// Tokens that were counted, those of a summary too.
    pub usage: Usage,
    /// Why the answer is not whole: the most tokens, or the provider withheld the rest.
    pub cut: Option<Stop>,
    /// What the person should know: sentences.
    pub notes: Vec<String>,
    /// The same for who runs the agent: these may quote its config, or name its files and hosts.
    pub own: Vec<String>,
}

impl Turn {
    /// Notes what did not work.
    fn failed(&mut self, what: &str, failure: &Failure) {
        let notes = if failure.public().is_some() { &mut self.own } else { &mut self.notes };
        notes.push([what, ": ", &failure.sentence].concat());
    }

    /// Counts the tokens of an answer, or of a summary that had to be made for it.
    #[inline(never)]
    fn count(&mut self, usage: Usage) {
        self.usage.input = self.usage.input.saturating_add(usage.input);
        self.usage.output = self.usage.output.saturating_add(usage.output);
    }

    /// Notes how the answer ended, where it is not whole or there is none.
    fn ended(&mut self, stop: Stop, max_tokens: u32) {
        let is_whole = matches!(stop, Stop::End | Stop::Tools);
        self.cut = (!is_whole).then_some(stop);
        self.notes.push(match stop {
            Stop::Length => {
                format!("the answer was cut at {max_tokens} tokens (provider.max_tokens)")
            }
            Stop::Refused => "the provider withheld the rest of the answer".into(),
            // One that thinks may end with its thoughts, which nobody sees.
            _ if self.text.trim().is_empty() => "the model said nothing".into(),
            Stop::End | Stop::Tools => return,
        });
    }
}

/// Answers a message. `show` gets the answer as it comes; `may_forget` says that the person asked
/// to forget something.
///
/// # Errors
/// [`Exit::Usage`] for a message that is empty or too long, and then nothing was done. Those of
/// memory and provider: then the message is in the session, and `turn` has what came before.
pub fn answer(
    agent: &mut Agent<'_, '_>,
    session: &mut Session,
    message: &str,
    may_forget: bool,
    show: &mut dyn FnMut(&str) -> Flow,
    turn: &mut Turn,
) -> Result<(), Failure> {
    let message = message.trim();
    let most = agent.config.context_tokens as usize / 2;
    if message.is_empty() || tokens(message) > most {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "a message of 1 to about {most} tokens expected, found {}: longer texts go \
                 through `clawft import`",
                tokens(message)
            ),
        ));
    }
    session.forgetting = may_forget;
    session.push(agent.platform.clock.now(), Message::User(message.to_string()));
    save(agent, session, turn);
    // Now: a session that is full has let old messages go.
    let before = session.messages.len().saturating_sub(1);
    let done = agent.converse(session, before, may_forget, show, turn);
    if agent.config.learn && !may_forget {
        agent.keep(session, message, turn);
    }
    // Those on the disk are marked, and this one is about to be written over its file.
    turn.forgotten.iter().for_each(|gone| session.mark(gone));
    end(agent, session, turn);
    done
}

/// Goes on with a turn that ended with calls of tools that are not ours: their results are the last
/// messages of the session.
///
/// # Errors
/// Those of [`answer`].
pub fn go_on(
    agent: &mut Agent<'_, '_>,
    session: &mut Session,
    show: &mut dyn FnMut(&str) -> Flow,
    turn: &mut Turn,
) -> Result<(), Failure> {
    let is_user = |said: &Said| matches!(said.message, Message::User(_));
    let before = session.messages.iter().rposition(is_user).unwrap_or_default();
    let done = agent.converse(session, before, false, show, turn);
    end(agent, session, turn);
    done
}

fn end(agent: &mut Agent<'_, '_>, session: &mut Session, turn: &mut Turn) {
    turn.notes.extend(agent.memory.evicted());
    check(agent, session, turn);
    save(agent, session, turn);
}

fn save(agent: &Agent<'_, '_>, session: &mut Session, turn: &mut Turn) {
    if let Err(failure) = session.save(&agent.platform, agent.data)
        && !turn.notes.contains(&failure.sentence)
    {
        turn.notes.push(failure.into_sentence());
    }
}

/// Whether there is no model.
fn is_offline(agent: &Agent<'_, '_>) -> bool {
    agent.provider.name() == "offline"
}

/// Checks the citations. What is quoted without a model has brackets of its own, and in a form a list of
/// numbers may be anything.
fn check(agent: &mut Agent<'_, '_>, session: &Session, turn: &mut Turn) {
    let is_given =
        |id: &u64| turn.given.iter().any(|memo| memo.id == *id) || was_given(session, *id);
    turn.cited = citations(&turn.text);
    turn.cited.retain(is_given);
    agent.memory.touch(&turn.cited);
    if is_offline(agent) || !session.format.is_empty() {
        return;
    }
    turn.unfounded = claims(&turn.text);
    turn.unfounded.retain(|id| !is_given(id));
    if !turn.unfounded.is_empty() {
        let ids = named(&turn.unfounded);
        turn.notes.push(format!("the answer cites {ids}, which memory did not give"));
    }
}

/// Whether the conversation has the id from memory already: an earlier answer cites it, or a tool of the
/// memory's told it, be it what was just stored.
fn was_given(session: &Session, id: u64) -> bool {
    let is_user = |said: &Said| matches!(said.message, Message::User(_));
    let this = session.messages.iter().rposition(is_user).unwrap_or_default();
    let tells = |(at, said): (usize, &Said)| match &said.message {
        Message::Assistant { text, .. } => at < this && claims(text).contains(&id),
        Message::Result { name, content, .. } => {
            name.starts_with("memory_") && has_number(content, id)
        }
        Message::User(_) => false,
    };
    // What was forgotten is not sent.
    session.messages.iter().enumerate().any(|one| !one.1.forgotten && tells(one))
}

/// Whether a number, which is not 0, stands in a text.
fn has_number(text: &str, number: u64) -> bool {
    let mut found = 0_u64;
    text.bytes().chain([b' ']).any(|byte| {
        let is_digit = byte.is_ascii_digit();
        let before = found;
        found =
            if is_digit { found.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')) } else { 0 };
        !is_digit && before > 0 && before == number
    })
}

/// What the model is given in all rounds of a turn.
struct Plan {
    /// The first message.
    first: usize,
    system: System,
    /// Tokens that messages may take.
    for_history: usize,
    /// Tokens that calls of tools and their results may take.
    for_results: usize,
}

impl Agent<'_, '_> {
    /// From the message to the end of the answer.
    fn converse(
        &mut self,
        session: &mut Session,
        before: usize,
        may_forget: bool,
        show: &mut dyn FnMut(&str) -> Flow,
        turn: &mut Turn,
    ) -> Result<(), Failure> {
        let rounds = if is_offline(self) { 0 } else { self.config.tool_rounds as usize };
        // Whoever wants a call wants one of their own. An answer in a form cannot begin before a call and
        // end after it, and several servers refuse a form beside tools.
        let alone = session.must_call || !session.format.is_empty();
        let mut offered: Vec<Tool<'_>> = match (rounds, alone) {
            (0, _) | (_, true) => Vec::new(),
            _ => tools::offered(self.config, may_forget),
        };
        let ours = offered.len();
        let theirs = core::mem::take(&mut session.tools);
        offered.extend(theirs.iter().map(|tool| Tool {
            name: &tool.name,
            description: &tool.description,
            parameters: &tool.parameters,
        }));
        let plan = self.plan(session, before, &offered, turn)?;
        let mut round = 0;
        loop {
            let answer = self.ask(session, &plan, &offered, show, turn)?;
            let now = self.platform.clock.now();
            turn.count(answer.usage);
            // The text goes to the session and to whoever asked, the calls to it and to the tools.
            let bytes = |call: &ToolCall| call.id.len() + call.name.len() + call.arguments.len();
            let calls: usize = answer.calls.iter().map(bytes).sum();
            if let Err(failure) = room::ask(2 * (turn.text.len() + answer.text.len()) + calls) {
                session.push(now, Message::Assistant { text: answer.text, calls: Vec::new() });
                return Err(failure);
            }
            add(&mut turn.text, &answer.text);
            let calls = answer.calls.clone();
            session.push(now, Message::Assistant { text: answer.text, calls: answer.calls });
            if calls.is_empty() {
                turn.ended(answer.stop, self.config.max_tokens);
                return Ok(());
            }
            let is_ours =
                |call: &ToolCall| offered.iter().skip(ours).all(|theirs| theirs.name != call.name);
            let (calls, theirs): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_ours);
            if theirs.is_empty() && round >= rounds {
                self.refuse(session, &calls);
                return Err(Failure::new(
                    Exit::Provider,
                    format!(
                        "the model called tools {} times in a row without an answer: the turn \
                         was ended (chat.tool_rounds)",
                        round + 1
                    ),
                ));
            }
            self.run(session, &calls, plan.for_results, may_forget, turn);
            if !theirs.is_empty() {
                // Ours are done; whoever called both sees the results of theirs alone.
                turn.calls = theirs;
                return Ok(());
            }
            round += 1;
        }
    }

    /// Searches memory and divides the budget; what does not fit is put away.
    fn plan(
        &mut self,
        session: &mut Session,
        before: usize,
        offered: &[Tool<'_>],
        turn: &mut Turn,
    ) -> Result<Plan, Failure> {
        let budget = self.config.context_tokens as usize;
        turn.given = self.memory.recall(&query(session, before), self.config.recall as usize)?;
        let message = match session.messages.get(before) {
            Some(said) => tokens_of_user(&said.message),
            None => 0,
        };
        // They are quoted, cut and put together.
        room::ask(4 * turn.given.iter().map(|memo| memo.text.len()).sum::<usize>())?;
        let share = budget * self.config.memory_share as usize / 100;
        let texts =
            tokens(context::SYSTEM) + tokens(&session.instructions) + tokens(&session.format);
        let frame = offered.iter().fold(texts, |sum, tool| {
            sum + AROUND + tokens(tool.description) + tokens(tool.parameters)
        });
        let tokens_of_summary = |session: &Session| tokens(&context::summarised(&session.summary));
        let left = budget.saturating_sub(frame + tokens_of_summary(session));
        let for_memory = share.min(left.saturating_sub(message));
        let for_history = left.saturating_sub(for_memory);
        let first = history::fit(self, session, for_history, turn);
        let mut system = context::system(&turn.given, &session.summary, for_memory);
        // Memories seldom take their share.
        let for_history = budget.saturating_sub(frame + tokens_of_summary(session) + system.taken);
        let for_results = (budget / 2).min(for_history.saturating_sub(message));
        if !session.instructions.is_empty() {
            system.text.reserve_exact(session.instructions.len() + 2);
            system.text.push_str("\n\n");
            system.text.push_str(&session.instructions);
        }
        turn.given.retain(|memo| system.memories.iter().any(|cited| cited.id == memo.id));
        Ok(Plan { first, system, for_history, for_results })
    }

    /// Asks the provider once. What came of an answer that broke off is in the session.
    fn ask(
        &self,
        session: &mut Session,
        plan: &Plan,
        offered: &[Tool<'_>],
        show: &mut dyn FnMut(&str) -> Flow,
        turn: &mut Turn,
    ) -> Result<Answer, Failure> {
        // Results push the oldest turns out.
        let begin = plan.first + context::begin(after(session, plan.first), plan.for_history);
        room::ask(session.messages.len().saturating_sub(begin) * size_of::<Message>())?;
        // A copy might take a third of the memory.
        let messages = session.lend(begin);
        let question = Question {
            model: self.model,
            system: &plan.system.text,
            memories: &plan.system.memories,
            messages: &messages,
            tools: offered,
            must_call: session.must_call,
            stops: &session.stops,
            format: &session.format,
            max_tokens: self.config.max_tokens,
            temperature: self.config.temperature,
            stream: self.config.stream,
        };
        let mut gap_shown = turn.text.is_empty();
        let mut show = |part: &str| match core::mem::replace(&mut gap_shown, true) {
            false if show(GAP) == Flow::Halt => Flow::Halt,
            _ => show(part),
        };
        let answer = self.provider.ask(&self.platform, &question, &mut show);
        session.take_back(begin, messages);
        answer.map_err(|error| {
            if !error.partial.is_empty() {
                add(&mut turn.text, &error.partial);
                let text = error.partial;
                let now = self.platform.clock.now();
                session.push(now, Message::Assistant { text, calls: Vec::new() });
            }
            Failure::new(Exit::Provider, error.sentence)
        })
    }

    /// Remembers what the person said of themselves. Where that fails, the answer stands.
    fn keep(&mut self, session: &mut Session, message: &str, turn: &mut Turn) {
        // As a whole first: a secret cut from its name is not known as one.
        let (message, _) = redact(message);
        for text in learn::kept(&message) {
            if let Err(failure) = self.keep_one(session, text, turn) {
                turn.failed("not remembered", &failure);
                return;
            }
        }
    }

    fn keep_one(
        &mut self,
        session: &mut Session,
        text: &str,
        turn: &mut Turn,
    ) -> Result<(), Failure> {
        let done = self.memory.remember(&New { session: &session.name, ..New::fact(text) })?;
        #[cfg(feature = "coherence")]
        if done.verdict != crate::gate::Verdict::Permit {
            match self.memory.ask(&done, self.platform.terminal)? {
                Some(true) => turn.learned.push(done),
                Some(false) => session.mark(&Gone { id: done.id, text: text.into() }),
                None => turn.notes.push(format!(
                    "[{0}] is in quarantine: {1}. `clawft gate allow {0}` keeps it",
                    done.id, done.reason
                )),
            }
            return Ok(());
        }
        turn.learned.push(done);
        Ok(())
    }
}

/// Adds what the next answer of a turn says.
fn add(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str(GAP);
    }
    text.push_str(more);
}

fn after(session: &Session, first: usize) -> &[Said] {
    session.messages.get(first..).unwrap_or_default()
}

fn tokens_of_user(message: &Message) -> usize {
    match message {
        Message::User(text) => tokens(text),
        _ => 0,
    }
}

/// What memory is asked: the message, and the one before where it has no word of its own ("and
/// where?").
fn query(session: &Session, at: usize) -> String {
    let text = |said: &Said| match &said.message {
        Message::User(text) => Some(text.clone()),
        _ => None,
    };
    let mut query = session.messages.get(at).and_then(text).unwrap_or_default();
    if words(&query).next().is_none() {
        let before = session.messages.get(..at).unwrap_or_default();
        if let Some(before) = before.iter().rev().find_map(text) {
            query.insert(0, ' ');
            query.insert_str(0, &before);
        }
    }
    query
}
