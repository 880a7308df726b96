//! OpenID Connect's userinfo endpoint (Core §5.3), for issuers whose access tokens have no email.

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use reqwest::{Client, StatusCode};
use url::Url;

use super::error::{Refusal, TokenError};
use super::fetch::{self, FetchError};
use super::profile::Profile;
use crate::config::Issuer;

/// How many people's answers are cached.
const CAPACITY: u64 = 100_000;

/// How long an answer without a verified address is cached: the person may be about to verify it.
const UNVERIFIED_LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// A client of userinfo endpoints that caches answers by issuer and subject.
pub struct Userinfo {
    http: Client,
    known: Cache<(String, String), (Profile, DateTime<Utc>)>,
}

impl Userinfo {
    /// A client with an empty cache.
    pub fn new(http: Client) -> Self {
        Self {
            http,
            known: Cache::new(CAPACITY),
        }
    }

    /// Returns the profile of `subject`, whom the verified `token` is about.
    ///
    /// # Errors
    ///
    /// `Userinfo` if the endpoint refuses the token or answers about somebody else, `Claim` if the
    /// address it returns is malformed, `Unavailable` if it does not answer, or not with JSON.
    pub async fn ask(
        &self,
        url: &Url,
        issuer: &Issuer,
        subject: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Profile, TokenError> {
        let key = (issuer.issuer.clone(), subject.to_owned());
        if let Some((profile, asked_at)) = self.known.get(&key)
            && (profile.email_verified || (now - asked_at).abs() < UNVERIFIED_LIFETIME)
        {
            return Ok(profile);
        }
        let claims = match fetch::json(&self.http, url, Some(token)).await {
            Ok(claims) => claims,
            Err(FetchError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                return Err(Refusal::Userinfo.into());
            }
            Err(error) => {
                return Err(TokenError::Unavailable {
                    issuer: issuer.issuer.clone(),
                    cause: error.to_string(),
                });
            }
        };
        // Core §5.3.2: an answer about somebody else must not be used.
        if claims.get("sub").and_then(|it| it.as_str()) != Some(subject) {
            return Err(Refusal::Userinfo.into());
        }
        let profile = Profile::read(&claims, issuer)?;
        self.known.insert(key, (profile.clone(), now));
        Ok(profile)
    }
}
