//! Slugs: the names of organizations and workspaces in URLs.

use std::ops::RangeInclusive;

use deunicode::deunicode_with_tofu;
use unicode_normalization::UnicodeNormalization;

use super::{Invalid, checked_text};

const LENGTH: RangeInclusive<usize> = 2..=50;

/// Names of a product's own pages, and ways of writing a missing value. Single characters need no entry:
/// they are too short to be slugs.
const RESERVED: &[&str] = &[
    "admin",
    "api",
    "app",
    "auth",
    "graphql",
    "health",
    "healthz",
    "help",
    "login",
    "logout",
    "mcp",
    "me",
    "metrics",
    "new",
    "null",
    "root",
    "settings",
    "signup",
    "static",
    "status",
    "support",
    "system",
    "undefined",
    "www",
];

/// A slug: 2 to 50 of `a-z`, `0-9` and `-`, with no hyphen first, last or doubled, and not reserved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

checked_text!(Slug);

impl Slug {
    /// Parses a slug that somebody chose, in any case and with spaces around it.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = raw.trim().to_ascii_lowercase();
        check(&text)?;
        Ok(Self(text))
    }
}

/// The words of a name, from which slugs are made if nobody chose one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlugBase(String);

impl SlugBase {
    /// Makes a base of the words of `name` in ASCII, as many as fit. If there are none, uses `fallback`,
    /// which must be a slug.
    pub fn from_name(name: &str, fallback: &'static str) -> Self {
        debug_assert_eq!(check(fallback), Ok(()));
        let words = words(name);
        Self(if words.is_empty() {
            fallback.to_owned()
        } else {
            cut(&words, *LENGTH.end()).to_owned()
        })
    }

    /// Returns the slug with the number `n`, of which 1 is left out: `acme`, `acme-2`, `acme-3` and so
    /// on. If the words alone are not a slug, such as `admin`, 1 returns the same as 2.
    pub fn numbered(&self, n: u64) -> Slug {
        let first = if check(&self.0).is_ok() { 1 } else { 2 };
        match n.max(first) {
            1 => Slug(self.0.clone()),
            n => {
                let number = format!("-{n}");
                let words = cut(&self.0, LENGTH.end() - number.len());
                Slug(format!("{words}{number}"))
            }
        }
    }
}

impl From<Slug> for SlugBase {
    /// Makes a base for somebody whose slug was given to another.
    fn from(slug: Slug) -> Self {
        Self(slug.0)
    }
}

fn check(text: &str) -> Result<(), Invalid> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.chars().all(allowed) {
        return Err("must contain only the letters a to z, digits and hyphens".into());
    }
    if !LENGTH.contains(&text.len()) {
        let (min, max) = LENGTH.into_inner();
        return Err(format!("must be {min} to {max} characters long").into());
    }
    if text.starts_with('-') || text.ends_with('-') || text.contains("--") {
        return Err("must not begin or end with a hyphen, nor have two in a row".into());
    }
    if RESERVED.contains(&text) {
        return Err("is reserved".into());
    }
    Ok(())
}

/// Returns the words of a name in lower-case ASCII, separated by single hyphens. Empty if no letter or
/// digit is left.
fn words(name: &str) -> String {
    // NFKC first, because it maps more mathematical letters than the transliteration does. What neither
    // knows is dropped.
    let ascii = deunicode_with_tofu(&name.nfkc().collect::<String>(), "");
    let mut words = String::new();
    for c in ascii.chars() {
        match c {
            'a'..='z' | '0'..='9' => words.push(c),
            'A'..='Z' => words.push(c.to_ascii_lowercase()),
            // Inside words: Ada's, Hawaiʻi, and the transliteration of the Cyrillic soft sign.
            '\'' | '`' => {}
            _ if words.is_empty() || words.ends_with('-') => {}
            _ => words.push('-'),
        }
    }
    if words.ends_with('-') {
        words.pop();
    }
    words
}

