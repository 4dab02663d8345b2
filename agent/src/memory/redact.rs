//! Secrets taken out of a text before it is stored.
//!
//! What is taken for a secret:
//!
//! - tokens with the prefixes that vendors give their keys, and something drawn behind it: a digit,
//!   a capital, or 16 letters in a row (`npm_config_registry` has none of these);
//! - tokens that look drawn at random: 32 characters and more without a point or a slash, of small
//!   letters, large ones and digits. So hashes and UUIDs, which are of one case, stay, and words in
//!   base64 too; long ones in base64, such as checksums with `sha512-`, go. Names of words, such as
//!   `2024_Summer_Olympics_opening_ceremony`, stay;
//! - what follows the name of a secret ([`names`](super::names)). Of what is quoted, all words go up
//!   to the mark that closes it;
//! - the password of an address, `scheme://user:password@host`;
//! - private keys in PEM.
//!
//! It errs on the side of taking too much: a memory is read by models and sent to providers.
//!
//! What it must never do: let through what it takes for a secret in part.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::names::{QUOTES, Sign, in_address, is_named, names_secret, one_of};
use super::pem;
use crate::text;

/// In the place of a secret.
pub(super) const MARK: &str = "[secret]";

/// Readings of a text in which secrets are found, at most: what one leaves the next finds, and few need three.
const MOST_PASSES: usize = 8;

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
/// A word of a name has no more letters than this, and one with digits no more characters.
const WORD: usize = 24;
const NUMBERED: usize = 10;
/// So many bytes are looked through for the mark that closes a quotation.
const QUOTED: usize = 256;

fn is_inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~')
}

fn is_secret(token: &str) -> bool {
    if token.len() < SHORTEST {
        return false;
    }
    let drawn = |prefix: &&str| match token.strip_prefix(*prefix) {
        // Those of AWS have no small letter.
        Some(tail) if prefix.starts_with('A') && prefix.ends_with('A') => {
            tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        }
        Some(tail) => {
            tail.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                || text::parts(tail, b"-_").iter().any(|part| part.len() >= SHORTEST)
        }
        None => false,
    };
    // Words put together by points and strokes are addresses and paths.
    PREFIXES.iter().any(drawn) || text::parts(token, b"/.").into_iter().any(is_random)
}

fn is_random(part: &str) -> bool {
    let has = |what: fn(&u8) -> bool| part.as_bytes().iter().any(&what);
    part.len() >= RANDOM
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && !is_name(part)
}

/// Whether it is a name of words and numbers with `-` or `_` between, as titles in addresses are.
///
/// Of a key in base64 some piece is long or has capitals inside. One in hexadecimals with words
/// around it, such as `FLWSECK_TEST-…-X`, has a long piece with digits, and a UUID mostly such.
fn is_name(part: &str) -> bool {
    let (mut pieces, mut words) = (0, 0);
    for piece in text::parts(part, b"-_") {
        let count = |what: fn(&u8) -> bool| piece.bytes().filter(what).count();
        let (large, small) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
        let digits = count(u8::is_ascii_digit);
        let begins = piece.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
        let is_cased = large == 0 || small == 0 || large == 1 && begins;
        let most = if digits == 0 { WORD } else { NUMBERED };
        if !is_cased || piece.len() > most || large + small + digits < piece.len() {
            return false;
        }
        pieces += usize::from(!piece.is_empty());
        words += usize::from(large + small > 0 && digits == 0);
    }
    pieces > 1 && words * 2 >= pieces
}

/// Bytes up to the mark that closes a quotation: on its line, not far, and behind a `\` where the one
/// that opens it is.
fn closed(text: &str, quote: u8, is_escaped: bool) -> Option<usize> {
    let mut before = b'"';
    let end = text.bytes().take(QUOTED + 1).take_while(|byte| *byte != b'\n').position(|byte| {
        let ends = byte == quote && is_escaped == (before == b'\\');
        before = byte;
        ends
    })?;
    Some(end.saturating_sub(usize::from(is_escaped)))
}

/// The text without its secrets, and how many there were.
#[must_use]
pub fn redact(text: &str) -> (String, usize) {
    let (mut found, mut count) = once(text);
    // Where one was taken out another may show: in an address that was cut, in a tag that has a pair now.
    let (mut before, mut passes) = (0, 1);
    while before < count && passes < MOST_PASSES {
        let (again, more) = once(&found);
        (before, passes) = (count, passes + 1);
        count += more;
        found = again;
    }
    (found, count)
}

