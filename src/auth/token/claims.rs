//! The claims of a token: the registered ones (RFC 7519 §4.1), each read as strictly as its use demands.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::error::Refusal;

/// How far an issuer's clock may differ from ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// The longest `iss`, `sub` or `org_id`, in bytes. OpenID Connect Core §2 allows as much for `sub`.
const MAX_IDENTIFIER: usize = 255;

/// A token's claims.
pub struct Claims(pub Map<String, Value>);

/// When a token was issued, and when it expires.
pub struct Times {
    /// `iat`.
    pub issued_at: Option<DateTime<Utc>>,
    /// `exp`, without leeway.
    pub expires_at: DateTime<Utc>,
}

impl Claims {
    /// `iss`.
    ///
    /// # Errors
    ///
    /// `Claim` if it is not 1 to 255 bytes of text without control characters.
    pub fn issuer(&self) -> Result<&str, Refusal> {
        self.identifier("iss").ok_or(Refusal::Claim("iss"))
    }

    /// `sub`, with the bounds of [`issuer`](Self::issuer).
    ///
    /// # Errors
    ///
    /// `Claim`.
    pub fn subject(&self) -> Result<&str, Refusal> {
        self.identifier("sub").ok_or(Refusal::Claim("sub"))
    }

    /// WorkOS's `org_id`, the organization that the person chose when signing in.
    pub fn organization_id(&self) -> Option<&str> {
        self.identifier("org_id")
    }

    /// Whether `aud`, a string or a list of strings, is or contains `audience`.
    pub fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        }
    }

    /// Checks `exp`, `nbf` and `iat` against `now`, with 60 s of leeway, and returns the first and the
    /// last.
    ///
    /// # Errors
    ///
    /// `Expired`, `NotYetValid`, `IssuedInFuture`; `Claim` if one is no time, or if there is no `exp`.
    pub fn times(&self, now: DateTime<Utc>) -> Result<Times, Refusal> {
        let expires_at = self.time("exp")?.ok_or(Refusal::Claim("exp"))?;
        let issued_at = self.time("iat")?;
        if expires_at <= now - LEEWAY {
            return Err(Refusal::Expired);
        }
        if self.time("nbf")?.is_some_and(|time| time > now + LEEWAY) {
            return Err(Refusal::NotYetValid);
        }
        if issued_at.is_some_and(|time| time > now + LEEWAY) {
            return Err(Refusal::IssuedInFuture);
        }
        Ok(Times {
            issued_at,
            expires_at,
        })
    }

    fn identifier(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str()?;
        let fits =
            (1..=MAX_IDENTIFIER).contains(&value.len()) && !value.chars().any(char::is_control);
        fits.then_some(value)
    }

    /// Reads a NumericDate: seconds since 1970, possibly with a fraction, here to the microsecond.
    fn time(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let seconds = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value.as_f64().ok_or(Refusal::Claim(name))?,
        };
        // The cast saturates, and the saturated values are out of range for a date.
        DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
            .map(Some)
            .ok_or(Refusal::Claim(name))
    }
}
