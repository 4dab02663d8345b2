//! The parts of a URL that a request is made of.
//!
//! Why: `wasi:http` takes a URL in parts, and `clawft_http` gets it put together from the
//! same parts, without a fragment and with a path. So hosts see one form, and what is refused
//! here none of them has to refuse.
//!
//! What it must never do: let a blank or a control character through, which would end the line
//! that a host writes of it, or a name and password, which would be shown with the host.

use crate::text;

/// A URL, split.
#[cfg(any(test, all(target_os = "wasi", feature = "wasi-platform")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// `https`, not `http`.
    pub(super) is_secure: bool,
    /// Host and, where one is named, port.
    pub(super) authority: &'a str,
    /// Path and query, from its `/` on; empty: none was given.
    pub(super) path: &'a str,
}

/// Splits a URL; the fragment is dropped. `None` where it is none that can be used: another scheme,
/// no host, a name and password before the host, a space or a control character.
#[cfg(any(test, all(target_os = "wasi", feature = "wasi-platform")))]
pub(super) fn split(url: &str) -> Option<Url<'_>> {
    if url.bytes().any(|byte| byte <= b' ' || byte == 0x7F) {
        return None;
    }
    let (is_secure, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let rest = text::head(rest, b"#");
    let (authority, path) = match rest.bytes().position(|byte| matches!(byte, b'/' | b'?')) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let has_host = !authority.is_empty() && !authority.starts_with(':');
    (has_host && !authority.as_bytes().contains(&b'@')).then_some(Url {
        is_secure,
        authority,
        path,
    })
}

/// Host and port of whatever is given as a URL, without a name and a password before them.
pub(crate) fn host(url: &str) -> &str {
    let begin = text::find(url, "://").map_or(0, |at| at + 3);
    let authority = text::head(url.get(begin..).unwrap_or(""), b"/?#");
    text::cut_last(authority, b'@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(bool, &str, &str)> {
        split(url).map(|url| (url.is_secure, url.authority, url.path))
    }

    #[test]
    fn a_url_is_split() {
        assert_eq!(parts("http://a.example"), Some((false, "a.example", "")));
        assert_eq!(parts("https://a:8/b?c=d/e#f"), Some((true, "a:8", "/b?c=d/e")));
        assert_eq!(parts("http://[::1]:80?q"), Some((false, "[::1]:80", "?q")));
    }

    #[test]
    fn a_host_is_found_in_whatever_is_given() {
        for (url, found) in [
            ("https://a.example/b", "a.example"),
            ("http://me:p@w@a:8?q", "a:8"),
            ("a#b@c", "a"),
            ("http://", ""),
            ("", ""),
        ] {
            assert_eq!(host(url), found, "{url:?}");
        }
    }

    #[test]
    fn what_is_no_url_of_ours_is_refused() {
        for url in [
            "",
            "ftp://a/",
            "http://",
            "http:///x",
            "http://:80/",
            "http://me:pw@a/",
            "http://a/b c",
            "http://a/\r\nx: y",
        ] {
            assert_eq!(parts(url), None, "{url:?}");
        }
    }
}