/// What is found in one reading.
fn once(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if pem::begins(rest) {
            out.push_str(MARK);
            count += 1;
            rest = pem::behind(rest).unwrap_or_default();
            continue;
        }
        if let Some(len) = in_address(&out, rest) {
            let (secret, after) = rest.split_at(len);
            out.push_str(MARK);
            count += usize::from(secret != MARK);
            rest = after;
            continue;
        }
        let begins = !c.is_whitespace() && !one_of(c, "\"'`=:");
        let named = begins.then(|| names_secret(&out)).flatten();
        // In texts about them, `<password>` stands for one.
        let named = named.filter(|sign| {
            let end = || closed(rest, b'<', false).and_then(|end| rest.get(end..));
            *sign != Sign::Tag || end().is_some_and(|end| end.starts_with("</"))
        });
        let inside = |c: char| match named {
            Some(Sign::Tag) if c == '<' => false,
            Some(_) => !c.is_whitespace() && !one_of(c, "\"'`,;"),
            None => is_inside(c),
        };
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        if len == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (token, after) = rest.split_at(len);
        // A sentence's point is not a part of what stands before it, nor what escapes a quote.
        let token_only = text::without_end(token, b".!?\\");
        let is_last = token_only.len() < token.len()
            || after.starts_with(|c| one_of(c, QUOTES))
            || after.chars().find(|c| *c != ' ').is_none_or(|c| one_of(c, ",;)\n"));
        let quote = match named {
            Some(Sign::Tag) => Some(b'<'),
            _ => out.bytes().next_back().filter(|mark| QUOTES.as_bytes().contains(mark)),
        };
        let is_escaped = out.as_bytes().iter().nth_back(1) == Some(&b'\\');
        let is_quoted = quote.is_some();
        let is_named = token_only != MARK
            && named.is_some_and(|sign| is_named(token_only, sign, is_quoted, is_last));
        if is_named || is_secret(token_only) {
            out.push_str(MARK);
            count += 1;
            // A passphrase has several words.
            let end = quote.filter(|_| is_named).and_then(|quote| closed(rest, quote, is_escaped));
            if let Some(end) = end {
                rest = &rest[end..];
                continue;
            }
            out.push_str(&token[token_only.len()..]);
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    if count == 0 { (text.to_owned(), 0) } else { (out, count) }
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
            ("The wifi password is swordfish.", "The wifi password is [secret]."),
            ("my password is: correct-horse", "my password is: [secret]"),
            ("Mein Passwort ist geheim-3, ja", "Mein Passwort ist [secret], ja"),
            ("the password is \"secret\" here", "the password is \"[secret]\" here"),
            ("accessToken: x9y8", "accessToken: [secret]"),
            ("dbpassword=a", "dbpassword=[secret]"),
            (
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "aws_secret_access_key = [secret]",
            ),
            (
                r#"curl -d "{\"password\":\"hunter2\"}" x"#,
                r#"curl -d "{\"password\":\"[secret]\"}" x"#,
            ),
            (r#"{\"token\":\"a b, \'c\",\"d\":1}"#, r#"{\"token\":\"[secret]\",\"d\":1}"#),
            (r#"{"password":"ab\"cd","e":1}"#, r#"{"password":"[secret]","e":1}"#),
            ("mysql --password hunter2 -h db", "mysql --password [secret] -h db"),
            ("deploy --access-key swordfish", "deploy --access-key [secret]"),
            (
                "machine h.org\n login u\n password x\n",
                "machine h.org\n login u\n password [secret]\n",
            ),
            ("config :password => \"x\", user: 1", "config :password => \"[secret]\", user: 1"),
            ("password := \"x\"", "password := \"[secret]\""),
            ("<a><password>it's, x</password></a>", "<a><password>[secret]</password></a>"),
            ("postgres://u:hunter2@h:5432/d", "postgres://u:[secret]@h:5432/d"),
            ("redis://:p@ss,w'@h?a@b", "redis://:[secret]@h?a@b"),
            ("https://token:a@h", "https://token:[secret]@h"),
            ("Bearer 0123456789abcdef0123456789abcdef", "Bearer [secret]"),
            (
                "curl -H \"Authorization: Basic dTpw\" x",
                "curl -H \"Authorization: Basic [secret]\" x",
            ),
            ("{\"authorization\":\"token abcdef\"}", "{\"authorization\":\"token [secret]\"}"),
            (
                "PRIVATE_KEY=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "PRIVATE_KEY=[secret]",
            ),
            ("DB_PASS=x", "DB_PASS=[secret]"),
            ("user: ada\npass: hunter2", "user: ada\npass: [secret]"),
            ("my API key is 5f4dcc3b", "my API key is [secret]"),
            (
                "The password for the wifi is hunter2 now",
                "The password for the wifi is [secret] now",
            ),
            (
                "My password for example.org is swordfish.",
                "My password for example.org is [secret].",
            ),
            ("Password for 'admin': hunter2", "Password for 'admin': [secret]"),
            ("Das Passwort lautet: hunter2", "Das Passwort lautet: [secret]"),
            ("Das Passwort für das WLAN ist hunter2", "Das Passwort für das WLAN ist [secret]"),
            // Keys in base64url, and such as have words around them.
            ("x Zm9-vYmFyX2Jhe_pJ4aGVsbG8td29ybGQx-MjM0NTY3 y", "x [secret] y"),
            ("x q7_Kd-3fVbT0uXw9Zs2LmNpRyHc4Je6AgQiWoEk_1B-5 y", "x [secret] y"),
            ("x Live_Key-Web_a1B2c3D4e5F6g7H8j9K0-Prod y", "x [secret] y"),
            ("x Live_Key-Web_a1b2c3d4e5f6g7h8j9k0-Prod y", "x [secret] y"),
            ("x FLWSECK_TEST-5f4dcc3b5aa765d61d8327deb882cf99-X y", "x [secret] y"),
            ("x HRKU-01234567-89ab-4cde-8f01-456789abcdef y", "x [secret] y"),
            // A checksum cannot be told from a key.
            ("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP-DGNKHfuw", "[secret]"),
        ] {
            let (found, count) = redact(text);
            assert_eq!((&*found, count), (expected, 1), "{text}");
            assert_eq!(redact(&found), (found.clone(), 0), "once is enough");
        }
    }

    #[test]
    fn a_quoted_passphrase_goes_with_all_its_words() {
        let far = "word ".repeat(60);
        for (text, expected) in [
            ("passphrase: \"correct horse battery staple\", ok", "passphrase: \"[secret]\", ok"),
            ("{\"password\":\"it's, well. long\",\"a\":1}", "{\"password\":\"[secret]\",\"a\":1}"),
            ("the password is 'correct horse, \"é\".' here", "the password is '[secret]' here"),
            ("PASSWORD=`one two` three", "PASSWORD=`[secret]` three"),
            // Where no mark closes it on its line, or only far away, it is a word as before.
            ("passphrase: \"correct horse", "passphrase: \"[secret] horse"),
            ("passphrase: \"correct horse'", "passphrase: \"[secret] horse'"),
            (
                "passphrase: \"correct horse\nbattery staple\" ok",
                "passphrase: \"[secret] horse\nbattery staple\" ok",
            ),
            (&format!("password: \"one {far}\""), &format!("password: \"[secret] {far}\"")),
        ] {
            let (found, count) = redact(text);
            assert_eq!((&*found, count), (expected, 1), "{text}");
            assert_eq!(redact(&found), (found.clone(), 0), "once is enough");
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
            // As packages are described.
            "libsecret is a library for storing and retrieving passwords and other secrets.",
            "without contacting the issuer to determine if the token is valid. This is convenient",
            "prints a prompt (by default `Password:') and then accepts input",
            "By default, this password is 32 characters long; the token is specific to the session.",
            "JSON Web Token is implemented in Mojo::JWT; Gfsecret is a set of tools.",
            "Token: an opaque string. The passphrase is wrong, the secret is stored encrypted.",
            // What passwords are for, and what else is called as they are.
            "The password policy is strict. The password for the wifi is on the fridge.",
            "The key for the office is with Maria; pass the salt; the bearer of bad news came.",
            "My pass is valid for the bus, pass: 14, fail: 2. My boarding pass is blue.",
            "The secret of success is patience. The secret to a good life is sleep.",
            "I lost the password for X. The code is blue.",
            "Authorization: Basic authentication is old. Bearer tokens are signed.",
            "The private key is mine. API key: required for all calls.",
            "Use the --password option. Give `--token` or --password to log in.",
            "mysql -u <user> -p <password> -h <host>, see <password>",
            "password => validate(password)",
            "<a href=\"a.html\" accesskey=\"n\">next</a>",
            "http://localhost:8080/@ada and ftp://host:21, mail a:b@c",
            // Names that begin like keys, hashes, numbers of one case, words in base64.
            "npm_config_registry, sk_buff_head_init, hf_transformers_cache, pypi-server-package",
            "ASIANetworkOperators and AKIA-something-long",
            "(Closes: #1012345) [f8a9b1c 5D41402ABC4B2A76B9719D911017C592ABCDEF]",
            "id 123e4567-e89b-12d3-a456-426614174000, SGVsbG8gd29ybGQh",
            "see https://bugs.debian.org/cgi-bin/bugreport.cgi?bug=123456 and CVE-2021-44228",
            // Names of words, as titles in addresses and files are.
            "https://en.wikipedia.org/wiki/2024_Summer_Olympics_opening_ceremony",
            "How-I-built-a-2D-engine-in-Rust-in-3-days",
            "Kubernetes-1-29-Release-Notes-and-Upgrade-Guide",
            "https://www.rfc-editor.org/RFC-9110-HTTP-Semantics-and-Content-Negotiation.html",
            "Screenshot_20240102-123456_Chrome-Window.png",
            "Die-100-besten-Rezepte-aus-Oma-Ernas-Kochbuch",
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

        /// The shapes that vendors give their keys.
        #[test]
        fn keys_of_every_vendor_go(
            key in prop_oneof![
                "sk-proj-[A-Za-z0-9_]{48}", "sk-ant-api03-[A-Za-z0-9]{40}-[A-Za-z0-9_]{40}AA",
                "sk_live_[A-Za-z0-9]{24}", "gh[pousr]_[A-Za-z0-9]{36}",
                "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "glpat-[A-Za-z0-9]{20}",
                "xoxb-[0-9]{12}-[0-9]{12}-[A-Za-z0-9]{24}", "(AKIA|ASIA)[A-Z2-7]{16}",
                "AIza[A-Za-z0-9_]{35}", "hf_[A-Za-z]{34}", "npm_[A-Za-z0-9]{36}",
                "pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_]{120}", "ya29\\.a0[A-Za-z0-9_]{60}",
                "eyJhbGciOiJIUzI1NiJ9\\.eyJ[A-Za-z0-9_]{40}\\.[A-Za-z0-9_]{43}",
            ],
            before in "([a-zé]{1,8} ){0,4}", after in "[ ,;\"\n.]?",
        ) {
            let text = format!("{before}{key}{after}");
            prop_assert_eq!(redact(&text), (format!("{before}{MARK}{after}"), 1));
        }

        /// Words of one case, as sentences have them, with numbers between: whatever they speak of.
        #[test]
        fn sentences_about_secrets_stay(
            words in proptest::collection::vec(
                prop_oneof!["[a-z]{1,12}", "[0-9]{1,4}", Just("token".to_owned()),
                    Just("password".to_owned()), Just("the".to_owned()), Just("is a".to_owned())],
                1..20,
            ),
            hash in "[0-9a-f]{40}",
        ) {
            let mut words = words;
            words.retain(|word| word != "is");
            let text = format!("{} {hash} is used.", words.join(" "));
            prop_assert_eq!(redact(&text), (text.clone(), 0));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = redact(&text);
        }

        /// However secrets are named: what is taken out stays out, and the text hardly grows.
        #[test]
        fn once_is_enough(
            parts in prop::collection::vec(
                prop::sample::select(Vec::from([
                    "password", "DB_PASS", "Bearer", "--token", "Authorization: Basic", "a://u:",
                    "<password>", "</password>", "secret", "api key", "for", "the", "is", "lautet",
                    "=", ":", "=>", ":=", " ", "\n", "\"", "'", "\\", ",", ".", "@", "/", "<", "-", "é",
                    "hunter2", "x", "[secret]", "machine h login u password",
                ])),
                0..24,
            ),
        ) {
            let text = parts.concat();
            let (found, count) = redact(&text);
            prop_assert!(found.len() <= text.len() + count * MARK.len(), "{text}");
            prop_assert_eq!(redact(&found).0, found, "{}", text);
        }
    }
}
