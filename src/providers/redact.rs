//! Making a provider's message safe to show: one line, of bounded length, and without keys.

use std::cmp::Reverse;

use crate::config::Secret;

/// The longest message, in characters.
const MAX_LENGTH: usize = 500;

/// Replaces a key.
const REDACTED: &str = "[redacted]";

/// The prefixes of the keys of those providers that use one.
const PREFIXES: [&str; 3] = ["sk-", "pplx-", "AIza"];

/// The shortest token that is taken for a key, in bytes. OpenAI quotes keys with asterisks in the
/// middle.
const SHORTEST: usize = 8;

/// Removes keys from messages.
pub(super) struct Redactor {
    /// Longest first, so that no key is left in part because another one is a prefix of it.
    keys: Vec<Secret>,
}

impl Redactor {
    /// Creates a redactor for these keys and anything that looks like a key.
    pub fn new(keys: impl Iterator<Item = Secret>) -> Self {
        let mut keys: Vec<_> = keys.filter(|key| !key.expose().is_empty()).collect();
        keys.sort_by_key(|key| Reverse(key.expose().len()));
        Self { keys }
    }

    /// Returns the message on one line, without keys, and at most 500 characters long.
    pub fn tidy(&self, message: &str) -> String {
        let mut line = on_one_line(message);
        for key in &self.keys {
            line = line.replace(key.expose(), REDACTED);
        }
        // Shortened last: half a key would no longer be recognized.
        shortened(&without_key_likes(&line))
    }
}

/// Replaces each sequence of invisible characters, such as line breaks and direction marks, with one
/// space.
fn on_one_line(text: &str) -> String {
    let is_blank = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let words = text.split(is_blank).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Redacts what looks like a key: tokens with the prefix of one, and what follows `Bearer`.
fn without_key_likes(line: &str) -> String {
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "-_*.…•".contains(c);
    let mut safe = String::with_capacity(line.len());
    let mut rest = line;
    let mut after_bearer = false;
    while let Some(first) = rest.chars().next() {
        let is_token = is_in_token(first);
        let end = rest
            .find(|c: char| is_in_token(c) != is_token)
            .unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        if !is_token {
            safe.push_str(part);
            continue;
        }
        // Leaves out the dot that ends the sentence.
        let token = part.trim_end_matches('.');
        if is_key_like(token) || (after_bearer && is_bearer(token)) {
            safe.push_str(REDACTED);
            safe.push_str(&part[token.len()..]);
        } else {
            safe.push_str(part);
        }
        after_bearer = token.eq_ignore_ascii_case("bearer");
    }
    safe
}

fn is_key_like(token: &str) -> bool {
    token.len() >= SHORTEST
        && PREFIXES.iter().any(|prefix| {
            let start = token.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
}

/// Whether what follows `Bearer` is a token, and not the sentence's next word.
fn is_bearer(token: &str) -> bool {
    token.len() >= SHORTEST && !token.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(MAX_LENGTH) {
        None => line.to_owned(),
        Some(_) => {
            let kept: String = line.chars().take(MAX_LENGTH - 1).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn tidy(keys: &[&str], message: &str) -> String {
        Redactor::new(keys.iter().map(|&key| Secret::new(key))).tidy(message)
    }

    #[test]
    fn configured_keys_are_redacted_wherever_they_are() {
        let keys = ["", "k3y", "k3y+long/er=", "0123"];
        assert_eq!(
            tidy(&keys, "k3y+long/er= or xk3yx or k3y"),
            "[redacted] or x[redacted]x or [redacted]"
        );
        assert_eq!(tidy(&keys, "a 0123456 b"), "a [redacted]456 b");
    }

    #[rstest]
    #[case(
        "Incorrect API key provided: sk-proj-abc***xyz. See https://a.com.",
        "Incorrect API key provided: [redacted]. See https://a.com."
    )]
    #[case("bad sk-ant-api03-a_b-c", "bad [redacted]")]
    #[case(
        "API key 'AIzaSyA-1234567_x' not valid",
        "API key '[redacted]' not valid"
    )]
    #[case(
        "https://a.com/?key=AIzaSyA123456&x=1",
        "https://a.com/?key=[redacted]&x=1"
    )]
    #[case("pplx-0123456789", "[redacted]")]
    #[case("SK-ABCDEFGH", "[redacted]")]
    #[case(
        "header `Authorization: Bearer abcdef012345`",
        "header `Authorization: Bearer [redacted]`"
    )]
    #[case("bearer: a1b2c3d4e5", "bearer: [redacted]")]
    #[case("sk-abcdefgh,sk-ijklmnop", "[redacted],[redacted]")]
    fn what_looks_like_a_key_is_redacted(#[case] message: &str, #[case] safe: &str) {
        assert_eq!(tidy(&[], message), safe);
    }

    #[rstest]
    #[case("A risk-averse task-based model")]
    #[case("The Bearer authentication scheme is missing")]
    #[case("request req_011CSHoEeqs5C35K2UUqR7Fy of 8f14e45f-ceea-467f-a0a5-1d2f0c0e3a4b")]
    #[case("keys start with sk-.")]
    fn the_rest_is_kept(#[case] message: &str) {
        assert_eq!(tidy(&[], message), message);
    }

    #[test]
    fn it_is_one_line() {
        assert_eq!(
            tidy(&[], " a\r\n\tb\0\u{1B}[31mc\u{202E}d\u{2028}e  "),
            "a b [31mc d e"
        );
        // A line break next to a key does not hide it.
        assert_eq!(tidy(&["k3y"], "k3y\nk3y"), "[redacted] [redacted]");
    }

    #[test]
    fn it_is_bounded_and_cut_after_keys_are_gone() {
        let exact = "é".repeat(500);
        assert_eq!(tidy(&[], &exact), exact);
        let cut = tidy(&[], &format!("{exact}é"));
        assert_eq!(cut.chars().count(), 500);
        assert!(cut.ends_with("é…"));
        let cut = tidy(
            &["secret-secret"],
            &format!("{}secret-secret", "a".repeat(490)),
        );
        assert!(!cut.contains("secret"), "{cut}");
        let cut = tidy(&[], &format!("{} sk-abcdefghijkl", "a".repeat(495)));
        assert!(!cut.contains("sk-"), "{cut}");
    }
}
