//! Server-sent events out of bytes that split anywhere.
//!
//! The format is that of the HTML standard, section 9.2.6: lines end with LF, CR LF or CR, a blank
//! line ends an event, several `data` lines are joined by a line feed, `:` begins a comment, a byte
//! order mark at the beginning is dropped. `id` and `retry` are about reconnecting, which nobody
//! does here, and are skipped; so is `event`: both vendors repeat the type within the data.
//!
//! Only whole lines are looked at, so where the bytes were cut cannot be seen in what comes out.
//! What it must never do: keep more than [`MOST_DATA`] bytes of one event.

use alloc::vec::Vec;

/// Bytes that one event may have, its line and its data each.
pub(super) const MOST_DATA: usize = 1 << 20;

/// Why an event is not kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is longer than [`MOST_DATA`].
    TooLong,
    /// Memory does not hold it.
    NoMemory,
}

/// Makes room for so many more bytes.
fn room(bytes: &mut Vec<u8>, more: usize) -> Result<(), Refused> {
    bytes.try_reserve(more).map_err(|_| Refused::NoMemory)
}

/// What has come of the event that is not complete yet.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    /// A `data` line has come, be it an empty one.
    has_data: bool,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
    /// The first line was seen.
    begun: bool,
}

impl Events {
    /// Takes the first bytes of `bytes`, up to the end of one event, and gives how many and whether
    /// an event is complete: then [`data`](Self::data) has its data until the next call.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), Refused> {
        for (at, byte) in bytes.iter().enumerate() {
            let after_cr = core::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\r' | b'\n' => {
                    if self.end_line()? {
                        return Ok((at + 1, true));
                    }
                }
                _ if self.line.len() == MOST_DATA => return Err(Refused::TooLong),
                byte => {
                    room(&mut self.line, 1)?;
                    self.line.push(*byte);
                }
            }
        }
        Ok((bytes.len(), false))
    }

    /// The data of the event that is complete.
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Forgets the event that was complete.
    pub(super) fn next(&mut self) {
        self.data.clear();
        self.has_data = false;
    }

    /// Looks at a line; whether it ends an event.
    fn end_line(&mut self) -> Result<bool, Refused> {
        let mut line = self.line.as_slice();
        if !core::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            self.line.clear();
            return Ok(self.has_data);
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => Some(&[][..]),
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => Some(value),
            _ => None,
        };
        if let Some(value) = value {
            if self.data.len() + 1 + value.len() > MOST_DATA {
                return Err(Refused::TooLong);
            }
            room(&mut self.data, 1 + value.len())?;
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
            self.has_data = true;
        }
        self.line.clear();
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    fn events(parts: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let (taken, complete) = events.take(rest).unwrap();
                rest = &rest[taken..];
                if complete {
                    found.push(String::from_utf8(events.data().to_vec()).unwrap());
                    events.next();
                }
            }
        }
        found
    }

    const STREAM: &str = "\u{feff}: hello\r\nevent: one\r\ndata: {\"a\":\"ä€𝄞\"}\r\n\r\n\
        data:no blank\ndata\ndata:  two\n\nid: 7\nretry: 10\n\n\rdata: by CR\r\rdatax: no\n\n\
        event: nothing\n\ndata\n\ndata: [DONE]\n\ndata: never ended\n";

    #[test]
    fn lines_comments_and_fields_are_told_apart() {
        let expected = vec!["{\"a\":\"ä€𝄞\"}", "no blank\n\n two", "by CR", "", "[DONE]"];
        assert_eq!(events(&[STREAM.as_bytes()]), expected);
    }

    #[test]
    fn a_cut_at_any_byte_changes_nothing() {
        let whole = events(&[STREAM.as_bytes()]);
        for cut in 0..=STREAM.len() {
            let (a, b) = STREAM.as_bytes().split_at(cut);
            assert_eq!(events(&[a, b]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(events(&single), whole);
    }

    #[test]
    fn what_is_too_long_is_refused_and_not_kept() {
        let mut stream = Events::default();
        assert_eq!(stream.take(&vec![b'x'; MOST_DATA]), Ok((MOST_DATA, false)));
        assert_eq!(stream.take(b"x"), Err(Refused::TooLong));

        let mut stream = Events::default();
        let line = alloc::format!("data: {}\n", "x".repeat(MOST_DATA / 2));
        assert!(stream.take(line.as_bytes()).is_ok());
        assert_eq!(stream.take(line.as_bytes()), Err(Refused::TooLong));
    }

    /// The same format read the slow way: a whole text, its lines, then its events.
    fn model(text: &str) -> Vec<String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let Some(end) = text.rfind('\n') else { return Vec::new() };
        let mut found = Vec::new();
        let mut data: Vec<&str> = Vec::new();
        for line in text[..end].split('\n') {
            if line.is_empty() {
                if !data.is_empty() {
                    found.push(data.join("\n"));
                    data.clear();
                }
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            if name == "data" {
                data.push(value.strip_prefix(' ').unwrap_or(value));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn any_text_in_any_parts_is_read_as_the_model_reads_it(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "data", "data:", "data: ", "event: x", ":", "\n", "\r", "\r\n", "\n\n",
                    "\u{feff}", "ä", "𝄞", " ", "{}", "id:1",
                ]),
                0..40,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let text: String = pieces.concat();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let parts: Vec<&[u8]> =
                places.windows(2).map(|two| &text.as_bytes()[two[0]..two[1]]).collect();
            prop_assert_eq!(events(&parts), model(&text));
        }
    }
}
