//! Keys, and tokens signed with them, with any header.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaPublicKeyComponents,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

pub enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Generated once, because it takes a while.
pub static RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")));

impl Signer {
    pub fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    pub fn ed() -> Self {
        Self::Ed(Ed25519KeyPair::generate().expect("a key"))
    }

    /// A key id that no other key has.
    pub fn id(&self) -> String {
        let public = match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::Ec(key) => key.public_key().as_ref(),
            Self::Ed(key) => key.public_key().as_ref(),
        };
        encode(&public[public.len() - 16..])
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        match self {
            Self::Rsa(key) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
                let (n, e) = (encode(&public.n), encode(&public.e));
                json!({ "kty": "RSA", "kid": self.id(), "n": n, "e": e })
            }
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (encode(x), encode(y));
                json!({ "kty": "EC", "crv": "P-256", "kid": self.id(), "x": x, "y": y })
            }
            Self::Ed(key) => {
                let x = encode(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.id(), "x": x })
            }
        }
    }

    pub fn jwk_with(&self, name: &str, value: Value) -> Value {
        let mut jwk = self.jwk();
        jwk[name] = value;
        jwk
    }

    /// A token as an issuer with this key would sign it.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(
            &json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.id() }),
            claims,
        )
    }

    /// A token with any header. An RSA key uses the padding that `alg` demands; other keys ignore `alg`.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(key) => {
                let padding = match header["alg"].as_str() {
                    Some("PS256") => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
            Self::Ec(key) => key
                .sign(&random, message.as_bytes())
                .expect("a signature")
                .as_ref()
                .to_vec(),
            Self::Ed(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }
}

/// A token with a given signature.
pub fn token(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!("{}.{}", message(header, claims), encode(signature))
}

/// A token "signed" with a secret.
pub fn hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    let message = message(header, claims);
    let tag = sign(&Key::new(HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag.as_ref()))
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

pub fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
