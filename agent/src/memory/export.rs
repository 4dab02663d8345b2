//! Memories as JSON lines, one after the other, so that any number of them takes no memory.
//!
//! What it must never do: give what is in quarantine, or leave out another without a word.

use alloc::vec::Vec;

use super::Memory;
use super::gated::is_quarantined;
use super::recall::whole;
use crate::failure::Failure;
use crate::json::Json;

impl Memory<'_> {
    /// Gives each memory as a line of JSON, with its end. Gives the ids of those that are damaged, and
    /// so not among them.
    ///
    /// # Errors
    /// Those of opening and reading.
    pub fn export(&mut self, line: &mut dyn FnMut(&str)) -> Result<Vec<u64>, Failure> {
        let Some(store) = self.reading()? else { return Ok(Vec::new()) };
        let (mut from, mut damaged) = (Some(0), Vec::new());
        while let Some(id) = from.and_then(|from| store.next(from)) {
            from = id.checked_add(1);
            let Some(memo) = whole(store, id, 0.0)? else {
                damaged.push(id);
                continue;
            };
            if is_quarantined(store, id)? {
                continue;
            }
            let mut json = Json::object();
            memo.write(&mut json);
            line(&json.line());
        }
        Ok(damaged)
    }
}
