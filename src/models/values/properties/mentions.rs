use proptest::prelude::*;
use url::Url;

use super::super::mention::mentions;
use super::{text, with_case};

const DOMAINS: [&str; 6] = [
    "a.b",
    "example.com",
    "a-b.co.uk",
    "a.a.a",
    "1.example",
    "b.a.b",
];

/// A text made of the domain and pieces that affect whether it is mentioned.
fn around(domain: &str) -> impl Strategy<Value = String> + use<> {
    let (first, rest) = domain.split_once('.').unwrap();
    let pieces: Vec<String> = [
        domain, domain, first, rest, ".", ".", "..", "_", "-", " ", " ", ",", "a", "b", "A", "1",
        "www", "/", ":", "@", "(", ")", "'",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    prop::collection::vec(prop::sample::select(pieces), 0..10).prop_map(|pieces| pieces.concat())
}

/// Checks whether an ASCII text mentions a domain, by checking each occurrence of the domain in it.
fn is_mentioned(domain: &str, text: &str) -> bool {
    let (text, in_word) = (text.as_bytes(), |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"-_.".contains(byte)
    });
    let (length, whole) = (domain.len(), text.len());
    (0..(whole + 1).saturating_sub(length)).any(|at| {
        if !text[at..at + length].eq_ignore_ascii_case(domain.as_bytes()) {
            return false;
        }
        // The rest of the same word before and after the occurrence.
        let before = text[..at].iter().rev().take_while(|byte| in_word(byte));
        let before: Vec<u8> = before.copied().collect();
        let behind = text[at + length..].iter().take_while(|byte| in_word(byte));
        let behind: Vec<u8> = behind.copied().collect();
        let only = |bytes: &[u8], byte: u8| bytes.iter().all(|it| *it == byte);
        let begins = before.first() == Some(&b'.') || only(&before, b'_');
        let ends = match behind.as_slice() {
            [b'.', b'.', ..] => true,
            [b'.', rest @ ..] | rest => only(rest, b'_'),
        };
        begins && ends
    })
}

fn case() -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(&DOMAINS[..]).prop_flat_map(|domain| (Just(domain), around(domain)))
}

proptest! {
    #[test]
    fn a_text_mentions_what_it_names_as_a_word((domain, text) in case(), raised in any::<u64>()) {
        let text = with_case(&text, raised);
        prop_assert_eq!(mentions(domain, &text, &[]), is_mentioned(domain, &text), "{}", text);
    }

    #[test]
    fn a_domain_by_itself_is_found_in_any_text(
        domain in prop::sample::select(&["example.com", "xn--bcher-kva.example", "xn--r8jz45g.xn--zckzah"][..]),
        before in text(), behind in text(), raised in any::<u64>(), above in "([a-z]{1,5}\\.)?",
    ) {
        let (shown, _) = idna::domain_to_unicode(domain);
        for written in [domain, &shown] {
            let written = format!("{before} {above}{} {behind}", with_case(written, raised));
            prop_assert!(mentions(domain, &written, &[]), "{}", written);
        }
    }

    #[test]
    fn a_text_without_the_first_label_mentions_nothing(text in text()) {
        prop_assert!(!mentions("qzqzqz.example", &text, &[]));
    }

    #[test]
    fn a_citation_counts_by_its_host(
        domain in prop::sample::select(&DOMAINS[..]), above in "([a-z]{1,3}[.-]?){0,3}", path in "[a-z.]{0,9}",
    ) {
        // A host that ends with a number would be an address.
        if let Ok(url) = Url::parse(&format!("https://{above}{domain}/{path}")) {
            let host = url.host_str().unwrap();
            let expected = host == domain || host.ends_with(&format!(".{domain}"));
            prop_assert_eq!(mentions(domain, "", &[url]), expected);
        }
    }
}
