//! Parsing tokens: RFC 7515's compact serialization, read but not yet trusted.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::error::Refusal;

/// The longest token that is parsed, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The longest key id that is looked up, in bytes.
const MAX_KEY_ID: usize = 255;

/// A parsed token.
pub struct Jwt<'a> {
    /// The algorithm that it claims to be signed with; one that is accepted from some issuer.
    pub algorithm: Algorithm,
    /// The id of the issuer's key that it claims to be signed with.
    pub key_id: Option<String>,
    /// Its claims, not to be trusted until [`verify`](Self::verify) has succeeded.
    pub claims: Claims,
    message: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> Jwt<'a> {
    /// Parses a token.
    ///
    /// # Errors
    ///
    /// `TooLong`, `Malformed`, `CriticalHeader`, `Key`, `Algorithm`.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        // A fourth part would leave a dot in the payload, which is not valid base64url.
        let header: Header = decode(header)?;
        let claims: Map<String, Value> = decode(payload)?;
        if header.crit.is_some() {
            return Err(Refusal::CriticalHeader);
        }
        if header.kid.as_ref().is_some_and(|id| id.len() > MAX_KEY_ID) {
            return Err(Refusal::Key);
        }
        Ok(Self {
            algorithm: algorithm_named(&header.alg).ok_or(Refusal::Algorithm)?,
            key_id: header.kid,
            claims: Claims(claims),
            message,
            signature,
        })
    }

    /// Checks that `key` signed it.
    ///
    /// # Errors
    ///
    /// `Signature`.
    pub fn verify(&self, key: &DecodingKey) -> Result<(), Refusal> {
        jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, self.algorithm)
            .is_ok_and(|verified| verified)
            .then_some(())
            .ok_or(Refusal::Signature)
    }
}

/// The algorithms (RFC 7518 §3.1, RFC 8037) that are accepted from some issuer; the key decides which
/// one is accepted from which. All others, `none` among them, are unknown.
fn algorithm_named(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "PS256" => Algorithm::PS256,
        "ES256" => Algorithm::ES256,
        "EdDSA" => Algorithm::EdDSA,
        "HS256" => Algorithm::HS256,
        _ => return None,
    })
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let json = BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}
