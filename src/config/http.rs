//! `[http]`: listening, and what requests may be.

use std::net::{IpAddr, Ipv4Addr};

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

    /// The largest body of a request, in bytes, 1 to 1 GiB; icons have a limit of their own.
    /// Default: 1,048,576 (1 MiB).
    pub max_body_bytes: usize,

    /// When a query is stopped, in seconds, 1 to 3,600. Default: 15.
    pub request_timeout_seconds: u64,
}

impl Http {
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
