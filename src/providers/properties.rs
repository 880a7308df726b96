//! Properties of the citations of any answer.

use std::collections::HashSet;

use proptest::prelude::*;

use super::citations::{MAX_LENGTH, collect};
use super::links;

/// Generates texts in which URLs begin, end and go wrong.
fn text() -> impl Strategy<Value = String> {
    const PIECES: [&str; 44] = [
        "http://",
        "https://",
        "HTTPS://",
        "ftp://",
        "://",
        "http:",
        "a.example",
        "b.example/x",
        "例え.テスト",
        "[::1]",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "\"",
        "'",
        "`",
        "*",
        "_",
        "~",
        ",",
        ";",
        ".",
        "!",
        "?",
        "#",
        "/",
        "@",
        ":8080",
        ":",
        " ",
        "\n",
        "\u{a0}",
        "。",
        "、",
        "「",
        "」",
        "字",
        "ü",
        "\u{301}",
        "🦀",
        "%zz",
    ];
    let pieces = prop::sample::select(&PIECES[..]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,80}",
        1 => any::<String>(),
    ]
}

/// Generates URLs that do not end with anything that could end a sentence.
fn url() -> impl Strategy<Value = String> {
    "https?://([a-z][a-z0-9]{0,8}\\.){1,3}[a-z]{2,4}/([a-zA-Z0-9_~.-]{0,8}[a-zA-Z0-9])?"
}

proptest! {
    #[test]
    fn citations_lead_to_the_web_once_each(cited in prop::collection::vec(text(), 0..5), text in text()) {
        let found = collect(&cited, &text);
        let mut seen = HashSet::new();
        for url in &found {
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{}", url);
            prop_assert!(url.as_str().len() <= MAX_LENGTH);
            prop_assert!(seen.insert(url.as_str().to_owned()), "{} is there twice", url);
        }
        // Collecting them again changes nothing.
        let again: Vec<_> = found.iter().map(|url| url.as_str().to_owned()).collect();
        prop_assert_eq!(collect(&again, ""), found);
    }

    #[test]
    fn urls_between_words_are_found_in_order(
        urls in prop::collection::vec(url(), 1..6),
        words in prop::collection::vec("[a-zA-Zé字,.;!? ]{0,9}", 6..7),
    ) {
        let mut text = String::new();
        for (url, word) in urls.iter().zip(&words) {
            text += &format!("{word} {url} ");
        }
        prop_assert_eq!(links::find(&text).collect::<Vec<_>>(), urls, "{}", text);
    }

    #[test]
    fn links_are_parts_of_the_text_in_order(text in text()) {
        let mut from = 0;
        for link in links::find(&text) {
            let at = text[from..].find(link);
            prop_assert!(at.is_some(), "{} in {}", link, text);
            from += at.unwrap() + link.len();
            prop_assert!(link.len() <= MAX_LENGTH);
            let scheme = link.split_once("://").unwrap().0.to_ascii_lowercase();
            prop_assert!(matches!(scheme.as_str(), "http" | "https"), "{}", link);
        }
    }
}
