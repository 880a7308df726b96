//! `[http]`: listening, and what requests may be.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{Network, text};

/// Listening, and what requests may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// The address to listen on: an IP address, or `localhost` for 127.0.0.1. Loopback while
    /// nothing but development identities can sign in. Also `HOST`. Default: 127.0.0.1.
    #[serde(deserialize_with = "host")]
    pub host: IpAddr,

    /// The port to listen on; 0 picks a free one. Also `PORT`. Default: 8080.
    pub port: u16,

    /// The web origins that browsers may call from, such as `https://app.example.com`. With
    /// development identities, loopback origins may as well. Default: none.
    #[serde(default)]
    pub allowed_origins: Vec<String>,

    /// The proxies whose `X-Forwarded-For` is believed: addresses, or networks such as
    /// `10.0.0.0/8`. Default: none.
    #[serde(default, deserialize_with = "text::list")]
    pub trusted_proxies: Vec<Network>,

    /// How many connections may be open, 1 to 1,000,000. More are closed at once. Default: 4,096.
    pub max_connections: usize,

    /// How many connections one address may have open, or one network of 64 bits in IPv6, 1 to
    /// 1,000,000; trusted proxies as many as there may be. Default: 1,024.
    pub max_connections_per_address: usize,

    /// How long the head of a request may take, and the first on a connection to come, in seconds,
    /// 1 to 3,600. Default: 10.
    pub header_timeout_seconds: u64,

    /// How long the body of a request may take, in seconds, 1 to 3,600. Default: 30.
    pub body_timeout_seconds: u64,

    /// How long a connection is kept between two requests, in seconds, 1 to 3,600: longer than a
    /// load balancer in front keeps it. Default: 75.
    pub keep_alive_seconds: u64,

    /// How long the server goes on when it is asked to stop, with `/readyz` saying 503, so that no
    /// load balancer sends it anything any more, in seconds, 1 to 3,600. Default: not at all.
    pub drain_seconds: Option<u64>,

    /// The largest body of a request, in bytes, 1 to 1 GiB; icons have a limit of their own.
    /// Default: 1,048,576 (1 MiB).
    pub max_body_bytes: usize,

    /// When a query is stopped, in seconds, 1 to 3,600. Default: 15.
    pub request_timeout_seconds: u64,
}

impl Http {
    /// Where it is to listen.
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
