//! From an `Authorization` header to the viewer.

use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::token::{Identity, TokenError, Verifier};
use super::uses::Uses;
use super::viewer::{Credential, Viewer};
use crate::app::App;
use crate::db::Db;
use crate::db::types::Instant;
use crate::error::{Error, ErrorCode, Result};
use crate::id::UserId;
use crate::models::api_token;
use crate::models::user::{self, User};

/// How long a token that was verified is taken without verifying it again.
const CACHED_FOR: Duration = Duration::from_secs(60);
/// How long somebody who was there is believed still to be, for what is the same for everybody.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// How long it may take to look up who asks. A database that is away and did not say so, because its machine is
/// gone or stopped, leaves a statement without an answer; whoever asks is told within 5 seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many tokens are remembered.
const CACHED: u64 = 50_000;

/// Tells whose request it is. Tokens that were verified are remembered for a minute by their hash, and
/// never past their own expiry; that the person still exists is asked at each request.
pub struct Authenticator {
    verifier: Verifier,
    verified: Cache<[u8; 32], Verified>,
    uses: Uses,
}

#[derive(Clone)]
struct Verified {
    user_id: UserId,
    /// As they were when they were last asked for.
    user: Option<User>,
    asked_at: Instant,
    workos_organization_id: Option<String>,
    at: Instant,
    expires_at: Instant,
}

/// Somebody as they were at an earlier request.
pub struct Recalled {
    viewer: Viewer,
    token: [u8; 32],
    is_fresh: bool,
}

impl Recalled {
    /// Whose request it is.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether it is less than a second since they were there.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }
}

/// Why a request with credentials is not let in.
#[derive(Debug)]
pub enum Refused {
    /// They are not valid. The reason is for the log: whoever sent them learns nothing.
    Invalid(String),
    /// Whether they are cannot be told now.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Authenticator {
    /// Takes the tokens that the verifier takes.
    pub fn new(verifier: Verifier) -> Self {
        let verified = Cache::builder()
            .max_capacity(CACHED)
            .time_to_live(CACHED_FOR)
            .build();
        Self {
            verifier,
            verified,
            uses: Uses::default(),
        }
    }

    /// Whose request it is, by the value of its `Authorization` header.
    ///
    /// # Errors
    /// Where it holds no valid credentials: a request that tries to sign in is never let in as nobody.
    pub async fn authenticate(&self, app: &App, header: &[u8]) -> Result<Viewer, Refused> {
        let token = bearer(header).ok_or_else(|| Refused::Invalid("not a bearer token".into()))?;
        if token.starts_with(api_token::PREFIX) {
            return self.by_api_token(app, token).await;
        }
        self.by_token(app, token).await
    }

    /// Whose request it is by a token that was verified within the minute, as they were then. Nothing is
    /// to be told or done for it before they are [confirmed](Self::confirm), except that what is the same
    /// for everybody may be told to those who are [fresh](Recalled::is_fresh).
    pub fn recall(&self, app: &App, header: &[u8]) -> Option<Recalled> {
        let (token, now) = (hash(bearer(header)?), app.now());
        let verified = self.remembered(&token, now)?;
        let user = verified.user.clone()?;
        Some(Recalled {
            token,
            is_fresh: verified.is_fresh(now),
            viewer: verified.viewer(user, now),
        })
    }

    /// Whether they still are as they were.
    ///
    /// # Errors
    /// Only those of the database.
    pub async fn confirm(&self, app: &App, db: &Db, recalled: &Recalled) -> Result<bool> {
        let Recalled { viewer, token, .. } = recalled;
        let user = self.as_of(app.now(), db, token, viewer.id()).await?;
        Ok(user.is_some_and(|user| user == viewer.user))
    }

    /// Has nobody be taken for who they were: they may just have changed what is known of them.
    pub fn forget(&self, header: &[u8]) {
        if let Some(token) = bearer(header).map(hash)
            && let Some(verified) = self.verified.get(&token)
        {
            let user = None;
            self.verified.insert(token, Verified { user, ..verified });
        }
    }

    /// What is known of a token that was verified, and is still good.
    fn remembered(&self, token: &[u8; 32], now: Instant) -> Option<Verified> {
        let verified = self.verified.get(token);
        verified.filter(|verified| verified.holds(now))
    }

