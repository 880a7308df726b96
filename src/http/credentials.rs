//! Whom a connection acts for, for as long as that holds.

use std::fmt;

use axum::http::header::{AUTHORIZATION, HeaderMap};
use tokio::time::sleep;

use super::state::State;
use crate::auth::{Recalled, Refused, Viewer, is_api_token};
use crate::db::types::Instant;
use crate::graphql::SignedOut;

/// What a client signed in with: the value of its `Authorization` header, if it sent one.
#[derive(Clone)]
pub struct Credentials(Option<Vec<u8>>);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // They are secret.
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// Those of a request with these headers. Several are one list, as RFC 9110 §5.3 has it, and so not
    /// valid: nobody could tell which of them counts.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get_all(AUTHORIZATION).iter();
        let sent: Vec<_> = sent.map(|value| value.as_bytes()).collect();
        Self((!sent.is_empty()).then(|| sent.join(b", ".as_slice())))
    }

    /// Those of a value that is written as the header's would be.
    pub fn written(value: &str) -> Self {
        Self(Some(value.as_bytes().to_vec()))
    }

    /// Whom they stand for now.
    ///
    /// # Errors
    /// Where they are not valid, or that cannot be told.
    pub async fn authenticate(&self, state: &State) -> Result<Result<Viewer, SignedOut>, Refused> {
        match &self.0 {
            None => Ok(Err(SignedOut)),
            Some(header) => {
                let viewer = state.authenticator.authenticate(&state.app, header).await?;
                Ok(Ok(viewer))
            }
        }
    }

    /// Whom they stand for, as of an earlier request: see [`Authenticator::recall`].
    ///
    /// [`Authenticator::recall`]: crate::auth::Authenticator::recall
    pub fn recall(&self, state: &State) -> Option<Recalled> {
        let header = self.0.as_ref()?;
        state.authenticator.recall(&state.app, header)
    }

    /// Has their owner not be taken for who they were, after a mutation.
    pub fn forget(&self, state: &State) {
        if let Some(header) = &self.0 {
            state.authenticator.forget(header);
        }
    }

    /// Whether they are still good for what a subscription gives next. An API token is ended at once, and
    /// its owner may see as much as before; of other tokens, [`Self::ended`] notices the expiry, and whoever
    /// is gone sees nothing.
    ///
    /// A database that cannot be reached is waited for.
    pub async fn still_hold(&self, state: &State) -> bool {
        let Some(header) = self.0.as_ref().filter(|header| is_api_token(header)) else {
            return true;
        };
        loop {
            match state.authenticator.authenticate(&state.app, header).await {
                Ok(_) => return true,
                Err(Refused::Invalid(_)) => return false,
                Err(Refused::Failed(error)) => {
                    tracing::debug!(error = error.details(), "credentials could not be checked");
                    sleep(state.app.pace.look).await;
                }
            }
        }
    }

    /// Completes when they do not stand for `viewer` any more: they expired or were revoked, or the
    /// person deleted their account. Expiry is noticed at once, the rest when it is asked again.
    pub async fn ended(self, state: State, viewer: Option<Viewer>) {
        let Some(viewer) = viewer else {
            // Nobody stays nobody.
            return std::future::pending().await;
        };
        // A token may be taken for a little longer than it says: then there is no more to wait for.
        let expires_at = viewer.expires_at.filter(|at| state.app.now() < *at);
        loop {
            let now = state.app.now();
            if expires_at.is_some_and(|at| at <= now) {
                return;
            }
            let check = state.app.pace.check;
            let left = expires_at.map_or(check, |at: Instant| at.since(now));
            sleep(left.min(check)).await;
            match self.authenticate(&state).await {
                Ok(Ok(now)) if now.id() == viewer.id() => {}
                Ok(_) | Err(Refused::Invalid(_)) => return,
                // Nobody is thrown out because the database is away.
                Err(Refused::Failed(error)) => {
                    tracing::debug!(error = error.details(), "credentials could not be checked");
                }
            }
        }
    }
}
