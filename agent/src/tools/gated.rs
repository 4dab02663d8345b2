//! The gate before tools that change something.
//!
//! A model that has read a text which tells the assistant what to do may be doing just that. So a call
//! that changes something is judged by what the model has read since the person spoke last: results
//! of tools, and memories. Where it is deferred the person is asked; without a person it is refused,
//! and goes through when they ask for it again, as that text is then read no more.
//!
//! What it must never do: let a call through that was deferred, without a person's yes, or one that
//! was denied.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Bench, refused};
use crate::failure::Failure;
use crate::gate::Verdict;

/// Tools that change something beside the memory, which has a gate of its own.
const CHANGING: [&str; 3] = ["file_write", "file_edit", "exec"];

impl Bench<'_, '_> {
    /// Whether a call may be run.
    pub(super) fn permitted(&mut self, tool: &str) -> Result<(), Failure> {
        if !CHANGING.contains(&tool) {
            return Ok(());
        }
        let memories = self.given.iter().map(|memo| &*memo.text);
        let read: Vec<&str> = self.read.iter().map(String::as_str).chain(memories).collect();
        let (verdict, reason) = self.memory.judge_call(tool, &read)?;
        let question = format!(
            "\nA text that was read speaks to the assistant: {reason}.\nRun {tool} all the same? \
             (yes/no) "
        );
        let may_run = match verdict {
            Verdict::Permit => true,
            Verdict::Defer => self.platform.terminal.confirms(&question),
            Verdict::Deny => false,
        };
        if may_run {
            return Ok(());
        }
        Err(refused(format!(
            "{tool} was not run: a text that was read in this turn speaks to the assistant, {reason}. \
             Tell the person; they may ask for it again"
        )))
    }
}