    /// The person of a token that was verified, as of now.
    async fn as_of(
        &self,
        now: Instant,
        db: &Db,
        token: &[u8; 32],
        id: UserId,
    ) -> Result<Option<User>> {
        let user = in_time(async { user::by_id(&mut db.read().await?, id).await }).await?;
        if user.is_none() {
            self.verified.invalidate(token);
        } else if let Some(verified) = self.verified.get(token)
            && (verified.user != user || !verified.is_fresh(now))
        {
            let known = Verified {
                user: user.clone(),
                asked_at: now,
                ..verified
            };
            self.verified.insert(*token, known);
        }
        Ok(user)
    }

    async fn by_api_token(&self, app: &App, secret: &str) -> Result<Viewer, Refused> {
        let now = app.now();
        let found = in_time(api_token::authenticate(app, secret, now)).await?;
        let (token, user) = found.ok_or_else(|| Refused::Invalid("no such API token".into()))?;
        let minute = now.to_minute();
        if token.last_used_at.is_none_or(|noted| noted < minute) {
            self.uses.note(app, token.id, minute).await;
        }
        Ok(Viewer {
            user,
            credential: Credential::ApiToken,
            at: now,
            expires_at: token.expires_at,
        })
    }

    async fn by_token(&self, app: &App, token: &str) -> Result<Viewer, Refused> {
        let (hash, now) = (hash(token), app.now());
        if let Some(verified) = self.remembered(&hash, now)
            && let Some(user) = self.as_of(now, &app.db, &hash, verified.user_id).await?
        {
            return Ok(verified.viewer(user, now));
        }
        let identity = match self.verifier.verify(token, now.to_utc()).await {
            Ok(identity) => identity,
            Err(TokenError::Invalid(refusal)) => return Err(Refused::Invalid(refusal.to_string())),
            Err(unavailable @ TokenError::Unavailable { .. }) => {
                return Err(Refused::Failed(Error::NoIssuer(unavailable.to_string())));
            }
        };
        // Boxed, because it is large, and seldom.
        Box::pin(self.sign_in(app, hash, identity, now)).await
    }

    async fn sign_in(
        &self,
        app: &App,
        token: [u8; 32],
        identity: Identity,
        now: Instant,
    ) -> Result<Viewer, Refused> {
        let user = match in_time(user::sign_in(&app.db, &identity, now)).await {
            Err(error) if error.code() == ErrorCode::Unauthenticated => {
                return Err(Refused::Invalid(
                    "issued before the account was deleted".into(),
                ));
            }
            signed_in => signed_in?,
        };
        let workos_organization_id = identity.workos_organization_id;
        let verified = Verified {
            user_id: user.id,
            user: Some(user.clone()),
            workos_organization_id: workos_organization_id.clone(),
            at: now,
            asked_at: now,
            expires_at: identity.expires_at.into(),
        };
        self.verified.insert(token, verified);
        Ok(Viewer {
            user,
            credential: Credential::Identity {
                workos_organization_id,
            },
            at: now,
            expires_at: Some(identity.expires_at.into()),
        })
    }
}

impl Verified {
    fn viewer(self, user: User, now: Instant) -> Viewer {
        Viewer {
            user,
            credential: Credential::Identity {
                workos_organization_id: self.workos_organization_id,
            },
            at: now,
            expires_at: Some(self.expires_at),
        }
    }

    fn is_fresh(&self, now: Instant) -> bool {
        now >= self.asked_at && now.since(self.asked_at) < FRESH_FOR
    }

    fn holds(&self, now: Instant) -> bool {
        now < self.expires_at && now >= self.at && now.since(self.at) < CACHED_FOR
    }
}

/// Whether the value of an `Authorization` header is that of an API token, good or not.
pub fn is_api_token(header: &[u8]) -> bool {
    bearer(header).is_some_and(|token| token.starts_with(api_token::PREFIX))
}

async fn in_time<T>(look: impl Future<Output = Result<T>>) -> Result<T> {
    let too_late = |_| Error::NoConnection("it took too long to look up who asks".to_owned());
    timeout(PATIENCE, look).await.map_err(too_late)?
}

/// What a token is remembered by.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The token of a header as RFC 6750 has it; the scheme's case does not matter.
fn bearer(header: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
