//! Keys for case-insensitive search and sorting of text in any script.
//!
//! Neither database folds case as needed: SQLite knows only ASCII, and PostgreSQL depends on a
//! collation. So the folded text is stored next to the text, and search terms are folded in the same
//! way. The version of Unicode is that of the libraries; letters added by a later version are found only
//! as they were written, until their rows are written again.

use caseless::Caseless;
use icu_properties::props::{BinaryProperty, DefaultIgnorableCodePoint};
use unicode_normalization::UnicodeNormalization;

/// Returns the key of a text: two texts have the same key if they differ only in case, in compatibility
/// forms (full-width letters, ligatures) or in invisible characters.
///
/// This is Unicode's compatibility caseless matching ([definition D146]), without the characters that
/// [NFKC_Casefold] drops too, and with `ı` and `İ` as `i`: case mapping alone pairs `I` with `i`, so a
/// Turkish name would not be found when spelled in the other case.
///
/// The key is decomposed, so `é` sorts after `e` and before `f` by bytes, and a search for `cafe` finds
/// `Café`. It has at most 33 bytes for each character of the text.
///
/// [definition D146]: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G53513
/// [NFKC_Casefold]: https://www.unicode.org/reports/tr44/#NFKC_Casefold
pub fn fold(text: &str) -> String {
    let folded = text
        .chars()
        .filter(|c| !DefaultIgnorableCodePoint::for_char(*c))
        .nfd()
        .default_case_fold()
        .nfkd()
        .default_case_fold()
        .nfkd();
    let mut key = String::with_capacity(text.len());
    for c in folded {
        match c {
            'ı' => key.push('i'),
            // The dot of a decomposed `İ`.
            '\u{307}' if key.ends_with('i') => {}
            _ => key.push(c),
        }
    }
    key
}

/// Returns the pattern that finds `text` anywhere inside a key, for `LIKE … ESCAPE '\'`: folded, with
/// `%` and `_` escaped.
///
/// For a text that folds to nothing it is `%%`, which matches everything.
pub fn like_pattern(text: &str) -> String {
    let key = fold(text);
    let mut pattern = String::with_capacity(key.len() + 2);
    pattern.push('%');
    for c in key.chars() {
        // Escaped after folding, because the full-width `％` folds to `%`.
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        for (a, b) in [
            ("Acme", "ACME"),
            ("straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("ΣΙΣΥΦΟΣ", "σισυφοσ"),
            ("ÉCOLE", "école"),
            ("e\u{301}cole", "École"),
            ("Привет", "ПРИВЕТ"),
            ("ＡＣＭＥ", "acme"),
            ("ﬁne ﬀ", "FINE FF"),
            ("ǅ", "dž"),
            ("Ω ohm", "ω OHM"),
            ("ᾳ", "ΑΙ"),
            ("①", "1"),
            ("Ꭰ", "ꭰ"),
            ("𐐀", "𐐨"),
            ("a\u{A0}b", "A b"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
    }

    #[test]
    fn different_letters_stay_different() {
        for (a, b) in [
            ("é", "e"),
            ("o", "0"),
            ("ø", "o"),
            ("и", "й"),
            ("か", "が"),
            ("a b", "ab"),
        ] {
            assert_ne!(fold(a), fold(b), "{a} and {b}");
        }
    }

    #[test]
    fn turkish_names_are_found_in_either_case() {
        for (a, b) in [
            ("İstanbul", "istanbul"),
            ("İSTANBUL", "istanbul"),
            ("ISPARTA", "ısparta"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
        assert_eq!(fold("I\u{307}stanbul"), "istanbul");
        // On another letter, the dot makes a difference.
        assert_eq!(fold("Ż"), "z\u{307}");
    }

    #[test]
    fn marks_have_one_order() {
        assert_eq!(fold("a\u{323}\u{302}"), fold("ậ"));
        assert_eq!(fold("a\u{302}\u{323}"), fold("Ậ"));
        // Even if a joiner that is dropped kept them apart.
        assert_eq!(fold("a\u{302}\u{34F}\u{323}"), fold("ậ"));
    }

    #[test]
    fn what_is_not_shown_does_not_matter() {
        assert_eq!(fold("Ac\u{200B}me\u{AD}"), "acme");
        assert_eq!(fold("❤\u{FE0F}"), fold("❤"));
        assert_eq!(fold("\u{200D}"), "");
    }

    #[test]
    fn keys_sort_by_letter_before_mark_and_never_by_case() {
        let mut names = [
            "Zoo",
            "fog",
            "éclair",
            "Ezra",
            "apple",
            "Banana",
            "Éclair 2",
            "echo",
        ];
        names.sort_by_key(|name| fold(name));
        assert_eq!(
            names,
            [
                "apple",
                "Banana",
                "echo",
                "Ezra",
                "éclair",
                "Éclair 2",
                "fog",
                "Zoo"
            ]
        );
    }

    #[test]
    fn folding_twice_is_folding_once_and_has_a_bound() {
        // Every character by itself and between others, combining ones included; of Han and Hangul,
        // which have no case, only the beginnings and the compatibility forms.
        let chars = ('\0'..'\u{3500}')
            .chain('\u{A000}'..'\u{AD00}')
            .chain('\u{F900}'..'\u{20000}')
            .chain('\u{2F800}'..'\u{2FA20}');
        for c in chars {
            for text in [c.to_string(), format!("I{c}\u{307}\u{345}{c}\u{323}")] {
                let key = fold(&text);
                assert_eq!(fold(&key), key, "{text:?}");
                assert!(key.len() <= 33 * text.chars().count(), "{text:?}");
            }
            let composed: String = c.to_string().nfc().collect();
            assert_eq!(fold(&composed), fold(&c.to_string()), "{c:?}");
        }
    }

    #[test]
    fn no_letter_differs_from_its_other_case() {
        // Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee; for other scripts, the standard library
        // may know newer letters than the folding does.
        for c in '\0'..'\u{2C00}' {
            for other in [
                c.to_lowercase().collect::<String>(),
                c.to_uppercase().collect(),
            ] {
                assert_eq!(fold(&other), fold(&c.to_string()), "{c:?}");
            }
        }
    }

    #[test]
    fn patterns_find_themselves() {
        for (text, pattern) in [
            ("Acme", "%acme%"),
            ("100%", r"%100\%%"),
            ("snake_case", r"%snake\_case%"),
            (r"C:\Temp", r"%c:\\temp%"),
            ("１００％", r"%100\%%"),
            ("ＳＮＡＫＥ＿", r"%snake\_%"),
            ("＼", r"%\\%"),
            ("", "%%"),
        ] {
            assert_eq!(like_pattern(text), pattern);
        }
    }
}
