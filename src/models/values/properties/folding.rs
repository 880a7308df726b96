use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::super::fold::{fold, like_pattern};
use super::{text, with_case};

/// Checks whether a text matches a pattern of SQL's `LIKE`, with a backslash as the escape.
fn is_like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| is_like(&text[from..], rest)),
        ['_', rest @ ..] => !text.is_empty() && is_like(&text[1..], rest),
        ['\\', c, rest @ ..] | [c, rest @ ..] => {
            text.first() == Some(c) && is_like(&text[1..], rest)
        }
    }
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in text()) {
        let key = fold(&text);
        prop_assert_eq!(fold(&key), key.as_str());
        prop_assert!(key.len() <= 33 * text.chars().count());
    }

    #[test]
    fn forms_of_the_same_text_have_one_key(text in text()) {
        let key = fold(&text);
        prop_assert_eq!(fold(&text.nfc().collect::<String>()), key.as_str());
        prop_assert_eq!(fold(&text.nfd().collect::<String>()), key.as_str());
        prop_assert_eq!(fold(&text.nfkc().collect::<String>()), key.as_str());
        prop_assert_eq!(fold(&text.nfkd().collect::<String>()), key.as_str());
    }

    #[test]
    fn case_does_not_matter(text in text(), raised in any::<u64>()) {
        prop_assert_eq!(fold(&with_case(&text, raised)), fold(&text));
    }

    #[test]
    fn a_text_is_found_inside_another(text in text(), before in "[a-z%_\\\\]{0,5}", behind in "[a-z%_\\\\]{0,5}") {
        // Letters on both sides, so that no mark of the text combines with anything outside of it.
        let key: Vec<char> = fold(&format!("{before}x{text}x{behind}")).chars().collect();
        let pattern: Vec<char> = like_pattern(&text).chars().collect();
        prop_assert!(is_like(&key, &pattern));
    }

    #[test]
    fn a_pattern_finds_nothing_but_its_text(text in "[a%_\\\\]{0,6}", other in "[ab%_\\\\]{0,8}") {
        let key: Vec<char> = other.chars().collect();
        let pattern: Vec<char> = like_pattern(&text).chars().collect();
        prop_assert_eq!(is_like(&key, &pattern), other.contains(&text));
    }
}
