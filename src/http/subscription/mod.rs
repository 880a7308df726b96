//! Subscriptions over WebSocket and over server-sent events.
//!
//! ```text
//! ws  ─ protocol ─┐
//!                 ├─ run ─ RequestContext::stream ─ models
//! sse ────────────┘
//! ```
//!
//! Each operation runs in a task of its own, which waits for whoever reads it: nothing piles up for a
//! client that is slow, and one that stays slow is cut off.

mod protocol;
mod run;
pub mod sse;
pub mod ws;

use tokio::sync::watch;

pub use run::Operation;

/// Completes when the server stops.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // It fails where there is no server any more.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}
