//! The date of an HTTP header, as servers have to write it (RFC 9110, section 5.6.7):
//! `Sun, 06 Nov 1994 08:49:37 GMT`. The two older forms may be read too, nobody has to; these
//! servers do not write them.
//!
//! Why: 29 bytes of one form need no crate of dates. The form is compared first, byte by
//! byte: behind that a digit is a digit, and each part is where it is looked for.
//!
//! What it must never do: ask a clock (what is now, the caller knows), or guess at a date in
//! another form: the wait is then one of our own.

/// How such a date looks: letters and digits stand for any.
const FORM: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// Seconds since 1970 of such a date; `None` where it is none, or before 1970.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let bytes: &[u8; 29] = text.trim().as_bytes().try_into().ok()?;
    let fits = |(found, form): (&u8, &u8)| match form {
        b'0'..=b'9' => found.is_ascii_digit(),
        form if form.is_ascii_alphabetic() => found.is_ascii_alphabetic(),
        form => found == form,
    };
    if !bytes.iter().zip(FORM).all(fits) || !bytes.ends_with(b"GMT") {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to).unwrap_or(&[]);
        digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    let (day, year) = (number(5, 7), number(12, 16));
    let month = MONTHS.iter().position(|name| bytes[8..11] == **name)? as u64 + 1;
    let (hour, minute, second) = (number(17, 19), number(20, 22), number(23, 25));
    // A leap second has number 60.
    if !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 || year < 1970 {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Days from 1970-01-01 to a date of the Gregorian calendar, from 1970 on.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years that begin in March end with the leap day.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 153 days are five months of 31 and 30 days in turn; 719,468 lie before 1970.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        let cases = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Thu, 31 Dec 2099 23:59:59 GMT", 4_102_444_799),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_date_is_refused() {
        for text in [
            "",
            "0",
            "Sun",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 ovD 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 0a:49:37 GMT",
            "Sun; 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06  1994 08:49:37 GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..2371u64 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in lengths.into_iter().enumerate() {
                for day in 1..=length {
                    assert_eq!(days(year, month as u64 + 1, day), expected);
                    expected += 1;
                }
            }
        }
    }
}
