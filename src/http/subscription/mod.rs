//! Subscriptions over WebSocket and over server-sent events.
//!
//! ```text
//! ws  ─ protocol ─┐
//!                 ├─ run ─ RequestContext::stream ─ models
//! sse ────────────┘
//! ```
//!
//! Each operation runs in its own task, which waits for its reader: results do not pile up for a slow
//! client, and one that stays slow is disconnected.

mod protocol;
mod run;
pub mod sse;
pub mod ws;

use tokio::sync::watch;

pub use run::Operation;

/// Completes when the server stops.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // This fails only if the server is gone.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}
