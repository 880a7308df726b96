//! Liveness and readiness.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State as Extract;
use axum::http::StatusCode;

use super::state::State;
use crate::db;
use crate::error::Result;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// `GET /healthz`: the process is alive.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the server is not about to stop, the database is reachable, and its migrations are
/// current. Without its replica, the server is still ready, and says so.
pub async fn ready(Extract(state): Extract<State>) -> (StatusCode, &'static str) {
    if state.draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n");
    }
    match tokio::time::timeout(PATIENCE, is_migrated(&state)).await {
        Ok(Ok(true)) => match state.app.db.replica() {
            Some(replica) if replica.is_away() => (
                StatusCode::OK,
                "ready; the replica is unavailable, so queries read the primary\n",
            ),
            Some(_) | None => (StatusCode::OK, "ready\n"),
        },
        Ok(Ok(false)) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
        Ok(Err(_)) | Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database cannot be reached\n",
        ),
    }
}

async fn is_migrated(state: &State) -> Result<bool> {
    let standing = db::standing(&mut state.app.db.read().await?).await?;
    Ok(standing.missing.is_empty())
}
