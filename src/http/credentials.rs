//! The credentials of a client, and for how long they hold.

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
        // Credentials are secret.
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// The credentials of a request with these headers. Several `Authorization` headers form one list,
    /// as in RFC 9110 §5.3, and so are not valid: it would be ambiguous which one counts.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get_all(AUTHORIZATION).iter();
        let sent: Vec<_> = sent.map(|value| value.as_bytes()).collect();
        Self((!sent.is_empty()).then(|| sent.join(b", ".as_slice())))
    }

    /// Credentials from a value written like the header's.
    pub fn written(value: &str) -> Self {
        Self(Some(value.as_bytes().to_vec()))
    }

    /// Returns the viewer that they stand for now.
    ///
    /// # Errors
    /// If they are not valid, or that cannot be determined.
    pub async fn authenticate(&self, state: &State) -> Result<Result<Viewer, SignedOut>, Refused> {
        match &self.0 {
            None => Ok(Err(SignedOut)),
            Some(header) => {
                let viewer = state.authenticator.authenticate(&state.app, header).await?;
                Ok(Ok(viewer))
            }
        }
    }

    /// Returns the viewer as of an earlier request: see [`Authenticator::recall`].
    ///
    /// [`Authenticator::recall`]: crate::auth::Authenticator::recall
    pub fn recall(&self, state: &State) -> Option<Recalled> {
        let header = self.0.as_ref()?;
        state.authenticator.recall(&state.app, header)
    }

    /// Forgets the remembered viewer, who may have changed in a mutation.
    pub fn forget(&self, state: &State) {
        if let Some(header) = &self.0 {
            state.authenticator.forget(header);
        }
    }

    /// Checks whether they still hold for the next result of a subscription. Only API tokens are looked
    /// up: a revoked one ends at once, even though its owner may see as much as before. The expiry of
    /// other tokens is noticed by [`Self::ended`], and a deleted user sees nothing.
    ///
    /// Retries while the database cannot be reached.
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

    /// Completes when they no longer stand for `viewer`: they expired or were revoked, or the person
    /// deleted their account. Expiry is noticed at once, the rest at the next check.
    pub async fn ended(self, state: State, viewer: Option<Viewer>) {
        let Some(viewer) = viewer else {
            // Without credentials there is nothing that could end.
            return std::future::pending().await;
        };
        // A token may be accepted a little past its expiry; if it is, there is no expiry to wait for.
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
                // Nobody is disconnected because the database is unreachable.
                Err(Refused::Failed(error)) => {
                    tracing::debug!(error = error.details(), "credentials could not be checked");
                }
            }
        }
    }
}
