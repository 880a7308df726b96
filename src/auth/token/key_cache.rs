//! An issuer's keys: fetched when needed, and kept while the issuer is unreachable.
//!
//! Nothing runs in the background: the request that finds the keys too old, or a key missing, refreshes
//! them, once for all that wait meanwhile. How often an issuer is asked does not depend on which tokens
//! come in.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use url::Url;

use super::error::{Refusal, TokenError};
use super::fetch;
use super::key_set::KeySet;
use crate::config::Issuer;

/// How soon to try again while there are no keys at all, so that a brief failure of the issuer at
/// startup does not keep everybody signed out for a minute.
const FIRST_KEYS_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// One issuer's keys.
pub struct KeyCache {
    issuer: String,
    origin: Origin,
    state: Mutex<State>,
    /// Held while the keys are being refreshed.
    turn: Arc<AsyncMutex<()>>,
}

enum Origin {
    Url(Url, Client),
    File(PathBuf),
    Nowhere,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the keys were last known to be current.
    current_at: Option<DateTime<Utc>>,
    /// When a refresh last started because of an unknown key id.
    missed_at: Option<DateTime<Utc>>,
    /// When a refresh last started for any reason, however it ended.
    tried_at: Option<DateTime<Utc>>,
    /// Why the last refresh failed, if it did.
    failure: Option<String>,
    /// The version of the file that the keys are from.
    version: Option<Version>,
}

type Version = (SystemTime, u64);

/// Why the keys are refreshed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// There are no keys, or they are old.
    Age,
    /// A key is missing. This has its own pause: tokens with random key ids must not cause a request
    /// each, but a new key must not have to wait because the keys were fetched a moment before.
    Unknown,
}

impl KeyCache {
    /// The keys of `issuer`, not fetched yet.
    pub fn new(issuer: &Issuer, http: &Client) -> Arc<Self> {
        Arc::new(Self {
            issuer: issuer.issuer.clone(),
            origin: Origin::of(issuer, http),
            state: Mutex::default(),
            turn: Arc::default(),
        })
    }

