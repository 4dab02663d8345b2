//! Memories as JSON lines, one after the other, so that any number of them takes no memory.

use alloc::borrow::ToOwned;
use alloc::format;

use serde_json::{Map, Value};

use super::Memory;
use super::access::failure;
use super::recall::memo;
use crate::failure::Failure;

impl Memory<'_> {
    /// Gives each memory as a line of JSON, with its end. Gives how many there were.
    ///
    /// # Errors
    /// Those of opening and reading.
    pub fn export(&mut self, line: &mut dyn FnMut(&str)) -> Result<usize, Failure> {
        let Some(store) = self.reading()? else { return Ok(0) };
        let (mut from, mut count) = (Some(0), 0);
        while let Some(id) = from.and_then(|from| store.next(from)) {
            let memo = memo(store, id, 0.0).map_err(|error| failure(&error))?;
            let mut map = Map::new();
            map.insert("id".to_owned(), id.into());
            map.insert("text".to_owned(), memo.text.into());
            map.insert("kind".to_owned(), memo.kind.into());
            map.insert("session".to_owned(), memo.session.into());
            map.insert("created".to_owned(), memo.created.into());
            map.insert("pinned".to_owned(), memo.pinned.into());
            line(&format!("{}\n", Value::Object(map)));
            count += 1;
            from = id.checked_add(1);
        }
        Ok(count)
    }
}
