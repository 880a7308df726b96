//! OpenID Connect's userinfo endpoint (Core §5.3), for issuers whose access tokens have no email.

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use reqwest::{Client, StatusCode};
use url::Url;

use super::error::{Refusal, TokenError};
use super::fetch::{self, FetchError};
use super::profile::Profile;
use crate::config::Issuer;

/// How many people's answers are kept.
const CAPACITY: u64 = 100_000;

/// How long an answer without a verified address is kept: its person may be about to verify it.
const UNVERIFIED_LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// What issuers answered, by issuer and subject: asked once at first sight.
pub struct Userinfo {
    http: Client,
    known: Cache<(String, String), (Profile, DateTime<Utc>)>,
}

impl Userinfo {
    /// Nothing asked yet.
    pub fn new(http: Client) -> Self {
        Self {
            http,
            known: Cache::new(CAPACITY),
        }
    }

    /// The profile of `subject`, whom the verified `token` is about.
    ///
    /// # Errors
    ///
    /// `Userinfo` if the endpoint does not take the token or speaks of somebody else, `Claim` if
    /// the address it gives is none, `Unavailable` if it does not answer or not in JSON.
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
        // Core §5.3.2: the answer must not be used if it is about somebody else.
        if claims.get("sub").and_then(|it| it.as_str()) != Some(subject) {
            return Err(Refusal::Userinfo.into());
        }
        let profile = Profile::read(&claims, issuer)?;
        self.known.insert(key, (profile.clone(), now));
        Ok(profile)
    }
}
