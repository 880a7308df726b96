//! Values that are written as text: parsed with `FromStr`, and refused without repeating them.

use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use super::Network;

/// A value that is written as text, and the error for text that is not such a value.
pub(super) trait Text: Sized {
    /// Text to put after the key: "must be …".
    const EXPECTED: &'static str;

    /// Parses the value, if the text is one.
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

/// Every URL that is not a secret is a web URL and may be shown, so it must not contain credentials.
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

/// For `deserialize_with`: a required value.
pub(super) fn one<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

/// For `deserialize_with`: an optional value.
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
