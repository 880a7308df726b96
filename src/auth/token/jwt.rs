//! A token taken apart: RFC 7515's compact serialization, read and not yet believed.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::error::Refusal;

/// The longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The longest key id that is looked for, in bytes.
const MAX_KEY_ID: usize = 255;

/// A token's parts.
pub struct Jwt<'a> {
    /// What it says it was signed with, if that is an algorithm that anybody here accepts.
    pub algorithm: Algorithm,
    /// Which of its issuer's keys it says it was signed with.
    pub key_id: Option<String>,
    /// What it says, to be believed once [`verify`](Self::verify) has succeeded.
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
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// `TooLong`, `Malformed`, `Algorithm`, `CriticalHeader`.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        // A fourth part leaves a dot in the payload, which base64url has not.
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

    /// Whether `key` signed it.
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

/// The algorithms (RFC 7518 §3.1, RFC 8037) that are accepted from some issuer; which from which is
/// up to the key. Every other, `none` among them, is unknown here.
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
