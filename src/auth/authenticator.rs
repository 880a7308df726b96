//! Authenticating requests: from an `Authorization` header to the viewer.

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

/// How long a verified token is accepted without verifying it again.
const CACHED_FOR: Duration = Duration::from_secs(60);
/// How long after a check a viewer may get answers that are the same for everybody without another
/// check.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// The longest that looking up the viewer may take. A database that vanished without closing its
/// connections, because its machine is down or frozen, leaves a statement unanswered; the client gets an
/// error within 5 seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many tokens are remembered.
const CACHED: u64 = 50_000;

/// Authenticates requests. Verified tokens are remembered by their hash for a minute, but never past
/// their own expiry; that the person still exists is checked on every request.
pub struct Authenticator {
    verifier: Verifier,
    verified: Cache<[u8; 32], Verified>,
    uses: Uses,
}

#[derive(Clone)]
struct Verified {
    user_id: UserId,
    /// The user as last read; `None` after [`Authenticator::forget`].
    user: Option<User>,
    asked_at: Instant,
    workos_organization_id: Option<String>,
    at: Instant,
    expires_at: Instant,
}

/// A viewer as of an earlier request.
pub struct Recalled {
    viewer: Viewer,
    token: [u8; 32],
    is_fresh: bool,
}

impl Recalled {
    /// The viewer as of then.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether they were read less than a second ago.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }
}

/// Why a request with credentials is refused.
#[derive(Debug)]
pub enum Refused {
    /// The credentials are not valid. The reason is for the log; the client does not get it.
    Invalid(String),
    /// Whether they are valid cannot be determined now.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Authenticator {
    /// Accepts API tokens, and the tokens that `verifier` accepts.
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

    /// Returns the viewer of a request, by the value of its `Authorization` header.
    ///
    /// # Errors
    /// If the header holds no valid credentials: a request that tries to sign in is never treated as
    /// anonymous.
    pub async fn authenticate(&self, app: &App, header: &[u8]) -> Result<Viewer, Refused> {
        let token = bearer(header).ok_or_else(|| Refused::Invalid("not a bearer token".into()))?;
        if token.starts_with(api_token::PREFIX) {
            return self.by_api_token(app, token).await;
        }
        self.by_token(app, token).await
    }

    /// Returns the viewer of a token that was verified within the last minute, as of then. Nothing may
    /// be told to or done for them before they are [confirmed](Self::confirm), except that
    /// [fresh](Recalled::is_fresh) ones may get what is the same for everybody.
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

    /// Checks whether the viewer is unchanged.
    ///
    /// # Errors
    /// Database errors only.
    pub async fn confirm(&self, app: &App, db: &Db, recalled: &Recalled) -> Result<bool> {
        let Recalled { viewer, token, .. } = recalled;
        let user = self.as_of(app.now(), db, token, viewer.id()).await?;
        Ok(user.is_some_and(|user| user == viewer.user))
    }

    /// Forgets the user of a token, who may just have been changed. The token stays verified.
    pub fn forget(&self, header: &[u8]) {
        if let Some(token) = bearer(header).map(hash)
            && let Some(verified) = self.verified.get(&token)
        {
            let user = None;
            self.verified.insert(token, Verified { user, ..verified });
        }
    }

    /// Returns what is known about a verified token, if it is still valid.
    fn remembered(&self, token: &[u8; 32], now: Instant) -> Option<Verified> {
        let verified = self.verified.get(token);
        verified.filter(|verified| verified.holds(now))
    }

    /// Reads the user of a verified token as of now, and remembers them.
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
        // Boxed because the future is large, and rarely needed.
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

/// Whether the value of an `Authorization` header is an API token, valid or not.
pub fn is_api_token(header: &[u8]) -> bool {
    bearer(header).is_some_and(|token| token.starts_with(api_token::PREFIX))
}

async fn in_time<T>(look: impl Future<Output = Result<T>>) -> Result<T> {
    let too_late = |_| Error::NoConnection("looking up the caller took too long".to_owned());
    timeout(PATIENCE, look).await.map_err(too_late)?
}

/// The key under which a token is remembered.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The token of a header as in RFC 6750; the case of the scheme does not matter.
fn bearer(header: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
