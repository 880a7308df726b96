//! Text that people write: names, descriptions, prompts, tags, and search terms.
//!
//! It is normalized to Unicode's NFC, so that equal-looking text is equal, and trimmed; characters that
//! could disguise the text, or break the line or log that shows it, are refused.

use std::ops::RangeInclusive;

use icu_properties::props::{BinaryProperty, DefaultIgnorableCodePoint};
use unicode_normalization::UnicodeNormalization;

use super::Invalid;

/// Parses the name of an organization or a workspace: one line of 2 to 80 characters.
pub fn name(raw: &str) -> Result<String, Invalid> {
    required(line(raw)?, 2..=80)
}

/// Parses the name of an API token: one line of 1 to 80 characters.
pub fn token_name(raw: &str) -> Result<String, Invalid> {
    required(line(raw)?, 1..=80)
}

/// Parses a description: up to 2,000 characters on any number of lines; `None` if nothing in it is
/// visible.
pub fn description(raw: &str) -> Result<Option<String>, Invalid> {
    optional(lines(raw)?, 2_000)
}

/// Parses the text of a prompt: 1 to 2,000 characters on any number of lines.
pub fn prompt_text(raw: &str) -> Result<String, Invalid> {
    required(lines(raw)?, 1..=2_000)
}

/// Parses a tag: one line of 1 to 40 characters, in lower case.
pub fn tag(raw: &str) -> Result<String, Invalid> {
    // Composed again, because lower case may be decomposed: `İ` has no single lower-case letter.
    required(line(raw)?.to_lowercase().nfc().collect(), 1..=40)
}

/// Parses a search term: up to 100 characters; `None` if nothing in it is visible.
pub fn search(raw: &str) -> Result<Option<String>, Invalid> {
    optional(line(raw)?, 100)
}

fn required(text: String, length: RangeInclusive<usize>) -> Result<String, Invalid> {
    if !length.contains(&text.chars().count()) {
        let (min, max) = length.into_inner();
        return Err(format!("must be {min} to {max} characters long").into());
    }
    if !text.chars().any(is_visible) {
        return Err("must contain a visible character".into());
    }
    Ok(text)
}

fn optional(text: String, max: usize) -> Result<Option<String>, Invalid> {
    if text.chars().count() > max {
        return Err(format!("must be at most {max} characters long").into());
    }
    Ok(text.chars().any(is_visible).then_some(text))
}

/// Parses one line of text.
fn line(raw: &str) -> Result<String, Invalid> {
    let text = normal(raw);
    // The two separators are not control characters, but they end a line as a newline does.
    if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        return Err("must be on one line".into());
    }
    refuse_controls(&text, |_| false)?;
    Ok(text)
}

/// Parses text on any number of lines, which are ended by `\n` alone.
fn lines(raw: &str) -> Result<String, Invalid> {
    let text = normal(raw).replace("\r\n", "\n");
    refuse_controls(&text, |c| matches!(c, '\n' | '\t'))?;
    Ok(text)
}

/// Normalizes to NFC and trims.
fn normal(raw: &str) -> String {
    let text: String = raw.nfc().collect();
    text.trim_matches(is_space).to_owned()
}

