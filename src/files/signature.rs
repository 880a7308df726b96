//! Signing the URLs for uploading files.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Result;
use crate::random;

/// The key that signs upload URLs. Never printed or logged.
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Generates a new key.
    ///
    /// # Errors
    /// If the operating system has no random bytes.
    pub fn generate() -> Result<Self> {
        Ok(Self(random::bytes()?))
    }

    /// Reads a key that [`SigningKey::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let key = HEXLOWER.decode(text.as_bytes()).ok()?;
        key.try_into().ok().map(Self)
    }

    /// Returns the key in hexadecimal, for storing it.
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Returns the signature that allows uploading the file until `expires`, in seconds since 1970.
    pub fn sign(&self, file: &str, expires: &str) -> String {
        BASE64URL_NOPAD.encode(&self.mac(file, expires).finalize().into_bytes())
    }

    /// Whether this is the signature for exactly these texts. Takes constant time.
    pub fn verify(&self, file: &str, expires: &str, signature: &str) -> bool {
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
        signature.is_ok_and(|signature| self.mac(file, expires).verify_slice(&signature).is_ok())
    }

    fn mac(&self, file: &str, expires: &str) -> Hmac<Sha256> {
        // HMAC accepts keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        // The parts are unambiguous: no signed part contains a line break.
        for part in ["upload", file, expires] {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_file_and_one_time_and_of_one_key() {
        let key = SigningKey([7; 32]);
        let signature = key.sign("file_a", "17");
        assert!(key.verify("file_a", "17", &signature));
        for (file, expires) in [("file_b", "17"), ("file_a", "18"), ("file_a", "+17")] {
            assert!(!key.verify(file, expires, &signature), "{file} {expires}");
        }
        for other in ["", "AAAA", &signature[1..], &format!("{signature}A")] {
            assert!(!key.verify("file_a", "17", other), "{other}");
        }
        assert!(!SigningKey([8; 32]).verify("file_a", "17", &signature));
    }

    #[test]
    fn a_key_can_be_stored() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_hex(&key.to_hex()).unwrap();
        assert_eq!(key.0, again.0);
        assert!(SigningKey::from_hex("00").is_none());
    }
}