/// Returns as many whole words as fit into `room` characters, or the beginning of the first word if not
/// even that fits.
fn cut(words: &str, room: usize) -> &str {
    if words.len() <= room {
        return words;
    }
    // One more than fits, because a hyphen there ends a word that still fits.
    let end = words[..=room].rfind('-').unwrap_or(room);
    &words[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        Slug(text.to_owned())
    }

    fn from(name: &str) -> String {
        SlugBase::from_name(name, "workspace").numbered(1).into()
    }

    #[test]
    fn parses() {
        for (raw, stored) in [
            ("acme", "acme"),
            (" Acme-Inc \n", "acme-inc"),
            ("42", "42"),
            ("a-b-c", "a-b-c"),
            ("admin-2", "admin-2"),
            ("newer", "newer"),
        ] {
            assert_eq!(Slug::parse(raw), Ok(slug(stored)));
        }
        let longest = "a".repeat(50);
        assert_eq!(Slug::parse(&longest), Ok(slug(&longest)));
    }

    #[test]
    fn refuses() {
        let length = "must be 2 to 50 characters long";
        let letters = "must contain only the letters a to z, digits and hyphens";
        let hyphens = "must not begin or end with a hyphen, nor have two in a row";
        let too_long = "a".repeat(51);
        for (raw, message) in [
            ("", length),
            ("a", length),
            ("-", length),
            (too_long.as_str(), length),
            ("-acme", hyphens),
            ("acme-", hyphens),
            ("ac--me", hyphens),
            ("--", hyphens),
            ("ac me", letters),
            ("ac_me", letters),
            ("ac.me", letters),
            ("acmé", letters),
            ("ac\0me", letters),
            // The Kelvin sign, whose lower case is the letter k.
            ("\u{212A}elvin", letters),
            ("ａｃｍｅ", letters),
            ("admin", "is reserved"),
            (" ADMIN ", "is reserved"),
        ] {
            assert_eq!(Slug::parse(raw), Err(message.into()), "{raw:?}");
        }
        for reserved in RESERVED {
            assert_eq!(Slug::parse(reserved), Err("is reserved".into()));
        }
    }

    #[test]
    fn is_made_from_a_name() {
        for (name, made) in [
            ("Acme", "acme"),
            ("  Acme, Inc.  ", "acme-inc"),
            ("Ada's organization", "adas-organization"),
            ("Ada’s", "adas"),
            ("Hawaiʻi", "hawaii"),
            ("Café Zürich", "cafe-zurich"),
            ("e\u{301}cole", "ecole"),
            ("Straße", "strasse"),
            ("Привет мир", "privet-mir"),
            ("Объём", "obiom"),
            ("Ελλάδα", "ellada"),
            ("北京 Lab", "bei-jing-lab"),
            ("한국어", "hangugeo"),
            ("𝔸cme ＩＮＣ", "acme-inc"),
            ("🦄☣", "unicorn-biohazard"),
            ("👩\u{200D}🚀", "woman-rocket"),
            ("snake_case/path", "snake-case-path"),
            ("2", "2-2"),
            ("C++", "c-2"),
            ("Admin", "admin-2"),
            ("www", "www-2"),
            ("!!", "workspace"),
            ("", "workspace"),
            ("\u{3164}", "workspace"),
        ] {
            assert_eq!(from(name), made, "{name:?}");
        }
        assert_eq!(
            SlugBase::from_name("!!", "organization").numbered(1),
            slug("organization")
        );
    }

    #[test]
    fn is_cut_on_a_word() {
        let tens = "abcdefghi ".repeat(8);
        // Five words of nine letters with four hyphens are 49 characters.
        assert_eq!(from(&tens), ["abcdefghi"; 5].join("-"));
        let fits_exactly = format!("{} {} tail", "a".repeat(24), "b".repeat(25));
        assert_eq!(
            from(&fits_exactly),
            format!("{}-{}", "a".repeat(24), "b".repeat(25))
        );
        let one_over = format!("{} {} tail", "a".repeat(24), "b".repeat(26));
        assert_eq!(from(&one_over), "a".repeat(24));
        assert_eq!(from(&"Ж".repeat(80)), "zh".repeat(25));
        assert_eq!(from(&format!("new {}", "a".repeat(60))), "new-2");
        assert_eq!(from(&format!("x {}", "a".repeat(60))), "x-2");
    }

    #[test]
    fn slugs_are_numbered() {
        let first = |name: &str| -> Vec<String> {
            let base = SlugBase::from_name(name, "workspace");
            (1..=3).map(|n| base.numbered(n).into()).collect()
        };
        assert_eq!(first("Acme"), ["acme", "acme-2", "acme-3"]);
        assert_eq!(first("Admin"), ["admin-2", "admin-2", "admin-3"]);
        assert_eq!(first("X"), ["x-2", "x-2", "x-3"]);
        assert_eq!(first("!!"), ["workspace", "workspace-2", "workspace-3"]);
        assert_eq!(first("Team 2"), ["team-2", "team-2-2", "team-2-3"]);
        let long = "a".repeat(50);
        assert_eq!(
            first(&long),
            [
                long.clone(),
                format!("{}-2", &long[2..]),
                format!("{}-3", &long[2..])
            ]
        );
        // A word is dropped as a whole, together with its hyphen.
        let words = format!("{}-{}", "a".repeat(25), "b".repeat(24));
        assert_eq!(first(&words)[1], format!("{}-2", "a".repeat(25)));
        assert_eq!(SlugBase::from(slug("acme")).numbered(2), slug("acme-2"));
        assert_eq!(SlugBase::from(slug("acme")).numbered(0), slug("acme"));
    }

    #[test]
    fn all_that_is_made_is_a_slug() {
        let names = [
            "Acme",
            "X",
            "Me",
            "!!",
            "new",
            "ＡＰＩ",
            "a-b",
            "- - -",
            "I\u{307}",
            "\u{FDFA}",
            "日本語のとても長い名前です、本当に長いのでどこかで切らなければなりません",
            "½ ¾ €",
            "\u{10FFFF}",
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ];
        for name in names {
            let base = SlugBase::from_name(name, "organization");
            for n in (0..12).chain([99, 1_000_000, u64::MAX]) {
                let made = base.numbered(n);
                assert_eq!(
                    Slug::parse(made.as_str()).as_ref(),
                    Ok(&made),
                    "{name:?} {n}"
                );
            }
        }
        for c in ('\0'..'\u{3000}').chain('\u{1F300}'..'\u{1FAFF}') {
            let made = SlugBase::from_name(&c.to_string(), "organization").numbered(1);
            assert_eq!(Slug::parse(made.as_str()).as_ref(), Ok(&made), "{c:?}");
        }
    }
}
