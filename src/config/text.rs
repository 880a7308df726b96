//! Values that are written as text: read with `FromStr`, and refused without being repeated.

use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use super::Network;

/// What is written as text, and what to say to someone who wrote something else.
pub(super) trait Text: Sized {
    /// Goes after the key: "must be …".
    const EXPECTED: &'static str;

    /// The value, if the text is one.
    fn parse(text: &str) -> Option<Self>;
}

impl Text for SocketAddr {
    const EXPECTED: &'static str = "must be an IP address and a port, such as 127.0.0.1:9090";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Text for Network {
    const EXPECTED: &'static str = "must be an IP address, or a network such as 10.0.0.0/8";

    fn parse(text: &str) -> Option<Self> {
        Network::from_str(text).ok()
    }
}

/// Every URL that is not a secret is one of the web, and may be shown: credentials have no place
/// in it.
impl Text for Url {
    const EXPECTED: &'static str =
        "must be a URL such as https://example.com, without a user name or password";

    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_plain = url.username().is_empty() && url.password().is_none();
        (is_web && is_plain).then_some(url)
    }
}

/// For `deserialize_with`: a value.
pub(super) fn one<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

/// For `deserialize_with`: a value, or none.
pub(super) fn optional<'de, T: Text, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(parse).transpose()
}

/// For `deserialize_with`: any number of values.
pub(super) fn list<'de, T: Text, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse(text)).collect()
}

fn parse<T: Text, E: Error>(text: &str) -> Result<T, E> {
    T::parse(text).ok_or_else(|| E::custom(T::EXPECTED))
}
