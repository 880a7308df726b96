//! Finding URLs in text meant for people: prose, Markdown and HTML, in any script.
//!
//! Implemented here because existing crates take CJK punctuation for part of a URL, and need quadratic
//! time for brackets that are never closed.

use unicode_normalization::char::is_combining_mark;

use super::citations::MAX_LENGTH;
use crate::models::values::mention::is_unspaced;

/// Returns the http and https URLs in a text, as they are written there, in order. URLs longer than
/// [`MAX_LENGTH`] are left out. Runs in time linear in the length of the text.
pub(super) fn find(text: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = next_scheme(text, from)?;
            let length = length(text, start);
            from = start + length.max("http".len());
            let url = &text[start..start + length];
            let url = url.trim_end_matches(|c| is_trailing(c, text[..start].chars().next_back()));
            if is_url(url) {
                return Some(url);
            }
        }
    })
}

/// Returns where the next URL begins, at or after `from`.
fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text[at..].find("://")?;
        let scheme = text[from..at]
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'))
            .next()
            .unwrap_or_default();
        // In `1.https://…`, for example, `1.` is not part of the scheme.
        let scheme = scheme.rsplit(['.', '-']).next().unwrap_or_default();
        if is_web(scheme) {
            return Some(at - scheme.len());
        }
        at += "://".len();
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// Returns the length of the URL that begins at `start`, including punctuation that ends the sentence.
fn length(text: &str, start: usize) -> usize {
    let url = &text[start..];
    // The URL begins with a scheme.
    let host = url.find("://").map_or(0, |colon| colon + "://".len());
    let quote = text[..start].chars().next_back().filter(|&c| c == '\'');
    let mut in_host = true;
    let mut in_address = false;
    let mut round = 0_u32;
    let mut previous = '/';
    for (at, c) in url[host..].char_indices() {
        let rest = &url[host + at..];
        let is_over = match c {
            '[' if at == 0 => {
                in_address = true;
                false
            }
            ']' if in_address => {
                in_address = false;
                false
            }
            // These never occur unencoded in a URL, or only around an IPv6 address.
            '"' | '<' | '>' | '`' | '|' | '\\' | '^' | '{' | '}' | '[' | ']' => true,
            '\'' if quote.is_some() => true,
            '/' | '?' | '#' => {
                in_host = false;
                false
            }
            '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' if in_host => true,
            '(' => {
                round += 1;
                false
            }
            ')' if round == 0 => true,
            ')' => {
                round -= 1;
                false
            }
            ',' | ';' => begins_url(&rest[1..]),
            _ if c.is_ascii() => c.is_whitespace() || c.is_control(),
            // Scripts without spaces between words may continue directly after the host.
            _ if in_host && previous.is_ascii_alphanumeric() && is_unspaced(c) => true,
            // Letters of any script and their combining marks belong to the URL. Quotation marks,
            // dashes, CJK punctuation, emoji and all kinds of spaces do not.
            _ => !c.is_alphanumeric() && !is_combining_mark(c),
        };
        if is_over {
            return host + at;
        }
        previous = c;
    }
    url.len()
}

fn begins_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Whether `c` at the end does not belong to the URL: it ends the sentence, or the emphasis that began
/// before the URL.
fn is_trailing(c: char, before: Option<char>) -> bool {
    matches!(
        c,
        '.' | ',' | ':' | ';' | '?' | '!' | '\'' | '*' | '~' | '(' | '['
    ) || (c == '_' && before == Some('_'))
}

