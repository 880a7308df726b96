use std::net::IpAddr;

use proptest::prelude::*;

use super::super::domain::Domain;
use super::{text, with_case};

/// A host in its normal form.
fn host() -> impl Strategy<Value = String> {
    "([a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\\.){1,4}[a-z]{2,8}".prop_filter(
        "IDNA's own form is another matter, and www. is dropped",
        |host| !host.starts_with("www.") && !host.split('.').any(|label| label.starts_with("xn--")),
    )
}

/// Texts that resemble hosts and URLs, valid and invalid.
fn almost() -> impl Strategy<Value = String> {
    const PIECES: [&str; 36] = [
        "http://",
        "https://",
        "HTTPS://",
        "ftp://",
        "//",
        "/",
        "\\",
        "?",
        "#",
        "@",
        ":",
        ":80",
        ":99999",
        ".",
        "..",
        "．",
        "。",
        "www.",
        "example",
        "com",
        "xn--",
        "xn--bcher-kva",
        "ü",
        "ß",
        "例え",
        "-",
        "_",
        "%41",
        "%00",
        "[::1]",
        "127.0.0.1",
        "0x7f",
        "1",
        "\t",
        "\u{200d}",
        "\u{ad}",
    ];
    let pieces = prop::sample::select(&PIECES[..]);
    prop_oneof![
        prop::collection::vec(pieces, 0..9).prop_map(|pieces| pieces.concat()),
        "[^/?#@\\\\]{0,12}\\.\\PC{1,6}",
        text(),
    ]
}

proptest! {
    #[test]
    fn what_is_taken_is_a_host_in_its_one_normal_form(text in almost()) {
        if let Ok(domain) = Domain::parse(&text) {
            let host = domain.as_str();
            prop_assert!(host.is_ascii() && host.len() <= 253);
            prop_assert_eq!(host, host.to_ascii_lowercase());
            let labels: Vec<_> = host.split('.').collect();
            prop_assert!(labels.len() >= 2);
            for label in &labels {
                prop_assert!((1..=63).contains(&label.len()), "{}", host);
                prop_assert!(label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                prop_assert!(!label.starts_with('-') && !label.ends_with('-'), "{}", host);
            }
            prop_assert!(labels[0] != "www" || labels.len() == 2, "{}", host);
            prop_assert!(host.parse::<IpAddr>().is_err());
            prop_assert_eq!(Domain::parse(host), Ok(domain.clone()));
            // In Unicode, as it is shown to people.
            let (shown, result) = idna::domain_to_unicode(host);
            prop_assert!(result.is_ok(), "{}", host);
            prop_assert_eq!(Domain::parse(&shown), Ok(domain.clone()), "{}", shown);
            prop_assert_eq!(Domain::parse(&format!("https://{shown}/")), Ok(domain), "{}", shown);
        }
    }

    #[test]
    fn a_host_is_found_in_whatever_it_is_written_in(
        host in host(),
        raised in any::<u64>(),
        before in prop::sample::select(&["", " ", "//", "http://", "HTTPS://", "https://u:p@"][..]),
        www in prop::sample::select(&["", "www.", "WWW.", "www.www."][..]),
        behind in prop::sample::select(&["", ".", ":8080", "/a@b", "?c", "#d", "./", "\\e", "\n"][..]),
    ) {
        let written = format!("{before}{www}{}{behind}", with_case(&host, raised));
        let domain = Domain::parse(&written).map(String::from);
        prop_assert_eq!(domain, Ok(host), "{}", written);
    }

    #[test]
    fn an_address_is_no_domain(address in any::<IpAddr>(), port in any::<Option<u16>>()) {
        let written = match (address, port) {
            (IpAddr::V4(address), None) => address.to_string(),
            (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
            (IpAddr::V6(address), None) => format!("[{address}]"),
            (IpAddr::V6(address), Some(port)) => format!("https://[{address}]:{port}/"),
        };
        prop_assert!(Domain::parse(&written).is_err(), "{}", written);
    }
}