/// Checks whether the character is a space, zero-width ones included. Those are not White_Space in
/// Unicode, but they also come along when text is copied, and have no effect at the ends of a text.
/// Joiners do not count: they matter in emoji and in many scripts.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// Checks whether the character leaves a mark, or at least means something by itself.
///
/// Unicode's [Default_Ignorable_Code_Point] covers what is never shown: zero-width characters, soft
/// hyphens, variation selectors, tags, and also the Hangul fillers, which are letters by category. It
/// does not cover the blank braille pattern and the anchors of interlinear annotations.
///
/// [Default_Ignorable_Code_Point]: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !DefaultIgnorableCodePoint::for_char(c)
        && !matches!(c, '\u{2800}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Refuses control characters, except those `allowed`, and characters that override the text direction.
fn refuse_controls(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), Invalid> {
    // General category Cc: U+0000 to U+001F and U+007F to U+009F. PostgreSQL cannot even store U+0000.
    if text.chars().any(|c| c.is_control() && !allowed(c)) {
        return Err("must not contain control characters".into());
    }
    if text.chars().any(overrides_direction) {
        return Err("must not contain characters that override the direction of text".into());
    }
    Ok(())
}

/// Checks whether the character is one of the [explicit directional formatting characters]: embeddings,
/// overrides and isolates. Unless closed, they affect whatever is shown next to the text, and can make a
/// name read as another or reverse a line of a log. The marks (U+200E, U+200F, U+061C) reach no further
/// than their neighbors, and right-to-left text needs them.
///
/// [explicit directional formatting characters]:
/// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
fn overrides_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parser = fn(&str) -> Result<Option<String>, Invalid>;

    /// Every parser, with a common signature.
    const PARSERS: [Parser; 6] = [
        |raw| name(raw).map(Some),
        |raw| token_name(raw).map(Some),
        description,
        |raw| prompt_text(raw).map(Some),
        |raw| tag(raw).map(Some),
        search,
    ];

    fn refused<T: std::fmt::Debug>(result: Result<T, Invalid>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn lengths_count_scalar_values_after_trimming() {
        assert_eq!(name("  Ab\t\n"), Ok("Ab".into()));
        assert_eq!(name("\u{3000}\u{A0}né\u{85}"), Ok("né".into()));
        assert_eq!(refused(name("A")), "must be 2 to 80 characters long");
        assert_eq!(refused(name("   ")), "must be 2 to 80 characters long");
        assert_eq!(refused(name("")), "must be 2 to 80 characters long");
        // Four bytes each, and two UTF-16 code units.
        assert_eq!(name(&"🦀".repeat(80)), Ok("🦀".repeat(80)));
        assert!(name(&"🦀".repeat(81)).is_err());
        assert!(name("🦀").is_err());
        assert!(token_name("🦀").is_ok());
        assert_eq!(refused(token_name(" ")), "must be 1 to 80 characters long");
        assert!(prompt_text(&"字".repeat(2_000)).is_ok());
        assert_eq!(
            refused(prompt_text(&"字".repeat(2_001))),
            "must be 1 to 2000 characters long"
        );
        assert!(description(&"a".repeat(2_000)).is_ok());
        assert_eq!(
            refused(description(&"a".repeat(2_001))),
            "must be at most 2000 characters long"
        );
        assert!(search(&"a".repeat(100)).is_ok());
        assert_eq!(
            refused(search(&"a".repeat(101))),
            "must be at most 100 characters long"
        );
        assert!(tag(&"a".repeat(40)).is_ok());
        assert!(tag(&"a".repeat(41)).is_err());
    }

    #[test]
    fn composes() {
        assert_eq!(name("Cafe\u{301}"), Ok("Café".into()));
        // Ninety characters as sent, forty-five as stored.
        assert_eq!(name(&"e\u{301}".repeat(45)), Ok("é".repeat(45)));
        // Compatibility forms are kept: text is shown as it was written.
        assert_eq!(name("ﬁne ①"), Ok("ﬁne ①".into()));
    }

    #[test]
    fn nothing_is_nothing() {
        for raw in [
            "",
            " \n ",
            "\u{200B}\u{FEFF}",
            "\u{200D}\u{2060}\u{AD}",
            "\u{3164}",
            "\u{2800}",
        ] {
            assert_eq!(description(raw), Ok(None), "{raw:?}");
            assert_eq!(search(raw), Ok(None), "{raw:?}");
            assert!(name(raw).is_err(), "{raw:?}");
            assert!(token_name(raw).is_err(), "{raw:?}");
            assert!(prompt_text(raw).is_err(), "{raw:?}");
            assert!(tag(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_name_must_be_visible() {
        let message = "must contain a visible character";
        for unseen in [
            '\u{AD}',
            '\u{34F}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{180E}',
            '\u{200C}',
            '\u{200D}',
            '\u{200E}',
            '\u{2063}',
            '\u{2800}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{E0041}',
        ] {
            let raw = format!("{unseen}{unseen} {unseen}");
            assert_eq!(refused(name(&raw)), message, "{unseen:?}");
            assert!(name(&format!("{unseen}x")).is_ok(), "{unseen:?}");
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_matter() {
        for kept in [
            "👩\u{200D}🚀 crew",
            "می\u{200C}خواهم",
            "❤\u{FE0F} us",
            "שלום\u{200F}!",
        ] {
            assert_eq!(name(kept), Ok(kept.into()));
        }
        assert_eq!(name("\u{FEFF}Acme\u{200B}"), Ok("Acme".into()));
    }

    #[test]
    fn control_characters_are_refused() {
        let controls = ('\0'..='\u{1F}').chain('\u{7F}'..='\u{9F}');
        for control in controls.filter(|c| !matches!(c, '\n' | '\t' | '\r')) {
            for parser in PARSERS {
                let raw = format!("ab{control}cd");
                assert_eq!(
                    refused(parser(&raw)),
                    "must not contain control characters",
                    "{raw:?}"
                );
            }
        }
        assert!(name("Acme\0").is_err());
        assert!(name("\0Acme").is_err());
        assert!(name("Ac\tme").is_err());
        assert_eq!(refused(name("Ac\nme")), "must be on one line");
        assert_eq!(refused(tag("a\u{2028}b")), "must be on one line");
        assert_eq!(refused(search("a\u{2029}b")), "must be on one line");
        assert_eq!(prompt_text("a\n\tb"), Ok("a\n\tb".into()));
        assert_eq!(prompt_text("\r\na\r\n\r\nb\r\n"), Ok("a\n\nb".into()));
        assert!(prompt_text("a\rb").is_err());
        assert_eq!(description("a\n\tb"), Ok(Some("a\n\tb".into())));
    }

    #[test]
    fn overrides_of_direction_are_refused() {
        for control in ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}') {
            for parser in PARSERS {
                let raw = format!("gro.{control}elpmaxe");
                assert_eq!(
                    refused(parser(&raw)),
                    "must not contain characters that override the direction of text"
                );
            }
        }
    }

    #[test]
    fn tags_are_lower_case() {
        assert_eq!(tag(" ÉLAN Vital "), Ok("élan vital".into()));
        assert_eq!(tag("ΟΔΟΣ"), Ok("οδος".into()));
        assert_eq!(tag("ẞ"), Ok("ß".into()));
        assert_eq!(tag("İ"), Ok("i\u{307}".into()));
        // Each becomes two characters in lower case.
        assert!(tag(&"İ".repeat(20)).is_ok());
        assert!(tag(&"İ".repeat(21)).is_err());
    }

    #[test]
    fn what_was_let_in_is_let_in_unchanged() {
        for raw in [
            " Acme  Inc. ",
            "Cafe\u{301}",
            "İi\u{307}",
            " \u{301}a",
            "ΑΣ ΣΑ",
            "\u{1E9B}\u{323} x",
            "\u{212B}ngstro\u{308}m",
            "x \u{200D}\u{200B} ",
        ] {
            for parser in PARSERS {
                let once = parser(raw).unwrap().unwrap();
                assert_eq!(parser(&once), Ok(Some(once.clone())), "{raw:?}");
            }
        }
    }
}
