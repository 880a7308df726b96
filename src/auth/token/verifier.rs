//! Verifying tokens: from a token to an identity.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use reqwest::Client;
use url::Url;

use super::development::{self, DevelopmentKey};
use super::error::{Refusal, TokenError};
use super::jwt::Jwt;
use super::key_cache::KeyCache;
use super::profile::Profile;
use super::userinfo::Userinfo;
use crate::config::Issuer;

/// Whom a verified token is about. A person is identified by issuer and subject, never by an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// `iss`: a configured issuer, or that of development identities.
    pub issuer: String,
    /// `sub`, 1 to 255 bytes without control characters.
    pub subject: String,
    /// The email address; trimmed and in lower case, with one `@`, at most 254 bytes. Nothing more is
    /// known about its form.
    pub email: String,
    /// Whether the issuer says that the address is verified, and is trusted with its domain.
    pub email_verified: bool,
    /// The name; trimmed, not empty, at most 200 characters.
    pub name: Option<String>,
    /// The URL of a picture; http or https, at most 2,048 bytes.
    pub picture: Option<Url>,
    /// `org_id`: the WorkOS organization that the person signed in to.
    pub workos_organization_id: Option<String>,
    /// `iat`, to the microsecond.
    pub issued_at: Option<DateTime<Utc>>,
    /// `exp`, to the microsecond: the token is accepted for up to 60 s longer.
    pub expires_at: DateTime<Utc>,
}

/// Verifies tokens of the configured issuers and of development identities. It caches keys and userinfo
/// answers, so there should be one per process.
pub struct Verifier {
    issuers: Vec<(Issuer, Arc<KeyCache>)>,
    development: Option<(Issuer, DevelopmentKey)>,
    userinfo: Userinfo,
}

impl Verifier {
    /// Fetches nothing before the first token comes. `http` should be
    /// [`http_client`](super::http_client); if another client followed a redirect to another origin, the
    /// answer is refused.
    pub fn new(
        issuers: Vec<Issuer>,
        development_key: Option<DevelopmentKey>,
        http: Client,
    ) -> Self {
        let issuers = issuers.into_iter().map(|issuer| {
            let keys = KeyCache::new(&issuer, &http);
            (issuer, keys)
        });
        Self {
            issuers: issuers.collect(),
            development: development_key.map(|key| (development::issuer(), key)),
            userinfo: Userinfo::new(http),
        }
    }

    /// Returns whom `token` is about, as of `now`.
    ///
    /// # Errors
    ///
    /// `Invalid` if the token is not to be trusted; `Unavailable` if that cannot be determined, because
    /// its issuer does not answer and never has.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        let jwt = Jwt::parse(token)?;
        let name = jwt.claims.issuer()?;
        if let Some((issuer, key)) = &self.development
            && issuer.issuer == name
        {
            if jwt.algorithm != Algorithm::HS256 {
                return Err(Refusal::Algorithm.into());
            }
            if !jwt.claims.is_for(&issuer.audience) {
                return Err(Refusal::Audience.into());
            }
            jwt.verify(&key.decoding_key())?;
            return self.identity(issuer, token, &jwt, now).await;
        }

        // A shared secret is no signature: whoever can verify it can also create it.
        if jwt.algorithm == Algorithm::HS256 {
            return Err(Refusal::Algorithm.into());
        }
        let (issuer, keys) = self.issuer(name, &jwt)?;
        // Checked before the keys, so that an expired token does not cause them to be fetched.
        jwt.claims.times(now)?;
        let key = keys
            .select(jwt.key_id.as_deref(), jwt.algorithm, now)
            .await?;
        jwt.verify(&key)?;
        self.identity(issuer, token, &jwt, now).await
    }

    /// Finds the issuer by name and audience: one issuer may be configured several times, with different
    /// audiences.
    fn issuer(&self, name: &str, jwt: &Jwt<'_>) -> Result<&(Issuer, Arc<KeyCache>), Refusal> {
        let mut named = self
            .issuers
            .iter()
            .filter(|(issuer, _)| issuer.issuer == name)
            .peekable();
        named.peek().ok_or(Refusal::Issuer)?;
        named
            .find(|(issuer, _)| jwt.claims.is_for(&issuer.audience))
            .ok_or(Refusal::Audience)
    }

    /// The identity in a token whose signature was verified.
    async fn identity(
        &self,
        issuer: &Issuer,
        token: &str,
        jwt: &Jwt<'_>,
        now: DateTime<Utc>,
    ) -> Result<Identity, TokenError> {
        let times = jwt.claims.times(now)?;
        let subject = jwt.claims.subject()?;
        let mut profile = Profile::read(&jwt.claims.0, issuer)?;
        if profile.email.is_none()
            && let Some(url) = &issuer.userinfo_url
        {
            let asked = self.userinfo.ask(url, issuer, subject, token, now).await?;
            profile = Profile {
                email: asked.email,
                email_verified: asked.email_verified,
                name: profile.name.or(asked.name),
                picture: profile.picture.or(asked.picture),
            };
        }
        Ok(Identity {
            issuer: issuer.issuer.clone(),
            subject: subject.to_owned(),
            email: profile.email.ok_or(Refusal::Claim("email"))?,
            email_verified: profile.email_verified,
            name: profile.name,
            picture: profile.picture,
            workos_organization_id: jwt.claims.organization_id().map(str::to_owned),
            issued_at: times.issued_at,
            expires_at: times.expires_at,
        })
    }
}
