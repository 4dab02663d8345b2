//! Turns with a provider that follows a script.

use std::cell::RefCell;
use std::collections::VecDeque;

use clawft_agent::config::Config;
use clawft_agent::context::tokens;
use clawft_agent::failure::Failure;
use clawft_agent::memory::{Limits, Memory};
use clawft_agent::platform::Platform;
use clawft_agent::provider::{
    Answer, Error, Flow, Message, Provider, Question, Stop, ToolCall, Usage,
};
use clawft_agent::session::Session;
use clawft_agent::turn::{Agent, Turn, answer};

use super::{Folder, WORDS, World};

/// What was asked of a [`Script`].
pub(crate) struct Asked {
    pub(crate) system: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) tools: Vec<String>,
    /// Tokens of what the tools say of themselves.
    pub(crate) offered: usize,
    pub(crate) max_tokens: u32,
}

/// Gives the answers of a list, and the last one for ever.
#[derive(Default)]
pub(crate) struct Script {
    answers: RefCell<VecDeque<Result<Answer, Error>>>,
    pub(crate) asked: RefCell<Vec<Asked>>,
}

pub(crate) fn says(text: &str) -> Result<Answer, Error> {
    Ok(Answer { text: text.into(), calls: vec![], stop: Stop::End, usage: Usage::default() })
}

pub(crate) fn calls(name: &str, arguments: &str) -> Result<Answer, Error> {
    let call = ToolCall { id: "c1".into(), name: name.into(), arguments: arguments.into() };
    let usage = Usage { input: 10, output: 2 };
    Ok(Answer { text: String::new(), calls: vec![call], stop: Stop::Tools, usage })
}

pub(crate) fn breaks(partial: &str) -> Result<Answer, Error> {
    let sentence = "the connection ended".to_string();
    Err(Error { sentence, partial: partial.into(), status: None })
}

impl Script {
    pub(crate) fn of(answers: impl IntoIterator<Item = Result<Answer, Error>>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), ..Self::default() }
    }
}

impl Provider for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn ask(
        &self,
        _: &Platform<'_>,
        question: &Question<'_>,
        show: &mut dyn FnMut(&str) -> Flow,
    ) -> Result<Answer, Error> {
        self.asked.borrow_mut().push(Asked {
            system: question.system.into(),
            messages: question.messages.to_vec(),
            tools: question.tools.iter().map(|tool| tool.name.to_string()).collect(),
            offered: question
                .tools
                .iter()
                .map(|tool| tokens(tool.description) + tokens(tool.parameters))
                .sum(),
            max_tokens: question.max_tokens,
        });
        let mut answers = self.answers.borrow_mut();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let answer = next.unwrap()?;
        if !answer.text.is_empty() {
            show(&answer.text);
        }
        Ok(answer)
    }
}

pub(crate) fn memory<'a>(world: &'a World, folder: &Folder) -> Memory<'a> {
    Memory::new(&world.platform(), folder.path(), Ok(&WORDS), Limits::from(&Config::default()))
}

pub(crate) struct Room<'a> {
    pub(crate) world: &'a World,
    pub(crate) folder: &'a Folder,
    pub(crate) config: Config,
    /// What the last turn showed of its answer.
    pub(crate) shown: RefCell<String>,
}

impl<'a> Room<'a> {
    pub(crate) fn new(world: &'a World, folder: &'a Folder) -> Self {
        Self { world, folder, config: Config::default(), shown: RefCell::default() }
    }

    pub(crate) fn turn(
        &self,
        provider: &dyn Provider,
        memory: &mut Memory<'_>,
        session: &mut Session,
        text: &str,
        may_forget: bool,
    ) -> (Turn, Result<(), Failure>) {
        let mut agent = Agent {
            platform: self.world.platform(),
            data: self.folder.path(),
            config: &self.config,
            provider,
            model: "m",
            memory,
        };
        let mut turn = Turn::default();
        self.shown.take();
        let mut show = |part: &str| {
            self.shown.borrow_mut().push_str(part);
            Flow::Go
        };
        let done = answer(&mut agent, session, text, may_forget, &mut show, &mut turn);
        (turn, done)
    }

    pub(crate) fn session(&self, name: &str) -> Session {
        Session::load(&self.world.platform(), self.folder.path(), name).unwrap().0
    }
}

/// A turn that is long enough for those before it to be put away.
pub(crate) fn puts_away(
    room: &Room<'_>,
    provider: &dyn Provider,
    memory: &mut Memory<'_>,
    name: &str,
) {
    for n in 0..10 {
        // Loaded anew: what holds has to hold after a restart.
        let mut session = room.session(name);
        let text = format!("Story {n} goes {}", "on and on ".repeat(40));
        room.turn(provider, memory, &mut session, &text, false).1.unwrap();
    }
    assert!(room.session(name).covered > 4);
}
