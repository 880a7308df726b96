//! An identity provider whose keys are in a file.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tenantry::config::{Claims, Config, Issuer};

/// The issuer's name.
pub const ISSUER: &str = "https://id.example.com";

/// An identity provider whose keys are in a file.
pub struct TestIssuer {
    key: Ed25519KeyPair,
    key_id: u32,
}

impl TestIssuer {
    pub fn new() -> Self {
        Self::with_key(1)
    }

    fn with_key(key_id: u32) -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        Self { key, key_id }
    }

    /// Returns the same issuer with another key, which replaces the old one in the file.
    pub fn rotated(&self, data_dir: &Path) -> Self {
        let rotated = Self::with_key(self.key_id + 1);
        rotated.publish(data_dir);
        rotated
    }

    fn publish(&self, data_dir: &Path) -> PathBuf {
        let x = BASE64URL_NOPAD.encode(self.key.public_key().as_ref());
        let id = self.key_id.to_string();
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x }] });
        let file = data_dir.join("jwks.json");
        std::fs::write(&file, keys.to_string()).expect("the data directory can be written");
        file
    }

    /// Makes the server accept this issuer only.
    pub fn configure(&self, config: &mut Config) {
        let file = self.publish(&config.data_dir);
        config.auth.issuers.push(Issuer {
            issuer: ISSUER.to_owned(),
            audience: "tenantry".to_owned(),
            jwks_url: None,
            jwks_file: Some(file),
            email_domains: None,
            claims: Claims::default(),
            userinfo_url: None,
        });
    }

    /// Returns a token for the person with that address, valid for a day, with additional or different
    /// claims.
    pub fn token(&self, email: &str, more: Value) -> String {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": ISSUER,
            "aud": "tenantry",
            "sub": email,
            "email": email,
            "email_verified": true,
            "iat": now,
            "exp": now + 86_400,
        });
        for (name, value) in more.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": self.key_id.to_string() });
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}
