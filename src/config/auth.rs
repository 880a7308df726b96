//! `[auth]`: whose tokens are accepted.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use url::Url;

use super::text;

/// Who may sign in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Auth {
    /// Whether the server signs and accepts its own development tokens. `true` allows that on
    /// non-loopback addresses and alongside issuers; `false` forbids it even without an issuer. Default:
    /// on while no issuer is configured, and then on loopback only.
    pub development: Option<bool>,

    /// The issuers whose JWTs are accepted. No two may share both issuer and audience. Default: none.
    #[serde(default)]
    pub issuers: Vec<Issuer>,
}

impl Auth {
    /// Whether development identities are enabled.
    pub fn development_enabled(&self) -> bool {
        self.development.unwrap_or(self.issuers.is_empty())
    }
}

/// One identity provider. Exactly one of `jwks_url` and `jwks_file` is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issuer {
    /// The exact value of the claim `iss`. Required.
    pub issuer: String,

    /// The value that the claim `aud` must equal or contain. Required.
    pub audience: String,

    /// Where the issuer publishes its keys; plain http on loopback only. Default: none.
    #[serde(default, deserialize_with = "text::optional")]
    pub jwks_url: Option<Url>,

    /// A file with the issuer's keys, relative to the working directory. Default: none.
    pub jwks_file: Option<PathBuf>,

    /// The email domains that this issuer vouches for, stored in lower-case ASCII; addresses elsewhere
    /// count as unverified. At least one if given. Default: every domain.
    #[serde(default, deserialize_with = "domains")]
    pub email_domains: Option<Vec<String>>,

    /// The names of the claims about the person.
    #[serde(default)]
    pub claims: Claims,

    /// The userinfo endpoint, asked once, when a person whose token has no email first signs in; plain
    /// http on loopback only. Default: none.
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
    /// The display name. Default: `name`.
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

/// Reads domains into the normal form in which they are compared.
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