/// Whether a host follows the scheme, and the URL is at most [`MAX_LENGTH`] bytes long.
fn is_url(url: &str) -> bool {
    let host = url.split_once("://").map(|(_, host)| host);
    url.len() <= MAX_LENGTH
        && host.is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::{Duration, Instant};

    #[rstest]
    // Prose.
    #[case("See https://a.example/x.", &["https://a.example/x"])]
    #[case("(see https://a.example/x)", &["https://a.example/x"])]
    #[case("https://a.example/x, http://b.example; https://c.example!?", &["https://a.example/x", "http://b.example", "https://c.example"])]
    #[case("https://a.example/x,https://b.example/y;http://c.example/z", &["https://a.example/x", "https://b.example/y", "http://c.example/z"])]
    #[case("https://a.example,https://b.example", &["https://a.example", "https://b.example"])]
    #[case("\"https://a.example/\" 'https://b.example/it's'", &["https://a.example/", "https://b.example/it"])]
    #[case("['https://a.example/x','https://b.example/y']", &["https://a.example/x", "https://b.example/y"])]
    #[case("“https://a.example/x” «https://b.example»", &["https://a.example/x", "https://b.example"])]
    #[case("https://a.example/x—and https://b.example…", &["https://a.example/x", "https://b.example"])]
    #[case("https://a.example/x🚀 👉https://b.example", &["https://a.example/x", "https://b.example"])]
    #[case("HTTPS://A.example/X", &["HTTPS://A.example/X"])]
    #[case("1.https://a.example -https://b.example", &["https://a.example", "https://b.example"])]
    #[case("https://a.example/x[1][2]", &["https://a.example/x"])]
    #[case("https://a.example[1]", &["https://a.example"])]
    #[case("https://a.example/1\nhttps://a.example/2\thttps://a.example/3\u{a0}x", &["https://a.example/1", "https://a.example/2", "https://a.example/3"])]
    // Markdown and HTML.
    #[case("[a](https://a.example/x)", &["https://a.example/x"])]
    #[case("[a](https://a.example/x \"Title\").", &["https://a.example/x"])]
    #[case("[https://a.example](https://b.example)", &["https://a.example", "https://b.example"])]
    #[case("[a](https://en.wikipedia.org/wiki/A_(b)_c_(d)).", &["https://en.wikipedia.org/wiki/A_(b)_c_(d)"])]
    #[case("<https://a.example/x>", &["https://a.example/x"])]
    #[case("**https://a.example/x** _https://b.example/y_ ~~https://c.example~~", &["https://a.example/x", "https://b.example/y", "https://c.example"])]
    #[case("`https://a.example/x`|https://b.example|", &["https://a.example/x", "https://b.example"])]
    #[case("[1]: https://a.example/x_", &["https://a.example/x_"])]
    #[case("<a href=\"https://a.example/x\">https://a.example/y</a>", &["https://a.example/x", "https://a.example/y"])]
    // CJK.
    #[case("请看https://a.example/x。然后", &["https://a.example/x"])]
    #[case("（https://a.example/x）、「https://b.example」，https://c.example：", &["https://a.example/x", "https://b.example", "https://c.example"])]
    #[case("https://a.example了解 https://b.example에서", &["https://a.example", "https://b.example"])]
    #[case("https://zh.wikipedia.org/wiki/中文", &["https://zh.wikipedia.org/wiki/中文"])]
    // Other hosts and parts.
    #[case("https://例え.テスト/ü?q=é#ß", &["https://例え.テスト/ü?q=é#ß"])]
    #[case("http://a.example:8080/?a=b&c=d,e;f#g", &["http://a.example:8080/?a=b&c=d,e;f#g"])]
    #[case("https://u@a.example/@b", &["https://u@a.example/@b"])]
    #[case("http://[::1]:80/x http://127.0.0.1/", &["http://[::1]:80/x", "http://127.0.0.1/"])]
    #[case("https://web.archive.org/web/2020/https://a.example/", &["https://web.archive.org/web/2020/https://a.example/"])]
    // No URLs.
    #[case("xhttps://a.example ftp://a.example www.a.example a.example https:a", &[])]
    #[case("https:// https://. http://… https://[ https:///x https://(a)", &[])]
    #[case("http://https://a.example", &["http://https://a.example"])]
    fn urls_are_found(#[case] text: &str, #[case] urls: &[&str]) {
        assert_eq!(find(text).collect::<Vec<_>>(), urls);
    }

    #[rstest]
    #[case("http://")]
    #[case("http://a.b/(")]
    #[case("://")]
    #[case("a")]
    #[case("https")]
    #[case("http://a.b/,http:")]
    #[case("http://_")]
    #[case("http://a.b/. ")]
    #[case("a,http:/")]
    #[case("http://a/,")]
    #[case(";")]
    #[case(")")]
    fn long_texts_take_linear_time(#[case] part: &str) {
        let repeated = part.repeat(1024 * 1024 / part.len());
        let started = Instant::now();
        for start in ["", "http://a/"] {
            find(&format!("{start}{repeated}")).for_each(drop);
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{part}");
    }
}
