//! URLs whose requests stay on this machine, or cannot be read or changed on the way.

use std::net::IpAddr;

use url::{Host, Url};

/// Checks whether requests to the URL stay on this machine: its host is `localhost` or a loopback
/// address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // In URLs with schemes that browsers do not know, an IPv4 address counts as a name as well.
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse().is_ok_and(|it: IpAddr| it.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        // Such as `::ffff:127.0.0.1`, which is an IPv4 address.
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Checks whether nobody can read or change requests to the URL on the way: over `https`, or over `http`
/// without leaving this machine.
pub fn is_confidential(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_known_in_every_form() {
        let is = |url: &str| is_loopback(&Url::parse(url).expect("a URL"));
        for host in [
            "localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is(&format!("http://{host}:8080/")), "{host}");
            assert!(is(&format!("smtp://someone:secret@{host}")), "{host}");
        }
        for host in [
            "localhost.example.com",
            "10.0.0.1",
            "[::2]",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(!is(&format!("http://{host}/")), "{host}");
            assert!(!is(&format!("smtp://{host}")), "{host}");
        }
        assert!(!is("mailto:someone@localhost"));
    }

    #[test]
    fn plain_http_is_for_loopback() {
        let is = |url: &str| is_confidential(&Url::parse(url).expect("a URL"));
        for url in [
            "https://id.example/keys",
            "http://127.0.0.1:1/",
            "http://127.8.9.1/",
            "http://[::1]:8080/",
            "http://[::ffff:127.0.0.1]/",
            "http://LOCALHOST/",
        ] {
            assert!(is(url), "{url}");
        }
        for url in [
            "http://id.example/keys",
            "http://127.0.0.1.id.example/",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "ftp://localhost/",
            "file:///etc/keys",
        ] {
            assert!(!is(url), "{url}");
        }
    }
}
