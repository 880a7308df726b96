//! Detecting whether an answer mentions a domain.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;

/// The longest label that is compared, in bytes. In ASCII, a label has at most 63; as written it may be
/// longer, but not this long.
const MAX_LABEL: usize = 512;

/// Checks whether the text names the domain, or a subdomain, as a whole word, or a citation links to it.
///
/// `domain` is in lower-case ASCII, as it is stored. In the text, neither its case matters nor whether
/// it is in Unicode or in IDNA's ASCII form. A hyphen belongs to a word, and so does a dot followed by a
/// word: neither `my-example.com` nor `example.com.test` is `example.com`. Text in a script without
/// spaces (Chinese, Japanese, Thai, Korean endings) does not belong to a word of another script. Takes
/// time linear in the text.
pub fn mentions(domain: &str, text: &str, citations: &[Url]) -> bool {
    let labels: Vec<Label> = domain.split('.').map(Label::new).collect();
    citations
        .iter()
        .filter_map(Url::host_str)
        .any(|host| is_within(host.trim_end_matches('.'), domain))
        || text
            .split(|c| !is_in_word(c))
            .any(|word| names(word, &labels))
}

/// Checks whether the host is the domain or a subdomain.
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Checks whether a run of word characters names the domain: as a whole, or in a part that is bounded by
/// the end of a Chinese or Japanese sentence, or by a change to or from a script without spaces.
fn names(word: &str, domain: &[Label<'_>]) -> bool {
    // Most words are not hosts.
    if !word.contains(is_dot) {
        return false;
    }
    is_host(word, domain)
        || !word.is_ascii()
            && word
                .split(is_ideographic_stop)
                .flat_map(split_at_scripts)
                .any(|part| is_host(part, domain))
}

/// Checks whether the text contains the domain or a subdomain as a host. Empty labels separate hosts, as
/// in `a.example...b.example`.
fn is_host(text: &str, domain: &[Label<'_>]) -> bool {
    let text = text.trim_matches('_');
    let mut labels = text.rsplit(is_dot).peekable();
    while labels.peek().is_some() {
        let mut host = labels.by_ref().take_while(|label| !label.is_empty());
        let is_it = domain
            .iter()
            .rev()
            .all(|label| host.next().is_some_and(|written| label.is(written)));
        if is_it {
            return true;
        }
        // Skips the labels of a subdomain, or those that need no comparison after a mismatch.
        host.for_each(drop);
    }
    false
}

/// A label of a domain.
struct Label<'a> {
    ascii: &'a str,
    unicode: String,
}

impl<'a> Label<'a> {
    fn new(ascii: &'a str) -> Self {
        let (unicode, _) = idna::domain_to_unicode(ascii);
        Self { ascii, unicode }
    }

    /// Checks whether the label is what is written, by comparing only as far as the two agree, under
    /// IDNA's mapping of labels, which is much faster than IDNA itself.
    fn is(&self, written: &str) -> bool {
        if written.is_ascii() {
            return written.eq_ignore_ascii_case(self.ascii);
        }
        let shown = written.chars().filter(|&c| !is_ignored(c));
        written.len() <= MAX_LABEL
            && shown
                .nfkc()
                .flat_map(char::to_lowercase)
                .eq(self.unicode.chars())
    }
}

/// Checks whether the character belongs to a word or a host: letters, decimal digits, marks, hyphens,
/// underscores, dots, and invisible characters (the soft hyphen, the word joiner). A footnote's `¹` does
/// not, nor does an emoji, its keycap included.
fn is_in_word(c: char) -> bool {
    const KEYCAP: char = '\u{20E3}';
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    }
    is_dot(c)
        || c.is_alphabetic()
        || c.is_numeric()
            && CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::DecimalNumber
        || is_combining_mark(c) && c != KEYCAP
        || is_ignored(c)
        || matches!(c, '‐' | '‑')
}

/// Checks whether the character is invisible and makes no difference to a name: the soft hyphen,
/// joiners, variation selectors.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}'
    )
}

/// Checks whether the character is one of the dots of [UTS #46].
///
/// [UTS #46]: https://www.unicode.org/reports/tr46/#Notation
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '．') || is_ideographic_stop(c)
}

/// Checks whether the character is a dot that also ends sentences, without a space after it.
fn is_ideographic_stop(c: char) -> bool {
    matches!(c, '。' | '｡')
}

/// Splits a word wherever it changes to or from a script without spaces.
fn split_at_scripts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_unspaced_first = is_unspaced(first);
        let end = rest
            .find(|c: char| !is_combining_mark(c) && is_unspaced(c) != is_unspaced_first)
            .unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(part)
    })
}

