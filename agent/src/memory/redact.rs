//! Secrets taken out of a text before it is stored.
//!
//! What is taken for a secret: tokens with the prefixes that vendors give their keys, tokens that
//! look drawn at random (32 characters and more, of small letters, large ones and digits), what
//! follows `password`, `token`, `api_key` and their like with `=`, `:` or `is`, and private keys in
//! PEM. It errs on the side of taking too much: a memory is read by models and sent to providers.
//!
//! What it must never do: let through what it takes for a secret in part.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::text;

/// In the place of a secret.
pub(super) const MARK: &str = "[secret]";

/// What keys begin with.
const PREFIXES: [&str; 22] = [
    "sk-",
    "sk_",
    "rk_",
    "pk_live",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "AKIA",
    "ASIA",
    "AIza",
    "hf_",
    "npm_",
    "pypi-",
    "ya29.",
    "eyJ",
];
/// Fewer characters than this are no key.
const SHORTEST: usize = 16;
/// From so many on, what looks random is one.
const RANDOM: usize = 32;
/// What names a secret that follows.
const NAMES: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "secret",
    "secret_key",
];

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

fn is_inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~')
}

fn is_secret(token: &str) -> bool {
    if token.len() < SHORTEST {
        return false;
    }
    if PREFIXES.iter().any(|prefix| token.starts_with(prefix)) {
        return true;
    }
    let has = |what: fn(&u8) -> bool| token.as_bytes().iter().any(&what);
    // Words put together by points and strokes are addresses and paths.
    text::parts(token, b"/.").iter().any(|part| part.len() >= RANDOM)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// Whether a character stands around a word: a blank, a quote.
fn is_around(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`')
}

/// Whether the text ends in the name of a secret, with `=`, `:` or `is` behind it.
fn names_secret(before: &str) -> bool {
    let before = before.trim_end_matches(is_around);
    let name = match before.strip_suffix(['=', ':']) {
        Some(name) => name,
        None => match before.strip_suffix("is") {
            Some(name) if name.ends_with(char::is_whitespace) => name,
            _ => return false,
        },
    };
    let name = name.trim_end_matches(is_around);
    NAMES.iter().any(|known| {
        name.len() >= known.len()
            && name.is_char_boundary(name.len() - known.len())
            && name[name.len() - known.len()..].eq_ignore_ascii_case(known)
    })
}

/// The text without its secrets, and how many there were.
#[must_use]
pub fn redact(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with(BEGIN) && is_private(rest) {
            let end = text::find(rest, END).map_or(rest.len(), |at| {
                at + END.len()
                    + text::find(&rest[at + END.len()..], "-----").map_or(0, |more| more + 5)
            });
            out.push_str(MARK);
            count += 1;
            rest = &rest[end..];
            continue;
        }
        let named =
            !c.is_whitespace() && !matches!(c, '"' | '\'' | '`' | '=' | ':') && names_secret(&out);
        let inside = |c: char| {
            if named {
                !c.is_whitespace() && !matches!(c, '"' | '\'' | '`' | ',' | ';')
            } else {
                is_inside(c)
            }
        };
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        if len == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (token, after) = rest.split_at(len);
        // A sentence's point is not a part of what stands before it.
        let token_only = text::without_end(token, b".!?");
        if !token_only.is_empty() && (named && token_only != MARK || is_secret(token_only)) {
            out.push_str(MARK);
            out.push_str(&token[token_only.len()..]);
            count += 1;
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    if count == 0 { (text.to_owned(), 0) } else { (out, count) }
}

fn is_private(text: &str) -> bool {
    text::has(text::head(&text[BEGIN.len()..], b"\n"), "PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, expected) in [
            ("My key is sk-proj-abcdefghijklmnop1234.", "My key is [secret]."),
            ("use \"ghp_0123456789abcdefghijABCDEFGHIJ\" here", "use \"[secret]\" here"),
            ("password: hunter2, user bob", "password: [secret], user bob"),
            ("The Password is hunter2!", "The Password is [secret]!"),
            ("OPENAI_API_KEY=abc def", "OPENAI_API_KEY=[secret] def"),
            ("{\"token\": \"abc\"}", "{\"token\": \"[secret]\"}"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN ok", "jwt [secret] ok"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
                "a\n[secret]\nb",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "[secret]"),
            ("x aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3 y", "x [secret] y"),
        ] {
            let (found, count) = redact(text);
            assert_eq!((&*found, count), (expected, 1), "{text}");
        }
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "",
            "I like tea. The risk-free way is here: ask-me-anything-about-it.",
            "commit 0123456789abcdef0123456789abcdef01234567",
            "https://example.org/Some/Long/Path/With42/And.More/Parts/In-It",
            "The token ring network is old; a secret garden; password managers.",
            "-----BEGIN CERTIFICATE-----",
            "Käse ist gut, 日本語 auch.",
        ] {
            assert_eq!(redact(text), (text.to_owned(), 0), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_key_goes_wherever_it_stands(
            before in "[a-z é.,:]{0,20}", tail in "[A-Za-z0-9]{16,40}", after in "[ ,;\"\n][a-z é]{0,20}",
        ) {
            let text = format!("{before} sk-{tail}{after}");
            let (found, _) = redact(&text);
            prop_assert!(!found.contains(&tail), "{found}");
            // Once is enough.
            prop_assert_eq!(redact(&found), (found.clone(), 0));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = redact(&text);
        }
    }
}
