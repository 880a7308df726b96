//! From a token to whom it is about.

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

/// Whom a verified token is about. A person is (issuer, subject), never an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// `iss`, one of the configured ones, or the development identities' own.
    pub issuer: String,
    /// `sub`, 1 to 255 bytes without control characters.
    pub subject: String,
    /// Trimmed and lower-cased, with one `@`, at most 254 bytes; no more is known about its form.
    pub email: String,
    /// Whether the issuer vouches for the address and is trusted with its domain.
    pub email_verified: bool,
    /// Trimmed, not empty, at most 200 characters.
    pub name: Option<String>,
    /// Over http or https, at most 2,048 bytes.
    pub picture: Option<Url>,
    /// `org_id`: the WorkOS organization that the person signed in to.
    pub workos_organization_id: Option<String>,
    /// `iat`, to the microsecond.
    pub issued_at: Option<DateTime<Utc>>,
    /// `exp`, to the microsecond: the token is accepted for up to 60 s longer.
    pub expires_at: DateTime<Utc>,
}

/// Verifies tokens of the configured issuers and of the development identities. It keeps keys and
/// userinfo answers, so there is one for the process.
pub struct Verifier {
    issuers: Vec<(Issuer, Arc<KeyCache>)>,
    development: Option<(Issuer, DevelopmentKey)>,
    userinfo: Userinfo,
}

impl Verifier {
    /// Nothing is fetched before the first token comes. `http` should be
    /// [`http_client`](super::http_client); answers that another client was redirected for are
    /// refused.
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

    /// Whom `token` is about, at the time `now`.
    ///
    /// # Errors
    ///
    /// `Invalid` if it is not to be believed; `Unavailable` if that cannot be told, because its
    /// issuer does not answer and never has.
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

        // A secret that both sides know is no signature: whoever can check it can make it.
        if jwt.algorithm == Algorithm::HS256 {
            return Err(Refusal::Algorithm.into());
        }
        let (issuer, keys) = self.issuer(name, &jwt)?;
        // Before the keys, so that an old token does not make anybody fetch them.
        jwt.claims.times(now)?;
        let key = keys
            .select(jwt.key_id.as_deref(), jwt.algorithm, now)
            .await?;
        jwt.verify(&key)?;
        self.identity(issuer, token, &jwt, now).await
    }

    /// One issuer may be configured several times, for an audience each.
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

    /// What a token whose signature is right says.
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
