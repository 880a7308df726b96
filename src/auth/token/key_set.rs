//! An issuer's public keys: the usable part of a JSON Web Key Set (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Refusal;

/// The usable keys of a set: those for verifying signatures of accepted algorithms.
#[derive(Debug)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The algorithms that the key's type allows, restricted to its `alg` if it has one.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys of other types and for other purposes are ignored, as RFC 7517 §5 suggests.
    ///
    /// # Errors
    ///
    /// A phrase for the log, if it is not a key set at all.
    pub fn read(set: &Map<String, Value>) -> Result<Self, String> {
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err("it has no list of keys".to_owned());
        };
        let keys = keys.iter().filter_map(|key| {
            let jwk = Jwk::deserialize(key).ok()?;
            jwk.is_for_verifying().then_some(())?;
            jwk.into_key()
        });
        Ok(Self(keys.collect()))
    }

    /// The number of usable keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the key that a token claims to be signed with.
    ///
    /// # Errors
    ///
    /// `Key` if there is none with that id or, without an id, not exactly one for the algorithm;
    /// `KeyMismatch` if the one with that id is for another algorithm.
    pub fn select(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&DecodingKey, Refusal> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        match id {
            Some(id) => {
                // Several keys may share an id if their types differ, RFC 7517 §4.5.
                let mut named = self.0.iter().filter(|key| key.id.as_deref() == Some(id));
                match named.clone().find(fits) {
                    Some(key) => Ok(&key.key),
                    None if named.next().is_some() => Err(Refusal::KeyMismatch),
                    None => Err(Refusal::Key),
                }
            }
            None => {
                let mut fitting = self.0.iter().filter(fits);
                match (fitting.next(), fitting.next()) {
                    (Some(key), None) => Ok(&key.key),
                    _ => Err(Refusal::Key),
                }
            }
        }
    }
}

impl Jwk {
    fn is_for_verifying(&self) -> bool {
        self.r#use.as_ref().is_none_or(|it| it == "sig")
            && self
                .key_ops
                .as_ref()
                .is_none_or(|it| it.iter().any(|operation| operation == "verify"))
    }

    /// Reads RSA and EC keys of RFC 7518 §6, and Ed25519 keys of RFC 8037. That an RSA modulus has 2,048
    /// to 8,192 bits is checked when verifying.
    fn into_key(self) -> Option<Key> {
        let (mut algorithms, key) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (
                vec![Algorithm::RS256, Algorithm::PS256],
                DecodingKey::from_rsa_components(&self.n?, &self.e?).ok()?,
            ),
            ("EC", Some("P-256")) => {
                let (x, y) = (self.x?, self.y?);
                (is_32_bytes(&x) && is_32_bytes(&y)).then_some(())?;
                (
                    vec![Algorithm::ES256],
                    DecodingKey::from_ec_components(&x, &y).ok()?,
                )
            }
            ("OKP", Some("Ed25519")) => {
                let x = self.x.filter(|x| is_32_bytes(x))?;
                (
                    vec![Algorithm::EdDSA],
                    DecodingKey::from_ed_components(&x).ok()?,
                )
            }
            _ => return None,
        };
        if let Some(name) = &self.alg {
            algorithms.retain(|algorithm| format!("{algorithm:?}") == *name);
        }
        (!algorithms.is_empty()).then_some(Key {
            id: self.kid,
            algorithms,
            key,
        })
    }
}

fn is_32_bytes(text: &str) -> bool {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .is_ok_and(|bytes| bytes.len() == 32)
}