/// Checks whether the script of the character puts no spaces between words, or none before endings, as
/// Korean does.
pub(crate) fn is_unspaced(c: char) -> bool {
    !c.is_ascii()
        && matches!(
            CodePointMapData::<Script>::new().get(c),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Bopomofo
                | Script::Hangul
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::{Duration, Instant};

    #[rstest]
    #[case("example.com")]
    #[case("Try example.com, it is good.")]
    #[case("EXAMPLE.COM.")]
    #[case("Is it Example.Com?")]
    #[case("example.com...")]
    #[case("see...example.com...and more")]
    #[case("www.example.com")]
    #[case("a.b-c.example.com")]
    #[case("https://example.com/x")]
    #[case("https://example.com:8080?x")]
    #[case("mail@example.com")]
    #[case("(example.com)")]
    #[case("[example.com](https://other.test)")]
    #[case("example.com's and example.com’s")]
    #[case("**example.com** ~example.com~")]
    #[case("_example.com_")]
    #[case("__www.example.com__")]
    #[case("_dmarc.example.com")]
    #[case("`example.com`|example.com|\"example.com\"")]
    #[case("example.com/example.com-foo")]
    #[case("not-example.com but example.com")]
    #[case("example.com—or not")]
    #[case("example.com\u{a0}\u{2028}x")]
    #[case("🚀example.com🚀")]
    #[case("❤️example.com❤️")]
    #[case("1️⃣example.com")]
    #[case("①example.com¹")]
    #[case("👩‍💻example.com")]
    #[case("exam\u{AD}ple.com")]
    #[case("ｅｘａｍｐｌｅ．ｃｏｍ")]
    #[case("example。com")]
    #[case("请看example.com。谢谢")]
    #[case("推荐使用example.com的服务")]
    #[case("例え.example.com")]
    #[case("example.comから、例えば")]
    #[case("example.com은 좋다")]
    #[case("（example.com）")]
    #[case("example.com，example")]
    #[case("на example.com есть")]
    fn whole_words_count(#[case] text: &str) {
        assert!(mentions("example.com", text, &[]));
    }

    #[rstest]
    #[case("")]
    #[case("example com")]
    #[case("example")]
    #[case("example.co")]
    #[case("example.comm")]
    #[case("notexample.com")]
    #[case("my-example.com")]
    #[case("-example.com")]
    #[case("my_example.com")]
    #[case("example.com-foo")]
    #[case("example.com_foo")]
    #[case("example.com-")]
    #[case("example.com.evil.net")]
    #[case("example.com.x")]
    #[case("https://example.com.evil.net/")]
    #[case("example..com")]
    #[case("example.\ncom")]
    #[case("éxample.com")]
    #[case("éexample.com")]
    #[case("example.comé")]
    #[case("e\u{301}example.com")]
    #[case("example.com\u{301}")]
    #[case("1example.com")]
    #[case("１example.com")]
    #[case("my‑example.com")]
    #[case("examp1e.com")]
    #[case("ехample.com")]
    #[case("com.example")]
    fn other_words_do_not(#[case] text: &str) {
        assert!(!mentions("example.com", text, &[]));
    }

    #[rstest]
    #[case("bücher.example", true)]
    #[case("BÜCHER.Example", true)]
    #[case("bu\u{308}cher.example", true)]
    #[case("https://www.bücher.example/ü", true)]
    #[case("XN--BCHER-KVA.example", true)]
    #[case("shop.xn--bcher-kva.example", true)]
    #[case("hörbücher.example", false)]
    #[case("bucher.example", false)]
    #[case("bücher.example.test", false)]
    fn idna_does_not_matter(#[case] text: &str, #[case] is_mentioned: bool) {
        assert_eq!(
            mentions("xn--bcher-kva.example", text, &[]),
            is_mentioned,
            "{text}"
        );
    }

    #[test]
    fn domains_may_be_of_a_script_without_spaces() {
        let domain = "xn--r8jz45g.xn--zckzah";
        assert!(mentions(domain, "見よ: 例え.テスト", &[]));
        assert!(mentions(domain, "例え。テスト", &[]));
        let mixed = idna::domain_to_ascii("例example.com").unwrap();
        assert!(mentions(&mixed, "例example.com", &[]));
        assert!(!mentions(domain, "例え.テストケース", &[]));
    }

    #[rstest]
    #[case("https://example.com/x", true)]
    #[case("http://WWW.Example.com:8080", true)]
    #[case("https://example.com./", true)]
    #[case("https://a.b.example.com", true)]
    #[case("https://notexample.com", false)]
    #[case("https://my-example.com", false)]
    #[case("https://example.com.evil.net", false)]
    #[case("https://evil.net/example.com", false)]
    #[case("https://example.com@evil.net", false)]
    #[case("http://127.0.0.1", false)]
    fn hosts_of_citations_count(#[case] url: &str, #[case] is_mentioned: bool) {
        let citations = [
            Url::parse("https://a.test").unwrap(),
            Url::parse(url).unwrap(),
        ];
        assert_eq!(mentions("example.com", "", &citations), is_mentioned);
    }

    #[rstest]
    #[case("a")]
    #[case("a.")]
    #[case("example.")]
    #[case(".com ")]
    #[case("é.é ")]
    #[case("é")]
    #[case("é.")]
    #[case("例.a")]
    #[case("例。")]
    #[case("ｃｏｍ.")]
    #[case("xexample.com")]
    #[case("_.")]
    #[case("-")]
    fn long_texts_take_linear_time(#[case] part: &str) {
        let text = part.repeat(1024 * 1024 / part.len());
        let started = Instant::now();
        assert!(!mentions("example.com", &text, &[]));
        assert!(started.elapsed() < Duration::from_secs(10), "{part}");
    }
}
