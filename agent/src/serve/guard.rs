//! Who may ask.
//!
//! With a token, whoever has it. Without one, everybody who reaches the address and says a name
//! of this very machine, which any program can say from anywhere: then the address alone
//! protects, which must be one of loopback. The name keeps out pages in a browser: a page of
//! elsewhere, to whose name somebody gave the address 127.0.0.1, still comes by its own name. A
//! browser says which page asks, and that page must be of this server.
//!
//! Why: names and pages are looked at with a token too, and headers alone decide, so that
//! nobody has to read the body of one who is refused.
//!
//! What it must never do: let somebody in because a setting is wrong: a token that is too
//! short opens nothing, and names without a token count for nothing.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Asked, Reply};
use crate::platform::Environment;
use crate::text;

/// Names of this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The least bytes of a token.
const LEAST: usize = 16;

/// The rules.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    token: Option<String>,
    /// Names by which others come, in lower case.
    hosts: Vec<String>,
}

impl Guard {
    /// `CLAWFT_TOKEN` is the token; `CLAWFT_HOSTS` are names of this server beside those of
    /// loopback, separated by commas, which count with a token only.
    #[must_use]
    pub fn new(environment: &dyn Environment) -> Self {
        let token = environment.variable("CLAWFT_TOKEN").filter(|token| !token.is_empty());
        let mut hosts = Vec::new();
        if token.is_some() {
            let named = environment.variable("CLAWFT_HOSTS").unwrap_or_default();
            for host in text::parts(&named, b",") {
                if !host.trim().is_empty() {
                    hosts.push(host.trim().to_ascii_lowercase());
                }
            }
        }
        Self { token, hosts }
    }

    /// Lets a request through. Its body counts for nothing here.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, asked: &Asked) -> Result<(), Reply> {
        let host = asked.header("host").unwrap_or_default();
        if !self.is_ours(host) {
            return Err(Reply::refusal(403, "this server is not known by that name"));
        }
        if let Some(origin) = asked.header("origin") {
            let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !page.is_some_and(|page| page.eq_ignore_ascii_case(host)) {
                return Err(Reply::refusal(403, "pages of another origin get no answer"));
            }
        }
        // A page that only loads something says no origin; a browser says whether it is ours.
        let site = asked.header("sec-fetch-site").unwrap_or("none");
        if !matches!(site, "same-origin" | "none") {
            return Err(Reply::refusal(403, "pages of another origin get no answer"));
        }
        let Some(token) = &self.token else { return Ok(()) };
        // With a line end behind it nobody's would be the same.
        if token.len() < LEAST || token.trim() != token {
            let why =
                "CLAWFT_TOKEN: 16 bytes or more expected, and no blank or line end around them";
            return Err(Reply::refusal(500, why));
        }
        let given = asked.header("authorization").unwrap_or_default();
        let (scheme, given) = text::cut(given, b" ").unwrap_or_default();
        match scheme.eq_ignore_ascii_case("bearer") && same(given.trim(), token) {
            true => Ok(()),
            false => Err(Reply::refusal(401, "the token expected: authorization: Bearer …")),
        }
    }

    fn is_ours(&self, authority: &str) -> bool {
        let name = match text::cut_last(authority, b':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => authority,
        };
        let name = name.to_ascii_lowercase();
        LOOPBACK.contains(&name.as_str()) || self.hosts.contains(&name)
    }
}

/// Whether two texts are the same, in a time that does not say where they differ.
fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && core::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Variables(&'static [(&'static str, &'static str)]);

    impl Environment for Variables {
        fn variable(&self, name: &str) -> Option<String> {
            self.0.iter().find(|one| one.0 == name).map(|one| one.1.into())
        }

        fn arguments(&self) -> Vec<String> {
            Vec::new()
        }
    }

    fn status(variables: &'static [(&'static str, &'static str)], headers: &[(&str, &str)]) -> u16 {
        let headers = headers.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let asked = Asked { headers, ..Asked::default() };
        Guard::new(&Variables(variables)).check(&asked).map_or_else(|reply| reply.status, |()| 200)
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"] {
            assert_eq!(status(&[], &[("host", host)]), 200, "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil:80", "::1"] {
            assert_eq!(status(&[], &[("host", host)]), 403, "{host}");
        }
        let named = &[("CLAWFT_HOSTS", "box.example")];
        assert_eq!(status(named, &[("host", "box.example")]), 403, "no token");
    }

    #[test]
    fn pages_of_another_origin_are_refused() {
        let from = |origin| status(&[], &[("host", "localhost:80"), ("origin", origin)]);
        assert_eq!(from("http://localhost:80"), 200);
        for origin in ["null", "http://localhost:81", "https://evil.example", "localhost:80"] {
            assert_eq!(from(origin), 403, "{origin}");
        }
    }

    #[test]
    fn a_page_that_says_no_origin_is_known_by_its_site() {
        let from = |site| status(&[], &[("host", "localhost:80"), ("sec-fetch-site", site)]);
        assert_eq!((from("none"), from("same-origin")), (200, 200));
        for site in ["cross-site", "same-site", ""] {
            assert_eq!(from(site), 403, "{site}");
        }
    }

    #[test]
    fn a_token_must_be_the_one() {
        let with = &[("CLAWFT_TOKEN", "0123456789abcdef"), ("CLAWFT_HOSTS", " Box.example ,")];
        let by = |token| status(with, &[("host", "box.example:1"), ("authorization", token)]);
        assert_eq!(by("Bearer 0123456789abcdef"), 200);
        assert_eq!(by("bearer  0123456789abcdef "), 200);
        for wrong in [
            "",
            "Bearer",
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0",
            "Basic 0123456789abcdef",
        ] {
            assert_eq!(by(wrong), 401, "{wrong}");
        }
        assert_eq!(status(with, &[("host", "other.example")]), 403);
        let short = &[("CLAWFT_TOKEN", "short")];
        let asked = [("host", "localhost"), ("authorization", "Bearer short")];
        assert_eq!(status(short, &asked), 500);
        let ended = &[("CLAWFT_TOKEN", "0123456789abcdef\n")];
        let asked = [("host", "localhost"), ("authorization", "Bearer 0123456789abcdef")];
        assert_eq!(status(ended, &asked), 500);
    }
}
