//! How a text names a secret that follows, and whether what follows is it.
//!
//! - `=` and `:=`: anything is;
//! - `:`: words of four letters and more, and what is quoted or has signs or digits;
//! - `is`, and an option `--password` or a header `Authorization` before a blank: what is quoted or
//!   has signs or digits, and a word at the end of its clause, if it is not one that is said of
//!   passwords (`wrong`, `encrypted`). So `the token is specific to the session` stays;
//! - `password for the wifi is` as that; but the secret of success, passes and bearers, an `api key`
//!   in two words, and what `=>` leads to are common in prose and code: what is quoted, or has
//!   letters and digits;
//! - `<password>`: what stands before its `</`;
//! - `machine … login … password`, as `.netrc` has it: anything.
//!
//! What it must never do: look through a text without bound for each of its words.

use crate::text;

/// What names a secret that follows: `privatekey` is also `PRIVATE_KEY` and `private key`.
const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "pwd",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "pass",
    "bearer",
];
/// So many of them, the first, name nothing but passwords; so many, the last, other things too.
const PASSWORDS: usize = 6;
const COMMON: usize = 2;
/// What is said of a secret or follows an option; and words that end in `ed`.
const SAID: &str = "\
correct wrong valid invalid empty optional set known unknown missing weak strong secret lost \
option flag";
const VERBS: [&str; 3] = ["is", "ist", "lautet"];
/// What tells what a password is for, and so many words of that.
const FOR: &str = "for of to für von zum zur";
const USE: usize = 6;
/// So many bytes are looked at.
const NEAR: usize = 256;
pub(super) const QUOTES: &str = "\"'`";

/// How a secret is named, or how sure it is that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// By `=`.
    Equals,
    /// By `:`.
    Colon,
    /// By a verb, and whatever is as sure.
    Is,
    /// By what may mean something else.
    Maybe,
    /// By the tag before it.
    Tag,
}

/// Is it one of these?
pub(super) fn one_of(c: char, all: &str) -> bool {
    all.bytes().any(|byte| char::from(byte) == c)
}

fn is_mark(byte: u8) -> bool {
    byte.is_ascii_whitespace() || QUOTES.as_bytes().contains(&byte) || byte == b'\\'
}

/// Without blanks, quotes and what escapes them at its end.
fn trimmed(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_whitespace() || u8::try_from(c).is_ok_and(is_mark))
}

/// The end of a text.
fn near(text: &str) -> &str {
    let from = text.len().saturating_sub(NEAR);
    (from..=text.len()).find_map(|from| text.get(from..)).unwrap_or_default()
}

/// What stands before the last word of a text, and the word: none where a sign ends the text.
fn last_word(text: &str) -> (&str, &str) {
    let ends = |byte: u8| is_mark(byte) || b"=:;,({[</".contains(&byte);
    text.split_at(text.bytes().rposition(ends).map_or(0, |at| at + 1))
}

/// What stands before this name at the end of a text; its parts may be joined in any way.
fn before_name<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut front = text;
    for letter in name.bytes().rev() {
        if front.len() < text.len() {
            front = front.strip_suffix(['_', '-', ' ']).unwrap_or(front);
        }
        front = front.strip_suffix(|c: char| c.eq_ignore_ascii_case(&char::from(letter)))?;
    }
    Some(front)
}

/// The sign, where a text ends with a name; and whether it names nothing but a password.
fn named(text: &str, sign: Sign) -> Option<(Sign, bool)> {
    NAMES.iter().enumerate().find_map(|(at, name)| {
        let front = before_name(text, name)?;
        let end = text.get(front.len()..)?;
        // The attribute of HTML has one letter.
        if end == "accesskey" && front.ends_with(' ') {
            return None;
        }
        let is_common = at >= NAMES.len() - COMMON;
        // `libsecret` is none; `accessToken` and `DB_PASSWORD` are.
        let begins =
            |c: char| !c.is_alphanumeric() || end.starts_with(|c: char| c.is_ascii_uppercase());
        let is_word =
            sign == Sign::Equals && !is_common || front.chars().next_back().is_none_or(begins);
        let sign = match sign {
            Sign::Colon | Sign::Is if is_common || text::has(end, " ") => Sign::Maybe,
            sign => sign,
        };
        is_word.then_some((sign, at < PASSWORDS))
    })
}

