//! `[http]`: where the server listens, and the limits on connections and requests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{Network, text};

/// Where the server listens, and the limits on connections and requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// The address to listen on: an IP address, or `localhost` for 127.0.0.1. Must be loopback while
    /// only development identities can sign in. Also `HOST`. Default: 127.0.0.1.
    #[serde(deserialize_with = "host")]
    pub host: IpAddr,

    /// The port to listen on; 0 picks a free one. Also `PORT`. Default: 8080.
    pub port: u16,

    /// The web origins that browsers may call from, such as `https://app.example.com`. With development
    /// identities, loopback origins are allowed too. Default: none.
    #[serde(default)]
    pub allowed_origins: Vec<String>,

    /// The proxies whose `X-Forwarded-For` is trusted: addresses, or networks such as `10.0.0.0/8`.
    /// Default: none.
    #[serde(default, deserialize_with = "text::list")]
    pub trusted_proxies: Vec<Network>,

    /// How many connections may be open, 1 to 1,000,000. Further ones are closed immediately. Default:
    /// 4,096.
    pub max_connections: usize,

    /// How many connections one IPv4 address or IPv6 /64 network may have open, 1 to 1,000,000; trusted
    /// proxies are exempt. Default: 1,024.
    pub max_connections_per_address: usize,

    /// How long receiving the head of a request may take, including the wait for the first request on a
    /// connection, in seconds, 1 to 3,600. Default: 10.
    pub header_timeout_seconds: u64,

    /// How long receiving the body of a request may take, in seconds, 1 to 3,600. Default: 30.
    pub body_timeout_seconds: u64,

    /// How long a connection may be idle between two requests, in seconds, 1 to 3,600: longer than the
    /// load balancer in front keeps it. Default: 75.
    pub keep_alive_seconds: u64,

    /// How long the server keeps serving after it is asked to stop, with `/readyz` returning 503 so that
    /// load balancers stop sending requests, in seconds, 1 to 3,600. Default: it stops immediately.
    pub drain_seconds: Option<u64>,

    /// The largest request body, in bytes, 1 to 1 GiB; icons have their own limit. Default: 1,048,576 (1
    /// MiB).
    pub max_body_bytes: usize,

    /// How long a query may run before it is stopped, in seconds, 1 to 3,600. Default: 15.
    pub request_timeout_seconds: u64,
}

impl Http {
    /// Returns the address to listen on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// Whether only this machine can reach the server.
    pub fn is_loopback(&self) -> bool {
        self.host.to_canonical().is_loopback()
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            max_connections: 4_096,
            max_connections_per_address: 1_024,
            header_timeout_seconds: 10,
            body_timeout_seconds: 30,
            keep_alive_seconds: 75,
            drain_seconds: None,
            max_body_bytes: 1024 * 1024,
            request_timeout_seconds: 15,
        }
    }
}

fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    let host = String::deserialize(deserializer)?;
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    host.parse()
        .map_err(|_| D::Error::custom("must be an IP address such as 127.0.0.1 or 0.0.0.0"))
}
