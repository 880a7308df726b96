//! Recording when API tokens are used. No request depends on it.

use std::time::Duration;

use moka::sync::Cache;
use tracing::Instrument;

use crate::app::App;
use crate::db::types::Instant;
use crate::id::ApiTokenId;
use crate::models::api_token;

/// How long a request waits for its use to be recorded: long enough that whoever reads it right
/// afterwards sees it, unless writes are delayed.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a recorded minute is remembered: until it is over, even if clocks differ.
const REMEMBERED_FOR: Duration = Duration::from_secs(120);
/// How many tokens are remembered.
const REMEMBERED: u64 = 50_000;

/// The minutes in which tokens were used, as far as this process has recorded them.
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
    /// Records that the token is used in that minute, and waits briefly for that. The request can go on
    /// whether or not it succeeds.
    pub(super) async fn note(&self, app: &App, token: ApiTokenId, minute: Instant) {
        let key = (token, minute);
        // Only the first request of a minute records it.
        if !self.0.entry(key).or_insert(()).is_fresh() {
            return;
        }
        let (app, noted) = (app.clone(), self.0.clone());
        let noting = async move {
            if let Err(error) = api_token::note_use(&app, token, minute).await {
                tracing::debug!(%token, error = error.details(), "the use of an API token could not be recorded");
                noted.invalidate(&key);
            }
        };
        let noting = tokio::spawn(noting.in_current_span());
        // The task goes on in the background.
        let _ = tokio::time::timeout(PATIENCE, noting).await;
    }
}
