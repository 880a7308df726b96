//! Domains: the hosts whose mentions workspaces track.

use url::{Host, Url};

use super::{Invalid, checked_text};

/// The longest domain name in characters, without the dot of the root ([RFC 1035], section 2.3.4).
///
/// [RFC 1035]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
const MAX_LENGTH: usize = 253;

/// The longest host as written that is parsed, in bytes. In ASCII it may get shorter, but not by that
/// much.
const MAX_RAW_LENGTH: usize = 2_048;

const MALFORMED: &str = "must be a domain name such as example.com";

/// A domain name: at least two labels in lower-case ASCII, in IDNA's form if it was not ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

checked_text!(Domain);

impl Domain {
    /// Parses a host, or an http or https URL, of which only the host is kept. A port, a final dot and a
    /// leading `www.` are dropped, but not the `www` of `www.com`.
    ///
    /// Hosts are parsed as in the [URL standard], which recognizes every spelling of an IP address
    /// (`0x7f.1` is 127.0.0.1). Addresses are refused.
    ///
    /// [URL standard]: https://url.spec.whatwg.org/#host-parsing
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let url = Url::parse(&format!("http://{}", authority(raw.trim())?));
        let host = match url.as_ref().map(Url::host) {
            Ok(Some(Host::Domain(host))) => host,
            Ok(Some(Host::Ipv4(_) | Host::Ipv6(_))) => {
                return Err("must be a domain name, not an IP address".into());
            }
            Ok(None) | Err(_) => return Err(MALFORMED.into()),
        };
        let mut host = host.strip_suffix('.').unwrap_or(host);
        while let Some(rest) = host.strip_prefix("www.")
            && rest.contains('.')
        {
            host = rest;
        }
        if host.len() > MAX_LENGTH {
            return Err(format!("must be at most {MAX_LENGTH} characters long").into());
        }
        if !host.contains('.') || !host.split('.').all(is_label) {
            return Err(MALFORMED.into());
        }
        Ok(Self(host.to_owned()))
    }
}

/// Returns the part of a URL, or of a host followed by something, that names the host.
fn authority(text: &str) -> Result<&str, Invalid> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => {
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return Err(MALFORMED.into());
            }
            rest
        }
        // Without a scheme, this is an email address rather than a URL with a user.
        _ if text
            .split(['/', '?', '#'])
            .next()
            .is_some_and(|host| host.contains('@')) =>
        {
            return Err(MALFORMED.into());
        }
        _ => text,
    };
    let authority = rest
        .trim_start_matches('/')
        .split(['/', '\\', '?', '#'])
        .next()
        .unwrap_or("");
    // The standard's parser would drop tabs and newlines anywhere in the text.
    if authority.contains(char::is_control) {
        return Err(MALFORMED.into());
    }
    if authority.len() > MAX_RAW_LENGTH {
        return Err(format!("must be at most {MAX_LENGTH} characters long").into());
    }
    Ok(authority)
}

fn is_scheme(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Checks whether the text is a label of a host name: 1 to 63 ASCII letters, digits and hyphens, with no
/// hyphen first or last ([RFC 1123], section 2.1).
///
/// [RFC 1123]: https://www.rfc-editor.org/rfc/rfc1123#page-13
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_and_urls() {
        for (raw, stored) in [
            ("example.com", "example.com"),
            (" Example.COM \n", "example.com"),
            ("https://example.com", "example.com"),
            ("HTTP://EXAMPLE.COM", "example.com"),
            (
                "https://ada:secret@www.Example.com:8443/a/b?c=d@e#f",
                "example.com",
            ),
            ("http://example.com\\evil.test", "example.com"),
            ("example.com:8080", "example.com"),
            ("example.com/path", "example.com"),
            ("example.com/@ada", "example.com"),
            ("example.com?next=https://other.test", "example.com"),
            ("//example.com/path", "example.com"),
            ("example.com.", "example.com"),
            ("www.example.com", "example.com"),
            ("WWW.example.com.", "example.com"),
            ("www.www.example.com", "example.com"),
            ("www.com", "www.com"),
            ("www2.example.com", "www2.example.com"),
            ("wwwexample.com", "wwwexample.com"),
            ("blog.example.co.uk", "blog.example.co.uk"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("https://BÜCHER.example/ü", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("ｅｘａｍｐｌｅ．com", "example.com"),
            ("straße.de", "xn--strae-oqa.de"),
            ("a--b.example", "a--b.example"),
            ("1.example", "1.example"),
            ("3com.com", "3com.com"),
        ] {
            let domain = Domain::parse(raw).unwrap();
            assert_eq!(domain.as_str(), stored, "{raw:?}");
            assert_eq!(Domain::parse(stored), Ok(domain), "{raw:?}");
        }
    }

    #[test]
    fn refuses_addresses() {
        for raw in [
            "127.0.0.1",
            "127.0.0.1:80",
            "http://127.0.0.1/",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "https://2130706433",
            "１２７.0.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::1]:80",
            "http://[2001:db8::1]/",
        ] {
            let message = "must be a domain name, not an IP address";
            assert_eq!(Domain::parse(raw), Err(message.into()), "{raw:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_domain() {
        for raw in [
            "",
            " ",
            ".",
            "..",
            "localhost",
            "com",
            "https://",
            "https:///",
            ".example.com",
            "example..com",
            "example.com..",
            "-example.com",
            "example-.com",
            "ex_ample.com",
            "exam ple.com",
            "exam\nple.com",
            "exam\tple.com",
            "exam\0ple.com",
            "example.123",
            "example.0x1f",
            "1.2.3.4.5",
            "256.1.1.1",
            "::1",
            "2001:db8::1",
            "example.com:port",
            "example.com:99999",
            "ada@example.com",
            "mailto:ada@example.com",
            "ftp://example.com",
            "javascript://example.com/%0Aalert(1)",
            "http:example.com",
            "https://https://example.com",
            "*.example.com",
            "<example>.com",
            "xn--a.com",
            "\u{200D}.com",
        ] {
            assert_eq!(Domain::parse(raw), Err(MALFORMED.into()), "{raw:?}");
        }
    }

    #[test]
    fn lengths_have_bounds() {
        let label = "a".repeat(63);
        assert!(Domain::parse(&format!("{label}.com")).is_ok());
        assert_eq!(
            Domain::parse(&format!("{label}a.com")),
            Err(MALFORMED.into())
        );
        let longest = format!("{label}.{label}.{label}.{}", &label[2..]);
        assert_eq!(longest.len(), 253);
        assert!(Domain::parse(&longest).is_ok());
        assert!(Domain::parse(&format!("https://www.{longest}.:80/")).is_ok());
        let message = "must be at most 253 characters long";
        assert_eq!(Domain::parse(&format!("{longest}a")), Err(message.into()));
        assert_eq!(Domain::parse(&"é.".repeat(500_000)), Err(message.into()));
        // Only the host's length is limited.
        assert!(Domain::parse(&format!("https://example.com/{}", "a".repeat(100_000))).is_ok());
    }
}
