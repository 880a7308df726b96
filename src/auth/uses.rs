//! Noting when API tokens are used, on which no request depends.

use std::time::Duration;

use moka::sync::Cache;
use tracing::Instrument;

use crate::app::App;
use crate::db::types::Instant;
use crate::id::ApiTokenId;
use crate::models::api_token;

/// How long a request waits for its use to be noted: long enough that whoever asks for it right after is
/// told of it, unless those who write are kept waiting.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a minute is remembered: until it is over, by any clock.
const REMEMBERED_FOR: Duration = Duration::from_secs(120);
/// How many tokens are remembered.
const REMEMBERED: u64 = 50_000;

/// The minutes in which tokens were used, as far as this process has noted them.
pub(super) struct Uses(Cache<(ApiTokenId, Instant), ()>);

impl Default for Uses {
    fn default() -> Self {
        let noted = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self(noted)
    }
}

impl Uses {
    /// Notes that the token is used in that minute, and waits a little for it to be noted. Whatever comes
    /// of it, the request can go on.
    pub(super) async fn note(&self, app: &App, token: ApiTokenId, minute: Instant) {
        let key = (token, minute);
        // One of the requests of a minute does it for all of them.
        if !self.0.entry(key).or_insert(()).is_fresh() {
            return;
        }
        let (app, noted) = (app.clone(), self.0.clone());
        let noting = async move {
            if let Err(error) = api_token::note_use(&app, token, minute).await {
                tracing::debug!(%token, error = error.details(), "the use of an API token could not be noted");
                noted.invalidate(&key);
            }
        };
        let noting = tokio::spawn(noting.in_current_span());
        // It goes on by itself.
        let _ = tokio::time::timeout(PATIENCE, noting).await;
    }
}
