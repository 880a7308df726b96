//! `[auth]`: whose tokens are believed.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use url::Url;

use super::text;

/// Who may sign in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Auth {
    /// Whether the server signs and accepts development tokens of its own. `true` allows that on
    /// an address other than loopback and beside issuers; `false` forbids it even without an
    /// issuer. Default: on while no issuer is configured, and then only on loopback.
    pub development: Option<bool>,

    /// Whose JWTs are accepted. No two with the same issuer and audience. Default: none.
    #[serde(default)]
    pub issuers: Vec<Issuer>,
}

impl Auth {
    /// Whether development identities are in use.
    pub fn development_enabled(&self) -> bool {
        self.development.unwrap_or(self.issuers.is_empty())
    }
}

/// One identity provider. Exactly one of `jwks_url` and `jwks_file` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issuer {
    /// What the claim `iss` must be, to the letter. Required.
    pub issuer: String,

    /// What the claim `aud` must be or hold. Required.
    pub audience: String,

    /// Where the issuer publishes its keys; plain http only from loopback. Default: none.
    #[serde(default, deserialize_with = "text::optional")]
    pub jwks_url: Option<Url>,

    /// A file with the issuer's keys, relative to the working directory. Default: none.
    pub jwks_file: Option<PathBuf>,

    /// The domains whose addresses this issuer vouches for, kept in lower-case ASCII; an address
    /// elsewhere counts as unverified. At least one if given. Default: every domain.
    #[serde(default, deserialize_with = "domains")]
    pub email_domains: Option<Vec<String>>,

    /// Which claims say who it is.
    #[serde(default)]
    pub claims: Claims,

    /// Asked once, at first sight of a person whose token has no email; plain http only on
    /// loopback. Default: none.
    #[serde(default, deserialize_with = "text::optional")]
    pub userinfo_url: Option<Url>,
}

/// The names of an issuer's claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// The email address. Default: `email`.
    pub email: String,
    /// Whether the address is verified: `true` or `"true"`. Default: `email_verified`.
    pub email_verified: String,
    /// The name to show. Default: `name`.
    pub name: String,
    /// The URL of a picture. Default: `picture`.
    pub picture: String,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            email: "email".into(),
            email_verified: "email_verified".into(),
            name: "name".into(),
            picture: "picture".into(),
        }
    }
}

/// Domains in the one form in which they are compared.
fn domains<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let Some(domains) = Option::<Vec<String>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if domains.is_empty() {
        return Err(D::Error::custom(
            "must hold at least one domain, or be left out",
        ));
    }
    let ascii = |domain: &String| match idna::domain_to_ascii_strict(domain) {
        Ok(ascii) if !ascii.is_empty() => Ok(ascii),
        _ => Err(D::Error::custom("must be domains such as example.com")),
    };
    domains
        .iter()
        .map(ascii)
        .collect::<Result<_, _>>()
        .map(Some)
}
