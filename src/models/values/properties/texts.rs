use proptest::prelude::*;
use unicode_normalization::is_nfc;

use super::super::{Invalid, text};

type Parser = fn(&str) -> Result<Option<String>, Invalid>;

/// Every parser, with the most characters that it accepts and whether it accepts several lines.
const PARSERS: [(Parser, usize, bool); 6] = [
    (|raw| text::name(raw).map(Some), 80, false),
    (|raw| text::token_name(raw).map(Some), 80, false),
    (text::description, 2_000, true),
    (|raw| text::prompt_text(raw).map(Some), 2_000, true),
    (|raw| text::tag(raw).map(Some), 40, false),
    (text::search, 100, false),
];

proptest! {
    #[test]
    fn what_is_let_in_is_normal_and_bounded(raw in super::text()) {
        for (parse, most, has_lines) in PARSERS {
            let Ok(Some(text)) = parse(&raw) else { continue };
            prop_assert_eq!(parse(&text), Ok(Some(text.clone())));
            prop_assert!((1..=most).contains(&text.chars().count()));
            prop_assert!(is_nfc(&text));
            prop_assert_eq!(text.trim(), text.as_str());
            let control = |c: char| c.is_control() && !(has_lines && matches!(c, '\n' | '\t'));
            prop_assert!(!text.chars().any(control), "{:?}", text);
        }
    }

    #[test]
    fn space_around_it_does_not_matter(raw in super::text(), space in "[ \t\n\u{a0}\u{3000}\u{feff}]{0,4}") {
        for (parse, ..) in PARSERS {
            // A mark at the beginning would combine with the space before it.
            let padded = format!("{space}{raw}{space}");
            if let Ok(Some(text)) = parse(&raw) {
                prop_assert_eq!(parse(&padded), Ok(Some(text)), "{:?}", padded);
            }
        }
    }
}