/// How the end of a text names a secret that follows.
pub(super) fn names_secret(before: &str) -> Option<Sign> {
    let text = near(trimmed(before));
    if before.ends_with('>')
        && let Some((front, tag)) = text.strip_suffix('>').map(last_word)
        && front.ends_with('<')
    {
        return named(tag, Sign::Tag).map(|(sign, _)| sign);
    }
    let (len, sign) = match text.as_bytes() {
        [.., b'=', b'>'] => (2, Some(Sign::Maybe)),
        [.., b':', b'='] => (2, Some(Sign::Equals)),
        [.., b'='] => (1, Some(Sign::Equals)),
        [.., b':'] => (1, Some(Sign::Colon)),
        _ => (0, None),
    };
    let text = trimmed(text.get(..text.len() - len)?);
    let verb = VERBS.iter().find_map(|verb| text.strip_suffix(verb));
    let verb = verb.filter(|front| trimmed(front) != *front);
    let (text, sign) = match (verb, sign) {
        (Some(front), sign) => (trimmed(front), sign.unwrap_or(Sign::Is)),
        (None, Some(sign)) => (text, sign),
        (None, None) => return names_alone(text),
    };
    if let Some((sign, _)) = named(text, sign) {
        return Some(sign);
    }
    let mut front = text;
    for _ in 0..USE {
        let (rest, word) = last_word(front);
        if !word.ends_with(char::is_alphanumeric) || !matches!(sign, Sign::Colon | Sign::Is) {
            break;
        }
        front = trimmed(rest);
        if text::is_listed(FOR, word)
            && let Some((_, is_password)) = named(front, Sign::Is)
        {
            return Some(if is_password { Sign::Is } else { Sign::Maybe });
        }
    }
    None
}

/// The same with nothing but a blank behind the name.
fn names_alone(text: &str) -> Option<Sign> {
    let (front, word) = last_word(text);
    let is = |other: &&str| word.eq_ignore_ascii_case(other);
    let header = trimmed(trimmed(front).trim_end_matches([':', '=']));
    if ["bearer", "basic", "token"].iter().any(is) && before_name(header, "authorization").is_some()
    {
        return Some(Sign::Is);
    }
    if word.starts_with("--") && !front.ends_with(|c| one_of(c, QUOTES)) {
        return named(word, Sign::Is).map(|(sign, _)| sign);
    }
    if word == "password" && matches!(*text::words(front), [.., "machine", _, "login", _]) {
        return Some(Sign::Equals);
    }
    is(&"bearer").then_some(Sign::Maybe)
}

/// Whether a token is the secret that was named before it. `is_last`: its clause ends with it.
pub(super) fn is_named(token: &str, sign: Sign, is_quoted: bool, is_last: bool) -> bool {
    let bytes = token.as_bytes();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic() || **byte > 127).count();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if letters + digits == 0 {
        return false;
    }
    // A hyphen is a part of words.
    let signs = bytes.iter().filter(|byte| byte.is_ascii_punctuation() && **byte != b'-').count();
    let is_odd = letters > 0 && digits + signs > 0 && bytes.len() > 4;
    match sign {
        Sign::Equals | Sign::Tag => true,
        Sign::Colon => is_quoted || digits > 0 || is_odd || letters > 3,
        Sign::Is => {
            is_quoted
                || is_odd
                || is_last && !token.ends_with("ed") && !text::is_listed(SAID, token)
        }
        Sign::Maybe => is_quoted || is_odd && digits > 0,
    }
}

/// Bytes of the password in an address, `scheme://user:password@host`, which `before` has up to the
/// colon.
pub(super) fn in_address(before: &str, rest: &str) -> Option<usize> {
    let (front, _) = last_word(near(before.strip_suffix(':')?));
    if !front.ends_with("://") {
        return None;
    }
    // A password may have an apostrophe.
    let ends = |byte: u8| is_mark(byte) && byte != b'\'' || b"/?#".contains(&byte);
    let end = rest.bytes().position(ends).unwrap_or(rest.len());
    rest.as_bytes().get(..end)?.iter().rposition(|byte| *byte == b'@').filter(|len| *len > 0)
}
