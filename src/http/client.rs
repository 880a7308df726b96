//! The network address behind a request.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName};

use crate::config::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the other end of the connection, as an extension of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The client's address, as an extension of a request: the peer's, or the one that trusted proxies
/// forwarded.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// The address that limits are counted by. In IPv6 that is the /64 network, which is the least that a
/// client has.
pub fn accountable(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
    }
}

/// Determines the client's address: the peer's or, if that is a trusted proxy, the one it took the
/// request from, and so on. Entries of `X-Forwarded-For` before the first untrusted address may be
/// forged.
pub fn client_of(Peer(peer): Peer, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    let mut client = peer.to_canonical();
    for hop in hops.into_iter().rev() {
        if !trusted.iter().any(|network| network.contains(client)) {
            break;
        }
        match address(hop.trim()) {
            Some(address) => client = address.to_canonical(),
            None => break,
        }
    }
    client
}

/// Parses an address, which some proxies write with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || {
        text.parse()
            .map(|address: std::net::SocketAddr| address.ip())
    };
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::nobody_is_trusted("192.0.2.1", &["198.51.100.1"], "192.0.2.1")]
    #[case::the_proxy_is("10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    #[case::made_up("10.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1")]
    #[case::two_proxies("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1")]
    #[case::two_headers("10.0.0.1", &["203.0.113.9", "198.51.100.1"], "198.51.100.1")]
    #[case::only_proxies("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3")]
    #[case::nonsense("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1")]
    #[case::nothing("10.0.0.1", &[], "10.0.0.1")]
    #[case::port("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1")]
    #[case::brackets("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1")]
    #[case::ipv6("10.0.0.1", &["2001:db8::1"], "2001:db8::1")]
    #[case::ipv4_in_ipv6("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    fn the_client_is_the_last_that_is_not_trusted(
        #[case] peer: &str,
        #[case] forwarded: &[&'static str],
        #[case] client: &str,
    ) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        let peer = Peer(peer.parse().unwrap());
        assert_eq!(client_of(peer, &headers, &trusted).to_string(), client);
    }
}
