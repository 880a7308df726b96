//! Tests with valid and invalid tokens.

mod accepted;
mod development;
mod issuer;
mod keys;
mod refused;
mod signer;
mod userinfo;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use url::Url;

use super::{Refusal, TokenError, Verifier};
use crate::config::Issuer;
use issuer::Server;
use signer::Signer;

const ISSUER: &str = "https://id.example";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a date")
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// The claims of a token about Ada, valid for the next hour.
fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "tenantry",
        "sub": "user_1",
        "email": "ada@example.com",
        "email_verified": true,
        "iat": now().timestamp(),
        "exp": now().timestamp() + 3600,
    })
}

/// [`claims`] with one added or replaced; `null` removes it.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().expect("an object");
    match value {
        Value::Null => object.remove(name),
        value => object.insert(name.to_owned(), value),
    };
    claims
}

fn issuer_at(jwks_url: Url) -> Issuer {
    Issuer {
        issuer: ISSUER.to_owned(),
        jwks_url: Some(jwks_url),
        ..super::development::issuer()
    }
}

fn verifier(issuer: Issuer) -> Verifier {
    Verifier::new(vec![issuer], None, super::http_client().expect("a client"))
}

/// An issuer with the keys of `signers`, and a verifier that trusts it.
async fn served(signers: &[&Signer]) -> (Server, Verifier) {
    let server = Server::start(signers).await;
    let verifier = verifier(issuer_at(server.jwks_url()));
    (server, verifier)
}

fn refused<T>(refusal: Refusal) -> Result<T, TokenError> {
    Err(TokenError::Invalid(refusal))
}
