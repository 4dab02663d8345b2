//! What is tried again, and when.
//!
//! The rules are those of both vendors' own libraries: the statuses 408, 409, 429 and from 500 on,
//! and connections that failed; twice by default; half a second, doubled each time up to eight,
//! less up to a quarter by chance; `x-should-retry`, `retry-after-ms` and `retry-after` win over
//! that. Two things differ: a wait that the server asks for is kept in full up to a minute and
//! otherwise told to the person, instead of replaced by a shorter one; and a 429 of which no wait
//! helps (no credit, a spending limit) is never repeated.
//!
//! What it must never do: come back before the time that a server asked for, or more often than was
//! set.

use super::http_date;
use crate::platform::{Random, Response};

/// How often, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first.
    pub more: u32,
    /// The first wait where the server does not say, in milliseconds.
    pub first: u32,
    /// The longest such wait, in milliseconds.
    pub longest: u32,
    /// The longest wait that a server may ask for, in milliseconds.
    pub obeyed: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { more: 2, first: 500, longest: 8_000, obeyed: 60_000 }
    }
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it would fail again.
    GiveUp,
    /// Another attempt, after a wait of our own.
    BackOff,
    /// Another attempt after these milliseconds.
    After(u64),
}

impl Next {
    /// What a response that says no asks for. `now` is in milliseconds since 1970.
    pub(super) fn of(response: &Response, now: u64) -> Self {
        let wait = wait(response, now);
        let again = match response.header("x-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => matches!(response.status, 408 | 409 | 429 | 500..),
        };
        match wait {
            _ if !again => Self::GiveUp,
            Some(wait) => Self::After(wait),
            None => Self::BackOff,
        }
    }
}

impl Retry {
    /// Milliseconds to wait before attempt `tries + 1`; `None`: no further one.
    pub(super) fn wait(&self, next: Next, tries: u32, random: &dyn Random) -> Option<u64> {
        if tries > self.more {
            return None;
        }
        let mut chance = [0; 2];
        random.fill(&mut chance);
        let chance = u64::from(u16::from_le_bytes(chance));
        match next {
            Next::GiveUp => None,
            // Never before the time, and not all at the same time.
            Next::After(wait) if wait <= u64::from(self.obeyed) => Some(wait + chance / 512),
            Next::After(_) => None,
            Next::BackOff => {
                let doubled = u64::from(self.first) << tries.saturating_sub(1).min(16);
                let wait = doubled.min(u64::from(self.longest));
                Some(wait - wait * chance / (4 * 65_536))
            }
        }
    }
}

/// The wait that a response asks for, in milliseconds.
fn wait(response: &Response, now: u64) -> Option<u64> {
    if let Some(thousandths) = response.header("retry-after-ms").and_then(decimal) {
        return Some(thousandths.div_ceil(1_000));
    }
    let header = response.header("retry-after")?;
    match decimal(header) {
        Some(milliseconds) => Some(milliseconds),
        None => Some(http_date::seconds(header)?.saturating_mul(1_000).saturating_sub(now)),
    }
}

/// A decimal number, times a thousand, rounded up. What stands there is what a server wrote.
fn decimal(text: &str) -> Option<u64> {
    // What a digit after the point is worth; `None` before the point.
    let mut worth = None;
    // More seconds than a u64 has are as far away as its last one.
    let mut thousandths = 0_u64;
    for byte in text.trim().bytes() {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        match worth {
            None if byte == b'.' => worth = Some(100),
            _ if digit > 9 => return None,
            None => thousandths = thousandths.saturating_mul(10).saturating_add(digit * 1_000),
            Some(0) => thousandths = thousandths.saturating_add(u64::from(digit > 0)),
            Some(one) => {
                thousandths = thousandths.saturating_add(one * digit);
                worth = Some(one / 10);
            }
        }
    }
    text.trim().as_bytes().first()?.is_ascii_digit().then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Body, HttpError};
    use alloc::boxed::Box;
    use alloc::string::String;

    struct Nothing;

    impl Body for Nothing {
        fn read(&mut self, _: &mut [u8]) -> Result<usize, HttpError> {
            Ok(0)
        }
    }

    struct Chance(u8);

    impl Random for Chance {
        fn fill(&self, into: &mut [u8]) {
            into.fill(self.0);
        }
    }

    fn response(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers =
            headers.iter().map(|(name, value)| (String::from(*name), String::from(*value)));
        Response { status, headers: headers.collect(), body: Box::new(Nothing) }
    }

    /// 2015-10-21 07:28:00 UTC, in milliseconds.
    const NOW: u64 = 1_445_412_480_000;

    #[test]
    fn statuses_are_told_apart() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529, 599] {
            assert_eq!(Next::of(&response(status, &[]), NOW), Next::BackOff, "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404, 413, 422] {
            assert_eq!(Next::of(&response(status, &[("retry-after", "1")]), NOW), Next::GiveUp);
        }
    }

    #[test]
    fn the_server_has_the_last_word() {
        let cases: [(&[(&str, &str)], Next); 13] = [
            (&[("x-should-retry", "false"), ("retry-after", "1")], Next::GiveUp),
            (&[("retry-after", "7")], Next::After(7_000)),
            (&[("retry-after", " 0.25 ")], Next::After(250)),
            (&[("retry-after", "9"), ("retry-after-ms", "120.5")], Next::After(121)),
            (&[("retry-after", "9"), ("retry-after-ms", "soon")], Next::After(9_000)),
            (&[("retry-after", "Wed, 21 Oct 2015 07:28:05 GMT")], Next::After(5_000)),
            (&[("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT")], Next::After(0)),
            (&[("retry-after", "-1")], Next::BackOff),
            (&[("retry-after", "NaN")], Next::BackOff),
            (&[("retry-after", ".5")], Next::BackOff),
            (&[("retry-after", "0.0001")], Next::After(1)),
            (&[("retry-after", "1.2.3")], Next::BackOff),
            (&[("retry-after", "99999999999999999999999")], Next::After(u64::MAX)),
        ];
        for (headers, next) in cases {
            assert_eq!(Next::of(&response(429, headers), NOW), next, "{headers:?}");
        }
        let told = response(400, &[("x-should-retry", "true")]);
        assert_eq!(Next::of(&told, NOW), Next::BackOff);
    }

    #[test]
    fn waits_grow_up_to_eight_seconds_and_end() {
        let retry = Retry { more: 7, ..Retry::default() };
        for (tries, most) in [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000].into_iter().enumerate()
        {
            let tries = tries as u32 + 1;
            assert_eq!(retry.wait(Next::BackOff, tries, &Chance(0)), Some(most));
            let least = retry.wait(Next::BackOff, tries, &Chance(255)).unwrap();
            assert!((most * 3 / 4..=most * 3 / 4 + 1).contains(&least), "{least} of {most}");
        }
        assert_eq!(retry.wait(Next::BackOff, 8, &Chance(0)), None);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_in_full_or_refused() {
        let retry = Retry::default();
        for chance in [0, 255] {
            let wait = retry.wait(Next::After(5_000), 1, &Chance(chance)).unwrap();
            assert!((5_000..5_200).contains(&wait));
        }
        assert_eq!(retry.wait(Next::After(60_001), 1, &Chance(0)), None);
        assert_eq!(retry.wait(Next::GiveUp, 1, &Chance(0)), None);
    }
}
