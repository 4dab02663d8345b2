//! Slots of a text, dates in words, and the disguises of an injection.

use std::fmt::Write;

/// `text` with each slot replaced by what `slot` has for it; unknown braces stay.
pub(super) fn fill(text: &str, slot: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let known = rest.find('}').and_then(|end| Some((end, slot(&rest[1..end])?)));
        match known {
            Some((end, value)) => {
                filled.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The day of a time, such as `3 March` (Howard Hinnant's civil calendar).
pub(super) fn date(time: u64) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    // Days since 1 March of year 0, and within an era of 400 years.
    let of_era = (time / 86_400 + 719_468) % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    format!("{day} {}", MONTHS[((month + 2) % 12) as usize])
}

/// Base64 with padding (RFC 4648).
pub(super) fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            coded.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    coded
}

/// The bytes in hexadecimal.
pub(super) fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut coded, byte| {
        let _ = write!(coded, "{byte:02x}");
        coded
    })
}

/// `text` with `mark` after each letter.
pub(super) fn interleaved(text: &str, mark: char) -> String {
    text.chars().flat_map(|letter| [letter, mark]).collect()
}

/// ASCII as the tag characters of Unicode, which no font shows.
pub(super) fn tags(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii)
        .filter_map(|letter| char::from_u32(0xe0000 + letter as u32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_other_braces_stay() {
        let slot = |name: &str| (name == "v").then(|| "five".to_owned());
        assert_eq!(fill(r#"{"a": {v}} {} {"#, &slot), r#"{"a": five} {} {"#);
        assert_eq!(fill("{v}{v}{w}", &slot), "fivefive{w}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1 January");
        assert_eq!(date(951_782_400), "29 February");
        assert_eq!(date(951_868_800), "1 March");
        assert_eq!(date(1_735_603_200), "31 December");
    }

    #[test]
    fn disguises_are_what_they_are_called() {
        assert_eq!(base64("foobar"), "Zm9vYmFy");
        assert_eq!(base64("foob"), "Zm9vYg==");
        assert_eq!(base64("fooba"), "Zm9vYmE=");
        assert_eq!(hex("Az"), "417a");
        assert_eq!(interleaved("ab", '\u{200b}'), "a\u{200b}b\u{200b}");
        assert_eq!(tags("a"), "\u{e0061}");
    }
}
