//! Files of JSON, an object a line.

use std::io::{self, BufRead};

use serde_json::Value;

/// What `read` finds in each line.
pub fn lines<T>(source: impl BufRead, read: impl Fn(&Value) -> Option<T>) -> io::Result<Vec<T>> {
    source
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(&line?)?;
            read(&value).ok_or_else(|| io::Error::other(format!("a field is missing in {value}")))
        })
        .collect()
}