    /// Returns the key that a token claims to be signed with; see [`KeySet::select`].
    ///
    /// # Errors
    ///
    /// `Key`, `KeyMismatch`; `Unavailable` if there never were any keys.
    pub async fn select(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Result<DecodingKey, TokenError> {
        let mut has_asked = false;
        if self.state().keys.is_none() {
            let turn = self.turn.clone().lock_owned().await;
            has_asked = self.refresh(turn, Cause::Age, now).await;
        } else if self.is_old(now)
            && let Ok(turn) = self.turn.clone().try_lock_owned()
        {
            // Only this request waits; others use the old keys meanwhile.
            has_asked = self.refresh(turn, Cause::Age, now).await;
        }
        match self.keys()?.select(id, algorithm) {
            Err(Refusal::Key) if !has_asked => {
                // Even if it is too early for another refresh, wait for the turn: one may be in
                // progress.
                let turn = self.turn.clone().lock_owned().await;
                if let Err(Refusal::Key) = self.keys()?.select(id, algorithm) {
                    self.refresh(turn, Cause::Unknown, now).await;
                }
                Ok(self.keys()?.select(id, algorithm)?.clone())
            }
            selected => Ok(selected?.clone()),
        }
    }

    fn keys(&self) -> Result<Arc<KeySet>, TokenError> {
        let state = self.state();
        state.keys.ok_or_else(|| TokenError::Unavailable {
            issuer: self.issuer.clone(),
            cause: state.failure.unwrap_or_default(),
        })
    }

    /// Refreshes the keys, unless that was done a moment ago for the same cause. The outcome is stored
    /// even if the request that started it is dropped. Returns whether the issuer was asked.
    async fn refresh(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
        cause: Cause,
        now: DateTime<Utc>,
    ) -> bool {
        {
            let mut state = self.lock();
            let pause = match state.keys {
                Some(_) => self.origin.pause(),
                None => self.origin.pause().min(FIRST_KEYS_PAUSE),
            };
            let before = match cause {
                Cause::Age => state.tried_at,
                Cause::Unknown => state.missed_at,
            };
            if !passed(before, pause, now) {
                return false;
            }
            state.tried_at = Some(now);
            if cause == Cause::Unknown {
                state.missed_at = Some(now);
            }
        }
        let this = self.clone();
        let refreshing = tokio::spawn(async move {
            let loaded = this.origin.load(this.state().version).await;
            this.store(loaded, now);
            drop(turn);
        });
        // This fails only if the runtime shuts down, and this request with it.
        let _ = refreshing.await;
        true
    }

    fn store(&self, loaded: Result<Loaded, String>, now: DateTime<Utc>) {
        let mut state = self.lock();
        match loaded {
            Ok(loaded) => {
                if let Loaded::Keys(keys, version) = loaded {
                    state.keys = Some(Arc::new(keys));
                    state.version = version;
                }
                state.current_at = Some(now);
                state.failure = None;
            }
            Err(cause) => {
                // Logged once, not on every attempt.
                if state.failure.as_ref() != Some(&cause) {
                    tracing::warn!(
                        issuer = self.issuer,
                        cause,
                        "the issuer's keys cannot be loaded"
                    );
                }
                state.failure = Some(cause);
            }
        }
    }

    fn is_old(&self, now: DateTime<Utc>) -> bool {
        passed(self.lock().current_at, self.origin.lifetime(), now)
    }

    fn state(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // No code that holds the lock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Loaded {
    Keys(KeySet, Option<Version>),
    Unchanged,
}

/// Fetches an issuer's keys and counts the usable ones, for a check before any token comes.
///
/// # Errors
///
/// A phrase for the operator, if the keys cannot be fetched or none is usable.
pub async fn count_keys(issuer: &Issuer, http: &Client) -> Result<usize, String> {
    let count = match Origin::of(issuer, http).load(None).await? {
        Loaded::Keys(keys, _) => keys.len(),
        // Returned only for a known version.
        Loaded::Unchanged => 0,
    };
    match count {
        0 => Err("none of them can be used".to_owned()),
        count => Ok(count),
    }
}

impl Origin {
    fn of(issuer: &Issuer, http: &Client) -> Self {
        match (&issuer.jwks_url, &issuer.jwks_file) {
            (Some(url), _) => Self::Url(url.clone(), http.clone()),
            (None, Some(path)) => Self::File(path.clone()),
            (None, None) => Self::Nowhere,
        }
    }

    /// How long keys count as current, whatever their server says about caching.
    fn lifetime(&self) -> TimeDelta {
        match self {
            Self::Url(..) => TimeDelta::minutes(10),
            Self::File(_) | Self::Nowhere => TimeDelta::seconds(2),
        }
    }

    /// The least time between two refreshes for the same cause.
    fn pause(&self) -> TimeDelta {
        match self {
            Self::Url(..) => TimeDelta::minutes(1),
            Self::File(_) | Self::Nowhere => TimeDelta::seconds(2),
        }
    }

    async fn load(&self, known: Option<Version>) -> Result<Loaded, String> {
        match self {
            Self::Url(url, http) => {
                let set = fetch::json(http, url, None)
                    .await
                    .map_err(|error| error.to_string())?;
                Ok(Loaded::Keys(KeySet::read(&set)?, None))
            }
            Self::File(path) => {
                let describe = |error: std::io::Error| format!("{}: {error}", path.display());
                let metadata = tokio::fs::metadata(path).await.map_err(describe)?;
                let version = (metadata.modified().map_err(describe)?, metadata.len());
                if known == Some(version) {
                    return Ok(Loaded::Unchanged);
                }
                let text = tokio::fs::read(path).await.map_err(describe)?;
                let set = serde_json::from_slice(&text)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(Loaded::Keys(KeySet::read(&set)?, Some(version)))
            }
            Self::Nowhere => Err("neither a URL nor a file of its keys is configured".to_owned()),
        }
    }
}

/// Whether `time` is at least `span` away, in either direction: a clock that is set back must not keep
/// the keys from being refreshed.
fn passed(time: Option<DateTime<Utc>>, span: TimeDelta, now: DateTime<Utc>) -> bool {
    time.is_none_or(|time| (now - time).abs() >= span)
}
