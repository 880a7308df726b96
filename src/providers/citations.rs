//! The citations of an answer.

use std::collections::HashSet;

use url::Url;

use super::links;

/// How many citations are kept per answer.
const MAX_CITATIONS: usize = 200;

/// The longest URL that is kept, in bytes.
pub(super) const MAX_LENGTH: usize = 2_048;

/// Collects the pages that an answer cites: those that the provider lists, then those in the text, in
/// order and without duplicates, however they are written. Only http and https URLs with a host count.
pub(super) fn collect(cited: &[String], text: &str) -> Vec<Url> {
    let mut seen = HashSet::new();
    let named = cited.iter().map(|url| url.trim());
    named
        .chain(links::find(text))
        .filter_map(page)
        .filter(|url| seen.insert(url.as_str().to_owned()))
        .take(MAX_CITATIONS)
        .collect()
}

fn page(text: &str) -> Option<Url> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    // Percent-encoding may have made the URL longer.
    (is_web && url.has_host() && url.as_str().len() <= MAX_LENGTH).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(cited: &[&str], text: &str) -> Vec<String> {
        let cited: Vec<_> = cited.iter().map(|&url| url.to_owned()).collect();
        collect(&cited, text)
            .into_iter()
            .map(String::from)
            .collect()
    }

    #[test]
    fn the_providers_come_first() {
        let text = "See https://c.example/1, https://a.example/1 and http://b.example.";
        assert_eq!(
            collected(&["https://b.example/1", "https://a.example/1"], text),
            [
                "https://b.example/1",
                "https://a.example/1",
                "https://c.example/1",
                "http://b.example/"
            ]
        );
    }

    #[test]
    fn each_is_there_once_however_it_is_written() {
        assert_eq!(
            collected(
                &["https://a.example", " HTTPS://A.example:443/ "],
                "https://a.example/ https://bücher.example https://xn--bcher-kva.example/ \
                 https://a.example/#part https://a.example"
            ),
            [
                "https://a.example/",
                "https://xn--bcher-kva.example/",
                "https://a.example/#part"
            ]
        );
    }

    #[test]
    fn only_http_and_https_count() {
        let others = [
            "ftp://a.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "mailto:a@b.example",
            "a.example",
            "/path",
            "",
            "https://",
            "https://a b/",
        ];
        assert!(collected(&others, "ftp://a.example file:///etc/passwd www.a.example").is_empty());
    }

    #[test]
    fn there_are_bounds() {
        let many: Vec<_> = (0..300).map(|n| format!("https://a.example/{n}")).collect();
        let found = collected(&[], &many.join(" "));
        assert_eq!(found[..], many[..200]);

        let path = "a".repeat(MAX_LENGTH - "https://a.example/".len());
        let longest = format!("https://a.example/{path}");
        assert_eq!(collected(&[&longest], ""), [longest.as_str()]);
        assert_eq!(collected(&[], &longest), [longest.as_str()]);
        assert!(collected(&[&format!("{longest}a")], &format!("{longest}a")).is_empty());
        // It becomes longer when it is encoded.
        assert!(collected(&[&format!("https://a.example/{}", "é".repeat(800))], "").is_empty());
    }
}
